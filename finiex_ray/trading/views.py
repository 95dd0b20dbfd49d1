"""What a logic sees: positions, orders and events as plain values, made from the simulator's records when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from finiex_ray.core.enums import Action, EventKind, OrderState, OrderType, RejectReason, Side, Wake
from finiex_ray.core.records import LEDGER_COLUMNS as L
from finiex_ray.core.records import NO_PRICE, Records
from finiex_ray.core.time import Timeframe
from finiex_ray.trading.simulator import TradeSimulator

__all__ = ["Event", "OrderView", "PositionView", "Views", "WakeUp"]


class WakeUp(NamedTuple):
    """One moment at which a logic may trade."""

    tick: int  # index of the tick within the scenario
    offset: int  # offset of the tick within the current block
    time_ns: int
    bid: float
    ask: float
    action: Action  # what ``decide`` said for this tick
    reason: Wake  # why control came back


class Event(NamedTuple):
    """Something that has happened, at the broker or in the market."""

    kind: EventKind
    tick: int
    time_ns: int
    order_id: int = 0  # 0 where no order is concerned
    position_id: int = 0  # 0 where no position is concerned
    timeframe: Timeframe | None = None  # BAR_CLOSED: of the bar
    gap_s: float = 0.0  # SESSION_GAP: simulated seconds without a tick


class PositionView(NamedTuple):
    """An open position, prices in units of the quote currency."""

    position_id: int
    side: Side
    lots: float
    entry_price: float
    entry_time_ns: int
    sl: float | None
    tp: float | None
    profit: float  # unrealised, at the current quotes, before costs, account currency
    swap: float  # booked so far, account currency
    magic: int


class OrderView(NamedTuple):
    """An order and what has become of it."""

    order_id: int
    type: OrderType
    side: Side | None  # None for instructions
    lots: float
    filled_lots: float
    state: OrderState
    reason: RejectReason
    position_id: int
    limit: float | None
    stop: float | None
    fill_price: float | None
    magic: int
    comment: str


class _Held(NamedTuple):
    """An open position as it is kept while only its profit moves."""

    side: int
    steps: int
    entry_points: int
    before: tuple[Any, ...]  # fields of its view before and after ``profit``
    after: tuple[Any, ...]


# A tuple as it is, without the Python call that ``_make`` is.
_NEW_TUPLE: Final[Callable[[type[PositionView], Iterable[Any]], PositionView]] = tuple.__new__


class Views:
    """Turns the simulator's records into values in lots, prices and account currency."""

    def __init__(self, simulator: TradeSimulator) -> None:
        self._simulator = simulator
        self._held: list[_Held] | None = None
        self._net_lots: float | None = None
        self._trails = self._behind = False
        spec = simulator.terms.record[0]
        self._value, self._own_quote = float(spec["value"]), bool(spec["own_quote"])
        self._unit = simulator.terms.minor_per_unit
        self._converts = int(spec["rate_mode"]) != 0

    def events(self, first: int) -> list[Event]:
        """The events from row ``first`` on."""
        if first == self._simulator.whole(L.events):
            return []
        rows = self._simulator.events(first).tolist()
        return [Event(EventKind(kind), *rest) for kind, *rest in rows]

    def forget(self) -> None:
        """Lets go of what was kept of the positions: they may have changed."""
        self._held = self._net_lots = None

    def net_lots(self) -> float:
        """Volume of long positions less that of short ones."""
        if self._net_lots is None:
            records = self._simulator.positions()
            self._net_lots = self._lots(int(records["side"] @ records["volume_steps"])) if len(records) else 0.0
        return self._net_lots

    def positions(self, bring: Callable[[], None], quotes: Callable[[], tuple[int, int]]) -> list[PositionView]:
        """The open positions, with their profit at the current quotes.

        Args:
            bring: Brings the account to the current tick; called where quotes are not enough: a profit is converted, or a
                stop loss trails.
            quotes: Gives bid and ask of the current tick, points.
        """
        held = self._hold() if self._held is None else self._held
        if self._behind:
            bring()
            held = self._hold() if self._trails else held
        if not held:
            return []
        bid_points, ask_points = quotes()
        views, value, unit = [], self._value, self._unit
        for side, steps, entry_points, before, after in held:
            quote = bid_points if side > 0 else ask_points
            minor = (quote - entry_points) * side * steps * value
            if self._converts:
                minor = self._converted(minor)
            if self._own_quote:
                minor /= quote
            views.append(_NEW_TUPLE(PositionView, (*before, minor / unit, *after)))
        return views

    def _hold(self) -> list[_Held]:
        records = self._simulator.positions()
        self._held = [self._position(record) for record in records]
        self._trails = any(record["trail_points"] for record in records)
        self._behind = self._trails or (self._converts and len(records) > 0)
        return self._held

    def _position(self, record: Records) -> _Held:
        """A position, all but its profit."""
        terms, side, steps = self._simulator.terms, Side(int(record["side"])), int(record["volume_steps"])
        entry = int(record["entry_price_points"])
        before = (
            int(record["position_id"]),
            side,
            self._lots(steps),
            entry * terms.point,
            int(record["entry_ns"]),
            self._price(int(record["sl_points"])),
            self._price(int(record["tp_points"])),
        )
        after = int(record["swap_minor"]) / terms.minor_per_unit, int(record["magic"])
        return _Held(int(side), steps, entry, before, after)

    def orders(self) -> list[OrderView]:
        """Every order so far."""
        return [self.order(record) for record in self._simulator.orders()]

    def pending(self) -> list[OrderView]:
        """The orders that are under way to the broker or rest there, in request order."""
        records = self._simulator.orders()
        return [self.order(records[row]) for row in self._simulator.alive()]

    def order(self, record: Records) -> OrderView:
        """One order."""
        side, order_id = int(record["side"]), int(record["order_id"])
        return OrderView(
            order_id=order_id,
            type=OrderType(int(record["type"])),
            side=Side(side) if side else None,
            lots=self._lots(int(record["volume_steps"])),
            filled_lots=self._lots(int(record["filled_steps"])),
            state=OrderState(int(record["state"])),
            reason=RejectReason(int(record["reason"])),
            position_id=int(record["position_id"]),
            limit=self._price(int(record["price_points"])),
            stop=self._price(int(record["stop_points"])),
            fill_price=self._price(int(record["fill_price_points"])),
            magic=int(record["magic"]),
            comment=self._simulator.comments.get(order_id, ""),
        )

    def _converted(self, amount: float) -> float:
        """An amount of the quote currency at the conversion pair's quotes, where there is one (rule R10)."""
        simulator = self._simulator
        mode = simulator.whole(L.rate_mode)
        if mode == 1:
            return amount * simulator.whole(L.rate_bid if amount >= 0 else L.rate_ask)
        if mode == 2:
            return amount / simulator.whole(L.rate_ask if amount >= 0 else L.rate_bid)
        return amount

    def _price(self, points: int) -> float | None:
        return None if points == NO_PRICE else points * self._simulator.terms.point

    def _lots(self, steps: int) -> float:
        numerator, denominator = self._simulator.terms.step_ratio
        return steps * numerator / denominator
