"""Tick-style strategies for the tests of the Python lane: they read and trade at random, and log all that they see."""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
from pydantic import Field

from finiex_ray.bars.block import Block
from finiex_ray.bars.tick import Tick
from finiex_ray.core.enums import EventKind, OrderState, Wake
from finiex_ray.core.time import NS_PER_S
from finiex_ray.decisions.base import Actions, Inputs, LogicParams
from finiex_ray.decisions.tick_style import TickLogic, Values
from finiex_ray.trading.api import KEEP, TradingApi

_MARKET = {EventKind.BAR_CLOSED, EventKind.SESSION_GAP}


class DiceParams(LogicParams):
    seed: int = 0
    reads: float = Field(0.02, description="Share of ticks at which it reads its account.")
    trades: float = Field(0.01, description="Share of ticks at which it sends a request.")
    lots: float = 0.1
    fail_at: int = Field(-1, description="Tick at which it raises; -1: never.")


class Dice(TickLogic):
    """Throws dice at every tick."""

    Params = DiceParams
    params: DiceParams
    session_gap_s = 3.0

    def __init__(self, params: DiceParams) -> None:
        super().__init__(params)
        self._random = random.Random(params.seed)

    def on_tick(self, tick: Tick, values: Values, trading: TradingApi) -> None:
        if tick.index == self.params.fail_at:
            raise ArithmeticError(f"no luck at {tick.index}, balance {trading.balance}")
        if self._random.random() < self.params.reads:
            self._read(tick, values, trading)
        if self._random.random() < self.params.trades:
            self._trade(tick, trading)

    def _read(self, tick: Tick, values: Values, trading: TradingApi) -> None:
        seen: object = self._random.choice(
            [
                lambda: (trading.bid, trading.ask, tick),
                lambda: (trading.balance, trading.equity, trading.margin_used, trading.free_margin),
                lambda: trading.events,
                lambda: trading.positions,
                lambda: (trading.net_lots, trading.balances),
                lambda: trading.pending,
                lambda: (len(trading.orders), trading.orders[-1:]),
                lambda: {
                    name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()
                }.keys(),
            ]
        )()
        self.log.info(f"{seen} {values['rsi']:.6f} {values['band']['upper']:.6f}")  # type: ignore[index]

    def _trade(self, tick: Tick, trading: TradingApi) -> None:
        lots, gap = self.params.lots, self._random.randint(3, 40) * trading.point
        kind = self._random.randrange(10)
        stops = {"sl_points": self._random.choice([0, 12, 30]), "tp_points": self._random.choice([0, 15, 40])}
        if kind < 2:
            trading.buy(lots, trail_points=self._random.choice([0, 20]), **stops)
        elif kind == 2:
            trading.sell(lots, trail_points=self._random.choice([0, 25]), **stops)
        elif kind == 3:
            first = trading.buy(lots, limit=tick.bid - gap, good_till=tick.time_ns + 90 * NS_PER_S, **stops)
            second = trading.sell(lots, limit=tick.ask + gap, **stops)
            if all(trading.order(order).state is OrderState.PENDING for order in (first, second)):
                trading.one_cancels_other(first, second)
        elif kind == 4:
            trading.sell(lots, stop=tick.bid - gap, **stops)
        elif kind == 5:
            trading.cancel_all()
        elif kind == 6:
            trading.buy("0.0151")  # refused at once: an event of this tick that the next one is told of
        elif kind == 7:
            for view in trading.positions:
                sl = self._random.choice([None, KEEP])
                trading.modify_position(view.position_id, sl=sl, tp=tick.bid + gap, trail_points=15)
        elif kind == 8:
            trading.close_all()
        elif trading.positions:
            trading.reverse(trading.positions[0].position_id)


class Gated(Dice):
    """The same, called at its own actions (every 40th tick) and at fills."""

    wake_on = Wake.ACTION | Wake.FILL

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        ticks = np.arange(block.first_tick, block.first_tick + len(block))
        return (ticks % 40 == 7).astype(np.int8)


class GatedByHand(Dice):
    """What `Gated` is, called at every tick: knows by itself when."""

    def on_tick(self, tick: Tick, values: Values, trading: TradingApi) -> None:
        if tick.index % 40 == 7 or self._woken(tick, trading):
            super().on_tick(tick, values, trading)

    @staticmethod
    def _woken(tick: Tick, trading: TradingApi) -> bool:
        return any(event.tick == tick.index and event.kind not in _MARKET for event in trading.events)
