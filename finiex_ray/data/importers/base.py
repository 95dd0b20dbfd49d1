"""What every importer gives and takes, and the checks that every source file must pass whole."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from finiex_ray.core.errors import ImportRefusedError
from finiex_ray.core.market import FloatArray, IntArray, TickSegment, freeze
from finiex_ray.core.time import format_utc
from finiex_ray.data.segments import take

__all__ = [
    "MAPPING_OPTIONS",
    "Crossed",
    "ImportOptions",
    "Importer",
    "RawTicks",
    "assemble",
    "first_true",
    "price_points",
    "refuse",
]

Crossed = Literal["refuse", "keep", "drop"]
MAPPING_OPTIONS: Final = {"columns": "--column", "time_format": "--time-format", "delimiter": "--delimiter"}
_TOLERANCE_POINTS = 1e-6  # of float noise in a decimal price; a further digit would be off by a tenth of a point
_MOST_POINTS = 1e15  # above it a double no longer tells points apart with room to spare


@dataclass(frozen=True)
class ImportOptions:
    """How source files are to be read.

    Args:
        symbol: Name of the symbol in the catalog.
        digits: Decimal digits of its prices, 0 to 12.
        tz: Zone of times that carry none (see ``parse_zone``); None takes the format's default, where it has one.
        crossed: What to do with quotes whose ask is below the bid.
        snap: Round prices that are off the grid of ``digits`` to the nearest point; otherwise they are refused.
        sort: Put ticks whose times go back in order (equal times keep file order); otherwise they are refused.
        columns: Column of ``time``, ``bid``, ``ask`` and, if there is one, ``volume`` (csv and parquet).
        time_format: A strptime pattern, or the unit of a number since the epoch (``s``, ``ms``, ``us``, ``ns``);
            None reads ISO 8601 (csv and parquet).
        delimiter: Separator of columns (csv); None takes the format's default.
    """

    symbol: str
    digits: int
    tz: str | None = None
    crossed: Crossed = "refuse"
    snap: bool = False
    sort: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    time_format: str | None = None
    delimiter: str | None = None


@dataclass(frozen=True)
class RawTicks:
    """The ticks of one source file, checked and in time order."""

    ticks: TickSegment
    tz: str  # zone that the times were read in
    dropped: int = 0  # crossed quotes left out
    warnings: tuple[str, ...] = ()


class Importer(ABC):
    """Reads one format. ``read`` is called once a file, before anything is written to the catalog."""

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]  # of the files that are looked for in a folder, lower case
    takes: ClassVar[frozenset[str]] = frozenset()  # which of `MAPPING_OPTIONS` it reads

    @abstractmethod
    def read(self, path: Path, options: ImportOptions) -> RawTicks:
        """Reads and checks a whole source file.

        Raises:
            ImportRefusedError: With file, row (a 1-based line, or tick where the format has no lines) and reason.
            ConfigError: If an option that the format needs is missing or wrong.
        """

    def stamped_symbol(self, path: Path) -> str | None:
        """The symbol that the file names itself, or None where it names none."""
        del path
        return None


def refuse(path: Path, reason: str, row: int | None = None) -> NoReturn:
    """Refuses a source file whole."""
    raise ImportRefusedError(f"{path}: {f'row {row}: ' if row is not None else ''}{reason}")


def first_true(mask: NDArray[np.bool_]) -> int | None:
    """Index of the first True, or None."""
    if not len(mask):
        return None
    index = int(mask.argmax())
    return index if mask[index] else None


def price_points(path: Path, name: str, prices: FloatArray, options: ImportOptions, first_row: int) -> IntArray:
    """Exact points of prices (rule R2).

    Raises:
        ImportRefusedError: If a price is not a positive number, or is off the grid and ``snap`` is not set.
    """
    bad = first_true(~(prices > 0.0) | ~np.isfinite(prices))
    if bad is not None:
        refuse(path, f"{name} {prices[bad]:.12g} is no price: it must be a positive number", first_row + bad)
    scaled = prices * float(10**options.digits)
    points = np.rint(scaled)
    large = first_true(points > _MOST_POINTS)
    if large is not None:
        refuse(path, f"{name} {prices[large]:.17g} is too large for {options.digits} digits", first_row + large)
    off = first_true(np.abs(scaled - points) > _TOLERANCE_POINTS + 4 * np.finfo(np.float64).eps * scaled)
    if off is not None and not options.snap:
        reason = (
            f"{name} {prices[off]:.12g} is off the grid of {options.digits} digits; pass the right --digits, or --snap"
        )
        refuse(path, reason, first_row + off)
    zero = first_true(points < 1)
    if zero is not None:
        refuse(
            path, f"{name} {prices[zero]:.12g} is less than half a point of {options.digits} digits", first_row + zero
        )
    return points.astype(np.int64)


def assemble(
    path: Path, options: ImportOptions, ticks: TickSegment, *, tz: str, first_row: int, warnings: tuple[str, ...] = ()
) -> RawTicks:
    """Checks order and quotes of a file's ticks and makes them ready for the catalog.

    Args:
        path: The source file, for messages.
        options: How to treat times that go back and crossed quotes.
        ticks: Columns in file order, one entry a row.
        tz: The zone that the times were read in.
        first_row: Row of the file that holds the first tick.
        warnings: What the importer has noticed so far.

    Raises:
        ImportRefusedError: If times go back, quotes are crossed or a volume is no number, unless the options allow it.
    """
    bad = first_true(~(ticks.volume >= 0.0) | ~np.isfinite(ticks.volume))
    if bad is not None:
        refuse(
            path, f"volume {ticks.volume[bad]:.12g} is no amount: it must be zero or a positive number", first_row + bad
        )
    back = first_true(np.diff(ticks.time_ns) < 0)
    rows = np.arange(first_row, first_row + len(ticks.time_ns))
    if back is not None:
        before, after = (format_utc(int(ticks.time_ns[back + step])) for step in (0, 1))
        if not options.sort:
            refuse(
                path, f"the time goes back from {before} to {after}; pass --sort to order by time", first_row + back + 1
            )
        order = np.argsort(ticks.time_ns, kind="stable")
        ticks, rows = take(ticks, order), rows[order]
        warnings = (*warnings, f"{path.name}: times went back first at row {first_row + back + 1}; sorted by time")
    crossed = ticks.ask_points < ticks.bid_points
    count = int(crossed.sum())
    if count and options.crossed == "refuse":
        refuse(
            path,
            f"{count} of {len(crossed)} quotes are crossed (ask below bid), first here; pass --crossed keep or drop",
            int(rows[crossed].min()),
        )
    if count and options.crossed == "drop":
        ticks = take(ticks, ~crossed)
        return RawTicks(freeze(ticks), tz, dropped=count, warnings=warnings)
    return RawTicks(freeze(ticks), tz, warnings=warnings)
