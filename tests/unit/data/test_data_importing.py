"""The pipeline from files to the catalog: whole or not at all, and the same content changes nothing."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from finiex_ray.core.errors import ConfigError, DataError, ImportRefusedError
from finiex_ray.core.time import format_utc
from finiex_ray.data.catalog import Catalog
from finiex_ray.data.importing import ImportReport, import_ticks

DAY = date(2024, 1, 2)


def source(folder: Path, name: str, *stamps: str, bid: str = "1.1") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["time,bid,ask", *(f"{stamp},{bid},1.2" for stamp in stamps)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def bring(path: Path, catalog: Path | Catalog, **options: Any) -> ImportReport:
    target = catalog if isinstance(catalog, Catalog) else Catalog(catalog)
    settings: dict[str, Any] = {"fmt": "csv", "symbol": "EURUSD", "digits": 5, "tz": "UTC", **options}
    return import_ticks(path, catalog=target, **settings)


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def times(catalog: Path, day: date = DAY) -> list[str]:
    return [format_utc(time)[11:19] for time in Catalog(catalog).load("EURUSD", day).time_ns.tolist()]


def test_ticks_are_cut_at_utc_midnight_across_files(tmp_path: Path) -> None:
    source(tmp_path / "in", "a.csv", "2024-01-01T20:00:00", "2024-01-01T23:59:59")
    source(tmp_path / "in", "b.csv", "2024-01-02T00:00:00")
    report = bring(tmp_path / "in", tmp_path / "out", tz="UTC-5")
    assert (report.files, report.ticks_read, report.ticks_written) == (2, 3, 3)
    assert report.days_written == (DAY,)
    assert times(tmp_path / "out") == ["01:00:00", "04:59:59", "05:00:00"]
    assert [part.name for part in Catalog(tmp_path / "out").info("EURUSD", DAY).sources] == ["a.csv", "b.csv"]


def test_the_same_content_again_changes_nothing(tmp_path: Path) -> None:
    path = source(tmp_path / "in", "a.csv", "2024-01-02T01:00:00", "2024-01-02T02:00:00")
    bring(path, tmp_path / "out")
    before = snapshot(tmp_path / "out")
    renamed = source(tmp_path / "other", "b.csv", "2024-01-02T01:00:00", "2024-01-02T02:00:00")
    for again in (path, renamed):
        report = bring(again, tmp_path / "out")
        assert (report.ticks_written, report.days_written, report.days_unchanged) == (0, (), (DAY,))
    assert snapshot(tmp_path / "out") == before


def test_parts_of_a_day_merge_in_any_order_to_the_same_bytes(tmp_path: Path) -> None:
    hours = [
        source(tmp_path / "in", f"h{hour}.csv", f"2024-01-02T0{hour}:00:00", f"2024-01-02T0{hour}:30:00")
        for hour in (1, 2, 3)
    ]
    for place, order in enumerate(([0, 1, 2], [2, 0, 1])):
        for index in order:
            bring(hours[index], tmp_path / f"out{place}")
    one, other = (snapshot(tmp_path / f"out{place}") for place in (0, 1))
    assert {name: data for name, (data, _) in one.items()} == {name: data for name, (data, _) in other.items()}
    assert times(tmp_path / "out0") == ["01:00:00", "01:30:00", "02:00:00", "02:30:00", "03:00:00", "03:30:00"]


def test_other_ticks_of_the_same_time_are_refused_or_replace_their_part_only(tmp_path: Path) -> None:
    out = tmp_path / "out"
    bring(source(tmp_path, "one.csv", "2024-01-02T01:00:00", "2024-01-02T02:00:00"), out)
    bring(source(tmp_path, "two.csv", "2024-01-02T03:00:00", "2024-01-02T04:00:00"), out)
    before = snapshot(out)
    mend = source(tmp_path, "mend.csv", "2024-01-02T03:00:00", "2024-01-02T03:30:00", bid="1.15")
    with pytest.raises(ImportRefusedError, match=r"mend.csv overlaps two.csv.*--on-conflict replace"):
        bring(mend, out)
    assert snapshot(out) == before
    bring(mend, out, on_conflict="replace")
    assert times(out) == ["01:00:00", "02:00:00", "03:00:00", "03:30:00"]


def test_a_file_read_in_another_zone_is_refused_or_moves_with_its_days(tmp_path: Path) -> None:
    out = tmp_path / "out"
    path = source(tmp_path, "a.csv", "2024-01-01T22:00:00", "2024-01-02T01:00:00")
    bring(path, out)
    with pytest.raises(ImportRefusedError, match="imported before with other options"):
        bring(path, out, tz="UTC-5")
    report = bring(path, out, tz="UTC-5", on_conflict="replace")
    assert Catalog(out).days("EURUSD") == (DAY,)  # the day before held nothing else
    assert report.days_written == (date(2024, 1, 1), DAY)
    assert times(out) == ["03:00:00", "06:00:00"]


def test_nothing_is_written_when_a_later_file_is_wrong(tmp_path: Path) -> None:
    source(tmp_path / "in", "a.csv", "2024-01-02T01:00:00")
    source(tmp_path / "in", "b.csv", "2024-01-03T01:00:00", bid="-1")
    with pytest.raises(ImportRefusedError, match=r"b.csv: row 2"):
        bring(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_files_that_overlap_each_other_are_refused(tmp_path: Path) -> None:
    source(tmp_path / "in", "a.csv", "2024-01-02T01:00:00", "2024-01-02T03:00:00")
    source(tmp_path / "in", "b.csv", "2024-01-02T02:00:00", "2024-01-02T04:00:00")
    with pytest.raises(ImportRefusedError, match=r"overlap those of a.csv"):
        bring(tmp_path / "in", tmp_path / "out")


def test_a_symbol_keeps_its_digits(tmp_path: Path) -> None:
    bring(source(tmp_path, "a.csv", "2024-01-02T01:00:00"), tmp_path / "out")
    with pytest.raises(ImportRefusedError, match="with 5 digits, this import says 3"):
        bring(source(tmp_path, "b.csv", "2024-01-03T01:00:00"), tmp_path / "out", digits=3)


def test_a_folder_of_several_symbols_gives_the_one_asked_for(tmp_path: Path) -> None:
    for pair in ("eurusd", "gbpusd"):
        path = tmp_path / "in" / pair / "20240102_quote.zip"
        path.parent.mkdir(parents=True)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"20240102_{pair}_tick_quote.csv", "1,1.1,1.2")
    report = bring(tmp_path / "in", tmp_path / "out", fmt="lean")
    assert (report.files, report.warnings) == (1, ("1 files of other symbols left out: GBPUSD",))
    with pytest.raises(ImportRefusedError, match="holds GBPUSD, not EURUSD"):
        bring(tmp_path / "in" / "gbpusd" / "20240102_quote.zip", tmp_path / "out", fmt="lean")
    with pytest.raises(DataError, match="those found hold EURUSD, GBPUSD"):
        bring(tmp_path / "in", tmp_path / "out", fmt="lean", symbol="USDJPY")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fmt": "dukascopi"}, "Did you mean 'dukascopy'"),
        ({"digits": 13}, "must be 0 to 12"),
        ({"fmt": "mt5", "tz": "UTC", "columns": {"bid": "b"}}, "--column: goes with format csv or parquet; format mt5"),
        ({"fmt": "histdata", "time_format": "ms"}, "--time-format: goes with format csv or parquet"),
        ({"fmt": "parquet", "delimiter": ";"}, "--delimiter: goes with format csv; format parquet"),
    ],
)
def test_wrong_options(tmp_path: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        bring(source(tmp_path, "a.csv", "2024-01-02T01:00:00"), tmp_path / "out", **options)


@pytest.mark.parametrize("symbol", ["../EURUSD", "..", "", "A/B", "A" * 33])
def test_a_symbol_never_leaves_the_catalog(tmp_path: Path, symbol: str) -> None:
    with pytest.raises(DataError, match="is no symbol name"):
        bring(source(tmp_path, "a.csv", "2024-01-02T01:00:00"), tmp_path / "out", symbol=symbol)


def test_nothing_to_import(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        bring(tmp_path / "none", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no csv file"):
        bring(tmp_path / "empty", tmp_path / "out")
