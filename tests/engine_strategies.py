"""Workers and logics in the style of users, for the tests of the engine: named by import path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from finiex_ray.bars.block import Block
from finiex_ray.bars.tick import ClosedBars, FormingBar, Tick
from finiex_ray.core.enums import Wake
from finiex_ray.core.time import Timeframe
from finiex_ray.decisions.aggressive_trend import AggressiveTrend
from finiex_ray.decisions.base import Actions, DecisionLogic, Inputs, LogicParams
from finiex_ray.decisions.tick_style import TickLogic, Values
from finiex_ray.trading.api import TradingApi
from finiex_ray.trading.views import WakeUp
from finiex_ray.workers.base import Outputs, Worker, WorkerParams
from finiex_ray.workers.tick_style import TickWorker


class FailParams(LogicParams):
    at: int = Field(-1, description="Tick at which it raises; -1: never.")
    how: str = "ValueError"


def _fail(how: str, tick: int) -> None:
    if how == "SystemExit":
        raise SystemExit(3)
    raise ValueError(f"no luck at {tick}")


class Zigzag(TickLogic):
    """Opens and closes by the last digit of the tick index; logs; raises where told to."""

    Params = FailParams
    params: FailParams

    def on_tick(self, tick: Tick, values: Values, trading: TradingApi) -> None:
        if tick.index == self.params.at:
            _fail(self.params.how, tick.index)
        if tick.index % 500 == 0:
            self.log.info(f"equity {trading.equity:.2f}")
        if tick.index % 70 == 10:
            trading.buy("0.1", sl_points=30) if tick.mid > tick.bid + 3e-05 else trading.sell("0.1", tp_points=25)
        elif tick.index % 70 == 60:
            trading.close_all()


class RaisingDecide(AggressiveTrend):
    """A shipped logic that breaks down."""

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        raise RuntimeError("no decision today")


class FailWorkerParams(WorkerParams):
    at: int = Field(-1, description="Tick at which it raises; -1: never.")
    how: str = "ValueError"


class Range(TickWorker):
    """High less low of the forming bar, in half points of EURUSD; raises where told to."""

    Params = FailWorkerParams
    params: FailWorkerParams

    def compute(
        self, tick: Tick, bar_history: Mapping[Timeframe, ClosedBars], forming_bars: Mapping[Timeframe, FormingBar]
    ) -> float:
        if tick.index == self.params.at:
            _fail(self.params.how, tick.index)
        bar = forming_bars[self.params.timeframe]
        return round((bar.high - bar.low) / 5e-06) + len(bar_history[self.params.timeframe]) * 0.001


class ByRange(TickLogic):
    """Trades on `Range`."""

    roles: ClassVar[Mapping[str, tuple[str, ...]]] = {"range": ("value",)}

    def on_tick(self, tick: Tick, values: Values, trading: TradingApi) -> None:
        value = values["range"]
        assert isinstance(value, float)
        if not trading.positions and value > 40 and tick.index % 9 == 0:
            trading.buy("0.1", sl_points=40, tp_points=40)


class WakeParams(LogicParams):
    wake: int = Field(int(Wake.ACTION), description="Wake flags.")
    every: int = Field(500, description="BUY at each tick that is a multiple of it.")


class Recorder(DecisionLogic):
    """Logs each wake-up; on an action it buys 0.1 lots with a close stop."""

    Params = WakeParams
    params: WakeParams

    def __init__(self, params: WakeParams) -> None:
        super().__init__(params)
        self.wake_on = Wake(params.wake)

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        ticks = np.arange(block.first_tick, block.first_tick + len(block))
        return (ticks % self.params.every == 0).astype(np.int8)

    def execute(self, wake: WakeUp, trading: TradingApi) -> None:
        self.log.info(f"wake {int(wake.reason)} action {int(wake.action)} bid {wake.bid:.5f} time {wake.time_ns}")
        if wake.tick % self.params.every == 0 and wake.reason & (Wake.ACTION | Wake.TICK):
            trading.buy("0.1", sl_points=15, tp_points=15)


class Listener(TickLogic):
    """Logs every event of the market; 15 s without ticks are a gap to it."""

    session_gap_s = 15.0

    def on_tick(self, tick: Tick, values: Values, trading: TradingApi) -> None:
        for event in trading.events:
            assert event.tick == tick.index
            assert event.time_ns == tick.time_ns
            frame = event.timeframe and event.timeframe.value
            self.log.info(f"{event.kind.name} {frame} {event.gap_s!r}")


class Sleeper(Recorder):
    """Logs, whenever it is called, what has happened since the last time."""

    session_gap_s = 15.0

    def execute(self, wake: WakeUp, trading: TradingApi) -> None:
        told = " ".join(f"{event.kind.name}@{event.tick}" for event in trading.events)
        self.log.info(f"wake {int(wake.reason)} told {told}")


class Chatty(DecisionLogic):
    """Logs many lines, some of them long."""

    wake_on = Wake.TICK

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        return np.zeros(len(block), np.int8)

    def execute(self, wake: WakeUp, trading: TradingApi) -> None:
        self.log.warning("x" * 10_000 if wake.tick == 0 else f"line {wake.tick}")


class WrongParams(LogicParams):
    answer: str = "dtype"


class Wrong(DecisionLogic):
    """Breaks the contract of ``decide``."""

    Params = WrongParams
    params: WrongParams

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        answers: dict[str, object] = {
            "dtype": np.zeros(len(block)),
            "shape": np.zeros(len(block) + 1, np.int8),
            "none": None,
        }
        return answers[self.params.answer]  # type: ignore[return-value]


class WrongWorkerParams(WorkerParams):
    answer: str = "dtype"


class WrongWorker(Worker):
    """Breaks the contract of ``compute``."""

    Params = WrongWorkerParams
    outputs = ("value",)
    params: WrongWorkerParams

    def default_warmup_bars(self) -> int:
        return 1

    def compute(self, block: Block) -> Outputs:
        answers: dict[str, Outputs] = {
            "dtype": {"value": np.zeros(len(block), np.float32)},  # type: ignore[dict-item]
            "shape": {"value": np.zeros(len(block) + 1)},
            "missing": {"other": np.zeros(len(block))},
        }
        return answers[self.params.answer]


class Closes(Worker):
    """The number of closed bars that it sees, less those of its warm-up, and the oldest close: shows its history."""

    outputs = ("seen",)

    def default_warmup_bars(self) -> int:
        return 5

    def compute(self, block: Block) -> Outputs:
        bars = block.bars[self.params.timeframe]
        counts = np.diff(bars.span_first)
        oldest = int(bars.history.close_hp[0])
        return {"seen": np.repeat(bars.span_closed, counts) + oldest * 0.001}


class BySeen(DecisionLogic):
    """Logs what `Closes` saw at the end of each block of ticks whose index is a multiple of 250."""

    wake_on = Wake.ACTION

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        self._seen = inputs["closes"]["seen"]
        ticks = np.arange(block.first_tick, block.first_tick + len(block))
        return (ticks % 250 == 0).astype(np.int8)

    def execute(self, wake: WakeUp, trading: TradingApi) -> None:
        self.log.info(f"seen {self._seen[wake.offset]:.3f}")


class ChattyWorker(TickWorker):
    """Logs a line every hundred ticks, and says the mid."""

    def compute(self, tick, bar_history, forming_bars):
        if tick.index % 100 == 0:
            self.log.info(f"worker at {tick.index}")
        return tick.mid


class ChattyLogic(TickLogic):
    """Logs a line every hundred ticks."""

    def on_tick(self, tick, values, trading):
        if tick.index % 100 == 0:
            self.log.info(f"logic at {tick.index}")
