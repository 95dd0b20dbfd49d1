"""Sends given orders at given ticks: for tests, and to check a broker's rules by hand."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from finiex_ray.bars.block import Block
from finiex_ray.core.enums import Action, Wake
from finiex_ray.decisions.base import Actions, DecisionLogic, Inputs, LogicParams
from finiex_ray.trading.api import TradingApi, WakeUp

__all__ = ["Scripted", "ScriptedOrder", "ScriptedParams"]

_ACTIONS = {"buy": Action.BUY, "sell": Action.SELL, "close": Action.CLOSE, "close_all": Action.CLOSE}


class ScriptedOrder(BaseModel):
    """One request of the script."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    tick: int = Field(ge=0, description="Index of the tick within the scenario; 0 is its first.")
    action: Literal["buy", "sell", "close", "close_all"]
    lots: Decimal = Field(Decimal("0.1"), gt=0, description="buy, sell: volume, lots.")
    sl: float | None = Field(None, gt=0, description="buy, sell: stop loss price, quote currency.")
    tp: float | None = Field(None, gt=0, description="buy, sell: take profit price, quote currency.")
    sl_points: int = Field(0, ge=0, description="buy, sell: stop loss distance from the fill price, points; 0: none.")
    tp_points: int = Field(0, ge=0, description="buy, sell: take profit distance from the fill price, points; 0: none.")
    position: int | None = Field(None, ge=1, description="close: the position's id; default: the oldest open one.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.sl is not None and self.sl_points) or (self.tp is not None and self.tp_points):
            raise ValueError("give a stop as a price or as a distance in points, not both")
        if self.position is not None and self.action != "close":
            raise ValueError(f"position goes with action 'close' only, not '{self.action}'")
        if self.action.startswith("close"):
            extra = sorted(self.model_fields_set - {"tick", "action", "position"})
            if extra:
                raise ValueError(f"action '{self.action}' takes no {', '.join(extra)}")
        return self


class ScriptedParams(LogicParams):
    """Parameters of `Scripted`."""

    orders: tuple[ScriptedOrder, ...] = Field((), description="Requests; those of one tick go out in this order.")


class Scripted(DecisionLogic):
    """Sends the requests of ``orders``, each at its tick, and nothing else.

    ``close`` without a position closes the oldest open one, and does nothing where none is open.
    """

    Params = ScriptedParams
    wake_on = Wake.ACTION
    params: ScriptedParams

    def __init__(self, params: ScriptedParams) -> None:
        super().__init__(params)
        self._at: dict[int, list[ScriptedOrder]] = defaultdict(list)
        for order in params.orders:
            self._at[order.tick].append(order)
        self._ticks = np.array(sorted(self._at), dtype=np.int64)

    def decide(self, block: Block, inputs: Inputs) -> Actions:  # noqa: ARG002 - a script reads no worker
        """The action of the first request at each tick that has one, else NONE."""
        actions: Actions = np.zeros(len(block), dtype=np.int8)
        first, last = np.searchsorted(self._ticks, [block.first_tick, block.first_tick + len(block)])
        for tick in self._ticks[first:last].tolist():
            actions[tick - block.first_tick] = _ACTIONS[self._at[tick][0].action]
        return actions

    def execute(self, wake: WakeUp, trading: TradingApi) -> None:
        """Sends the requests of this tick."""
        for order in self._at.get(wake.tick, ()):
            if order.action == "close_all":
                trading.close_all()
            elif order.action == "close":
                position = order.position or next((each.position_id for each in trading.positions), None)
                if position is not None:
                    trading.close(position)
            else:
                send = trading.buy if order.action == "buy" else trading.sell
                send(order.lots, sl=order.sl, tp=order.tp, sl_points=order.sl_points, tp_points=order.tp_points)
