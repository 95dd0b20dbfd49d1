"""A slow account in plain Python, written from the rules R1 to R16: exact fractions, one tick at a time, no arrays.

Amounts are `Fraction` of the account's minor unit until they are booked; booked amounts are `int`. An order type is a
method of `Account` named in ``_EFFECTS``, so more of them can be added.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.models import AccountConfig
from finiex_ray.core.enums import Action, ExitReason, FillKind, OrderState, OrderType, RejectReason, Side
from finiex_ray.core.money import minor_digits
from finiex_ray.core.random import generator
from finiex_ray.core.records import NO_PRICE, NO_TICK


def rounded(amount: Fraction) -> int:
    """R2: to the nearest whole number, halves away from zero."""
    whole = int(abs(amount) + Fraction(1, 2))
    return whole if amount >= 0 else -whole


class Rules:
    """What a deal costs, from the configuration alone (rules R2, R8, R9, R10)."""

    def __init__(self, symbol: str, account: AccountConfig, broker: BrokerSpec) -> None:
        spec = broker.symbols[symbol]
        self.spec, self.account = spec, account
        self.point = Fraction(1, 10**spec.digits)
        self.minor = 10 ** minor_digits(account.currency)
        self.leverage = Fraction(account.leverage or spec.leverage or broker.leverage)
        self.commission = broker.commission if spec.commission is None else spec.commission
        self.slippage = broker.slippage_points if account.slippage_points is None else account.slippage_points
        self.latency = account.latency or broker.latency
        self.opening = rounded(Fraction(account.balance) * self.minor)

    def lots(self, steps: int) -> Fraction:
        return steps * Fraction(self.spec.volume_step)

    def rate(self, price_points: int) -> Fraction:
        """R10: minor units of the account currency for one unit of the quote currency."""
        if self.spec.quote == self.account.currency:
            return Fraction(self.minor)
        if self.spec.quote in self.account.conversion_rates:
            return Fraction(self.account.conversion_rates[self.spec.quote]) * self.minor
        assert self.spec.base == self.account.currency
        return self.minor / (price_points * self.point)

    def notional(self, steps: int, price_points: int) -> Fraction:
        price = price_points * self.point
        return self.lots(steps) * Fraction(self.spec.contract_size) * price * self.rate(price_points)

    def profit(self, side: int, steps: int, entry: int, leave: int) -> Fraction:
        move = (leave - entry) * side * self.point
        return move * self.lots(steps) * Fraction(self.spec.contract_size) * self.rate(leave)

    def margin(self, steps: int, price_points: int) -> Fraction:
        """R8."""
        return self.notional(steps, price_points) / self.leverage

    def commission_of(self, steps: int, price_points: int) -> int:
        """R9: of one side, as a cost."""
        if self.account.commission_per_lot is not None:
            return -rounded(Fraction(self.account.commission_per_lot) * self.lots(steps) * self.minor)
        value = Fraction(self.commission.value)
        if self.commission.kind == "per_lot":
            return -rounded(value * self.lots(steps) * self.minor)
        if self.commission.kind == "percent":
            return -rounded(value / 100 * self.notional(steps, price_points))
        return 0

    def delays(self, seed: int) -> Iterator[int]:
        """R3: one draw a request, in request order."""
        low = round(self.latency.ms * 1_000_000)
        high = low if self.latency.max_ms is None else round(self.latency.max_ms * 1_000_000)
        stream = generator(seed, "latency")
        while True:
            yield low + int(stream.random() * (high - low + 1)) if high > low else low


Record = dict[str, int]


@dataclass
class Policy:
    """The one-position policy."""

    steps: int
    sl: int = 0
    tp: int = 0
    reverse: bool = False
    min_free: Fraction = Fraction(0)  # minor units


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
    """One hedging account (R11) in one scenario."""

    def __init__(self, rules: Rules, seed: int, policy: Policy | None = None) -> None:
        self.rules, self.policy, self._delays = rules, policy, rules.delays(seed)
        self.balance = rules.opening
        self.orders: list[Record] = []
        self.fills: list[Record] = []
        self.positions: list[Record] = []
        self.trades: list[Record] = []
        self.marks: dict[int, list[int]] = {}  # position id to its closing quotes since entry
        self.at_quote: dict[int, bool] = {}  # take profit levels that were passed when they were set
        self.equities = Extremes([Fraction(rules.opening)])
        self.curve: list[tuple[int, int, int, Fraction]] = []  # tick, time, balance, equity
        self.now = (NO_TICK, 0, 0, 0)  # tick, time, bid, ask
        self._effects = {OrderType.MARKET: self._market, OrderType.CLOSE: self._close}

    # What the strategy does

    def request(
        self, kind: OrderType, side: int, steps: int, *, refused: RejectReason = RejectReason.NONE,
        position_id: int = 0, sl: int = NO_PRICE, tp: int = NO_PRICE, sl_offset: int = 0, tp_offset: int = 0,
    ) -> None:  # fmt: skip
        tick, time_ns, _, _ = self.now
        spec = self.rules.spec
        if refused is RejectReason.NONE and kind is OrderType.MARKET:
            if self.rules.lots(steps) < Fraction(spec.volume_min):
                refused = RejectReason.VOLUME_BELOW_MIN
            elif self.rules.lots(steps) > Fraction(spec.volume_max):
                refused = RejectReason.VOLUME_ABOVE_MAX
        gone = refused is not RejectReason.NONE
        self.orders.append({
            "order_id": len(self.orders) + 1, "type": kind, "side": side, "volume_steps": steps,
            "state": OrderState.REJECTED if gone else OrderState.PENDING, "reason": refused,
            "position_id": position_id, "sl_points": sl, "tp_points": tp, "sl_offset_points": sl_offset,
            "tp_offset_points": tp_offset, "request_tick": tick, "request_ns": time_ns,
            "arrival_ns": time_ns + next(self._delays), "done_tick": tick if gone else NO_TICK,
            "done_ns": time_ns if gone else 0, "fill_price_points": NO_PRICE,
        })  # fmt: skip

    def act(self, action: int) -> None:
        """The one-position policy at the current tick."""
        assert self.policy is not None
        if action == Action.NONE or any(order["state"] == OrderState.PENDING for order in self.orders):
            return
        opens = True
        if self.positions:
            (held,) = self.positions
            if held["side"] == action:
                return
            self.request(OrderType.CLOSE, -held["side"], held["volume_steps"], position_id=held["position_id"])
            opens = self.policy.reverse
        if opens and action != Action.CLOSE and self.equity() >= self.policy.min_free:
            self.request(
                OrderType.MARKET, action, self.policy.steps, sl_offset=self.policy.sl, tp_offset=self.policy.tp
            )

    # What the market does (R7)

    def tick(self, tick: int, time_ns: int, bid: int, ask: int) -> int:
        """Brings the account to one tick; returns how many requests and stops acted."""
        self.now = (tick, time_ns, bid, ask)
        acted = 0
        for order in self.orders:
            under_way = order["state"] == OrderState.PENDING
            if under_way and order["request_tick"] < tick and order["arrival_ns"] <= time_ns:  # R3
                self._take_effect(order)
                acted += 1
        for position in list(self.positions):
            acted += self._stop(position)
        for position in self.positions:
            self.marks[position["position_id"]].append(self._leaving_quote(position["side"]))
        self.equities.history.append(self.equity())
        self.curve.append((tick, time_ns, self.balance, self.equity()))
        return acted

    def end(self) -> None:
        """R12."""
        tick, time_ns, _, _ = self.now
        for order in self.orders:
            if order["state"] == OrderState.PENDING:
                order.update(
                    state=OrderState.EXPIRED, reason=RejectReason.SCENARIO_END, done_tick=tick, done_ns=time_ns
                )
        for position in list(self.positions):
            self._exit(position, self._leaving_quote(position["side"]), ExitReason.SCENARIO_END, 0)
        self.equities.history.append(Fraction(self.balance))

    def equity(self) -> Fraction:
        """R16."""
        return self.balance + sum(
            self.rules.profit(p["side"], p["volume_steps"], p["entry_price_points"], self._leaving_quote(p["side"]))
            for p in self.positions
        )

    def margin_used(self) -> Fraction:
        """R8."""
        return sum(
            (self.rules.margin(p["volume_steps"], p["entry_price_points"]) for p in self.positions), start=Fraction(0)
        )

    # Inside

    def _leaving_quote(self, side: int) -> int:
        return self.now[2] if side == Side.BUY else self.now[3]

    def _take_effect(self, order: Record) -> None:
        tick, time_ns, bid, ask = self.now
        order.update(done_tick=tick, done_ns=time_ns)
        slip = self.rules.slippage  # R4: always against the trader
        price = ask + slip if order["side"] == Side.BUY else bid - slip
        refused = self._effects[OrderType(order["type"])](order, price)
        if refused is RejectReason.NONE:
            order.update(state=OrderState.FILLED, fill_price_points=price)
        else:
            order.update(state=OrderState.REJECTED, reason=refused)

    def _market(self, order: Record, price: int) -> RejectReason:
        steps, side = order["volume_steps"], order["side"]
        if self.margin_used() + self.rules.margin(steps, price) > self.equity():  # R8
            return RejectReason.NOT_ENOUGH_MARGIN
        tick, time_ns, _, _ = self.now
        number = len([fill for fill in self.fills if fill["kind"] == FillKind.ENTRY]) + 1
        commission = self._book(order["order_id"], number, FillKind.ENTRY, side, steps, price, 0)
        sl, tp = order["sl_points"], order["tp_points"]
        if order["sl_offset_points"]:
            sl = price - side * order["sl_offset_points"]
        if order["tp_offset_points"]:
            tp = price + side * order["tp_offset_points"]
        order["position_id"] = number
        self.marks[number] = []
        self.at_quote[number] = tp != NO_PRICE and side * self._leaving_quote(side) >= side * tp
        self.positions.append({
            "position_id": number, "order_id": order["order_id"], "side": side, "volume_steps": steps,
            "entry_tick": tick, "entry_ns": time_ns, "entry_price_points": price,
            "entry_commission_minor": commission, "sl_points": sl, "tp_points": tp,
        })  # fmt: skip
        return RejectReason.NONE

    def _close(self, order: Record, price: int) -> RejectReason:
        for position in self.positions:
            if position["position_id"] == order["position_id"]:
                self._exit(position, price, ExitReason.CLOSE_ORDER, order["order_id"])
                return RejectReason.NONE
        return RejectReason.POSITION_GONE

    def _stop(self, position: Record) -> int:
        """R6: the stop loss is looked at first; neither fires on the fill's own tick."""
        if position["entry_tick"] == self.now[0]:
            return 0
        side, number = position["side"], position["position_id"]
        quote = self._leaving_quote(side)
        if position["sl_points"] != NO_PRICE and side * quote <= side * position["sl_points"]:
            self._exit(position, quote, ExitReason.STOP_LOSS, 0)
            return 1
        if position["tp_points"] != NO_PRICE and side * quote >= side * position["tp_points"]:
            self._exit(position, quote if self.at_quote[number] else position["tp_points"], ExitReason.TAKE_PROFIT, 0)
            return 1
        self.at_quote[number] = False
        return 0

    def _exit(self, position: Record, price: int, reason: ExitReason, order_id: int) -> None:
        tick, time_ns, _, _ = self.now
        side, steps, entry = position["side"], position["volume_steps"], position["entry_price_points"]
        gross = rounded(self.rules.profit(side, steps, entry, price))
        commission = self._book(order_id, position["position_id"], FillKind.EXIT, -side, steps, price, gross)
        both = commission + position["entry_commission_minor"]
        moves = [side * (mark - entry) for mark in [*self.marks[position["position_id"]], price]]
        self.positions.remove(position)
        self.trades.append({
            "trade_id": len(self.trades) + 1, "position_id": position["position_id"],
            "entry_order_id": position["order_id"], "exit_order_id": order_id, "side": side, "volume_steps": steps,
            "entry_tick": position["entry_tick"], "entry_ns": position["entry_ns"], "entry_price_points": entry,
            "exit_tick": tick, "exit_ns": time_ns, "exit_price_points": price, "exit_reason": reason,
            "sl_points": position["sl_points"], "tp_points": position["tp_points"], "gross_minor": gross,
            "commission_minor": both, "net_minor": gross + both, "balance_minor": self.balance,
            "mae_points": max(0, -min(moves)), "mfe_points": max(0, *moves),
        })  # fmt: skip

    def _book(
        self, order_id: int, position_id: int, kind: FillKind, side: int, steps: int, price: int, gross: int
    ) -> int:
        """R2: what is realised goes into the balance; returns the commission."""
        commission = self.rules.commission_of(steps, price)
        self.balance += gross + commission
        self.fills.append({
            "order_id": order_id, "position_id": position_id, "kind": kind, "side": side, "volume_steps": steps,
            "tick": self.now[0], "time_ns": self.now[1], "price_points": price, "gross_minor": gross,
            "commission_minor": commission, "balance_minor": self.balance,
        })  # fmt: skip
        return commission
