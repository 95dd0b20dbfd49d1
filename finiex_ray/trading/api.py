"""`TradingApi`: what a decision logic sees of its account, and the only way in which it trades."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from operator import attrgetter, index
from typing import Final

from finiex_ray.core.enums import OrderState, OrderType, Side
from finiex_ray.core.records import FAR_FUTURE_NS, NO_PRICE, Records
from finiex_ray.core.records import LEDGER_COLUMNS as L
from finiex_ray.core.time import to_ns
from finiex_ray.trading.simulator import TradeSimulator
from finiex_ray.trading.views import Event, OrderView, PositionView, Views

__all__ = ["KEEP", "Keep", "TradingApi"]

_MOST_POINTS: Final = 2**50

Volume = Decimal | float | str


class Keep(Enum):
    """Marks an argument of a change as "as it is"."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP


class TradingApi:
    """Account, positions and orders as of the current tick, and requests that go out at it (rule R3).

    A request never fills on the tick that made it. What the broker refuses is not an exception: it stands in ``orders``
    with its reason (rule R15) and among the ``events``. Volumes are lots, prices are in units of the quote currency, money
    is in the account currency.

    Attributes:
        changed: Whether a request has been sent since the engine last looked.
    """

    def __init__(self, simulator: TradeSimulator) -> None:
        self._simulator = simulator
        self._terms = simulator.terms
        self._views = Views(simulator)
        self._bring: Callable[[], None] = _stay
        self._quotes: Callable[[], tuple[int, int]] = self._last_quotes
        self.changed = False
        self._bid_points = 0
        self._ask_points = 0
        self._seen_events = 0
        self._events: list[Event] = []

    def at(self, bid_points: int, ask_points: int, market: Sequence[Event] = (), *, quiet: bool = False) -> None:
        """Sets the quotes of the current tick; the engine calls it before each wake-up.

        Args:
            bid_points: Bid, points.
            ask_points: Ask, points.
            market: What the market has done since the wake-up before.
            quiet: Nothing but marks has happened at the broker since the call before.
        """
        self._bid_points, self._ask_points = bid_points, ask_points
        if not quiet:
            self._views.forget()
        self._events = self._views.events(self._seen_events)
        if market:  # within a tick the broker comes first (rule R7)
            self._events = sorted([*self._events, *market], key=attrgetter("tick"))
        self._seen_events = self._simulator.whole(L.events)

    def follow(self, bring: Callable[[], None] | None, quotes: Callable[[], tuple[int, int]] | None) -> None:
        """Sets what is asked while the account is left behind the ticks; the engine calls it, and None when it is not.

        Args:
            bring: Brings the account to the current tick and calls ``at``; called before what moves with every tick is read,
                and before a request.
            quotes: Gives bid and ask of the current tick, points.
        """
        self._bring, self._quotes = bring or _stay, quotes or self._last_quotes

    def calm(self) -> None:
        """Says that nothing happens at the ticks that come; the engine calls it."""
        self._events = []

    def _last_quotes(self) -> tuple[int, int]:
        return self._bid_points, self._ask_points

    @property
    def news(self) -> bool:
        """Whether there are events that no wake-up has seen; the engine asks."""
        return self._simulator.whole(L.events) != self._seen_events

    @property
    def bid(self) -> float:
        """Bid of the current tick."""
        return self._quotes()[0] * self._terms.point

    @property
    def ask(self) -> float:
        """Ask of the current tick."""
        return self._quotes()[1] * self._terms.point

    @property
    def point(self) -> float:
        """Price of one point of the symbol."""
        return self._terms.point

    @property
    def balance(self) -> float:
        """Balance: opening balance plus everything booked."""
        return float(self._simulator.whole(L.balance_minor)) / self._terms.minor_per_unit

    @property
    def equity(self) -> float:
        """Balance plus unrealised profit at the current tick (rule R16)."""
        self._bring()
        return self._simulator.real(L.equity) / self._terms.minor_per_unit

    @property
    def margin_used(self) -> float:
        """Margin of the open positions (rule R8); on a spot account what was paid for the assets held."""
        return self._simulator.real(L.margin_used) / self._terms.minor_per_unit

    @property
    def free_margin(self) -> float:
        """Equity less the margin used; on a spot account the cash."""
        funds = self.balance if self._simulator.whole(L.spot) else self.equity
        return funds - self.margin_used

    @property
    def balances(self) -> dict[str, float]:
        """What the account owns, by currency or asset: the balance, or on a spot account the cash and the asset held."""
        terms = self._simulator.terms
        if not self._simulator.whole(L.spot):
            return {terms.currency: self.balance}
        held = int(self._simulator.positions()["volume_steps"].sum())
        return {terms.currency: self.free_margin, terms.base: float(held * terms.volume_step * terms.contract_size)}

    @property
    def events(self) -> list[Event]:
        """What has happened at the broker and in the market since the last wake-up, in order."""
        return list(self._events)

    @property
    def net_lots(self) -> float:
        """Open volume, lots: that of long positions less that of short ones; 0 while flat. The quickest look at what is held."""
        return self._views.net_lots()

    @property
    def positions(self) -> list[PositionView]:
        """The open positions, in the order in which they were opened (on a netting account the legs of the net position)."""
        return self._views.positions(self._bring, self._quotes)

    @property
    def orders(self) -> list[OrderView]:
        """Every order so far, in request order."""
        return self._views.orders()

    @property
    def pending(self) -> list[OrderView]:
        """The orders that are under way to the broker or rest there."""
        return self._views.pending()

    def order(self, order_id: int) -> OrderView:
        """One order by its id.

        Raises:
            KeyError: If no order has this id.
        """
        return self._views.order(self._record(order_id))

    def buy(
        self,
        lots: Volume,
        *,
        limit: float | None = None,
        stop: float | None = None,
        sl: float | None = None,
        tp: float | None = None,
        sl_points: int = 0,
        tp_points: int = 0,
        trail_points: int = 0,
        good_till: datetime | int | None = None,
        max_slippage_points: int | None = None,
        immediate_or_cancel: bool = False,
        magic: int = 0,
        comment: str = "",
    ) -> int:
        """Sends an order to buy; returns its order id.

        Without ``limit`` and ``stop`` it is a market order, with one of them a limit or a stop order, with both a
        stop-limit order (rules R4, R5).

        Args:
            lots: Volume in lots; one that the symbol does not allow is rejected with its reason.
            limit: Limit price, or None.
            stop: Stop price, or None.
            sl: Stop loss price, or None.
            tp: Take profit price, or None.
            sl_points: Stop loss as a distance from the fill price in points (instead of ``sl``), or 0.
            tp_points: Take profit as a distance from the fill price in points (instead of ``tp``), or 0.
            trail_points: Trailing stop: distance in points at which the stop loss follows the quote, or 0.
            good_till: Time (with a zone, or ns since the epoch) at which a resting order expires; None: never.
            max_slippage_points: Market order: rejected when its price is worse by more than this than at the request.
            immediate_or_cancel: Market order: fills what the margin allows and rejects the rest; else all or nothing.
            magic: A number of the strategy's own, kept in orders and trades.
            comment: A text of the strategy's own, kept in the orders.

        Raises:
            ValueError: If arguments contradict each other, or a number is no price or no volume (NaN, infinite).
        """
        return self._open(
            Side.BUY, lots, limit, stop, sl, tp, sl_points, tp_points, trail_points, good_till,
            max_slippage_points, immediate_or_cancel, magic, comment,
        )  # fmt: skip

    def sell(
        self,
        lots: Volume,
        *,
        limit: float | None = None,
        stop: float | None = None,
        sl: float | None = None,
        tp: float | None = None,
        sl_points: int = 0,
        tp_points: int = 0,
        trail_points: int = 0,
        good_till: datetime | int | None = None,
        max_slippage_points: int | None = None,
        immediate_or_cancel: bool = False,
        magic: int = 0,
        comment: str = "",
    ) -> int:
        """Sends an order to sell; the arguments are those of `buy`."""
        return self._open(
            Side.SELL, lots, limit, stop, sl, tp, sl_points, tp_points, trail_points, good_till,
            max_slippage_points, immediate_or_cancel, magic, comment,
        )  # fmt: skip

    def _open(
        self,
        side: Side,
        lots: Volume,
        limit: float | None,
        stop: float | None,
        sl: float | None,
        tp: float | None,
        sl_points: int,
        tp_points: int,
        trail_points: int,
        good_till: datetime | int | None,
        max_slippage_points: int | None,
        immediate_or_cancel: bool,
        magic: int,
        comment: str,
    ) -> int:
        if (sl is not None and sl_points) or (tp is not None and tp_points):
            raise ValueError("give a stop as a price or as a distance in points, not both")
        kind = _kind(limit, stop)
        if kind is OrderType.MARKET and good_till is not None:
            raise ValueError("good_till goes with a limit or a stop price: a market order does not rest")
        if kind is not OrderType.MARKET and (max_slippage_points is not None or immediate_or_cancel):
            raise ValueError("max_slippage_points and immediate_or_cancel go with market orders only")
        fields = {
            "price_points": self._points(limit),
            "stop_points": self._points(stop),
            "sl_points": self._points(sl),
            "tp_points": self._points(tp),
            "sl_offset_points": _distance("sl_points", sl_points),
            "tp_offset_points": _distance("tp_points", tp_points),
            "trail_points": _distance("trail_points", trail_points),
            "max_slippage_points": NO_PRICE
            if max_slippage_points is None
            else _distance("max_slippage_points", max_slippage_points),
            "immediate_or_cancel": int(immediate_or_cancel),
            "expire_ns": _moment_ns(good_till),
            "magic": index(magic),
        }
        order_id = self._send(kind, side, Decimal(str(lots)), **fields)
        if comment:
            self._simulator.comments[order_id] = comment
        return order_id

    def one_cancels_other(self, first: int, second: int) -> None:
        """Pairs two orders of this tick: when one fills, the other is cancelled (OCO).

        Raises:
            ValueError: If they are not two different orders requested at this tick that are still under way, or one is
                paired already.
        """
        self._bring()
        tick = self._simulator.whole(L.last_tick)
        for order_id in (first, second):
            record = self._record(order_id)
            if int(record["state"]) != OrderState.PENDING or int(record["request_tick"]) != tick or record["oco_id"]:
                raise ValueError(f"order {order_id} was not requested at this tick, has left, or is paired already")
        if first == second:
            raise ValueError("an order cannot cancel itself; give two different orders")
        self._simulator.pair(first, second)
        self.changed = True

    def modify_order(
        self,
        order_id: int,
        *,
        limit: float | Keep = KEEP,
        stop: float | Keep = KEEP,
        sl: float | Keep | None = KEEP,
        tp: float | Keep | None = KEEP,
        good_till: datetime | int | Keep | None = KEEP,
    ) -> int:
        """Asks to change a resting order; returns the id of the instruction. What is not given stays as it is.

        An order that is gone when the instruction arrives makes it rejected with ``ORDER_GONE``.
        """
        order = self._record(order_id)
        fields = {
            "target_id": order_id,
            "price_points": self._changed(order, "price_points", limit),
            "stop_points": self._changed(order, "stop_points", stop),
            "sl_points": self._changed(order, "sl_points", sl),
            "tp_points": self._changed(order, "tp_points", tp),
            # A level that is given takes the place of a distance that was.
            "sl_offset_points": int(order["sl_offset_points"]) if isinstance(sl, Keep) else 0,
            "tp_offset_points": int(order["tp_offset_points"]) if isinstance(tp, Keep) else 0,
            "expire_ns": int(order["expire_ns"]) if isinstance(good_till, Keep) else _moment_ns(good_till),
        }
        return self._send(OrderType.MODIFY_ORDER, **fields)

    def modify_position(
        self,
        position_id: int,
        *,
        sl: float | Keep | None = KEEP,
        tp: float | Keep | None = KEEP,
        trail_points: int | Keep = KEEP,
    ) -> int:
        """Asks to set stop loss, take profit or trailing stop of a position; None takes one away. Returns the instruction's id.

        Raises:
            KeyError: If no open position has this id.
        """
        position = self._position(position_id)
        trail = (
            int(position["trail_points"]) if isinstance(trail_points, Keep) else _distance("trail_points", trail_points)
        )
        fields = {
            "position_id": int(position["position_id"]),
            "sl_points": self._changed(position, "sl_points", sl),
            "tp_points": self._changed(position, "tp_points", tp),
            "trail_points": trail,
        }
        return self._send(OrderType.MODIFY_POSITION, **fields)

    def cancel(self, order_id: int) -> int:
        """Asks to cancel a resting order; returns the id of the instruction."""
        self._record(order_id)
        return self._send(OrderType.CANCEL, target_id=order_id)

    def cancel_all(self) -> list[int]:
        """Asks to cancel every order that rests at the broker; returns the ids of the instructions."""
        return [self.cancel(view.order_id) for view in self.pending if view.state is not OrderState.PENDING]

    def close(self, position_id: int, lots: Volume | None = None, *, max_slippage_points: int | None = None) -> int:
        """Sends a market order that closes a position, or ``lots`` of it; returns its order id.

        A position that is gone when the request arrives makes the order rejected with ``POSITION_GONE``.

        Raises:
            KeyError: If no open position has this id.
        """
        position = self._position(position_id)
        fields = {"position_id": int(position["position_id"]), "magic": int(position["magic"])}
        if max_slippage_points is not None:
            fields["max_slippage_points"] = _distance("max_slippage_points", max_slippage_points)
        side = Side(-int(position["side"]))
        if lots is not None:
            return self._send(OrderType.CLOSE, side, Decimal(str(lots)), **fields)
        return self._send(OrderType.CLOSE, side, volume_steps=self._held_steps(position_id), **fields)

    def close_all(self) -> list[int]:
        """Sends an order to close each open position; returns their order ids."""
        ids = dict.fromkeys(int(record["position_id"]) for record in self._simulator.positions())
        return [self.close(position_id) for position_id in ids]

    def reverse(self, position_id: int) -> tuple[int, int]:
        """Closes a position and opens the same volume of the other side; returns both order ids."""
        side, steps = int(self._position(position_id)["side"]), self._held_steps(position_id)
        closing = self.close(position_id)
        send = self.sell if side == Side.BUY else self.buy
        return closing, send(steps * self._simulator.terms.volume_step)

    def _send(self, kind: OrderType, side: Side | int = 0, lots: Decimal | None = None, /, **fields: int) -> int:
        self._bring()
        self.changed = True
        return self._simulator.request(kind, side, lots, **fields)

    def _record(self, order_id: int) -> Records:
        orders = self._simulator.orders()
        if not 1 <= order_id <= len(orders):
            raise KeyError(f"no order {order_id}; ids run from 1 to {len(orders)}")
        record: Records = orders[order_id - 1]
        return record

    def _position(self, position_id: int) -> Records:
        self._bring()  # a stop loss that trails
        for record in self._simulator.positions():
            if int(record["position_id"]) == position_id:
                found: Records = record
                return found
        raise KeyError(f"no open position {position_id}; open: {[p.position_id for p in self.positions]}")

    def _held_steps(self, position_id: int) -> int:
        """Volume of a position, all legs of a net position together."""
        held = self._simulator.positions()
        return int(held["volume_steps"][held["position_id"] == position_id].sum())

    def _points(self, price: float | None) -> int:
        if price is None:
            return NO_PRICE
        points = price / self._terms.point
        if not abs(points) <= _MOST_POINTS:
            raise ValueError(f"{price} is no price at which an order could stand")
        return round(points)

    def _changed(self, record: Records, field: str, price: float | Keep | None) -> int:
        return int(record[field]) if isinstance(price, Keep) else self._points(price)


def _stay() -> None:
    """The account stands at the current tick already."""


def _kind(limit: float | None, stop: float | None) -> OrderType:
    if stop is None:
        return OrderType.MARKET if limit is None else OrderType.LIMIT
    return OrderType.STOP if limit is None else OrderType.STOP_LIMIT


def _distance(name: str, points: int) -> int:
    points = index(points)
    if not 0 <= points <= _MOST_POINTS:
        raise ValueError(f"{name} is {points}; a distance is 0 to {_MOST_POINTS} points")
    return points


def _moment_ns(moment: datetime | int | None) -> int:
    if moment is None:
        return FAR_FUTURE_NS
    return to_ns(moment) if isinstance(moment, datetime) else index(moment)
