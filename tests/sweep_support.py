"""Markets and strategies for the tests of sweeps: noise without drift, and a planted edge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from execution_support import WalkSource
from pydantic import Field

import finiex_ray as fr
from finiex_ray.bars.block import Block
from finiex_ray.core.enums import Action
from finiex_ray.core.market import TickSegment, freeze
from finiex_ray.core.random import generator
from finiex_ray.core.time import NS_PER_DAY, NS_PER_S, day_start_ns
from finiex_ray.decisions.base import Actions, Inputs
from finiex_ray.decisions.one_position import OnePositionLogic, OnePositionParams
from finiex_ray.engine.result import ScenarioResult

GAP_S = 30
TICKS_A_DAY = 86_400 // GAP_S


class PlantedSource(WalkSource):
    """A walk without drift, a tick each 30 seconds; in one hour of each day the price rises by ``edge_points`` at even pace."""

    def __init__(self, edge_points: int = 0, hour: int = 9, seed: int = 1, spread: int = 2) -> None:
        super().__init__()
        self._edge, self._hour, self._seed, self._spread = edge_points, hour, seed, spread

    def load(self, symbol: str, day: date) -> TickSegment:
        draw = generator(self._seed, symbol, day.isoformat())
        seconds = np.arange(TICKS_A_DAY, dtype=np.int64) * GAP_S + GAP_S // 2
        steps = draw.normal(0.0, 4.0, TICKS_A_DAY)
        inside = seconds // 3_600 == self._hour
        steps[inside] += self._edge / inside.sum()
        bid = 110_000 + np.rint(np.cumsum(steps)).astype(np.int64)
        time_ns = day_start_ns(day) + seconds * NS_PER_S
        return freeze(TickSegment(time_ns, bid, bid + self._spread, np.zeros(TICKS_A_DAY)))


class RandomParams(OnePositionParams):
    entries: int = Field(0, ge=0, description="Seed of the entries.")


class RandomEntries(OnePositionLogic):
    """Buys, sells and closes at random ticks that depend on its seed alone."""

    Params = RandomParams
    params: RandomParams

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        draw = generator(self.params.entries, "entries", int(block.time_ns[0] // NS_PER_DAY), block.first_tick)
        wanted = np.array([Action.BUY, Action.SELL, Action.CLOSE], np.int8)
        actions: Actions = np.where(draw.random(len(block)) < 0.01, draw.choice(wanted, len(block)), 0).astype(np.int8)
        return actions


class HourParams(OnePositionParams):
    hour: int = Field(0, ge=0, le=23, description="Hour, UTC, in which it is long.")
    side: int = Field(1, ge=-1, le=1)


class LongInHour(OnePositionLogic):
    """Holds a position in one hour of the day."""

    Params = HourParams
    params: HourParams

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        inside = block.time_ns // (3_600 * NS_PER_S) % 24 == self.params.hour
        way = np.int8(Action.BUY if self.params.side > 0 else Action.SELL)
        actions: Actions = np.where(inside, way, np.int8(Action.CLOSE)).astype(np.int8)
        return actions


def days(first: date, count: int) -> Iterable[date]:
    """So many weekdays from ``first`` on."""
    day = first
    while count:
        if day.weekday() < 5:
            yield day
            count -= 1
        day += timedelta(days=1)


def day_windows(first: date, count: int) -> list[dict[str, Any]]:
    return [
        {"name": f"{day}", "start": f"{day}T00:00:00Z", "end": f"{day + timedelta(days=1)}T00:00:00Z"}
        for day in days(first, count)
    ]


def experiment(
    source: WalkSource, logic: Mapping[str, Any], windows: list[dict[str, Any]], **shared: Any
) -> fr.Experiment:
    config = {"global": {"symbol": "EURUSD", "logic": logic, "seed": 7, **shared}, "scenarios": windows}
    return fr.Experiment({"name": "test", **config}, source=source, allow_imports=["sweep_support"])


def walk_experiment(count: int = 3, lots: float = 0.1) -> fr.Experiment:
    """RSI and an envelope on a walk: three windows of half a day, some 100 trials a second."""
    windows = [
        {"name": f"w{day}", "start": f"2025-09-{day}T06:00:00Z", "end": f"2025-09-{day}T18:00:00Z"}
        for day in (16, 17, 18, 19, 22)[:count]
    ]
    workers = {
        "rsi_fast": {"type": "rsi", "period": 14, "timeframe": "M5", "warmup_bars": 60},
        "band": {"type": "envelope", "period": 10, "deviation": 0.02, "timeframe": "M30"},
    }
    return experiment(
        WalkSource(), {"type": "aggressive_trend", "lots": lots, "sl_points": 60}, windows, workers=workers
    )


def profit_of_longs(result: ScenarioResult) -> float | None:
    """A measure by import path."""
    assert result.loop is not None
    longs = result.loop.trades[result.loop.trades["side"] > 0]
    return float(longs["net_minor"].sum()) / 100 if len(longs) else None


def broken_measure(result: ScenarioResult) -> float:
    raise LookupError(f"no luck with {result.name}")


def table_bytes(folder: Path, *names: str) -> list[bytes]:
    return [(folder / f"{name}.parquet").read_bytes() for name in names]
