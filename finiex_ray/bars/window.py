"""`MarketWindow`: the market data of one scenario, as the engine receives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

import numpy as np

from finiex_ray.config.models import BarPrice
from finiex_ray.core.market import BarSeries, IntArray, TickSegment, read_only
from finiex_ray.core.time import Timeframe
from finiex_ray.kernels.runs import EXTREMES, RUN, extremes_nb

__all__ = ["MarketWindow", "make_extremes"]


def make_extremes(segment: TickSegment) -> IntArray:
    """The extremes of each whole run of a segment's ticks (`finiex_ray.kernels.runs`)."""
    extremes = np.empty((len(segment.time_ns) // RUN, EXTREMES), np.int64)
    extremes_nb(segment.time_ns, segment.bid_points, segment.ask_points, extremes)
    return read_only(extremes)


@dataclass(frozen=True)
class MarketWindow:
    """Ticks from ``start_ns`` on, the bars before it, and the ticks of the bars that are forming at it.

    ``segments[0]`` is the whole UTC day of ``start_ns`` (it may hold no tick of the scenario): the ticks before ``first``
    give the forming bars at the start (rule R13). ``warmup`` holds bars that ended at or before the start (rule R14), the
    newest last, at least as many as asked for.
    """

    symbol: str
    digits: int
    bar_price: BarPrice
    start_ns: int
    segments: Sequence[TickSegment]
    first: int  # offset of the scenario's first tick in segments[0]; its length when the scenario begins in a later one
    last: int  # offset past the scenario's last tick in segments[-1]
    warmup: Mapping[Timeframe, BarSeries]
    conversion: Sequence[TickSegment] = ()  # ticks of the conversion pair, from before the first tick on (rule R10)
    extremes: tuple[IntArray, ...] = ()  # of the segments' runs, where they are known already (`make_extremes`)

    @cached_property
    def ticks(self) -> int:
        """Ticks of the scenario."""
        return sum(len(segment.time_ns) for segment in self.segments[:-1]) + self.last - self.first

    @cached_property
    def first_ns(self) -> int:
        """Time of the scenario's first tick; 0 without ticks."""
        first = next((times for place in range(len(self.segments)) if len(times := self._times(place))), None)
        return 0 if first is None else int(first[0])

    @cached_property
    def span_ns(self) -> tuple[int, int]:
        """Times of the scenario's first and last tick; its start twice where it has none."""
        places = reversed(range(len(self.segments)))
        last = next((times for place in places if len(times := self._times(place))), None)
        return (self.start_ns, self.start_ns) if last is None else (self.first_ns, int(last[-1]))

    def _times(self, place: int) -> IntArray:
        """Times of the scenario's ticks in one segment."""
        times = self.segments[place].time_ns
        if place == len(self.segments) - 1:
            times = times[: self.last]
        return times[self.first :] if place == 0 else times

    @cached_property
    def highest_points(self) -> int:
        """Highest ask, points; 0 without ticks."""
        return _highest(self.segments, self.extremes)

    @cached_property
    def highest_rate(self) -> int:
        """Highest ask of the conversion pair, its points; 0 without one."""
        return _highest(self.conversion)


def _highest(segments: Sequence[TickSegment], extremes: Sequence[IntArray] = ()) -> int:
    """Highest ask. Where extremes of runs are known, only the ticks after them are looked at."""
    highest = 0
    for segment, runs in zip_longest(segments, extremes):
        known = 0 if runs is None else len(runs)
        rest = segment.ask_points[known * RUN :]
        highest = max(highest, int(runs[:, 3].max()) if known else 0, int(rest.max()) if len(rest) else 0)
    return highest
