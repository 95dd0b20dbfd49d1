"""`PlannedScenario`: a scenario that can run, with the place of its market data; and `Plan`, all of a set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import NamedTuple

from finiex_ray.bars.window import MarketWindow
from finiex_ray.config.models import BarPrice
from finiex_ray.core.market import BarSeries
from finiex_ray.core.time import Timeframe
from finiex_ray.engine.result import ScenarioResult, ScenarioTask
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.stream import is_long, make_window

__all__ = ["Plan", "PlannedScenario", "WarmupKey"]


class WarmupKey(NamedTuple):
    """What the warm-up bars of a scenario depend on: scenarios with an equal key share one bundle (rule R14)."""

    symbol: str
    start_ns: int
    bar_price: BarPrice


@dataclass(frozen=True, slots=True)
class PlannedScenario:
    """One scenario that has passed validation, and where its ticks are; the ticks themselves stay in the cache."""

    task: ScenarioTask
    symbol: str
    digits: int
    start_ns: int
    days: tuple[date, ...]  # days[0] is the UTC day of the start; the others hold ticks of the scenario
    first: int  # offset of the first tick in days[0]; that day's length when the scenario begins in a later one
    last: int  # offset past the last tick in days[-1]
    ticks: int
    warmup_key: WarmupKey
    warmup: Mapping[Timeframe, BarSeries] = field(repr=False, compare=False)  # one object for all with the same key
    conversion: tuple[tuple[str, date], ...] = ()  # symbol and days of the conversion pair, where one is needed
    needs: Mapping[Timeframe, int] = field(
        default_factory=dict, repr=False, compare=False
    )  # bars that its own workers see

    @property
    def window_key(self) -> tuple[object, ...]:
        """What the market data depends on: scenarios with an equal key can run as one batch."""
        return self.warmup_key, self.days, self.first, self.last, self.conversion, id(self.warmup)

    def window(self, cache: SegmentCache) -> MarketWindow:
        """The scenario's market data; a long window loads its days as it goes.

        Raises:
            DataError: If a day has to be loaded again and cannot be.
        """
        long = is_long(self.ticks)
        return make_window(
            self.ticks,
            [partial(cache.segment, self.symbol, day) for day in self.days],
            [partial(cache.segment, symbol, day) for symbol, day in self.conversion],
            stream=long,
            symbol=self.symbol,
            digits=self.digits,
            bar_price=self.warmup_key.bar_price,
            start_ns=self.start_ns,
            first=self.first,
            last=self.last,
            warmup=self.warmup,
            extremes=() if long else tuple(cache.extremes(self.symbol, day) for day in self.days),
        )


@dataclass(frozen=True)
class Plan:
    """What a set comes to."""

    runnable: tuple[PlannedScenario, ...]  # in the order of the set
    invalid: tuple[ScenarioResult, ...]  # failed results of those that cannot run, in the order of the set

    @property
    def ticks(self) -> int:
        """Ticks of all runnable scenarios."""
        return sum(each.ticks for each in self.runnable)
