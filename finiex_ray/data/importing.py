"""The import pipeline: read and check every source file, plan every day, and only then write to the catalog."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final, Literal

from finiex_ray.core.errors import ConfigError, ImportRefusedError, suggest
from finiex_ray.data.catalog import Catalog
from finiex_ray.data.catalog_format import SourcePart
from finiex_ray.data.importers.base import MAPPING_OPTIONS, Crossed, Importer, ImportOptions
from finiex_ray.data.importers.collector import CollectorImporter
from finiex_ray.data.importers.csv import CsvImporter
from finiex_ray.data.importers.dukascopy import DukascopyImporter
from finiex_ray.data.importers.histdata import HistDataImporter
from finiex_ray.data.importers.lean import LeanImporter
from finiex_ray.data.importers.mt5 import Mt5Importer
from finiex_ray.data.importers.parquet import ParquetImporter
from finiex_ray.data.importers.truefx import TrueFxImporter
from finiex_ray.data.quality import QualityReport, check
from finiex_ray.data.segments import check_symbol_name
from finiex_ray.data.staging import Staged, Staging, find_files, overlap

__all__ = ["IMPORTERS", "ImportReport", "OnConflict", "import_ticks"]

OnConflict = Literal["refuse", "replace"]

IMPORTERS: Final[Mapping[str, Importer]] = {
    importer.name: importer
    for importer in (
        CollectorImporter(),
        CsvImporter(),
        DukascopyImporter(),
        HistDataImporter(),
        LeanImporter(),
        Mt5Importer(),
        ParquetImporter(),
        TrueFxImporter(),
    )
}
_NEAR_DAYS: Final = 2  # a file read in another zone lands at most this many days away


@dataclass(frozen=True)
class ImportReport:
    """What an import did."""

    symbol: str
    digits: int
    files: int
    ticks_read: int  # that the files gave, without those dropped
    ticks_dropped: int  # crossed quotes left out
    ticks_written: int  # of them, those that were not in the catalog before
    days_written: tuple[date, ...]
    days_unchanged: tuple[date, ...]
    warnings: tuple[str, ...]
    quality: QualityReport  # of the ticks read

    def lines(self) -> list[str]:
        """The report for people."""
        dropped = f", {self.ticks_dropped:,} crossed quotes dropped" if self.ticks_dropped else ""
        ticks = f"{self.ticks_read:,} ticks read, {self.ticks_written:,} written{dropped}"
        return [
            f"{self.symbol}: {self.files} files, {ticks}",
            f"days: {len(self.days_written)} written, {len(self.days_unchanged)} unchanged",
            *self.warnings,
            *self.quality.lines(),
        ]


@dataclass(frozen=True)
class _DayPlan:
    day: date
    keep: tuple[SourcePart, ...]  # stored parts that stay
    new: tuple[Staged, ...]
    changes: bool


def import_ticks(
    sources: Path,
    *,
    fmt: str,
    symbol: str,
    digits: int,
    catalog: Catalog,
    tz: str | None = None,
    crossed: Crossed = "refuse",
    on_conflict: OnConflict = "refuse",
    snap: bool = False,
    sort: bool = False,
    columns: Mapping[str, str] | None = None,
    time_format: str | None = None,
    delimiter: str | None = None,
) -> ImportReport:
    """Imports a file, or every file of the format below a folder, into the catalog.

    Every file is read and every day planned before the first is written; content that the catalog holds already is
    left alone, so importing the same files again changes nothing.

    Args:
        sources: A file, or a folder that is searched through in order of names.
        fmt: Name of the format, a key of ``IMPORTERS``.
        symbol: Name of the symbol in the catalog.
        digits: Decimal digits of its prices, 0 to 12; the same for all imports of a symbol.
        catalog: Where the ticks go.
        tz: Zone of times that carry none (see ``parse_zone``).
        crossed: What to do with quotes whose ask is below the bid.
        on_conflict: What to do when new ticks overlap stored ones in time: refuse, or replace the stored part.
        snap: Round prices that are off the grid, instead of refusing them.
        sort: Put times that go back in order, instead of refusing them.
        columns: Column names of ``time``, ``bid``, ``ask``, ``volume`` (csv and parquet).
        time_format: A strptime pattern or the unit of epoch numbers (csv and parquet).
        delimiter: Separator of columns (csv).

    Raises:
        ImportRefusedError: If a file is wrong, or overlaps what is stored. Nothing has been written.
        ConfigError: If an option is wrong.
        DataError: If there is nothing to import, or the catalog cannot be written.
    """
    importer = _importer(fmt)
    options = ImportOptions(
        symbol=check_symbol_name(symbol),
        digits=_check_digits(digits, symbol, catalog),
        tz=tz,
        crossed=crossed,
        snap=snap,
        sort=sort,
        columns=dict(columns or {}),
        time_format=time_format,
        delimiter=delimiter,
    )
    _check_mapping(importer, options)
    files, warnings = find_files(sources, importer, symbol)
    with tempfile.TemporaryDirectory(prefix="finiex-import-") as folder:
        staging = Staging(Path(folder))
        for path in files:
            staging.add(path, sources, importer, options)
        plans = [
            _plan(catalog, symbol, day, staging, on_conflict)
            for day in _days_to_plan(catalog, symbol, staging, on_conflict)
        ]
        quality = check(staging.segments(), digits)
        for plan in plans:
            if plan.changes:
                _write(catalog, symbol, digits, plan)
    return ImportReport(
        symbol=symbol,
        digits=digits,
        files=len(files),
        ticks_read=staging.ticks,
        ticks_dropped=staging.dropped,
        ticks_written=sum(staged.part.rows for plan in plans for staged in plan.new),
        days_written=tuple(plan.day for plan in plans if plan.changes),
        days_unchanged=tuple(plan.day for plan in plans if not plan.changes),
        warnings=(*warnings, *staging.warnings),
        quality=quality,
    )


def _importer(fmt: str) -> Importer:
    if fmt not in IMPORTERS:
        raise ConfigError(f"unknown format {fmt!r}.{suggest(fmt, IMPORTERS)}", source="--format")
    return IMPORTERS[fmt]


def _check_mapping(importer: Importer, options: ImportOptions) -> None:
    """Refuses options that the format would not read."""
    for name, flag in MAPPING_OPTIONS.items():
        if getattr(options, name) and name not in importer.takes:
            takers = " or ".join(each.name for each in IMPORTERS.values() if name in each.takes)
            raise ConfigError(f"goes with format {takers}; format {importer.name} has a layout of its own", source=flag)


def _check_digits(digits: int, symbol: str, catalog: Catalog) -> int:
    if not 0 <= digits <= 12:
        raise ConfigError(f"{digits} digits: must be 0 to 12", source="--digits")
    if catalog.stored_days(symbol) and catalog.digits(symbol) != digits:
        raise ImportRefusedError(
            f"{catalog.describe()} holds {symbol} with {catalog.digits(symbol)} digits, this import says {digits}: "
            "a symbol has one number of digits"
        )
    return digits


def _days_to_plan(catalog: Catalog, symbol: str, staging: Staging, on_conflict: OnConflict) -> list[date]:
    """Days with new ticks; when replacing, also stored days near them, which may hold the same files read otherwise."""
    days = set(staging.days)
    if on_conflict == "replace":
        near = {day + timedelta(days=step) for day in days for step in range(-_NEAR_DAYS, _NEAR_DAYS + 1)}
        for day in near.intersection(catalog.stored_days(symbol)) - days:
            if any(part.sha256 in staging.shas for part in catalog.info(symbol, day).sources):
                days.add(day)
    return sorted(days)


def _plan(catalog: Catalog, symbol: str, day: date, staging: Staging, on_conflict: OnConflict) -> _DayPlan:
    staged = staging.parts(day)
    stored = catalog.info(symbol, day).sources if day in catalog.stored_days(symbol) else ()
    known = {part.content_hash for part in stored}
    wanted = {item.part.content_hash for item in staged}
    new = tuple(item for item in staged if item.part.content_hash not in known)
    keep = []
    for part in stored:
        clash = next((item.part for item in new if overlap(item.part, part)), None)
        reread = part.sha256 in staging.shas and part.content_hash not in wanted
        if not (clash or reread):
            keep.append(part)
        elif on_conflict == "refuse":
            reason = (
                "the same file was imported before with other options"
                if reread
                else f"{clash.name if clash else ''} overlaps {part.name}, which was imported before"
            )
            raise ImportRefusedError(
                f"{catalog.describe()}: {symbol} {day.isoformat()}: {reason}; replace it with --on-conflict replace"
            )
    return _DayPlan(day, tuple(keep), new, changes=bool(new) or len(keep) < len(stored))


def _write(catalog: Catalog, symbol: str, digits: int, plan: _DayPlan) -> None:
    parts = [(staged.part, staged.load()) for staged in plan.new]
    if plan.keep:
        parts += [(part, ticks) for part, ticks in catalog.parts(symbol, plan.day) if part in plan.keep]
    if parts:
        catalog.write_day(symbol, plan.day, digits, parts)
    else:
        catalog.remove_day(symbol, plan.day)
