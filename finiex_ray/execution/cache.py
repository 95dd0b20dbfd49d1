"""`SegmentCache`: days of ticks within a bound of memory, and the bars of each day, made once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import date
from typing import Any, Final, TypeVar

from finiex_ray.bars.renderer import bars_of_day
from finiex_ray.bars.window import make_extremes
from finiex_ray.config.models import BarPrice
from finiex_ray.core.market import BarSeries, IntArray, TickSegment, freeze
from finiex_ray.core.time import Timeframe
from finiex_ray.data.segments import empty_segment
from finiex_ray.data.source import TickSource

__all__ = ["CACHE_BYTES", "SegmentCache", "load_day", "segment_bytes"]

CACHE_BYTES: Final = 2**30  # of ticks that are kept: 32 bytes a tick, so some 33 million
_Value = TypeVar("_Value")


def load_day(source: TickSource, symbol: str, day: date) -> TickSegment:
    """The ticks of one UTC day, read-only; an empty segment for a day without ticks.

    Raises:
        DataError: If the symbol is unknown or the stored day is damaged.
    """
    return freeze(source.load(symbol, day)) if source.has_day(symbol, day) else empty_segment()


def segment_bytes(segment: TickSegment) -> int:
    """Memory of a segment."""
    return sum(column.nbytes for column in segment)


class SegmentCache:
    """Ticks and bars by symbol and UTC day, for the planning and for execution in this process. Safe for threads.

    Ticks beyond the bound are let go, those not asked for the longest first, and loaded again when asked for; bars stay.

    Args:
        source: Where ticks come from.
        most_bytes: Ticks to keep at most, beside the day that was asked for last.
    """

    def __init__(self, source: TickSource, most_bytes: int = CACHE_BYTES) -> None:
        self.source = source
        self._most_bytes = most_bytes
        self._bytes = 0
        self._lock = threading.Lock()
        self._locks: dict[tuple[Any, ...], threading.Lock] = {}
        self._segments: OrderedDict[tuple[Any, ...], TickSegment] = OrderedDict()
        self._extremes: dict[tuple[Any, ...], IntArray] = {}
        self._bars: dict[tuple[Any, ...], BarSeries] = {}
        self._rows: dict[tuple[str, date], int] = {}

    def segment(self, symbol: str, day: date) -> TickSegment:
        """The ticks of one UTC day, read-only; an empty segment for a day without ticks.

        Raises:
            DataError: If the symbol is unknown or the stored day is damaged.
        """
        key = (symbol, day)
        segment = self._once(self._segments, key, lambda: load_day(self.source, symbol, day))
        with self._lock:
            self._rows[key] = len(segment.time_ns)
            if key in self._segments:
                self._segments.move_to_end(key)
        return segment

    def rows(self, symbol: str, day: date) -> int:
        """Ticks of one UTC day; loads them only where the source cannot tell.

        Raises:
            DataError: If the symbol is unknown or the stored day is damaged.
        """
        known = self._rows.get((symbol, day))
        if known is None:
            known = self.source.rows(symbol, day)
        return len(self.segment(symbol, day).time_ns) if known is None else known

    def extremes(self, symbol: str, day: date) -> IntArray:
        """The extremes of the runs of one UTC day's ticks, read-only.

        Raises:
            DataError: If the symbol is unknown or the stored day is damaged.
        """
        key = (symbol, day, "extremes")  # another lock than that of the ticks, which are asked for under it
        return self._once(self._extremes, key, lambda: make_extremes(self.segment(symbol, day)))

    def bars(self, symbol: str, day: date, timeframe: Timeframe, price: BarPrice) -> BarSeries:
        """All bars of one UTC day, the last one as it stood at the day's last tick.

        Raises:
            DataError: If the symbol is unknown or the stored day is damaged.
        """
        key = (symbol, day, timeframe, price)
        return self._once(self._bars, key, lambda: bars_of_day(self.segment(symbol, day), timeframe, price))

    def drop(self, symbol: str, day: date) -> None:
        """Forgets the ticks of a day (its bars stay): whoever asks again loads them again."""
        with self._lock:
            self._forget((symbol, day))

    def _forget(self, key: tuple[Any, ...]) -> None:
        self._extremes.pop((*key, "extremes"), None)
        segment = self._segments.pop(key, None)
        if segment is not None:
            self._bytes -= segment_bytes(segment)

    def _once(self, made: dict[tuple[Any, ...], _Value], key: tuple[Any, ...], make: Callable[[], _Value]) -> _Value:
        """The value of a key; while one thread makes it, others that want the same one wait and do not make it again."""
        with self._lock:
            if key in made:
                return made[key]
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            with self._lock:
                if key in made:
                    return made[key]
            value = make()
            with self._lock:
                made[key] = value
                self._locks.pop(key, None)
                if isinstance(value, TickSegment):
                    self._bytes += segment_bytes(value)
                    while self._bytes > self._most_bytes and len(self._segments) > 1:
                        self._forget(next(iter(self._segments)))
        return value
