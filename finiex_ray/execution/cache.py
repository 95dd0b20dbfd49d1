"""`SegmentCache`: each day of ticks is loaded once a run, and each day's bars are made once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from finiex_ray.bars.renderer import bars_of_day
from finiex_ray.bars.window import make_extremes
from finiex_ray.config.models import BarPrice
from finiex_ray.core.market import BarSeries, IntArray, TickSegment, freeze
from finiex_ray.core.time import Timeframe
from finiex_ray.data.segments import empty_segment
from finiex_ray.data.source import TickSource

__all__ = ["SegmentCache"]

_Value = TypeVar("_Value")


class SegmentCache:
    """Ticks and bars by symbol and UTC day, for the planning and for execution in this process. Safe for threads.

    Args:
        source: Where ticks come from.
    """

    def __init__(self, source: TickSource) -> None:
        self.source = source
        self._lock = threading.Lock()
        self._locks: dict[tuple[Any, ...], threading.Lock] = {}
        self._segments: dict[tuple[Any, ...], TickSegment] = {}
        self._extremes: dict[tuple[Any, ...], IntArray] = {}
        self._bars: dict[tuple[Any, ...], BarSeries] = {}

    def segment(self, symbol: str, day: date) -> TickSegment:
        """The ticks of one UTC day, read-only; an empty segment for a day without ticks.

        Raises:
            DataError: If the symbol is unknown or the stored day is damaged.
        """
        return self._once(self._segments, (symbol, day), lambda: self._load(symbol, day))

    def extremes(self, symbol: str, day: date) -> IntArray:
        """The extremes of the runs of one UTC day's ticks, read-only.

        Raises:
            DataError: If the symbol is unknown or the stored day is damaged.
        """
        return self._once(self._extremes, (symbol, day), lambda: make_extremes(self.segment(symbol, day)))

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
            self._segments.pop((symbol, day), None)
            self._extremes.pop((symbol, day), None)

    def _load(self, symbol: str, day: date) -> TickSegment:
        if not self.source.has_day(symbol, day):
            return empty_segment()
        return freeze(self.source.load(symbol, day))

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
        return value
