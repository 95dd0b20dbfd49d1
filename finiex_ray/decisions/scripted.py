"""Sends given requests at given ticks: for tests, and to check a broker's rules by hand."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any, Final, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from finiex_ray.bars.block import Block
from finiex_ray.config.base import Moment
from finiex_ray.core.enums import Action, Side, Wake
from finiex_ray.decisions.base import Actions, DecisionLogic, Inputs, LogicParams
from finiex_ray.trading.api import KEEP, TradingApi
from finiex_ray.trading.views import WakeUp

__all__ = ["Scripted", "ScriptedParams", "ScriptedRequest"]

_MARKS: Final = {"buy": Action.BUY, "sell": Action.SELL}
_OPENING: Final = frozenset(
    {"lots", "limit", "stop", "limit_points", "stop_points", "sl", "tp", "sl_points", "tp_points", "trail_points"}
    | {"good_till", "max_slippage_points", "immediate_or_cancel", "magic", "comment", "oco"}
)
_TAKES: Final = {
    "buy": _OPENING,
    "sell": _OPENING,
    "close": frozenset({"lots", "position", "max_slippage_points"}),
    "close_all": frozenset(),
    "reverse": frozenset({"position"}),
    "cancel": frozenset({"order"}),
    "cancel_all": frozenset(),
    "modify_order": frozenset({"order", "limit", "stop", "sl", "tp", "good_till"}),
    "modify_position": frozenset({"position", "sl", "tp", "trail_points"}),
}


class ScriptedRequest(BaseModel):
    """One request of the script. Prices are in units of the quote currency, distances in points."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    tick: int = Field(ge=0, description="Index of the tick within the scenario; 0 is its first.")
    action: Literal[
        "buy", "sell", "close", "close_all", "reverse", "cancel", "cancel_all", "modify_order", "modify_position"
    ]
    lots: Decimal | None = Field(None, gt=0, description="buy, sell: volume (0.1 by default). close: part to close.")
    limit: float | None = Field(None, gt=0, description="buy, sell, modify_order: limit price.")
    stop: float | None = Field(None, gt=0, description="buy, sell, modify_order: stop price.")
    limit_points: int | None = Field(None, description="buy, sell: limit price, points better than the tick's quote.")
    stop_points: int | None = Field(None, description="buy, sell: stop price, points worse than the tick's quote.")
    sl: float | None = Field(None, gt=0, description="Stop loss price.")
    tp: float | None = Field(None, gt=0, description="Take profit price.")
    sl_points: int = Field(0, ge=0, description="buy, sell: stop loss distance from the fill price; 0: none.")
    tp_points: int = Field(0, ge=0, description="buy, sell: take profit distance from the fill price; 0: none.")
    trail_points: int = Field(0, ge=0, description="buy, sell, modify_position: trailing stop distance; 0: none.")
    good_till: Moment | None = Field(
        None, description="buy, sell, modify_order: time at which a resting order expires."
    )
    max_slippage_points: int | None = Field(None, ge=0, description="Market orders: worst slippage since the request.")
    immediate_or_cancel: bool = Field(False, description="Market orders: fill what the margin allows.")
    magic: int = Field(0, description="buy, sell: the strategy's own number.")
    comment: str = Field("", max_length=200, description="buy, sell: the strategy's own text.")
    oco: bool = Field(False, description="buy, sell: pairs it with the request before it in the same tick.")
    position: int | None = Field(None, ge=1, description="Position id; default: the oldest open one.")
    order: int | None = Field(None, ge=1, description="cancel, modify_order: order id; default: the oldest that rests.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        extra = sorted(self.model_fields_set - {"tick", "action"} - _TAKES[self.action])
        if extra:
            raise ValueError(f"action '{self.action}' takes no {', '.join(extra)}")
        if (self.sl is not None and self.sl_points) or (self.tp is not None and self.tp_points):
            raise ValueError("give a stop as a price or as a distance in points, not both")
        for name in ("limit", "stop"):
            if getattr(self, name) is not None and getattr(self, f"{name}_points") is not None:
                raise ValueError(f"give {name} or {name}_points, not both")
        return self


class ScriptedParams(LogicParams):
    """Parameters of `Scripted`."""

    orders: tuple[ScriptedRequest, ...] = Field((), description="Requests; those of one tick go out in this order.")


class Scripted(DecisionLogic):
    """Sends the requests of ``orders``, each at its tick, and nothing else.

    A request that speaks of a position or an order without naming it means the oldest one, and does nothing where there
    is none.
    """

    Params = ScriptedParams
    wake_on = Wake.ACTION
    params: ScriptedParams

    def __init__(self, params: ScriptedParams) -> None:
        super().__init__(params)
        self._at: dict[int, list[ScriptedRequest]] = defaultdict(list)
        for request in params.orders:
            self._at[request.tick].append(request)
        self._ticks = np.array(sorted(self._at), dtype=np.int64)

    def decide(self, block: Block, inputs: Inputs) -> Actions:  # noqa: ARG002 - a script reads no worker
        """A mark at each tick that has requests: BUY or SELL after its first one, else CLOSE; NONE elsewhere."""
        actions: Actions = np.zeros(len(block), dtype=np.int8)
        first, last = np.searchsorted(self._ticks, [block.first_tick, block.first_tick + len(block)])
        for tick in self._ticks[first:last].tolist():
            actions[tick - block.first_tick] = _MARKS.get(self._at[tick][0].action, Action.CLOSE)
        return actions

    def execute(self, wake: WakeUp, trading: TradingApi) -> None:
        """Sends the requests of this tick."""
        before: int | None = None
        for request in self._at.get(wake.tick, ()):
            sent = _send(request, wake, trading)
            if request.oco and before is not None and sent is not None:
                trading.one_cancels_other(before, sent)
            before = sent


def _send(request: ScriptedRequest, wake: WakeUp, trading: TradingApi) -> int | None:
    """Sends one request; returns its order id where it is a single order."""
    match request.action:
        case "buy" | "sell":
            return _open(request, wake, trading)
        case "close_all":
            trading.close_all()
        case "cancel_all":
            trading.cancel_all()
        case "cancel" | "modify_order":
            resting = [view.order_id for view in trading.pending]
            order_id = request.order or (resting[0] if resting else None)
            if order_id is not None:
                _change_order(request, order_id, trading)
        case _:
            position_id = request.position or next((each.position_id for each in trading.positions), None)
            if position_id is not None:
                _change_position(request, position_id, trading)
    return None


def _open(request: ScriptedRequest, wake: WakeUp, trading: TradingApi) -> int:
    side = Side.BUY if request.action == "buy" else Side.SELL
    quote = wake.ask if side is Side.BUY else wake.bid
    limit, stop = request.limit, request.stop
    if request.limit_points is not None:
        limit = quote - side * request.limit_points * trading.point
    if request.stop_points is not None:
        stop = quote + side * request.stop_points * trading.point
    send = trading.buy if side is Side.BUY else trading.sell
    return send(
        request.lots or Decimal("0.1"),
        limit=limit,
        stop=stop,
        sl=request.sl,
        tp=request.tp,
        sl_points=request.sl_points,
        tp_points=request.tp_points,
        trail_points=request.trail_points,
        good_till=request.good_till,
        max_slippage_points=request.max_slippage_points,
        immediate_or_cancel=request.immediate_or_cancel,
        magic=request.magic,
        comment=request.comment,
    )


def _given(request: ScriptedRequest, *names: str) -> dict[str, Any]:
    """The arguments that the script states; the others stay as they are."""
    return {name: getattr(request, name) if name in request.model_fields_set else KEEP for name in names}


def _change_order(request: ScriptedRequest, order_id: int, trading: TradingApi) -> None:
    if request.action == "cancel":
        trading.cancel(order_id)
    else:
        trading.modify_order(order_id, **_given(request, "limit", "stop", "sl", "tp", "good_till"))


def _change_position(request: ScriptedRequest, position_id: int, trading: TradingApi) -> None:
    if request.action == "close":
        trading.close(position_id, request.lots, max_slippage_points=request.max_slippage_points)
    elif request.action == "reverse":
        trading.reverse(position_id)
    else:
        trading.modify_position(position_id, **_given(request, "sl", "tp", "trail_points"))
