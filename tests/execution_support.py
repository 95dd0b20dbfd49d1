"""A small market, a broker and strategies that fail in every way: for the tests of the execution room, on any executor."""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from finiex_ray.bars.block import Block
from finiex_ray.bars.tick import Tick
from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.models import InvalidScenario, ScenarioConfig, ScenarioSet
from finiex_ray.core.errors import ConfigError, DataError
from finiex_ray.core.market import TickSegment, freeze
from finiex_ray.core.time import NS_PER_S, day_start_ns
from finiex_ray.data.segments import empty_segment
from finiex_ray.decisions.base import Actions, DecisionLogic, Inputs, LogicParams
from finiex_ray.decisions.tick_style import TickLogic, Values
from finiex_ray.trading.api import TradingApi

FIRST, LAST = date(2025, 9, 1), date(2025, 9, 30)  # a Monday, a Tuesday
TICKS_A_DAY = 1_440
SATURDAY = 5


class WalkSource:
    """A seeded random walk on weekdays: a tick each minute, at second 30. Counts what it is asked to load."""

    def __init__(self, damaged: frozenset[date] = frozenset()) -> None:
        self.loads: Counter[tuple[str, date]] = Counter()
        self._damaged = damaged

    def symbols(self) -> tuple[str, ...]:
        return ("EURUSD", "GBPUSD")

    def digits(self, symbol: str) -> int:
        return 5

    def first_day(self, symbol: str) -> date:
        return FIRST

    def last_day(self, symbol: str) -> date:
        return LAST

    def has_day(self, symbol: str, day: date) -> bool:
        return FIRST <= day <= LAST and day.weekday() < SATURDAY

    def load(self, symbol: str, day: date) -> TickSegment:
        self.loads[symbol, day] += 1
        if day in self._damaged:
            raise DataError(f"{symbol} {day}: checksum differs")
        if not self.has_day(symbol, day):
            return empty_segment()
        draw = np.random.default_rng([day.toordinal(), *symbol.encode()])
        time_ns = day_start_ns(day) + (np.arange(TICKS_A_DAY, dtype=np.int64) * 60 + 30) * NS_PER_S
        bid = 110_000 + np.cumsum(draw.integers(-15, 16, TICKS_A_DAY))
        return freeze(TickSegment(time_ns, bid, bid + 7, np.zeros(TICKS_A_DAY)))

    def rows(self, symbol: str, day: date) -> int | None:
        return None

    def content_key(self, symbol: str, day: date) -> str:
        return f"{symbol} {day}"

    def describe(self) -> str:
        return "walk"


def brokers(name: str) -> BrokerSpec:
    if name != "mt5_fx":
        raise ConfigError(f"no broker '{name}'")
    spec = {"digits": 5, "quote": "USD", "contract_size": 100_000}
    symbols = {"EURUSD": {**spec, "base": "EUR"}, "GBPUSD": {**spec, "base": "GBP"}}
    return BrokerSpec.model_validate({"name": "test broker", "symbols": symbols})


def scenario(name: str, **values: Any) -> ScenarioConfig:
    base: dict[str, Any] = {
        "symbol": "EURUSD",
        "start": "2025-09-16T14:00:00Z",
        "max_ticks": 1_000,
        "workers": {
            "rsi_fast": {"type": "rsi", "period": 14, "timeframe": "M5", "warmup_bars": 60},
            "envelope_main": {"type": "envelope", "period": 10, "deviation": 0.02, "timeframe": "M30"},
        },
        "logic": {"type": "aggressive_trend", "lots": 0.1},
        "live_stats": {"update_interval_sec": 0.05},
        "seed": 7,
    }
    return ScenarioConfig.model_validate({**base, **values, "name": name})


def failing(name: str, kind: str, **params: Any) -> ScenarioConfig:
    return scenario(name, workers={}, logic={"type": f"execution_support:{kind}", **params})


def scenario_set(*scenarios: ScenarioConfig | InvalidScenario) -> ScenarioSet:
    return ScenarioSet(name="test", source="test.json", scenarios=scenarios)


def mixed_scenarios(count: int) -> list[ScenarioConfig]:
    """Different symbols, starts, lengths and block sizes; some share a warm-up, some cross a weekend."""
    draw = random.Random(3)
    return [
        scenario(
            f"mixed_{number}",
            symbol=draw.choice(("EURUSD", "GBPUSD")),
            start=f"2025-09-{draw.choice((11, 12, 16, 18)):02}T{draw.choice((7, 14)):02}:00:00Z",
            max_ticks=draw.choice((50, 700, 3_000)),
            execution={"block_ticks": draw.choice((1, 7, 8_192))} if number % 5 == 0 else {},
        )
        for number in range(count)
    ]


class AtTick(LogicParams):
    tick: int = Field(500, ge=0)
    once: str = ""  # a file that is made first: with it there, nothing happens


class _Trouble(TickLogic):
    Params = AtTick
    params: AtTick

    def on_tick(self, tick: Tick, values: Values, trading: TradingApi) -> None:
        if tick.index != self.params.tick:
            return
        if self.params.once:
            marker = Path(self.params.once)
            if marker.exists():
                return
            marker.touch()
        self.happen()

    def happen(self) -> None:
        raise NotImplementedError


class Raises(_Trouble):
    def happen(self) -> None:
        raise ValueError("an error in the strategy")


class OddError(Exception):
    """Cannot be pickled back: its constructor takes more than its message."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} and {second}")


class RaisesOdd(_Trouble):
    def happen(self) -> None:
        raise OddError(1, 2)


class ExitsPolitely(_Trouble):
    def happen(self) -> None:
        raise SystemExit(3)


class RaisesBase(_Trouble):
    def happen(self) -> None:
        raise BaseException("not even an Exception")


class Dies(_Trouble):
    def happen(self) -> None:
        os._exit(7)


class WritesToTicks(DecisionLogic):
    def decide(self, block: Block, inputs: Inputs) -> Actions:
        block.bid_points[0] = 1
        return np.zeros(len(block), dtype=np.int8)


class FailsToBuild(DecisionLogic):
    def __init__(self, params: LogicParams) -> None:
        raise ZeroDivisionError("while it was built")

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        raise NotImplementedError


class Interrupts(_Trouble):
    def happen(self) -> None:
        raise KeyboardInterrupt
