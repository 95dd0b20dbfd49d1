"""`MarketWindow`: the market data of one scenario, as the engine receives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from finiex_ray.config.models import BarPrice
from finiex_ray.core.market import BarSeries, TickSegment
from finiex_ray.core.time import Timeframe

__all__ = ["MarketWindow"]


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

    @property
    def ticks(self) -> int:
        """Ticks of the scenario."""
        return sum(len(segment.time_ns) for segment in self.segments[:-1]) + self.last - self.first

    @property
    def span_ns(self) -> tuple[int, int]:
        """Times of the scenario's first and last tick; its start twice where it has none."""
        parts = [segment.time_ns for segment in self.segments]
        parts[-1] = parts[-1][: self.last]
        parts[0] = parts[0][self.first :]
        filled = [part for part in parts if len(part)]
        return (int(filled[0][0]), int(filled[-1][-1])) if filled else (self.start_ns, self.start_ns)
