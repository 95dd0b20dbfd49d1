"""A slow account in plain Python, written from the rules R1 to R16 (`docs/fills.md`): one tick at a time, no arrays.

Amounts are `Fraction` of the account's minor unit until they are booked; booked amounts are `int`. Every record is a
dictionary with the fields of the record that the compiled account keeps.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from fractions import Fraction

from finiex_ray.core.enums import (
    Action,
    EventKind,
    ExitReason,
    FillKind,
    OrderState,
    OrderType,
    RejectReason,
    Side,
)
from finiex_ray.core.records import FAR_FUTURE_NS, NO_PRICE, NO_TICK
from oracle.rules import Luck, Rules, rounded

__all__ = ["Account", "Extremes", "Policy", "Rules"]

Record = dict[str, int]
OPENING = (OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT)
RESTING = (OrderState.ACTIVE, OrderState.TRIGGERED)
_EMPTY = {
    "volume_steps": 0, "filled_steps": 0, "position_id": 0, "target_id": 0, "price_points": NO_PRICE,
    "stop_points": NO_PRICE, "sl_points": NO_PRICE, "tp_points": NO_PRICE, "sl_offset_points": 0,
    "tp_offset_points": 0, "trail_points": 0, "max_slippage_points": NO_PRICE, "immediate_or_cancel": 0,
    "expire_ns": FAR_FUTURE_NS, "oco_id": 0, "magic": 0, "fill_price_points": NO_PRICE,
}  # fmt: skip


@dataclass
class Policy:
    """The one-position policy."""

    steps: int
    sl: int = 0
    tp: int = 0
    reverse: bool = False
    min_free: Fraction = Fraction(0)  # minor units
    trail: int = 0
    quotes: bool = False  # enters by limit orders
    offset: int = 0
    lifetime_ns: int = 0  # 0: till cancelled


@dataclass
class Extremes:
    """R16 over the equity of every tick: the naive definitions, from the whole history."""

    history: list[Fraction] = field(default_factory=list)

    def max_drawdown(self) -> Fraction:
        peak, worst = self.history[0], Fraction(0)
        for equity in self.history:
            peak = max(peak, equity)
            worst = max(worst, peak - equity)
        return worst

    def max_drawdown_share(self) -> Fraction:
        peak, worst = self.history[0], Fraction(0)
        for equity in self.history:
            peak = max(peak, equity)
            worst = max(worst, (peak - equity) / peak) if peak > 0 else worst
        return worst

    def max_runup(self) -> Fraction:
        trough, best = self.history[0], Fraction(0)
        for equity in self.history:
            trough = min(trough, equity)
            best = max(best, equity - trough)
        return best


class Account:
    """One account in one scenario."""

    def __init__(self, rules: Rules, seed: int, policy: Policy | None = None) -> None:
        self.rules, self.policy, self._luck = rules, policy, rules.luck(seed)
        self.balance = rules.opening
        self.orders: list[Record] = []
        self.fills: list[Record] = []
        self.positions: list[Record] = []
        self.trades: list[Record] = []
        self.events: list[Record] = []
        self.book: list[Record] = []  # resting orders, in order of arrival
        self.marks: list[list[int]] = []  # of each open position: the quotes that would have closed it
        self.equities = Extremes([Fraction(rules.opening)])
        self.curve: list[tuple[int, int, int, Fraction]] = []  # tick, time, balance, equity
        self.now = (NO_TICK, 0, 0, 0)  # tick, time, bid, ask
        self._chances: list[Luck] = []
        self._last_id = 0
        self._called = False
        self._row, self._pause_until = 0, 0  # the guard's

    # What the strategy does

    def request(
        self, kind: OrderType, side: int = 0, *, refused: RejectReason = RejectReason.NONE, **fields: int
    ) -> int:
        """Sends a request at the current tick (R3, R15)."""
        tick, time_ns, bid, ask = self.now
        order: Record = {**_EMPTY, **fields, "type": kind, "side": side, "order_id": len(self.orders) + 1}
        spec, opens = self.rules.spec, kind in OPENING
        luck = next(self._luck)
        self._chances.append(luck)
        order |= {
            "state": OrderState.PENDING, "reason": RejectReason.NONE, "request_tick": tick, "request_ns": time_ns,
            "request_price_points": ask if side == Side.BUY else bid, "done_tick": NO_TICK, "done_ns": 0,
            "arrival_ns": time_ns + (luck.delay_open if opens else luck.delay_other),
        }  # fmt: skip
        self.orders.append(order)
        if opens and refused is RejectReason.NONE:
            if self.rules.lots(order["volume_steps"]) < Fraction(spec.volume_min):
                refused = RejectReason.VOLUME_BELOW_MIN
            elif self.rules.lots(order["volume_steps"]) > Fraction(spec.volume_max):
                refused = RejectReason.VOLUME_ABOVE_MAX
            elif time_ns < self._pause_until:
                refused = RejectReason.COOL_DOWN
        if refused is not RejectReason.NONE:
            self._reject(order, refused)
        return order["order_id"]

    def act(self, action: int) -> None:
        """The policy at the current tick."""
        assert self.policy is not None
        if self.policy.quotes:
            self._act_by_limits(action)
            return
        if action == Action.NONE or any(order["state"] == OrderState.PENDING for order in self.orders):
            return
        opens = True
        if self.positions:
            held = self.positions[0]  # a second one stands where the broker refused the close of a reverse
            if held["side"] == action:
                return
            what = {name: held[name] for name in ("volume_steps", "position_id", "magic")}
            self.request(OrderType.CLOSE, -held["side"], **what)
            opens = self.policy.reverse
        if opens and action != Action.CLOSE and self.equity() >= self.policy.min_free:
            self.request(
                OrderType.MARKET, action, volume_steps=self.policy.steps, sl_offset_points=self.policy.sl,
                tp_offset_points=self.policy.tp, trail_points=self.policy.trail,
            )  # fmt: skip

    def _act_by_limits(self, action: int) -> None:
        """The policy of limit orders: what speaks against the action goes, then what it asks for is placed."""
        policy = self.policy
        assert policy is not None
        if action == Action.NONE or any(order["state"] == OrderState.PENDING for order in self.orders):
            return
        against = {Action.BUY: {Side.SELL}, Action.SELL: {Side.BUY}, Action.CLOSE: {Side.BUY, Side.SELL}}
        unwanted = against.get(Action(action), set())
        rests = bool(self.book)
        for order in list(self.book):
            if order["side"] in unwanted:
                self.request(OrderType.CANCEL, target_id=order["order_id"])
        if self.positions:
            held = self.positions[0]
            if held["side"] not in unwanted:
                return
            what = {name: held[name] for name in ("volume_steps", "position_id", "magic")}
            self.request(OrderType.CLOSE, -held["side"], **what)
            if not policy.reverse:
                return
        if rests or action == Action.CLOSE or self.equity() < policy.min_free:
            return
        _, time_ns, bid, ask = self.now
        placed = []
        for side, price in ((Side.BUY, bid - policy.offset), (Side.SELL, ask + policy.offset)):
            if action in (side, Action.QUOTE):
                until = time_ns + policy.lifetime_ns if policy.lifetime_ns else FAR_FUTURE_NS
                number = self.request(
                    OrderType.LIMIT, side, volume_steps=policy.steps, price_points=price, expire_ns=until,
                    sl_offset_points=policy.sl, tp_offset_points=policy.tp, trail_points=policy.trail,
                )  # fmt: skip
                placed.append(self.orders[number - 1])
        if len(placed) == 2 and all(order["state"] == OrderState.PENDING for order in placed):
            placed[0]["oco_id"], placed[1]["oco_id"] = placed[1]["order_id"], placed[0]["order_id"]

    # What the market does

    def tick(self, tick: int, time_ns: int, bid: int, ask: int, pair_quotes: tuple[int, int] = (0, 0)) -> None:
        """Brings the account to one tick, in the order of R7."""
        self.rules.pair_quotes = pair_quotes
        before_ns = self.now[1]
        first = self.now[0] == NO_TICK
        self.now = (tick, time_ns, bid, ask)
        for days in [] if first else self.rules.rollovers(before_ns, time_ns):
            self._roll_over(days)
        for order in list(self.book):
            if order["expire_ns"] <= time_ns:
                self._leave(order, OrderState.EXPIRED, RejectReason.GOOD_TILL_DATE)
        for order in self.orders:
            under_way = order["state"] == OrderState.PENDING
            if under_way and order["request_tick"] < tick and order["arrival_ns"] <= time_ns:  # R3
                self._arrive(order)
        for order in list(self.book):
            if order["state"] in RESTING and _at_limit(order) and self._marketable(order):
                self.book.remove(order)
                self._fill(order, order["price_points"], maker=True)
        for order in list(self.book):
            if order["state"] in RESTING and not _at_limit(order):
                self._trigger(order)
        for position in list(self.positions):
            self._look_at_stops(position)
        self._look_at_margin()
        for position, marks in zip(self.positions, self.marks, strict=True):
            marks.append(self._leaving_quote(position["side"]))
        self.equities.history.append(self.equity())
        self.curve.append((tick, time_ns, self.balance, self.equity()))

    def end(self) -> None:
        """R12."""
        for order in [each for each in self.orders if each["state"] == OrderState.PENDING] + self.book:
            self._finish(order, OrderState.EXPIRED, RejectReason.SCENARIO_END)
        self.book = []
        for position in list(self.positions):
            quote = self._leaving_quote(position["side"])
            self._exit(position, position["volume_steps"], quote, ExitReason.SCENARIO_END)
        self.equities.history.append(Fraction(self.balance))

    def equity(self) -> Fraction:
        """R16."""
        return self.balance + self.rules.unrealised(
            [
                (p["side"], p["volume_steps"], p["entry_price_points"], self._leaving_quote(p["side"]))
                for p in self.positions
            ]
        )

    def margin_used(self) -> Fraction:
        """R8: the open volume, filled into the tiers in fill order."""
        used, held = Fraction(0), 0
        for position in self.positions:
            steps, price, rate = (position[n] for n in ("volume_steps", "entry_price_points", "margin_rate"))
            used += self.rules.margin(held, steps, price, rate)
            held += position["volume_steps"]
        return used

    def held(self) -> int:
        return sum(position["volume_steps"] for position in self.positions)

    # Orders

    def _tell(self, kind: EventKind, order_id: int = 0, position_id: int = 0) -> None:
        tick, time_ns, _, _ = self.now
        self.events.append(
            {"kind": kind, "tick": tick, "time_ns": time_ns, "order_id": order_id, "position_id": position_id}
        )

    def _finish(self, order: Record, state: OrderState, reason: RejectReason = RejectReason.NONE) -> None:
        """Brings an order to its end; the guard counts rejections in a row (R15)."""
        order.update(state=state, reason=reason, done_tick=self.now[0], done_ns=self.now[1])
        told = {
            OrderState.REJECTED: EventKind.REJECTED, OrderState.CANCELLED: EventKind.CANCELLED,
            OrderState.EXPIRED: EventKind.EXPIRED, OrderState.DONE: EventKind.DONE,
        }  # fmt: skip
        if state in told:
            self._tell(told[state], order["order_id"], order["position_id"])
        if state in (OrderState.FILLED, OrderState.DONE):
            self._row = 0
        guard = self.rules.account.guard
        if state is OrderState.REJECTED and reason is not RejectReason.COOL_DOWN and guard is not None:
            self._row += 1
            if self._row == guard.rejections:
                self._row = 0
                self._pause_until = self.now[1] + round(guard.cool_down_s * 10**9)

    def _reject(self, order: Record, reason: RejectReason) -> None:
        self._finish(order, OrderState.REJECTED, reason)

    def _leave(self, order: Record, state: OrderState, reason: RejectReason) -> None:
        self.book.remove(order)
        self._finish(order, state, reason)

    def _arrive(self, order: Record) -> None:
        """R15: the checks of an arriving request, in this order; then each kind's own."""
        kind = OrderType(order["type"])
        partner = self.orders[order["oco_id"] - 1] if order["oco_id"] else None
        if partner is not None and partner["filled_steps"] > 0:
            self._finish(order, OrderState.CANCELLED, RejectReason.OCO)
        elif self._chances[order["order_id"] - 1].refused:
            self._reject(order, RejectReason.BROKER)
        elif not self.rules.is_open(self.now[1]):
            self._reject(order, RejectReason.MARKET_CLOSED)
        elif kind is OrderType.MARKET:
            self._market(order)
        elif kind is OrderType.CLOSE:
            self._close(order)
        elif kind is OrderType.MODIFY_POSITION:
            self._change_position(order)
        elif kind in (OrderType.MODIFY_ORDER, OrderType.CANCEL):
            self._change_order(order)
        else:
            self._rest(order)

    def _slipped_price(self, order: Record) -> tuple[int, bool]:
        """R4: the price of a market order, and whether it is worse than the order allows."""
        side, _, bid, ask = order["side"], *self.now[1:]
        slip = self._chances[order["order_id"] - 1].slip + self.rules.spread_slip(bid, ask)
        price = ask + slip if side == Side.BUY else bid - slip
        worse = side * (price - order["request_price_points"])
        return price, order["max_slippage_points"] != NO_PRICE and worse > order["max_slippage_points"]

    def _market(self, order: Record) -> None:
        price, too_far = self._slipped_price(order)
        if too_far:
            self._reject(order, RejectReason.SLIPPAGE)
        elif self._too_near(self._leaving_quote(order["side"]), order["sl_points"], order["tp_points"]):
            self._reject(order, RejectReason.INVALID_PRICE)
        else:
            self._fill(order, price, maker=False)

    def _close(self, order: Record) -> None:
        """R11: whole or in part."""
        legs = [p for p in self.positions if p["position_id"] == order["position_id"]]
        if not legs:
            self._reject(order, RejectReason.POSITION_GONE)
            return
        whole = sum(leg["volume_steps"] for leg in legs)
        steps, least = min(order["volume_steps"], whole), Fraction(self.rules.spec.volume_min)
        if steps != whole and (self.rules.lots(steps) < least or self.rules.lots(whole - steps) < least):
            self._reject(order, RejectReason.VOLUME_BELOW_MIN)
            return
        price, too_far = self._slipped_price(order)
        if too_far:
            self._reject(order, RejectReason.SLIPPAGE)
            return
        left = steps
        for leg in legs:
            part = min(left, leg["volume_steps"])
            if part:
                self._exit(leg, part, price, ExitReason.CLOSE_ORDER, order["order_id"])
            left -= part
        self._filled(order, price, steps, steps)

    def _rest(self, order: Record) -> None:
        """R5: an arriving limit, stop or stop-limit order."""
        limit, stop = order["price_points"], order["stop_points"]
        trigger = limit if order["type"] == OrderType.LIMIT else stop
        incomplete = order["type"] == OrderType.STOP_LIMIT and limit == NO_PRICE
        if trigger == NO_PRICE or incomplete or self._bad_trigger(order, trigger, order):
            self._reject(order, RejectReason.INVALID_PRICE)
        elif order["expire_ns"] <= self.now[1]:
            self._finish(order, OrderState.EXPIRED, RejectReason.GOOD_TILL_DATE)
        elif order["type"] == OrderType.LIMIT and self._marketable(order):
            self._fill(order, self._entry_quote(order), maker=False)
        else:
            order["state"] = OrderState.ACTIVE
            self.book.append(order)

    def _trigger(self, order: Record) -> None:
        """R5: a resting stop or stop-limit order."""
        quote, side = self._entry_quote(order), order["side"]
        if side * quote < side * order["stop_points"]:
            return
        if order["type"] == OrderType.STOP_LIMIT:
            order["state"] = OrderState.TRIGGERED
            self._tell(EventKind.TRIGGERED, order["order_id"])
            if not self._marketable(order):
                return
        self.book.remove(order)
        self._fill(order, quote, maker=False)

    def _change_order(self, order: Record) -> None:
        """R5: a change or a cancel."""
        target = self.orders[order["target_id"] - 1]
        if target["state"] not in RESTING:
            self._reject(order, RejectReason.ORDER_GONE)
            return
        name = "price_points" if _at_limit(target) else "stop_points"
        if self._frozen(self._entry_quote(target), target[name]):
            self._reject(order, RejectReason.FROZEN)
            return
        if order["type"] == OrderType.CANCEL:
            self._leave(target, OrderState.CANCELLED, RejectReason.BY_REQUEST)
        elif self._bad_trigger(target, order[name], order):
            self._reject(order, RejectReason.INVALID_PRICE)
            return
        else:
            for each in (
                "price_points", "stop_points", "sl_points", "tp_points", "sl_offset_points", "tp_offset_points", "expire_ns",
            ):  # fmt: skip
                target[each] = order[each]
            if target["expire_ns"] <= self.now[1]:
                self._leave(target, OrderState.EXPIRED, RejectReason.GOOD_TILL_DATE)
        self._finish(order, OrderState.DONE)

    def _change_position(self, order: Record) -> None:
        legs = [p for p in self.positions if p["position_id"] == order["position_id"]]
        if not legs:
            self._reject(order, RejectReason.POSITION_GONE)
            return
        quote = self._leaving_quote(legs[0]["side"])
        if self._frozen(quote, legs[0]["sl_points"], legs[0]["tp_points"]):
            self._reject(order, RejectReason.FROZEN)
        elif self._too_near(quote, order["sl_points"], order["tp_points"]):
            self._reject(order, RejectReason.INVALID_PRICE)
        else:
            sl = self._trailed(legs[0]["side"], order["sl_points"], order["trail_points"])
            for leg in legs:
                leg.update(sl_points=sl, tp_points=order["tp_points"], trail_points=order["trail_points"])
                leg["tp_at_quote"] = self._passed(leg)
            self._finish(order, OrderState.DONE)

    # Prices

    def _leaving_quote(self, side: int) -> int:
        return self.now[2] if side == Side.BUY else self.now[3]

    def _entry_quote(self, order: Record) -> int:
        return self.now[3] if order["side"] == Side.BUY else self.now[2]

    def _marketable(self, order: Record) -> bool:
        return order["side"] * self._entry_quote(order) <= order["side"] * order["price_points"]

    def _too_near(self, to: int, *prices: int) -> bool:
        return any(p != NO_PRICE and abs(p - to) < self.rules.spec.stops_level_points for p in prices)

    def _bad_trigger(self, order: Record, trigger: int, new: Record) -> bool:
        """R5, distances: of a resting order's trigger price, and of its stops from that."""
        near = self._too_near(self._entry_quote(order), trigger)
        return near or self._too_near(trigger, new["sl_points"], new["tp_points"])

    def _frozen(self, quote: int, *prices: int) -> bool:
        level = self.rules.spec.freeze_level_points
        return level > 0 and any(p != NO_PRICE and abs(p - quote) <= level for p in prices)

    def _trailed(self, side: int, sl: int, trail: int) -> int:
        """R6: the stop loss after a trailing stop has been drawn after the quote."""
        if not trail:
            return sl
        level = self._leaving_quote(side) - side * trail
        return level if sl == NO_PRICE or side * level > side * sl else sl

    def _passed(self, position: Record) -> bool:
        tp, side = position["tp_points"], position["side"]
        return tp != NO_PRICE and side * self._leaving_quote(side) >= side * tp

    # Fills

    def _fill(self, order: Record, price: int, *, maker: bool) -> None:
        """R4, R8, R11: nets where the account nets, opens what is left."""
        wanted, side = order["volume_steps"], order["side"]
        if self.rules.spot and side == Side.SELL and wanted > self.held():
            self._reject(order, RejectReason.NO_ASSET)
            return
        left = wanted
        for leg in list(self.positions) if self.rules.nets else []:
            part = min(left, leg["volume_steps"])
            if leg["side"] == -side and part:
                order["position_id"] = leg["position_id"]
                self._exit(leg, part, price, ExitReason.NETTED, order["order_id"], maker=maker)
                left -= part
        opened = self._affordable(order, left, price, maker=maker)
        if opened:
            self._enter(order, opened, price, maker=maker)
        if wanted - left + opened == 0:
            self._reject(order, RejectReason.NOT_ENOUGH_MARGIN)
        else:
            self._filled(order, price, wanted - left + opened, wanted)

    def _filled(self, order: Record, price: int, steps: int, wanted: int) -> None:
        order.update(filled_steps=steps, fill_price_points=price)
        whole = steps == wanted
        self._finish(order, OrderState.FILLED, RejectReason.NONE if whole else RejectReason.NOT_ENOUGH_MARGIN)
        self._tell(EventKind.FILL if whole else EventKind.PARTIAL_FILL, order["order_id"], order["position_id"])
        if order["oco_id"]:
            partner = self.orders[order["oco_id"] - 1]
            if partner["state"] in RESTING:
                self._leave(partner, OrderState.CANCELLED, RejectReason.OCO)

    def _affordable(self, order: Record, steps: int, price: int, *, maker: bool) -> int:
        """R8: the margin must be at most the free margin; immediate-or-cancel takes what is to be had (R4)."""
        free = (self.balance if self.rules.spot else self.equity()) - self.margin_used()
        held, rate = self.held(), self.rules.pair_rate(gain=False)

        def needed(some: int) -> Fraction:
            fee = self.rules.commission_of(some, price, maker=maker) if self.rules.spot else 0  # R11: paid in cash
            return self.rules.margin(held, some, price, rate) - fee

        if steps == 0 or needed(steps) <= free:
            return steps
        if not order["immediate_or_cancel"]:
            return 0
        most = bisect_right(range(1, steps), free, key=needed)
        return most if self.rules.lots(most) >= Fraction(self.rules.spec.volume_min) else 0

    def _enter(self, order: Record, steps: int, price: int, *, maker: bool) -> None:
        tick, time_ns, _, _ = self.now
        side, legs = order["side"], self.positions if self.rules.nets else []
        if not legs:
            self._last_id += 1
        number = self._last_id
        order["position_id"] = number
        commission = self.rules.commission_of(steps, price, maker=maker)
        self._book(order["order_id"], number, FillKind.ENTRY, side, steps, price, commission=commission)
        sl, tp, trail = order["sl_points"], order["tp_points"], order["trail_points"]
        if order["sl_offset_points"]:
            sl = price - side * order["sl_offset_points"]
        if order["tp_offset_points"]:
            tp = price + side * order["tp_offset_points"]
        sl = self._trailed(side, sl, trail)
        given = {"sl_points": sl != NO_PRICE, "tp_points": tp != NO_PRICE, "trail_points": trail != 0}
        leg: Record = {
            "position_id": number, "order_id": order["order_id"], "side": side, "volume_steps": steps,
            "entry_tick": tick, "entry_ns": time_ns, "entry_price_points": price, "entry_commission_minor": commission,
            "swap_minor": 0, "margin_rate": self.rules.pair_rate(gain=False),
            "sl_points": sl, "tp_points": tp, "trail_points": trail, "magic": order["magic"],
        }  # fmt: skip
        for older in list(legs):  # R11: one set of stops
            for name, own in given.items():
                if own:
                    older[name] = leg[name]
                else:
                    leg[name] = older[name]
            if given["tp_points"]:
                older["tp_at_quote"] = self._passed(older)
        for each in [*legs, leg]:
            each["sl_points"] = self._trailed(side, each["sl_points"], each["trail_points"])
        leg["tp_at_quote"] = self._passed(leg)
        self.positions.append(leg)
        self.marks.append([self._leaving_quote(side)])

    def _look_at_stops(self, position: Record) -> None:
        """R6: the stop loss is looked at first; neither fires on the fill's own tick."""
        if position["entry_tick"] == self.now[0]:
            return
        side, steps, number = position["side"], position["volume_steps"], position["position_id"]
        quote, tp = self._leaving_quote(side), position["tp_points"]
        if position["sl_points"] != NO_PRICE and side * quote <= side * position["sl_points"]:
            self._exit(position, steps, quote, ExitReason.STOP_LOSS)
            self._tell(EventKind.STOP_LOSS, 0, number)
        elif self._passed(position):
            self._exit(position, steps, quote if position["tp_at_quote"] else tp, ExitReason.TAKE_PROFIT)
            self._tell(EventKind.TAKE_PROFIT, 0, number)
        else:
            position["tp_at_quote"] = False
            position["sl_points"] = self._trailed(side, position["sl_points"], position["trail_points"])

    def _look_at_margin(self) -> None:
        """R8: margin call and stop-out."""
        call, out = self.rules.broker.margin_call_percent, self.rules.broker.stop_out_percent
        below = call is not None and self._level_at_most(Fraction(call))
        if below and not self._called:
            self._tell(EventKind.MARGIN_CALL)
        while out is not None and self._level_at_most(Fraction(out)):
            losses = [
                (self._leaving_quote(p["side"]) - p["entry_price_points"]) * p["side"] * p["volume_steps"]
                for p in self.positions
            ]
            position = self.positions[losses.index(min(losses))]
            self._tell(EventKind.STOP_OUT, 0, position["position_id"])
            quote = self._leaving_quote(position["side"])
            self._exit(position, position["volume_steps"], quote, ExitReason.STOP_OUT)
        self._called = below and bool(self.positions)

    def _level_at_most(self, percent: Fraction) -> bool:
        return bool(self.positions) and 100 * self.equity() <= percent * self.margin_used()

    def _roll_over(self, days: int) -> None:
        """R9."""
        for position in self.positions:
            side, steps, quote = position["side"], position["volume_steps"], self._leaving_quote(position["side"])
            swap = self.rules.swap(side, steps, days, quote)
            if swap:
                self._book(0, position["position_id"], FillKind.SWAP, side, steps, quote, swap=swap)
                position["swap_minor"] += swap
                self._tell(EventKind.SWAP, 0, position["position_id"])

    def _exit(
        self, position: Record, steps: int, price: int, reason: ExitReason, order_id: int = 0, *, maker: bool = False
    ) -> None:
        tick, time_ns, _, _ = self.now
        side, whole, entry = position["side"], position["volume_steps"], position["entry_price_points"]
        place = next(i for i, each in enumerate(self.positions) if each is position)
        gross = rounded(self.rules.profit(side, steps, entry, price))
        commission = self.rules.commission_of(steps, price, maker=maker)
        self._book(
            order_id, position["position_id"], FillKind.EXIT, -side, steps, price, gross=gross, commission=commission
        )
        share = Fraction(steps, whole)
        paid = rounded(position["entry_commission_minor"] * share)
        swap = rounded(position["swap_minor"] * share)
        moves = [side * (mark - entry) for mark in [*self.marks[place], price]]
        self.trades.append({
            "trade_id": len(self.trades) + 1, "position_id": position["position_id"],
            "entry_order_id": position["order_id"], "exit_order_id": order_id, "side": side, "volume_steps": steps,
            "entry_tick": position["entry_tick"], "entry_ns": position["entry_ns"], "entry_price_points": entry,
            "exit_tick": tick, "exit_ns": time_ns, "exit_price_points": price, "exit_reason": reason,
            "sl_points": position["sl_points"], "tp_points": position["tp_points"], "gross_minor": gross,
            "commission_minor": commission + paid, "swap_minor": swap, "net_minor": gross + commission + paid + swap,
            "balance_minor": self.balance, "mae_points": max(0, -min(moves)), "mfe_points": max(0, *moves),
            "magic": position["magic"],
        })  # fmt: skip
        position["volume_steps"] -= steps
        position["entry_commission_minor"] -= paid
        position["swap_minor"] -= swap
        if position["volume_steps"] == 0:
            del self.positions[place], self.marks[place]

    def _book(
        self, order_id: int, position_id: int, kind: FillKind, side: int, steps: int, price: int,
        *, gross: int = 0, commission: int = 0, swap: int = 0,
    ) -> None:  # fmt: skip
        """R2: what is realised goes into the balance."""
        self.balance += gross + commission + swap
        self.fills.append({
            "order_id": order_id, "position_id": position_id, "kind": kind, "side": side, "volume_steps": steps,
            "tick": self.now[0], "time_ns": self.now[1], "price_points": price, "gross_minor": gross,
            "commission_minor": commission, "swap_minor": swap, "balance_minor": self.balance,
        })  # fmt: skip


def _at_limit(order: Record) -> bool:
    return order["type"] == OrderType.LIMIT or order["state"] == OrderState.TRIGGERED
