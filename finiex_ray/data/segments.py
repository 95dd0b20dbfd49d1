"""Small operations on tick segments that the whole room uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from finiex_ray.core.errors import DataError, suggest
from finiex_ray.core.market import TickSegment, freeze
from finiex_ray.core.time import NS_PER_DAY, day_of

__all__ = ["check_symbol_name", "concat_segments", "empty_segment", "split_days", "take", "unknown_symbol"]

_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._#+-]{0,31}")


def empty_segment() -> TickSegment:
    """A segment without ticks."""
    none = np.empty(0, np.int64)
    return freeze(TickSegment(none, none, none, np.empty(0, np.float64)))


def concat_segments(segments: Sequence[TickSegment]) -> TickSegment:
    """One frozen segment of all ticks, in the order given."""
    if not segments:
        return empty_segment()
    if len(segments) == 1:
        return freeze(segments[0])
    return freeze(TickSegment(*(np.concatenate(columns) for columns in zip(*segments, strict=True))))


def split_days(segment: TickSegment) -> Iterator[tuple[date, TickSegment]]:
    """Cuts a segment in time order at UTC midnights; yields the days that hold ticks, in order."""
    days = segment.time_ns // NS_PER_DAY
    cuts = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]
    for first, last in pairwise(cuts):
        if last > first:
            yield day_of(int(segment.time_ns[first])), take(segment, slice(first, last))


def take(ticks: TickSegment, which: slice | NDArray[np.int64] | NDArray[np.bool_]) -> TickSegment:
    """Some of the ticks: a slice is a view, indices and masks copy."""
    return TickSegment(ticks.time_ns[which], ticks.bid_points[which], ticks.ask_points[which], ticks.volume[which])


def check_symbol_name(symbol: str) -> str:
    """Returns ``symbol`` if it can be the name of a catalog folder.

    Raises:
        DataError: If it has a character that could lead out of the folder.
    """
    if not _SYMBOL.fullmatch(symbol):
        raise DataError(
            f"{symbol!r} is no symbol name: use 1 to 32 letters, digits and . _ # + -, with a letter or digit first"
        )
    return symbol


def unknown_symbol(symbol: str, known: Iterable[str], where: str) -> DataError:
    """The error for a symbol that a source does not have, with the nearest one that it has."""
    return DataError(f"{where}: no symbol {symbol!r}.{suggest(symbol, known) or ' It holds no ticks at all.'}")
