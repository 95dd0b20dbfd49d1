"""`MarketView`: bars and workers' lines of a scenario, computed again from the run's configuration and data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from finiex_ray.bars.renderer import BarRenderer
from finiex_ray.bars.tick import TickFailure
from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.models import ScenarioConfig, ScenarioSet
from finiex_ray.core.access import PluginAccess
from finiex_ray.core.errors import FiniexError
from finiex_ray.core.market import FloatArray, IntArray
from finiex_ray.core.time import NS_PER_DAY, NS_PER_MS, Timeframe, day_of
from finiex_ray.data.quality import QualityReport, check
from finiex_ray.data.source import TickSource
from finiex_ray.engine.assemble import build_strategy, warmup_needs
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.keys import ScenarioKeys
from finiex_ray.execution.plan import plan_scenarios
from finiex_ray.execution.planned import PlannedScenario
from finiex_ray.workers.base import Outputs
from finiex_ray.workers.coordinator import WorkerCoordinator

__all__ = ["MarketBars", "MarketView", "WorkerLine", "display_timeframe"]

_MOST_BARS: Final = 1_500
_FEWEST_BARS: Final = 60
_BLOCK_TICKS: Final = 65_536
_NEAR_PRICE: Final = 0.05  # mean distance from the price, as a share of it, below which an output is a price
_ON_PRICE: Final = {"bollinger": True, "envelope": True, "moving_average": True}
_OFF_PRICE: Final = {"atr": False, "macd": False, "rsi": False, "stochastic": False}


@dataclass(frozen=True)
class WorkerLine:
    """An output of a worker at the last tick of each bar."""

    worker: str
    output: str
    type: str
    on_price: bool  # whether it is drawn over the price
    values: FloatArray


@dataclass(frozen=True)
class MarketBars:
    """Bars of a scenario's window, in price units, and the workers' lines over them."""

    timeframe: Timeframe
    start_ms: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    lines: tuple[WorkerLine, ...]
    notes: tuple[str, ...]  # what could not be drawn, and why


def display_timeframe(span_ns: int, used: list[Timeframe]) -> Timeframe:
    """The timeframe to draw a window in: the finest that workers use if it gives 60 to 1,500 bars, else the nearest that does."""
    by_length = sorted(Timeframe, key=lambda timeframe: timeframe.ns)
    fitting = [each for each in by_length if span_ns / each.ns <= _MOST_BARS] or by_length[-1:]
    wanted = min((each for each in used if each in fitting), key=lambda each: each.ns, default=fitting[0])
    if span_ns / wanted.ns >= _FEWEST_BARS:
        return wanted
    finer = [each for each in fitting if each.ns < wanted.ns and span_ns / each.ns >= _FEWEST_BARS]
    return finer[-1] if finer else fitting[0]


class MarketView:
    """Draws on the data that a run used, where it is still there.

    Args:
        scenario_set: The resolved set of the run.
        source: Where its ticks come from.
        brokers: Finds the broker that ``account.broker`` names.
        access: Strategy code that may be loaded.
    """

    def __init__(
        self, scenario_set: ScenarioSet, source: TickSource, brokers: Callable[[str], BrokerSpec], access: PluginAccess
    ) -> None:
        self._set = scenario_set
        self._cache = SegmentCache(source)
        self._brokers, self._access = brokers, access

    def bars(self, index: int, key: str | None = None) -> MarketBars:
        """Bars and lines of a scenario.

        Args:
            index: Its place in the set.
            key: What its ``scenario_key`` was; where it is another one now, a note says so.

        Raises:
            FiniexError: If the data is gone, or the scenario cannot be planned any more.
        """
        planned = self._plan(index)
        window = planned.window(self._cache)
        try:
            workers, _, _ = build_strategy(planned.task.config, self._access)
        except Exception as error:  # strategy code may raise anything
            raise FiniexError(f"building the strategy raised {error!r}") from error
        needs = dict(warmup_needs(workers))
        first_ns, last_ns = window.span_ns
        drawn = display_timeframe(last_ns - first_ns, list(needs))
        renderer = BarRenderer(window, needs)
        coordinator = WorkerCoordinator(workers, history=needs)
        tape = _Tape(drawn)
        ended: str | None = None
        for block in renderer.blocks(_BLOCK_TICKS):
            tape.take_price(block.time_ns, block.price)
            if ended is None:
                try:
                    tape.take_lines(block.time_ns, coordinator.compute(block))
                except TickFailure as failure:
                    ended = f"The workers' lines end before tick {failure.tick:,}: {failure.__cause__!r}."
                except Exception as error:  # noqa: BLE001 - a worker of the user's may raise anything
                    ended = f"The workers' lines end before tick {block.first_tick:,}: {error!r}."
        notes = [] if ended is None else [ended]
        if key is not None and ScenarioKeys(self._cache)(planned) != key:
            notes.append("Data, engine, broker or strategy have changed since the run: bars and lines may differ.")
        return tape.bars(planned.task.config, tuple(notes))

    def _plan(self, index: int) -> PlannedScenario:
        alone = self._set.model_copy(update={"scenarios": (self._set.scenarios[index],)})
        plan = plan_scenarios(alone, self._cache, self._brokers, self._access)
        if not plan.runnable:
            error = plan.invalid[0].error
            raise FiniexError(error.message if error else "it cannot be planned any more")
        return plan.runnable[0]

    def ticks(self, symbol: str, first_ns: int, last_ns: int) -> int:
        """Ticks of the days from one moment to another.

        Raises:
            FiniexError: If the data is gone or damaged.
        """
        return sum(self._cache.rows(symbol, day) for day in self._days(symbol, first_ns, last_ns))

    def quality(self, symbol: str, first_ns: int, last_ns: int) -> QualityReport:
        """What is unusual in the days from one moment to another.

        Raises:
            FiniexError: If the data is gone or damaged.
        """
        days = self._days(symbol, first_ns, last_ns)
        return check(((day, self._cache.segment(symbol, day)) for day in days), self._cache.source.digits(symbol))

    def _days(self, symbol: str, first_ns: int, last_ns: int) -> list[date]:
        moments = range(first_ns // NS_PER_DAY * NS_PER_DAY, last_ns + 1, NS_PER_DAY)
        return [day for day in map(day_of, moments) if self._cache.source.has_day(symbol, day)]


class _Tape:
    """Bars of one timeframe, and the last value of each line in each of them, collected block by block."""

    def __init__(self, timeframe: Timeframe) -> None:
        self._timeframe = timeframe
        self._bars: dict[int, list[float]] = {}
        self._lines: dict[tuple[str, str], dict[int, float]] = {}

    def _groups(self, time_ns: IntArray) -> tuple[IntArray, IntArray]:
        """Start of each bar that a block touches, and the offset of its first tick."""
        period = time_ns // self._timeframe.ns
        first = np.flatnonzero(np.r_[True, period[1:] != period[:-1]])
        return period[first] * self._timeframe.ns, first

    def take_price(self, time_ns: IntArray, price: FloatArray) -> None:
        starts, first = self._groups(time_ns)
        highs, lows = np.maximum.reduceat(price, first), np.minimum.reduceat(price, first)
        ends = np.append(first[1:], len(price)) - 1
        for start, opened, high, low, close in zip(
            starts.tolist(),
            price[first].tolist(),
            highs.tolist(),
            lows.tolist(),
            price[ends].tolist(),
            strict=True,
        ):
            bar = self._bars.setdefault(start, [opened, high, low, close])
            bar[1], bar[2], bar[3] = max(bar[1], high), min(bar[2], low), close

    def take_lines(self, time_ns: IntArray, outputs: Mapping[str, Outputs]) -> None:
        starts, first = self._groups(time_ns)
        ends = np.append(first[1:], len(time_ns)) - 1
        for worker, values in outputs.items():
            for output, array in values.items():
                self._lines.setdefault((worker, output), {}).update(
                    zip(starts.tolist(), array[ends].tolist(), strict=True)
                )

    def bars(self, config: ScenarioConfig, notes: tuple[str, ...]) -> MarketBars:
        starts = sorted(self._bars)
        columns = np.array([self._bars[start] for start in starts]).reshape(-1, 4).T
        opened, high, low, close = columns
        lines = []
        for (worker, output), values in self._lines.items():
            array = np.array([values.get(start, np.nan) for start in starts])
            kind = config.workers[worker].type
            lines.append(WorkerLine(worker, output, kind, _on_price(kind, array, close), array))
        start_ms = np.array(starts, dtype=np.int64) // NS_PER_MS
        return MarketBars(self._timeframe, start_ms, opened, high, low, close, tuple(lines), notes)


def _on_price(kind: str, values: FloatArray, close: FloatArray) -> bool:
    known = {**_ON_PRICE, **_OFF_PRICE}.get(kind)
    if known is not None:
        return known
    there = np.isfinite(values)
    return bool(there.any() and np.mean(np.abs(values[there] / close[there] - 1.0)) < _NEAR_PRICE)
