"""Workers and logics that cheat, or that come out differently from run to run: what the checks must catch."""

from __future__ import annotations

import random

import numpy as np

from finiex_ray.bars.block import Block
from finiex_ray.bars.tick import Tick
from finiex_ray.core.enums import Action
from finiex_ray.decisions.base import Actions, DecisionLogic, Inputs, LogicParams
from finiex_ray.decisions.tick_style import TickLogic, Values
from finiex_ray.trading.api import TradingApi
from finiex_ray.trading.policy import OnePositionPolicy
from finiex_ray.trading.views import WakeUp
from finiex_ray.workers.base import Outputs, Worker, new_output

_NAMES = [f"signal_{number}" for number in range(40)]


class FinalClose(Worker):
    """Reads the close of the bar that is forming, as soon as it closes later in the same block."""

    outputs = ("close",)

    def default_warmup_bars(self) -> int:
        return 2

    def compute(self, block: Block) -> Outputs:
        bars, out = block.bars[self.params.timeframe], new_output(block)
        for span, closed in enumerate(bars.span_closed.tolist()):
            seen = min(closed, len(bars.history.close_hp) - 1)
            out[bars.span_first[span] : bars.span_first[span + 1]] = bars.history.close_hp[seen]
        return {"close": out}


class BlockHigh(Worker):
    """The highest price of the whole block."""

    outputs = ("high",)

    def default_warmup_bars(self) -> int:
        return 1

    def compute(self, block: Block) -> Outputs:
        return {"high": np.full(len(block), block.price.max())}


class Trader(DecisionLogic):
    """Trades its actions with the compiled policy."""

    def policy(self) -> OnePositionPolicy:
        from decimal import Decimal

        return OnePositionPolicy(lots=Decimal("0.1"), sl_points=80, tp_points=80)


class NextTick(Trader):
    """Buys before a rise and sells before a fall: one tick ahead."""

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        return np.sign(np.roll(block.price_hp, -1) - block.price_hp).astype(np.int8)


class RareNextTick(Trader):
    """One tick ahead, but it speaks at a few ticks only."""

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        rise = np.roll(block.price_hp, -1) - block.price_hp
        rare = (np.arange(block.first_tick, block.first_tick + len(block)) % 1_000) == 500
        return np.where(rare & (rise > 0), np.int8(Action.BUY), np.int8(Action.NONE)).astype(np.int8)


class BlockEnd(Trader):
    """Compares the price with the one at the end of the block."""

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        return np.sign(block.price_hp[-1] - block.price_hp).astype(np.int8)


class Peeping(DecisionLogic):
    """Decides honestly, and trades by a price of the block that it kept: only its orders tell."""

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        self._price = block.price_hp
        ticks = np.arange(block.first_tick, block.first_tick + len(block))
        return (ticks % 200 == 100).astype(np.int8)

    def execute(self, wake: WakeUp, trading: TradingApi) -> None:
        later = self._price[min(wake.offset + 5, len(self._price) - 1)]
        if not trading.positions:
            trading.buy("0.1", tp_points=50) if later > self._price[wake.offset] else trading.sell("0.1", tp_points=50)
        else:
            trading.close_all()


class Nervous(Trader):
    """Raises when the block holds a large move, wherever in it."""

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        if np.ptp(block.bid_points) > 1_500:
            raise ValueError("too wild")
        return np.zeros(len(block), np.int8)


class Unseeded(TickLogic):
    """Trades by dice that nobody seeded."""

    def on_tick(self, tick: Tick, values: Values, trading: TradingApi) -> None:
        if tick.index % 50 == 0:
            trading.close_all() if trading.positions else trading.buy(random.choice(("0.1", "0.2", "0.3", "0.4")))


class SetOrder(Trader):
    """Acts at a tick that hangs on the order of a set of strings: on the hash seed of the process."""

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        first = _NAMES.index(next(iter(set(_NAMES)))) * 40 + _NAMES.index(list(set(_NAMES))[1])
        ticks = np.arange(block.first_tick, block.first_tick + len(block))
        return (ticks == 100 + first).astype(np.int8)


class ByBlock(Trader):
    """Buys at the first tick of each block, wherever blocks begin."""

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        actions = np.zeros(len(block), np.int8)
        actions[0] = Action.BUY if block.first_tick % 2 == 0 else Action.SELL
        return actions


class Honest(TickLogic):
    """Tick style, with dice of its own seed."""

    def __init__(self, params: LogicParams) -> None:
        super().__init__(params)
        self._dice = random.Random(5)

    def on_tick(self, tick: Tick, values: Values, trading: TradingApi) -> None:
        if tick.index % 50 == 0:
            trading.close_all() if trading.positions else trading.buy(self._dice.choice(("0.1", "0.2")), sl_points=40)


class Broken(TickLogic):
    """Raises at tick 300, always."""

    def on_tick(self, tick: Tick, values: Values, trading: TradingApi) -> None:
        if tick.index == 300:
            raise ValueError("no luck")
