"""Requests, arrivals, fills and exits: how an order moves from PENDING to its end (rules R3 to R8, R11, R15)."""

from __future__ import annotations

from typing import Any

from finiex_ray.core import enums, records
from finiex_ray.kernels.booking import commission_nb, equity_nb, margin_nb, profit_nb, sums_nb
from finiex_ray.kernels.jit import kernel

__all__ = ["arrivals_nb", "exit_position_nb", "request_nb", "stops_nb"]

NO_PRICE = records.NO_PRICE
NO_TICK = records.NO_TICK
FAR_FUTURE_NS = records.FAR_FUTURE_NS

MARKET = int(enums.OrderType.MARKET)
CLOSE = int(enums.OrderType.CLOSE)
PENDING = int(enums.OrderState.PENDING)
FILLED = int(enums.OrderState.FILLED)
REJECTED = int(enums.OrderState.REJECTED)
NO_REASON = int(enums.RejectReason.NONE)
BELOW_MIN = int(enums.RejectReason.VOLUME_BELOW_MIN)
ABOVE_MAX = int(enums.RejectReason.VOLUME_ABOVE_MAX)
NO_MARGIN = int(enums.RejectReason.NOT_ENOUGH_MARGIN)
POSITION_GONE = int(enums.RejectReason.POSITION_GONE)
BY_ORDER = int(enums.ExitReason.CLOSE_ORDER)
BY_STOP = int(enums.ExitReason.STOP_LOSS)
BY_TARGET = int(enums.ExitReason.TAKE_PROFIT)
ENTRY = int(enums.FillKind.ENTRY)
EXIT = int(enums.FillKind.EXIT)


@kernel
def request_nb(
    state: Any,
    tick: int,
    time_ns: int,
    kind: int,
    side: int,
    steps: int,
    position_id: int,
    sl_points: int,
    tp_points: int,
    sl_offset: int,
    tp_offset: int,
    refused: int,
) -> int:
    """Writes a request made at ``tick`` and puts it in the queue to the broker; returns its order id.

    ``refused`` is a `RejectReason` that the caller found (a volume off the step), or 0. A volume outside the symbol's
    bounds is refused here; a refused request never leaves.
    """
    account = state.account[0]
    symbol = state.symbol[0]
    index = account["orders"]
    order = state.orders[index]
    account["orders"] = index + 1
    order["order_id"] = index + 1
    order["type"] = kind
    order["side"] = side
    order["volume_steps"] = steps
    order["position_id"] = position_id
    order["sl_points"] = sl_points
    order["tp_points"] = tp_points
    order["sl_offset_points"] = sl_offset
    order["tp_offset_points"] = tp_offset
    order["request_tick"] = tick
    order["request_ns"] = time_ns
    order["arrival_ns"] = time_ns + state.delays_ns[index]
    order["done_tick"] = NO_TICK
    order["done_ns"] = 0
    order["fill_price_points"] = NO_PRICE
    reason = refused
    if reason == NO_REASON and kind == MARKET:
        if steps < symbol["volume_min_steps"]:
            reason = BELOW_MIN
        elif steps > symbol["volume_max_steps"]:
            reason = ABOVE_MAX
    order["reason"] = reason
    if reason != NO_REASON:
        order["state"] = REJECTED
        order["done_tick"] = tick
        order["done_ns"] = time_ns
        return index + 1
    order["state"] = PENDING
    state.queue[account["pending"]] = index
    account["pending"] += 1
    if order["arrival_ns"] < account["next_arrival_ns"]:
        account["next_arrival_ns"] = order["arrival_ns"]
    return index + 1


@kernel
def _record_fill_nb(
    state: Any, order_id: int, position_id: int, kind: int, side: int, steps: int, tick: int, time_ns: int, price: int, gross: int
) -> int:
    """Books gross and commission of one fill, writes its record, returns the commission (rules R2, R9)."""
    account = state.account[0]
    commission = commission_nb(state.symbol[0], steps, price)
    account["balance_minor"] += gross + commission
    account["gross_minor"] += gross
    account["commission_minor"] += commission
    fill = state.fills[account["fills"]]
    account["fills"] += 1
    fill["order_id"] = order_id
    fill["position_id"] = position_id
    fill["kind"] = kind
    fill["side"] = side
    fill["volume_steps"] = steps
    fill["tick"] = tick
    fill["time_ns"] = time_ns
    fill["price_points"] = price
    fill["gross_minor"] = gross
    fill["commission_minor"] = commission
    fill["balance_minor"] = account["balance_minor"]
    return int(commission)


@kernel
def _margin_used_nb(state: Any) -> None:
    """Sums the margin of the open positions in fill order, so that no rounding is carried along (rule R8)."""
    account = state.account[0]
    used = 0.0
    for k in range(account["positions"]):
        position = state.positions[k]
        used += margin_nb(state.symbol[0], position["volume_steps"], position["entry_price_points"])
    account["margin_used"] = used


@kernel
def exit_position_nb(state: Any, index: int, price: int, tick: int, time_ns: int, reason: int, order_id: int) -> None:
    """Closes the open position at ``index`` at a recorded price and writes its trade (rules R6, R12)."""
    account = state.account[0]
    position = state.positions[index]
    side = position["side"]
    steps = position["volume_steps"]
    entry = position["entry_price_points"]
    if price < position["lowest_points"]:
        position["lowest_points"] = price
    if price > position["highest_points"]:
        position["highest_points"] = price
    gross = profit_nb(state.symbol[0], side, steps, entry, price)
    commission = _record_fill_nb(state, order_id, position["position_id"], EXIT, -side, steps, tick, time_ns, price, gross)
    trade = state.trades[account["trades"]]
    account["trades"] += 1
    trade["trade_id"] = account["trades"]
    trade["position_id"] = position["position_id"]
    trade["entry_order_id"] = position["order_id"]
    trade["exit_order_id"] = order_id
    trade["side"] = side
    trade["volume_steps"] = steps
    trade["entry_tick"] = position["entry_tick"]
    trade["entry_ns"] = position["entry_ns"]
    trade["entry_price_points"] = entry
    trade["exit_tick"] = tick
    trade["exit_ns"] = time_ns
    trade["exit_price_points"] = price
    trade["exit_reason"] = reason
    trade["sl_points"] = position["sl_points"]
    trade["tp_points"] = position["tp_points"]
    trade["gross_minor"] = gross
    trade["commission_minor"] = commission + position["entry_commission_minor"]
    trade["net_minor"] = gross + trade["commission_minor"]
    trade["balance_minor"] = account["balance_minor"]
    worst = position["lowest_points"] if side > 0 else position["highest_points"]
    best = position["highest_points"] if side > 0 else position["lowest_points"]
    trade["mae_points"] = max((entry - worst) * side, 0)
    trade["mfe_points"] = max((best - entry) * side, 0)
    open_positions = account["positions"] - 1
    for k in range(index, open_positions):
        state.positions[k] = state.positions[k + 1]
    account["positions"] = open_positions
    _margin_used_nb(state)


@kernel
def _enter_position_nb(state: Any, order: Any, price: int, bid: int, ask: int, tick: int, time_ns: int) -> None:
    """Opens the position of a filled market order; stops given as distances become levels here (rule R6)."""
    account = state.account[0]
    side = order["side"]
    position_id = account["next_position_id"]
    account["next_position_id"] = position_id + 1
    order["position_id"] = position_id
    commission = _record_fill_nb(
        state, order["order_id"], position_id, ENTRY, side, order["volume_steps"], tick, time_ns, price, 0
    )
    position = state.positions[account["positions"]]
    account["positions"] += 1
    position["position_id"] = position_id
    position["order_id"] = order["order_id"]
    position["side"] = side
    position["volume_steps"] = order["volume_steps"]
    position["entry_tick"] = tick
    position["entry_ns"] = time_ns
    position["entry_price_points"] = price
    position["entry_commission_minor"] = commission
    sl, tp = order["sl_points"], order["tp_points"]
    if order["sl_offset_points"] != 0:
        sl = price - side * order["sl_offset_points"]
    if order["tp_offset_points"] != 0:
        tp = price + side * order["tp_offset_points"]
    quote = bid if side > 0 else ask
    position["sl_points"] = sl
    position["tp_points"] = tp
    position["tp_at_quote"] = 1 if tp != NO_PRICE and (quote - tp) * side >= 0 else 0
    position["lowest_points"] = quote
    position["highest_points"] = quote
    _margin_used_nb(state)


@kernel
def _take_effect_nb(state: Any, index: int, bid: int, ask: int, tick: int, time_ns: int) -> None:
    """One arrived request: fills it at the quote plus slippage, or rejects it with its reason (rules R4, R8, R15)."""
    account = state.account[0]
    symbol = state.symbol[0]
    order = state.orders[index]
    order["done_tick"] = tick
    order["done_ns"] = time_ns
    price = ask + symbol["slippage_points"] if order["side"] > 0 else bid - symbol["slippage_points"]
    if order["type"] == CLOSE:
        found = -1
        for k in range(account["positions"]):
            if state.positions[k]["position_id"] == order["position_id"]:
                found = k
        if found < 0:
            order["state"] = REJECTED
            order["reason"] = POSITION_GONE
            return
        order["state"] = FILLED
        order["fill_price_points"] = price
        exit_position_nb(state, found, price, tick, time_ns, BY_ORDER, order["order_id"])
        return
    equity = equity_nb(symbol, account["balance_minor"], sums_nb(account, state.positions), bid, ask)
    if margin_nb(symbol, order["volume_steps"], price) > equity - account["margin_used"]:
        order["state"] = REJECTED
        order["reason"] = NO_MARGIN
        return
    order["state"] = FILLED
    order["fill_price_points"] = price
    _enter_position_nb(state, order, price, bid, ask, tick, time_ns)


@kernel
def arrivals_nb(state: Any, bid: int, ask: int, tick: int, time_ns: int) -> int:
    """Lets every request that has arrived take effect, in request order; returns how many did (rules R3, R7)."""
    account = state.account[0]
    kept, done = 0, 0
    next_arrival = FAR_FUTURE_NS
    for k in range(account["pending"]):
        index = state.queue[k]
        arrival = state.orders[index]["arrival_ns"]
        if arrival <= time_ns and state.orders[index]["request_tick"] < tick:
            _take_effect_nb(state, index, bid, ask, tick, time_ns)
            done += 1
        else:
            state.queue[kept] = index
            kept += 1
            next_arrival = min(next_arrival, arrival)
    account["pending"] = kept
    account["next_arrival_ns"] = next_arrival
    return done


@kernel
def stops_nb(state: Any, bid: int, ask: int, tick: int, time_ns: int) -> int:
    """Closes every position whose stop loss or take profit is reached, in fill order; returns how many (rule R6)."""
    account = state.account[0]
    k, closed = 0, 0
    while k < account["positions"]:
        position = state.positions[k]
        if position["entry_tick"] >= tick:
            k += 1
            continue
        side = position["side"]
        quote = bid if side > 0 else ask
        sl, tp = position["sl_points"], position["tp_points"]
        if sl != NO_PRICE and (quote - sl) * side <= 0:
            exit_position_nb(state, k, quote, tick, time_ns, BY_STOP, 0)
            closed += 1
        elif tp != NO_PRICE and (quote - tp) * side >= 0:
            price = quote if position["tp_at_quote"] != 0 else tp
            exit_position_nb(state, k, price, tick, time_ns, BY_TARGET, 0)
            closed += 1
        else:
            position["tp_at_quote"] = 0
            k += 1
    return closed
