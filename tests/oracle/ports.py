"""One stream of requests for two accounts: the compiled one through `TradingApi`, the slow one directly, prices in points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from finiex_ray.core.enums import OrderState, OrderType, RejectReason
from finiex_ray.core.records import FAR_FUTURE_NS, NO_PRICE
from finiex_ray.trading.api import KEEP, TradingApi
from finiex_ray.trading.simulator import TradeSimulator
from oracle.account import RESTING, Account

__all__ = ["Ask", "FastPort", "Port", "SlowPort", "send"]


@dataclass(frozen=True)
class Ask:
    """One request; prices are relative to the bid of the tick that makes it, times to its time.

    ``kind`` is buy, sell, close, close_all, reverse, cancel, cancel_all, change_order, change_position or pair.
    """

    kind: str
    steps: Decimal = Decimal(10)
    which: int = 0  # of the positions or orders that it could speak of, counted round
    fields: Mapping[str, Any] = field(default_factory=dict)  # what is given; prices, distances, …


class Port(Protocol):
    """What can be asked of either account."""

    now_ns: int

    def position_ids(self) -> list[int]: ...
    def order_ids(self) -> list[int]: ...
    def resting_ids(self) -> list[int]: ...
    def open(self, side: int, steps: Decimal, fields: Mapping[str, Any]) -> int: ...
    def close(self, position_id: int, steps: Decimal | None, max_slippage: int | None) -> int: ...
    def reverse(self, position_id: int) -> None: ...
    def cancel(self, order_id: int) -> None: ...
    def change_order(self, order_id: int, fields: Mapping[str, Any]) -> None: ...
    def change_position(self, position_id: int, fields: Mapping[str, Any]) -> None: ...
    def pair(self, first: int, second: int) -> None: ...
    def can_pair(self, order_id: int) -> bool: ...


_PRICES = ("limit", "stop", "sl", "tp")


def send(ask: Ask, port: Port, bid: int, mine: list[int]) -> None:
    """Sends one request; ``mine`` collects the orders of this tick that can be paired."""
    fields = {
        name: bid + value if name in _PRICES and value is not None else value for name, value in ask.fields.items()
    }
    if fields.get("good_till") is not None:
        fields["good_till"] += port.now_ns
    positions, orders = port.position_ids(), port.order_ids()
    if ask.kind in {"buy", "sell"}:
        mine.append(port.open(1 if ask.kind == "buy" else -1, ask.steps, fields))
    elif ask.kind == "pair":
        if len(mine) >= 2 and all(port.can_pair(each) for each in mine[-2:]):
            port.pair(*mine[-2:])
    elif ask.kind == "cancel_all":
        for each in port.resting_ids():
            port.cancel(each)
    elif ask.kind == "close_all":
        for each in positions:
            port.close(each, None, None)
    elif ask.kind in {"close", "reverse", "change_position"} and positions:
        which = positions[ask.which % len(positions)]
        if ask.kind == "close":
            mine.append(port.close(which, ask.fields.get("steps"), ask.fields.get("max_slippage_points")))
        elif ask.kind == "reverse":
            port.reverse(which)
        else:
            port.change_position(which, fields)
    elif ask.kind in {"cancel", "change_order"} and orders:
        which = orders[-1 - ask.which % len(orders)]
        port.cancel(which) if ask.kind == "cancel" else port.change_order(which, fields)


class FastPort:
    """The compiled account."""

    def __init__(self, simulator: TradeSimulator) -> None:
        self.simulator, self.api, self.now_ns = simulator, TradingApi(simulator), 0

    def at(self, time_ns: int, bid: int, ask: int) -> None:
        self.now_ns = time_ns
        self.api.at(bid, ask)

    def _in_units(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        point = self.simulator.terms.point
        return {n: v * point if n in _PRICES and v is not None else v for n, v in fields.items()}

    def _lots(self, steps: Decimal) -> Decimal:
        return steps * self.simulator.terms.volume_step

    def position_ids(self) -> list[int]:
        return list(dict.fromkeys(view.position_id for view in self.api.positions))

    def order_ids(self) -> list[int]:
        return [view.order_id for view in self.api.orders]

    def resting_ids(self) -> list[int]:
        return [view.order_id for view in self.api.pending if view.state is not OrderState.PENDING]

    def open(self, side: int, steps: Decimal, fields: Mapping[str, Any]) -> int:
        call = self.api.buy if side > 0 else self.api.sell
        return call(self._lots(steps), **self._in_units(fields))

    def close(self, position_id: int, steps: Decimal | None, max_slippage: int | None) -> int:
        lots = None if steps is None else self._lots(steps)
        return self.api.close(position_id, lots, max_slippage_points=max_slippage)

    def reverse(self, position_id: int) -> None:
        self.api.reverse(position_id)

    def cancel(self, order_id: int) -> None:
        self.api.cancel(order_id)

    def change_order(self, order_id: int, fields: Mapping[str, Any]) -> None:
        self.api.modify_order(order_id, **self._in_units(fields))

    def change_position(self, position_id: int, fields: Mapping[str, Any]) -> None:
        self.api.modify_position(position_id, **self._in_units(fields))

    def pair(self, first: int, second: int) -> None:
        self.api.one_cancels_other(first, second)

    def can_pair(self, order_id: int) -> bool:
        record = self.simulator.orders()[order_id - 1]
        return bool(record["state"] == OrderState.PENDING and record["oco_id"] == 0)


class SlowPort:
    """The slow account."""

    def __init__(self, account: Account) -> None:
        self.account = account

    @property
    def now_ns(self) -> int:
        return self.account.now[1]

    def _leg(self, position_id: int) -> dict[str, int]:
        return next(p for p in self.account.positions if p["position_id"] == position_id)

    def _whole(self, position_id: int) -> int:
        return sum(p["volume_steps"] for p in self.account.positions if p["position_id"] == position_id)

    def position_ids(self) -> list[int]:
        return list(dict.fromkeys(position["position_id"] for position in self.account.positions))

    def order_ids(self) -> list[int]:
        return [order["order_id"] for order in self.account.orders]

    def resting_ids(self) -> list[int]:
        return [order["order_id"] for order in self.account.orders if order["state"] in RESTING]

    def open(self, side: int, steps: Decimal, fields: Mapping[str, Any]) -> int:
        limit, stop = fields.get("limit"), fields.get("stop")
        kind = (OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT)[
            (limit is not None) + 2 * (stop is not None)
        ]
        refused = RejectReason.NONE if steps == int(steps) else RejectReason.VOLUME_OFF_STEP
        names = {
            "limit": "price_points", "stop": "stop_points", "sl": "sl_points", "tp": "tp_points",
            "sl_points": "sl_offset_points", "tp_points": "tp_offset_points", "trail_points": "trail_points",
            "max_slippage_points": "max_slippage_points", "good_till": "expire_ns", "magic": "magic",
            "immediate_or_cancel": "immediate_or_cancel",
        }  # fmt: skip
        values = {names[name]: int(value) for name, value in fields.items() if value is not None and name in names}
        return self.account.request(kind, side, refused=refused, volume_steps=int(steps), **values)

    def close(self, position_id: int, steps: Decimal | None, max_slippage: int | None) -> int:
        leg = self._leg(position_id)
        refused = RejectReason.NONE if steps is None or steps == int(steps) else RejectReason.VOLUME_OFF_STEP
        return self.account.request(
            OrderType.CLOSE, -leg["side"], refused=refused, position_id=position_id, magic=leg["magic"],
            volume_steps=self._whole(position_id) if steps is None else int(steps),
            max_slippage_points=NO_PRICE if max_slippage is None else max_slippage,
        )  # fmt: skip

    def reverse(self, position_id: int) -> None:
        side, steps = self._leg(position_id)["side"], self._whole(position_id)
        self.close(position_id, None, None)
        self.open(-side, Decimal(steps), {})

    def cancel(self, order_id: int) -> None:
        self.account.request(OrderType.CANCEL, target_id=order_id)

    def change_order(self, order_id: int, fields: Mapping[str, Any]) -> None:
        order = self.account.orders[order_id - 1]
        values = {name: order[name] for name in (
            "price_points", "stop_points", "sl_points", "tp_points", "sl_offset_points", "tp_offset_points", "expire_ns",
        )}  # fmt: skip
        for name, (column, none) in {
            "limit": ("price_points", NO_PRICE), "stop": ("stop_points", NO_PRICE), "sl": ("sl_points", NO_PRICE),
            "tp": ("tp_points", NO_PRICE), "good_till": ("expire_ns", FAR_FUTURE_NS),
        }.items():  # fmt: skip
            if name in fields and fields[name] is not KEEP:
                values[column] = none if fields[name] is None else fields[name]
                if name in {"sl", "tp"}:
                    values[f"{name}_offset_points"] = 0
        self.account.request(OrderType.MODIFY_ORDER, target_id=order_id, **values)

    def change_position(self, position_id: int, fields: Mapping[str, Any]) -> None:
        leg = self._leg(position_id)
        values = {name: leg[name] for name in ("sl_points", "tp_points", "trail_points")}
        for name in ("sl", "tp"):
            if name in fields:
                values[f"{name}_points"] = NO_PRICE if fields[name] is None else fields[name]
        if "trail_points" in fields:
            values["trail_points"] = fields["trail_points"]
        self.account.request(OrderType.MODIFY_POSITION, position_id=position_id, **values)

    def pair(self, first: int, second: int) -> None:
        orders = self.account.orders
        orders[first - 1]["oco_id"], orders[second - 1]["oco_id"] = second, first

    def can_pair(self, order_id: int) -> bool:
        order = self.account.orders[order_id - 1]
        return order["state"] == OrderState.PENDING and order["oco_id"] == 0


def send_all(asks: Sequence[Ask], port: Port, bid: int) -> None:
    """Sends the requests of one tick."""
    mine: list[int] = []
    for ask in asks:
        send(ask, port, bid, mine)
