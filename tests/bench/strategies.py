"""Strategies of the benchmarks in Python, as a user would write them."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import pairwise

import numpy as np
from bench.support import private_bytes
from pydantic import Field

from finiex_ray import DecisionLogic
from finiex_ray.bars.block import Block
from finiex_ray.bars.tick import Tick
from finiex_ray.core.enums import Action, EventKind, Side, Wake
from finiex_ray.core.time import NS_PER_S
from finiex_ray.decisions.base import Actions, Inputs, LogicParams
from finiex_ray.decisions.tick_style import TickLogic, Values
from finiex_ray.trading.api import TradingApi
from finiex_ray.trading.views import WakeUp
from finiex_ray.workers.base import WorkerParams
from finiex_ray.workers.tick_style import TickWorker

BUY, SELL = Side.BUY, Side.SELL


class Trading(LogicParams):
    """Volume and stops of a position."""

    lots: Decimal = Decimal("0.1")
    sl_points: int = 0
    tp_points: int = 0


def follow(side: Side, params: Trading, trading: TradingApi) -> None:
    """Brings the account to one position on ``side``: opens it, or reverses."""
    held = trading.net_lots * side
    if held > 0:
        return
    if held < 0:
        trading.close_all()
    send = trading.buy if side is BUY else trading.sell
    send(params.lots, sl_points=params.sl_points, tp_points=params.tp_points)


class EveryTick(TickLogic):
    """The peers' strategy in tick style: called at every tick, on values of compiled workers."""

    Params = Trading
    roles = {"rsi": ("rsi",), "band": ("upper", "lower")}  # noqa: RUF012
    params: Trading

    def on_tick(self, tick: Tick, values: Values, trading: TradingApi) -> None:
        rsi = values["rsi"]
        if rsi < 30:
            if tick.mid < values["band"]["lower"]:
                follow(BUY, self.params, trading)
        elif rsi > 70 and tick.mid > values["band"]["upper"]:
            follow(SELL, self.params, trading)


class PeriodParams(WorkerParams):
    """Parameters of the workers below."""

    period: int = 14
    deviation: float = 2.0


class PythonRsi(TickWorker):
    """Wilder's RSI in plain Python: state for the closed bars, the forming bar's change on top."""

    Params = PeriodParams
    outputs = ("rsi",)
    params: PeriodParams

    def __init__(self, params: PeriodParams) -> None:
        super().__init__(params)
        self._closed, self._gain, self._loss, self._last = 0, 0.0, 0.0, 0.0

    def compute(self, tick, bar_history, forming_bars):
        period, bars = self.params.period, bar_history[self.params.timeframe]
        if len(bars) != self._closed:
            closes = bars.close[max(self._closed - 1, 0) :].tolist()
            for bar, (before, after) in enumerate(pairwise(closes), start=max(self._closed, 1)):
                share = min(bar, period)
                self._gain += (max(after - before, 0.0) - self._gain) / share
                self._loss += (max(before - after, 0.0) - self._loss) / share
            self._closed, self._last = len(bars), closes[-1]
        change = tick.mid - self._last
        gain = self._gain * (period - 1) + (change if change > 0 else 0.0)
        both = gain + self._loss * (period - 1) + (-change if change < 0 else 0.0)
        return 100.0 * gain / both if both > 0 else 50.0


class PythonBand(TickWorker):
    """Mean of closes and two bands, in plain Python, from sums of the closed bars."""

    Params = PeriodParams
    outputs = ("upper", "lower")
    params: PeriodParams

    def __init__(self, params: PeriodParams) -> None:
        super().__init__(params)
        self._closed, self._base, self._sum, self._squares = -1, 0.0, 0.0, 0.0

    def default_warmup_bars(self) -> int:
        return self.params.period - 1

    def compute(self, tick, bar_history, forming_bars):
        period, bars = self.params.period, bar_history[self.params.timeframe]
        if len(bars) != self._closed:
            closes = bars.close[1 - period :].tolist()
            self._closed, self._base = len(bars), closes[0]
            self._sum = sum(close - self._base for close in closes)
            self._squares = sum((close - self._base) ** 2 for close in closes)
        now = tick.mid - self._base
        mean = (self._sum + now) / period
        reach = self.params.deviation * math.sqrt(max((self._squares + now * now) / period - mean * mean, 0.0))
        middle = mean + self._base
        return {"upper": middle + reach, "lower": middle - reach}


class Gated(TickLogic):
    """The same, with Python called only where a signal begins, or where something happens to the position meanwhile."""

    Params = Trading
    roles = {"rsi": ("rsi",), "band": ("upper", "lower")}  # noqa: RUF012
    wake_on = Wake.ACTION | Wake.FILL
    params: Trading

    def __init__(self, params: Trading) -> None:
        super().__init__(params)
        self._signals: Actions = np.zeros(1, np.int8)

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        rsi, band = inputs["rsi"]["rsi"], inputs["band"]
        mid = block.price_hp * block.half_point
        buy = (rsi < 30) & (mid < band["lower"])
        sell = (rsi > 70) & (mid > band["upper"])
        before, self._signals = self._signals[-1], buy.astype(np.int8) - sell.astype(np.int8)
        begins = np.diff(self._signals, prepend=before) != 0
        return self._signals * begins

    def on_tick(self, tick: Tick, values: Values, trading: TradingApi) -> None:
        rsi, band = values["rsi"], values["band"]
        if rsi < 30 and tick.mid < band["lower"]:
            follow(Side.BUY, self.params, trading)
        elif rsi > 70 and tick.mid > band["upper"]:
            follow(Side.SELL, self.params, trading)


class Quoting(LogicParams):
    """Parameters of the dense workload (`bench.dense_workload.Dense`); distances in points."""

    lots: Decimal = Decimal("0.1")
    offset: int = Field(ge=0)
    lifetime_s: int = Field(gt=0)
    trail: int = Field(gt=0)
    target: int = Field(gt=0)


_DONE = frozenset({EventKind.STOP_LOSS, EventKind.TAKE_PROFIT, EventKind.EXPIRED})


class Quoter(DecisionLogic):
    """While flat, quotes on both sides; one order cancels the other, a trailing stop or the take profit ends a position."""

    Params = Quoting
    wake_on = Wake.ACTION | Wake.FILL
    params: Quoting

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        actions: Actions = np.zeros(len(block), np.int8)
        if block.first_tick == 0:
            actions[0] = Action.BUY  # wakes at the first tick; fills and expiries wake afterwards
        return actions

    def execute(self, wake: WakeUp, trading: TradingApi) -> None:
        if wake.tick and not any(event.kind in _DONE for event in trading.events):
            return
        params = self.params
        distance = params.offset * trading.point
        terms = {
            "tp_points": params.target,
            "trail_points": params.trail,
            "good_till": wake.time_ns + params.lifetime_s * NS_PER_S,
        }
        bought = trading.buy(params.lots, limit=wake.bid - distance, **terms)
        sold = trading.sell(params.lots, limit=wake.ask + distance, **terms)
        trading.one_cancels_other(bought, sold)


class Weigher(DecisionLogic):
    """Trades nothing, and logs the private memory of its process at every block."""

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        self.log.info(f"private_bytes={private_bytes()}")
        return np.zeros(len(block), np.int8)
