"""Real samples in every format that has one: counts, first and last times."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from finiex_ray.core.time import format_utc
from finiex_ray.data.catalog import Catalog
from finiex_ray.data.importing import ImportReport, import_ticks
from finiex_ray.data.quality import check

# The folder's own account says 532,890: its count of line ends, and the last line of each of the 13 files has none.
OANDA_TICKS = 532_903


def bring(source: Path, target: Path, fmt: str, symbol: str, digits: int, **options: Any) -> ImportReport:
    return import_ticks(source, fmt=fmt, symbol=symbol, digits=digits, catalog=Catalog(target), **options)


def span(report: ImportReport) -> tuple[int, str, str]:
    quality = report.quality
    assert quality.first_ns is not None
    assert quality.last_ns is not None
    return report.ticks_written, format_utc(quality.first_ns), format_utc(quality.last_ns)


def test_oanda(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "lean" / "forex" / "oanda"
    report = bring(source, tmp_path, "lean", "EURUSD", 5)
    assert report.files == len(report.days_written) == 13
    assert span(report) == (OANDA_TICKS, "2014-05-01T00:00:00.292Z", "2014-05-15T23:59:56.324Z")
    catalog = Catalog(tmp_path)
    quality = check(catalog.segments("EURUSD", verify=True), catalog.digits("EURUSD"))
    assert quality == report.quality
    assert quality.clean
    files = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("*.parquet")}
    again = bring(source, tmp_path, "lean", "EURUSD", 5)
    assert (again.ticks_written, len(again.days_unchanged)) == (0, 13)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("*.parquet")} == files


def test_fxcm_spills_over_midnight_with_crossed_quotes(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "lean" / "forex" / "fxcm"
    report = bring(source, tmp_path, "lean", "EURUSD", 5, tz="UTC-5", crossed="keep")
    assert span(report) == (192_186, "2014-05-06T05:00:00.339Z", "2014-05-08T04:59:59.234Z")
    assert report.days_written == (date(2014, 5, 6), date(2014, 5, 7), date(2014, 5, 8))
    quality = report.quality
    assert (quality.crossed, quality.zero_spreads) == (19_846, 24_977)
    assert not quality.clean
    dropped = bring(source, tmp_path / "dropped", "lean", "EURUSD", 5, tz="UTC-5", crossed="drop")
    assert (dropped.ticks_dropped, dropped.ticks_written, dropped.quality.crossed) == (19_846, 172_340, 0)


def test_dukascopy(shared_data: Path, tmp_path: Path) -> None:
    report = bring(shared_data / "dukascopy", tmp_path, "dukascopy", "GBPJPY", 3)
    assert span(report) == (25_952, "2012-12-03T06:00:00.218Z", "2012-12-03T13:59:59.430Z")
    assert (report.files, report.days_written, report.quality.clean) == (8, (date(2012, 12, 3),), True)


@pytest.mark.parametrize(
    ("symbol", "ticks", "first", "last"),
    [
        ("BTCUSD", 694, "2026-03-07T08:03:42.978Z", "2026-03-07T08:07:13.561Z"),
        ("ETHUSD", 536, "2026-03-07T08:04:31.257Z", "2026-03-07T08:07:14.797Z"),
    ],
)
def test_mt5_collector(shared_data: Path, tmp_path: Path, symbol: str, ticks: int, first: str, last: str) -> None:
    stamped = bring(shared_data / "mt5_json", tmp_path / "stamped", "collector", symbol, 2)
    assert any("WARNING" in line and "--tz UTC+1" in line for line in stamped.warnings)
    told = bring(shared_data / "mt5_json", tmp_path / "told", "collector", symbol, 2, tz="UTC+1")
    assert span(told) == (ticks, first, last)
    assert not any("WARNING" in line for line in told.warnings)


def test_kraken_collector(shared_data: Path, tmp_path: Path) -> None:
    report = bring(shared_data / "kraken_json", tmp_path, "collector", "LTCUSD", 2)
    assert span(report) == (24, "2026-03-07T08:06:39.897Z", "2026-03-07T08:10:53.898Z")
    assert (report.quality.zero_spreads, report.warnings) == (24, ())


def test_truefx(shared_data: Path, tmp_path: Path) -> None:
    report = bring(shared_data / "truefx", tmp_path, "truefx", "USDJPY", 3)
    assert span(report) == (1_000, "2013-01-01T22:00:00.295Z", "2013-01-01T22:35:13.494Z")
