"""`TradingApi`: what a decision logic sees of its account, and the only way in which it trades."""

from __future__ import annotations

from decimal import Decimal
from operator import index
from typing import Final, NamedTuple

from finiex_ray.core.enums import Action, OrderState, OrderType, RejectReason, Side, Wake
from finiex_ray.core.records import NO_PRICE, Records
from finiex_ray.trading.simulator import TradeSimulator

__all__ = ["OrderView", "PositionView", "TradingApi", "WakeUp"]


_MOST_POINTS: Final = 2**50


class WakeUp(NamedTuple):
    """One moment at which a logic may trade."""

    tick: int  # index of the tick within the scenario
    offset: int  # offset of the tick within the current block
    time_ns: int
    bid: float
    ask: float
    action: Action  # what ``decide`` said for this tick
    reason: Wake  # why control came back


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


class OrderView(NamedTuple):
    """An order and what has become of it."""

    order_id: int
    type: OrderType
    side: Side
    lots: float
    state: OrderState
    reason: RejectReason
    position_id: int
    fill_price: float | None


class TradingApi:
    """Account, positions and orders as of the current tick, and requests that go out at it (rule R3).

    A request never fills on the tick that made it. What the broker refuses is not an exception: it stands in ``orders``
    with its reason (rule R15). Volumes are lots, prices are in units of the quote currency, money is in the account
    currency.
    """

    def __init__(self, simulator: TradeSimulator) -> None:
        self._simulator = simulator
        self._bid_points = 0
        self._ask_points = 0

    def at(self, bid_points: int, ask_points: int) -> None:
        """Sets the quotes of the current tick; the engine calls it before each wake-up."""
        self._bid_points, self._ask_points = bid_points, ask_points

    @property
    def bid(self) -> float:
        """Bid of the current tick."""
        return self._bid_points * self._simulator.terms.point

    @property
    def ask(self) -> float:
        """Ask of the current tick."""
        return self._ask_points * self._simulator.terms.point

    @property
    def balance(self) -> float:
        """Balance: opening balance plus everything booked."""
        return float(self._simulator.account["balance_minor"]) / self._simulator.terms.minor_per_unit

    @property
    def equity(self) -> float:
        """Balance plus unrealised profit at the current tick (rule R16)."""
        return float(self._simulator.account["equity"]) / self._simulator.terms.minor_per_unit

    @property
    def margin_used(self) -> float:
        """Margin of the open positions (rule R8)."""
        return float(self._simulator.account["margin_used"]) / self._simulator.terms.minor_per_unit

    @property
    def free_margin(self) -> float:
        """Equity less the margin used."""
        return self.equity - self.margin_used

    @property
    def positions(self) -> list[PositionView]:
        """The open positions, in the order in which they were opened."""
        terms = self._simulator.terms
        return [self._position_view(record, terms.point) for record in self._simulator.positions()]

    def _position_view(self, record: Records, point: float) -> PositionView:
        side = Side(int(record["side"]))
        quote = self._bid_points if side is Side.BUY else self._ask_points
        steps = int(record["volume_steps"])
        spec = self._simulator.terms.record[0]
        points = (quote - int(record["entry_price_points"])) * int(side)
        minor = points * steps * float(spec["value"]) / (quote if spec["own_quote"] else 1)
        return PositionView(
            position_id=int(record["position_id"]),
            side=side,
            lots=self._lots(steps),
            entry_price=int(record["entry_price_points"]) * point,
            entry_time_ns=int(record["entry_ns"]),
            sl=self._price(int(record["sl_points"])),
            tp=self._price(int(record["tp_points"])),
            profit=minor / self._simulator.terms.minor_per_unit,
        )

    @property
    def orders(self) -> list[OrderView]:
        """Every order so far, in request order."""
        return [self._order_view(record) for record in self._simulator.orders()]

    @property
    def pending(self) -> list[OrderView]:
        """The orders that are under way to the broker."""
        return [view for view in self.orders if view.state is OrderState.PENDING]

    def order(self, order_id: int) -> OrderView:
        """One order by its id.

        Raises:
            KeyError: If no order has this id.
        """
        orders = self._simulator.orders()
        if not 1 <= order_id <= len(orders):
            raise KeyError(f"no order {order_id}; ids run from 1 to {len(orders)}")
        return self._order_view(orders[order_id - 1])

    def _order_view(self, record: Records) -> OrderView:
        return OrderView(
            order_id=int(record["order_id"]),
            type=OrderType(int(record["type"])),
            side=Side(int(record["side"])),
            lots=self._lots(int(record["volume_steps"])),
            state=OrderState(int(record["state"])),
            reason=RejectReason(int(record["reason"])),
            position_id=int(record["position_id"]),
            fill_price=self._price(int(record["fill_price_points"])),
        )

    def buy(
        self,
        lots: Decimal | float | str,
        *,
        sl: float | None = None,
        tp: float | None = None,
        sl_points: int = 0,
        tp_points: int = 0,
    ) -> int:
        """Sends a market order to buy; returns its order id.

        Args:
            lots: Volume in lots; one that the symbol does not allow is rejected with its reason.
            sl: Stop loss price, or None.
            tp: Take profit price, or None.
            sl_points: Stop loss as a distance from the fill price in points (instead of ``sl``), or 0.
            tp_points: Take profit as a distance from the fill price in points (instead of ``tp``), or 0.

        Raises:
            ValueError: If a stop is given both as price and as distance, a distance is negative, or a number is no price
                or no volume (NaN, infinite).
        """
        return self._market(Side.BUY, lots, sl, tp, sl_points, tp_points)

    def sell(
        self,
        lots: Decimal | float | str,
        *,
        sl: float | None = None,
        tp: float | None = None,
        sl_points: int = 0,
        tp_points: int = 0,
    ) -> int:
        """Sends a market order to sell; the arguments are those of `buy`."""
        return self._market(Side.SELL, lots, sl, tp, sl_points, tp_points)

    def _market(
        self,
        side: Side,
        lots: Decimal | float | str,
        sl: float | None,
        tp: float | None,
        sl_points: int,
        tp_points: int,
    ) -> int:
        if (sl is not None and sl_points) or (tp is not None and tp_points):
            raise ValueError("give a stop as a price or as a distance in points, not both")
        sl_points, tp_points = index(sl_points), index(tp_points)
        if not (0 <= sl_points <= _MOST_POINTS and 0 <= tp_points <= _MOST_POINTS):
            raise ValueError(f"distances are 0 to {_MOST_POINTS}: sl_points={sl_points}, tp_points={tp_points}")
        return self._simulator.request(
            OrderType.MARKET,
            side,
            Decimal(str(lots)),
            sl_points=self._points(sl),
            tp_points=self._points(tp),
            sl_offset_points=sl_points,
            tp_offset_points=tp_points,
        )

    def close(self, position_id: int) -> int:
        """Sends a market order that closes one position; returns its order id.

        A position that is gone when the request arrives makes the order rejected with ``POSITION_GONE``.
        """
        for record in self._simulator.positions():
            if int(record["position_id"]) == position_id:
                side, steps = Side(-int(record["side"])), int(record["volume_steps"])
                return self._simulator.request(
                    OrderType.CLOSE, side, position_id=int(record["position_id"]), steps=steps
                )
        raise KeyError(f"no open position {position_id}; open: {[p.position_id for p in self.positions]}")

    def close_all(self) -> list[int]:
        """Sends an order to close each open position; returns their order ids."""
        return [self.close(int(record["position_id"])) for record in self._simulator.positions()]

    def _points(self, price: float | None) -> int:
        if price is None:
            return NO_PRICE
        points = price / self._simulator.terms.point
        if not abs(points) <= _MOST_POINTS:
            raise ValueError(f"{price} is no price at which a stop could stand")
        return round(points)

    def _price(self, points: int) -> float | None:
        return None if points == NO_PRICE else points * self._simulator.terms.point

    def _lots(self, steps: int) -> float:
        return float(steps * self._simulator.terms.volume_step)
