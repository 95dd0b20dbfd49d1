"""Each importer on a small file that is written out here, right and wrong."""

from __future__ import annotations

import json
import lzma
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finiex_ray.core.errors import ConfigError, ImportRefusedError
from finiex_ray.core.time import format_utc
from finiex_ray.data.importers.base import ImportOptions, RawTicks
from finiex_ray.data.importing import IMPORTERS

LEAN = "292,1.38676,1.38686\n920,1.38675,1.38687\n86399999,1.38693,1.38706"
MT5 = (
    "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\n"
    "2024.01.02\t00:00:00.100\t1.10000\t1.10010\t\t\t6\n"
    "2024.01.02\t00:00:00.200\t1.10001\t\t\t\t2\n"
    "2024.01.02\t00:00:01\t\t1.10012\t\t3\t4\n"
)
HISTDATA = "20120201 000003660,1.306600,1.306770,0\n20120201 000003973,1.306590,1.306760,0\n"
TRUEFX = "EUR/USD,20130102 00:00:00.123,1.31900,1.31910\nEUR/USD,20130102 00:00:01.456,1.31901,1.31911\n"
CSV = "timestamp,bid,ask,volume\n2024-01-02T00:00:00.5Z,1.1,1.1001,2\n2024-01-02T00:00:01Z,1.10005,1.10010,1.5\n"


def write_zip(path: Path, member: str, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, text)
    return path


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def read(fmt: str, path: Path, digits: int = 5, **options: Any) -> RawTicks:
    return IMPORTERS[fmt].read(path, ImportOptions("EURUSD", digits, **options))


def rows(raw: RawTicks) -> list[tuple[str, int, int, float]]:
    ticks = raw.ticks
    return [
        (format_utc(time), bid, ask, volume)
        for time, bid, ask, volume in zip(*(column.tolist() for column in ticks), strict=True)
    ]


def lean(folder: Path, text: str = LEAN, name: str = "20140501_quote.zip") -> Path:
    return write_zip(folder / name, "20140501_eurusd_tick_quote.csv", text)


def bi5(folder: Path, *ticks: tuple[int, int, int, float, float]) -> Path:
    path = folder / "EURUSD" / "2012" / "11" / "03" / "06h_ticks.bi5"
    path.parent.mkdir(parents=True, exist_ok=True)
    data = b"".join(struct.pack(">IIIff", *tick) for tick in ticks)
    path.write_bytes(lzma.compress(data, format=lzma.FORMAT_ALONE) if data else b"")
    return path


def collector(path: Path, *ticks: dict[str, object], offset: object = 0) -> Path:
    metadata = {"symbol": "EURUSD", "broker_utc_offset_hours": offset, "symbol_info": {"digits": 5}}
    return write(path, json.dumps({"metadata": metadata, "ticks": list(ticks)}))


def tick(ms: int, bid: object = 1.1, ask: object = 1.1001, shift_ms: int = 0) -> dict[str, object]:
    return {"time_msc": ms, "collected_msc": ms - shift_ms, "bid": bid, "ask": ask, "real_volume": 0.5}


def test_lean_takes_the_date_from_the_name_and_every_row(tmp_path: Path) -> None:
    assert rows(read("lean", lean(tmp_path))) == [
        ("2014-05-01T00:00:00.292Z", 138676, 138686, 0.0),
        ("2014-05-01T00:00:00.920Z", 138675, 138687, 0.0),
        ("2014-05-01T23:59:59.999Z", 138693, 138706, 0.0),  # the last line of a LEAN file has no line end
    ]


def test_lean_in_a_fixed_zone_spills_into_the_next_day(tmp_path: Path) -> None:
    assert [row[0] for row in rows(read("lean", lean(tmp_path), tz="UTC-5"))] == [
        "2014-05-01T05:00:00.292Z",
        "2014-05-01T05:00:00.920Z",
        "2014-05-02T04:59:59.999Z",
    ]


def test_lean_names_its_symbol(tmp_path: Path) -> None:
    assert IMPORTERS["lean"].stamped_symbol(lean(tmp_path)) == "EURUSD"


def test_dukascopy_counts_months_from_zero_and_adds_both_volumes(tmp_path: Path) -> None:
    path = bi5(tmp_path, (218, 132010, 132000, 1.5, 0.25), (3_599_999, 132011, 132001, 1.0, 1.0))
    assert rows(read("dukascopy", path)) == [
        ("2012-12-03T06:00:00.218Z", 132000, 132010, 1.75),
        ("2012-12-03T06:59:59.999Z", 132001, 132011, 2.0),
    ]
    assert IMPORTERS["dukascopy"].stamped_symbol(path) == "EURUSD"


def test_dukascopy_hour_without_ticks_is_an_empty_file(tmp_path: Path) -> None:
    assert rows(read("dukascopy", bi5(tmp_path))) == []


def test_mt5_repeats_the_last_value_of_an_empty_cell(tmp_path: Path) -> None:
    assert rows(read("mt5", write(tmp_path / "t.csv", MT5), tz="UTC+2")) == [
        ("2024-01-01T22:00:00.100Z", 110000, 110010, 0.0),
        ("2024-01-01T22:00:00.200Z", 110001, 110010, 0.0),
        ("2024-01-01T22:00:01Z", 110001, 110012, 3.0),
    ]


def test_mt5_passes_over_rows_before_the_first_complete_quote_and_reads_utf16(tmp_path: Path) -> None:
    head, first, *rest = MT5.splitlines()
    path = tmp_path / "t.csv"
    path.write_bytes("\n".join([head, first.replace("1.10010", ""), first, *rest]).encode("utf-16"))
    raw = read("mt5", path, tz="UTC")
    assert len(raw.ticks.time_ns) == 3
    assert raw.warnings == ("t.csv: 1 rows before the first complete quote passed over",)


def test_histdata_is_eastern_standard_time_all_year(tmp_path: Path) -> None:
    text = HISTDATA + "20120701 000000000,1.3,1.3001,0\n"
    expected = ["2012-02-01T05:00:03.660Z", "2012-02-01T05:00:03.973Z", "2012-07-01T05:00:00Z"]
    plain = read("histdata", write(tmp_path / "DAT_ASCII_EURUSD_T_201202.csv", text))
    zipped = read("histdata", write_zip(tmp_path / "z.zip", "DAT_ASCII_EURUSD_T_201202.csv", text))
    assert [row[0] for row in rows(plain)] == expected
    assert rows(zipped) == rows(plain)
    assert rows(plain)[0][1:3] == (130660, 130677)


def test_truefx_with_and_without_header(tmp_path: Path) -> None:
    classic = read("truefx", write(tmp_path / "a.csv", TRUEFX))
    header = (
        "timestamp,bid,ask\n2013-01-02 00:00:00.123+00:00,1.319,1.3191\n2013-01-02 00:00:01.456+00:00,1.31901,1.31911"
    )
    assert rows(classic) == rows(read("truefx", write(tmp_path / "b.csv", header)))
    assert rows(classic)[1] == ("2013-01-02T00:00:01.456Z", 131901, 131911, 0.0)


@pytest.mark.parametrize(
    ("stamp", "options"),
    [
        ("2024-07-01T12:00:00.123456789Z", {}),
        ("2024-07-01 14:00:00.123456789+02:00", {}),
        ("2024-07-01 14:00:00.123456789", {"tz": "UTC+02:00"}),
        ("2024-07-01 08:00:00.123456789", {"tz": "America/New_York"}),
        ("2024-07-01 07:00:00.123456789", {"tz": "EST"}),
        ("2024-07-01 07:00:00.123456789", {"tz": "-05:00"}),
        ("01.07.2024 12:00:00.123456789", {"tz": "UTC", "time_format": "%d.%m.%Y %H:%M:%S.%f"}),
        ("1719835200123456789", {"time_format": "ns"}),
        ("1719835200.123456789", {"time_format": "s"}),
        ("1719835200123456.789", {"time_format": "us"}),
    ],
)
def test_csv_reads_times_to_the_nanosecond(tmp_path: Path, stamp: str, options: dict[str, str]) -> None:
    path = write(tmp_path / "t.csv", f"When;B;A\n{stamp};1.1;1.1001\n")
    columns = {"time": "When", "bid": "B", "ask": "A"}
    raw = read("csv", path, columns=columns, delimiter=";", **options)
    assert rows(raw) == [("2024-07-01T12:00:00.123456789Z", 110000, 110010, 0.0)]


def test_csv_finds_columns_by_name(tmp_path: Path) -> None:
    assert rows(read("csv", write(tmp_path / "t.csv", CSV)))[1] == ("2024-01-02T00:00:01Z", 110005, 110010, 1.5)


@pytest.mark.parametrize("time_type", [pa.timestamp("ms", "UTC"), pa.timestamp("us"), pa.int64(), pa.string()])
def test_parquet_times_of_every_kind(tmp_path: Path, time_type: pa.DataType) -> None:
    ms = pa.array([1_719_835_200_123, 1_719_835_201_000])
    times = ms.cast(pa.timestamp("ms")).cast(pa.string()) if time_type == pa.string() else None
    if pa.types.is_timestamp(time_type):
        times = ms.cast(pa.timestamp("ms")).cast(pa.timestamp(time_type.unit))
        times = times.cast(time_type) if time_type.tz is None else ms.cast(time_type)
    table = pa.table({"t": times if times is not None else ms, "bid": [1.1, 1.1], "ask": [1.1, 1.10001]})
    pq.write_table(table, tmp_path / "t.parquet")
    unit = "ms" if time_type == pa.int64() else None
    raw = read("parquet", tmp_path / "t.parquet", tz="UTC", columns={"time": "t"}, time_format=unit)
    assert rows(raw) == [
        ("2024-07-01T12:00:00.123Z", 110000, 110000, 0.0),
        ("2024-07-01T12:00:01Z", 110000, 110001, 0.0),
    ]


def test_collector_uses_its_stamp_and_warns_when_the_device_clock_disagrees(tmp_path: Path) -> None:
    start = 1_772_874_222_978
    path = collector(tmp_path / "t.json", *(tick(start + step, shift_ms=3_600_500) for step in range(3)))
    raw = read("collector", path)
    assert rows(raw)[0] == ("2026-03-07T09:03:42.978Z", 110000, 110010, 0.5)
    assert "--tz UTC+1" in raw.warnings[0]
    assert "WARNING" in raw.warnings[0]
    told = read("collector", path, tz="UTC+1")
    assert rows(told)[0][0] == "2026-03-07T08:03:42.978Z"
    assert told.warnings == ()


def test_collector_stamped_with_half_an_hour(tmp_path: Path) -> None:
    path = collector(tmp_path / "t.json", tick(1_772_874_222_978, shift_ms=19_800_000), offset=5.5)
    raw = read("collector", path)
    assert (raw.tz, raw.warnings) == ("UTC+5:30", ())
    assert rows(raw)[0][0] == "2026-03-07T03:33:42.978Z"


def test_prices_off_the_grid_can_be_snapped(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", CSV.replace("1.10005", "1.100054"))
    assert rows(read("csv", path, snap=True))[1][1] == 110005


def test_sort_is_stable_and_told(tmp_path: Path) -> None:
    raw = read("lean", lean(tmp_path, "5,1.1,1.2\n3,1.3,1.4\n5,1.5,1.6\n3,1.7,1.8"), sort=True)
    assert [row[1] for row in rows(raw)] == [130000, 170000, 110000, 150000]
    assert "row 2" in raw.warnings[0]


def test_crossed_quotes_are_kept_or_dropped(tmp_path: Path) -> None:
    path = lean(tmp_path, "1,1.1,1.2\n2,1.3,1.2\n3,1.1,1.1")
    assert len(read("lean", path, crossed="keep").ticks.time_ns) == 3
    dropped = read("lean", path, crossed="drop")
    assert ([row[1] for row in rows(dropped)], dropped.dropped) == ([110000, 110000], 1)


def test_columns_are_frozen_and_of_the_right_type(tmp_path: Path) -> None:
    ticks = read("lean", lean(tmp_path)).ticks
    assert [column.dtype for column in ticks] == [np.int64, np.int64, np.int64, np.float64]
    assert not any(column.flags.writeable for column in ticks)


WRONG_LEAN = {
    "bad number": ("1,1.1,1.2\n2,1.x,1.2\n", "row 2: bid '1.x' is no number"),
    "not a number": ("1,1.1,1.2\n2,1.1,NaN\n", "row 2: ask 'NaN' is no number"),
    "infinite": ("1,inf,1.2\n", "row 1: bid 'inf' is no number"),
    "empty cell": ("1,1.1,1.2\n2,,1.2\n", "row 2: bid is empty"),
    "zero": ("1,1.1,1.2\n2,0,1.2\n", "row 2: bid 0 is no price"),
    "negative": ("1,1.1,1.2\n2,1.1,-1.2\n", "row 2: ask -1.2 is no price"),
    "off the grid": ("1,1.1,1.2\n2,1.100005,1.2\n", "row 2: bid 1.100005 is off the grid of 5 digits"),
    "back in time": ("5,1.1,1.2\n4,1.1,1.2\n", "row 2: the time goes back from 2014-05-01T00:00:00.005Z"),
    "crossed": ("1,1.1,1.2\n2,1.2,1.1\n3,1.2,1.1\n", "row 2: 2 of 3 quotes are crossed"),
    "outside of the day": ("86400000,1.1,1.2\n", "row 1: time 86400000 ms is outside of a day"),
    "too few cells": ("1,1.1,1.2\n2,1.1\n", "row 2: Expected 3 columns, got 2"),
    "too many cells": ("1,1.1,1.2\n2,1.1,1.2,3\n", "row 2: Expected 3 columns, got 4"),
    "blank line": ("1,1.1,1.2\n\n2,1.1,1.2\n", "row 2: "),
    "too large": ("1,1.1e12,1.2e12\n", "row 1: bid 1100000000000 is too large"),
    "empty": ("", "holds no ticks"),
}


@pytest.mark.parametrize("case", WRONG_LEAN)
def test_wrong_lean_rows_are_refused_with_file_row_and_reason(tmp_path: Path, case: str) -> None:
    text, message = WRONG_LEAN[case]
    with pytest.raises(ImportRefusedError) as caught:
        read("lean", lean(tmp_path, text))
    assert str(caught.value).startswith(f"{tmp_path / '20140501_quote.zip'}: {message}")


def test_other_wrong_files_are_refused(tmp_path: Path) -> None:
    start = 1_772_874_222_978
    damaged = tmp_path / "20140502_quote.zip"
    damaged.write_bytes(b"PK\x03\x04 no zip at all")
    short = bi5(tmp_path / "short")
    short.write_bytes(lzma.compress(b"123", format=lzma.FORMAT_ALONE))
    noise = bi5(tmp_path / "noise")
    noise.write_bytes(b"\x00\x01\x02 no lzma")
    pq.write_table(pa.table({"time": [1.5], "bid": [1.1], "ask": [None]}), tmp_path / "null.parquet")
    cases = [
        ("lean", damaged, {}, "damaged zip"),
        ("lean", lean(tmp_path, name="20141301_quote.zip"), {}, "it holds the date"),
        ("dukascopy", short, {}, "no whole number of 20-byte rows"),
        ("dukascopy", noise, {}, "damaged bi5"),
        ("dukascopy", write(tmp_path / "06h_ticks.bi5", ""), {}, "it holds the hour"),
        ("dukascopy", bi5(tmp_path / "zero", (1, 0, 5, 1, 1)), {}, "row 1: ask 0 is no price"),
        ("dukascopy", bi5(tmp_path / "late", (3_600_000, 5, 5, 1, 1)), {}, "row 1: time 3600000 ms is outside"),
        ("mt5", write(tmp_path / "m.csv", "a,b,c\n1,2,3\n"), {"tz": "UTC"}, "no column <DATE>"),
        (
            "mt5",
            write(tmp_path / "n.csv", MT5.replace("2024.01.02\t00:00:01", "2024.13.02\t00:00:01")),
            {"tz": "UTC"},
            "row 4: ",
        ),
        (
            "histdata",
            write(tmp_path / "h.csv", HISTDATA + "20120201 1,1.3,1.4,0\n"),
            {},
            "row 3: '20120201 1' is no time",
        ),
        ("csv", write(tmp_path / "nothing.csv", ""), {}, "is empty"),
        ("truefx", write(tmp_path / "nothing.csv", ""), {}, "is empty"),
        ("truefx", write(tmp_path / "f.csv", TRUEFX + TRUEFX.replace("EUR/", "GBP/")), {}, "row 3: pair 'GBP/USD'"),
        (
            "csv",
            write(tmp_path / "c.csv", CSV.replace("01Z", "01")),
            {},
            "row 3: time '2024-01-02T00:00:01': some times",
        ),
        ("csv", write(tmp_path / "d.csv", CSV.replace("bid", "price")), {}, "no column for bid"),
        (
            "csv",
            write(tmp_path / "e.csv", "time,bid,ask\n1719835200,1,2\n"),
            {"time_format": "ns"},
            "is the unit right?",
        ),
        ("csv", write(tmp_path / "v.csv", CSV.replace(",1.5", ",-1")), {}, "row 3: volume -1 is no amount"),
        (
            "csv",
            write(tmp_path / "g.csv", "time,bid,ask\n2024-03-10 02:30:00,1,2\n"),
            {"tz": "America/New_York"},
            "row 2: local time",
        ),
        ("parquet", tmp_path / "null.parquet", {"time_format": "s"}, "row 1: ask is empty"),
        ("parquet", write(tmp_path / "x.parquet", "PAR1"), {}, "damaged Parquet"),
        ("collector", write(tmp_path / "a.json", '{"metadata":'), {}, "row 1: no JSON"),
        ("collector", write(tmp_path / "b.json", "[]"), {}, "no collector file"),
        (
            "collector",
            collector(tmp_path / "c.json", tick(start), tick(start, bid="1.1")),
            {},
            "row 2: bid '1.1' is no number",
        ),
        ("collector", collector(tmp_path / "d.json", tick(start, ask=float("nan"))), {}, "row 1: ask nan is no price"),
        ("collector", collector(tmp_path / "e.json", tick(start), {"time_msc": start}), {}, "row 2: bid is missing"),
        ("collector", collector(tmp_path / "f.json", tick(start), tick(start - 1)), {}, "row 2: the time goes back"),
    ]
    for fmt, path, options, message in cases:
        with pytest.raises(ImportRefusedError) as caught:
            read(fmt, path, **options)
        assert message in str(caught.value), (fmt, message, str(caught.value))
        assert str(caught.value).startswith(str(path))


def test_missing_and_wrong_options_name_the_option(tmp_path: Path) -> None:
    naive = write(tmp_path / "t.csv", CSV.replace("Z", ""))
    cases = [
        ("mt5", write(tmp_path / "m.csv", MT5), {}, "--tz"),
        ("csv", naive, {}, "carry no zone"),
        ("csv", naive, {"tz": "Europe/Berlim"}, "Did you mean 'Europe/Berlin'?"),
        ("csv", naive, {"tz": "UTC+19"}, "offsets end at 14 hours"),
        ("csv", naive, {"tz": "../etc"}, "unknown time zone"),
        ("csv", naive, {"columns": {"bid": "bidd"}}, "Did you mean 'bid'?"),
        ("csv", naive, {"columns": {"prize": "bid"}}, "unknown column 'prize'"),
        ("dukascopy", bi5(tmp_path), {"tz": "EST"}, "bi5 files are in UTC"),
        ("collector", collector(tmp_path / "c.json", tick(1), offset=None), {}, "broker_utc_offset_hours"),
    ]
    for fmt, path, options, message in cases:
        with pytest.raises(ConfigError) as caught:
            read(fmt, path, **options)
        assert message in str(caught.value)
