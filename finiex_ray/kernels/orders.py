"""Requests, arrivals, fills and exits: how an order moves from PENDING to its end (rules R3 to R8, R11, R15)."""

from __future__ import annotations

from typing import Any

from finiex_ray.core import enums, records
from finiex_ray.core.records import FILL_COLUMNS as F
from finiex_ray.core.records import LEDGER_COLUMNS as L
from finiex_ray.core.records import ORDER_COLUMNS as O
from finiex_ray.core.records import POSITION_COLUMNS as P
from finiex_ray.core.records import TRADE_COLUMNS as T
from finiex_ray.kernels.booking import commission_nb, equity_nb, margin_nb, profit_nb
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
    ints = state.ints
    index = ints[L.orders]
    order = state.orders[index]
    ints[L.orders] = index + 1
    order[O.order_id] = index + 1
    order[O.type] = kind
    order[O.side] = side
    order[O.volume_steps] = steps
    order[O.position_id] = position_id
    order[O.sl_points] = sl_points
    order[O.tp_points] = tp_points
    order[O.sl_offset_points] = sl_offset
    order[O.tp_offset_points] = tp_offset
    order[O.request_tick] = tick
    order[O.request_ns] = time_ns
    order[O.arrival_ns] = time_ns + state.delays_ns[index]
    order[O.done_tick] = NO_TICK
    order[O.done_ns] = 0
    order[O.fill_price_points] = NO_PRICE
    reason = refused
    if reason == NO_REASON and kind == MARKET:
        if steps < ints[L.volume_min_steps]:
            reason = BELOW_MIN
        elif steps > ints[L.volume_max_steps]:
            reason = ABOVE_MAX
    order[O.reason] = reason
    if reason != NO_REASON:
        order[O.state] = REJECTED
        order[O.done_tick] = tick
        order[O.done_ns] = time_ns
        return index + 1
    order[O.state] = PENDING
    state.queue[ints[L.pending]] = index
    ints[L.pending] += 1
    if order[O.arrival_ns] < ints[L.next_arrival_ns]:
        ints[L.next_arrival_ns] = order[O.arrival_ns]
    return index + 1


@kernel
def _record_fill_nb(
    state: Any,
    order_id: int,
    position_id: int,
    kind: int,
    side: int,
    steps: int,
    tick: int,
    time_ns: int,
    price: int,
    gross: int,
) -> int:
    """Books gross and commission of one fill, writes its record, returns the commission (rules R2, R9)."""
    ints = state.ints
    commission = commission_nb(ints, steps, price)
    ints[L.balance_minor] += gross + commission
    ints[L.gross_minor] += gross
    ints[L.commission_minor] += commission
    fill = state.fills[ints[L.fills]]
    ints[L.fills] += 1
    fill[F.order_id] = order_id
    fill[F.position_id] = position_id
    fill[F.kind] = kind
    fill[F.side] = side
    fill[F.volume_steps] = steps
    fill[F.tick] = tick
    fill[F.time_ns] = time_ns
    fill[F.price_points] = price
    fill[F.gross_minor] = gross
    fill[F.commission_minor] = commission
    fill[F.balance_minor] = ints[L.balance_minor]
    return int(commission)


@kernel
def _margin_used_nb(state: Any) -> None:
    """Sums the margin of the open positions in fill order, so that no rounding is carried along (rule R8)."""
    ints, reals = state.ints, state.reals
    used = 0.0
    for k in range(ints[L.positions]):
        position = state.positions[k]
        used += margin_nb(ints, position[P.volume_steps], position[P.entry_price_points])
    reals[L.margin_used] = used


@kernel
def exit_position_nb(state: Any, index: int, price: int, tick: int, time_ns: int, reason: int, order_id: int) -> None:
    """Closes the open position at ``index`` at a recorded price and writes its trade (rules R6, R12)."""
    ints = state.ints
    position = state.positions[index]
    side = position[P.side]
    steps = position[P.volume_steps]
    entry = position[P.entry_price_points]
    if price < position[P.lowest_points]:
        position[P.lowest_points] = price
    if price > position[P.highest_points]:
        position[P.highest_points] = price
    gross = profit_nb(ints, side, steps, entry, price)
    commission = _record_fill_nb(
        state, order_id, position[P.position_id], EXIT, -side, steps, tick, time_ns, price, gross
    )
    trade = state.trades[ints[L.trades]]
    ints[L.trades] += 1
    trade[T.trade_id] = ints[L.trades]
    trade[T.position_id] = position[P.position_id]
    trade[T.entry_order_id] = position[P.order_id]
    trade[T.exit_order_id] = order_id
    trade[T.side] = side
    trade[T.volume_steps] = steps
    trade[T.entry_tick] = position[P.entry_tick]
    trade[T.entry_ns] = position[P.entry_ns]
    trade[T.entry_price_points] = entry
    trade[T.exit_tick] = tick
    trade[T.exit_ns] = time_ns
    trade[T.exit_price_points] = price
    trade[T.exit_reason] = reason
    trade[T.sl_points] = position[P.sl_points]
    trade[T.tp_points] = position[P.tp_points]
    trade[T.gross_minor] = gross
    trade[T.commission_minor] = commission + position[P.entry_commission_minor]
    trade[T.net_minor] = gross + trade[T.commission_minor]
    trade[T.balance_minor] = ints[L.balance_minor]
    worst = position[P.lowest_points] if side > 0 else position[P.highest_points]
    best = position[P.highest_points] if side > 0 else position[P.lowest_points]
    trade[T.mae_points] = max((entry - worst) * side, 0)
    trade[T.mfe_points] = max((best - entry) * side, 0)
    open_positions = ints[L.positions] - 1
    for k in range(index, open_positions):
        state.positions[k] = state.positions[k + 1]
    ints[L.positions] = open_positions
    _margin_used_nb(state)


@kernel
def _enter_position_nb(state: Any, order: Any, price: int, bid: int, ask: int, tick: int, time_ns: int) -> None:
    """Opens the position of a filled market order; stops given as distances become levels here (rule R6)."""
    ints = state.ints
    side = order[O.side]
    position_id = ints[L.next_position_id]
    ints[L.next_position_id] = position_id + 1
    order[O.position_id] = position_id
    commission = _record_fill_nb(
        state, order[O.order_id], position_id, ENTRY, side, order[O.volume_steps], tick, time_ns, price, 0
    )
    position = state.positions[ints[L.positions]]
    ints[L.positions] += 1
    position[P.position_id] = position_id
    position[P.order_id] = order[O.order_id]
    position[P.side] = side
    position[P.volume_steps] = order[O.volume_steps]
    position[P.entry_tick] = tick
    position[P.entry_ns] = time_ns
    position[P.entry_price_points] = price
    position[P.entry_commission_minor] = commission
    sl, tp = order[O.sl_points], order[O.tp_points]
    if order[O.sl_offset_points] != 0:
        sl = price - side * order[O.sl_offset_points]
    if order[O.tp_offset_points] != 0:
        tp = price + side * order[O.tp_offset_points]
    quote = bid if side > 0 else ask
    position[P.sl_points] = sl
    position[P.tp_points] = tp
    position[P.tp_at_quote] = 1 if tp != NO_PRICE and (quote - tp) * side >= 0 else 0
    position[P.lowest_points] = quote
    position[P.highest_points] = quote
    _margin_used_nb(state)


@kernel
def _take_effect_nb(state: Any, index: int, bid: int, ask: int, tick: int, time_ns: int) -> None:
    """One arrived request: fills it at the quote plus slippage, or rejects it with its reason (rules R4, R8, R15)."""
    ints, reals = state.ints, state.reals
    order = state.orders[index]
    order[O.done_tick] = tick
    order[O.done_ns] = time_ns
    price = ask + ints[L.slippage_points] if order[O.side] > 0 else bid - ints[L.slippage_points]
    if order[O.type] == CLOSE:
        found = -1
        for k in range(ints[L.positions]):
            if state.positions[k, P.position_id] == order[O.position_id]:
                found = k
        if found < 0:
            order[O.state] = REJECTED
            order[O.reason] = POSITION_GONE
            return
        order[O.state] = FILLED
        order[O.fill_price_points] = price
        exit_position_nb(state, found, price, tick, time_ns, BY_ORDER, order[O.order_id])
        return
    equity = equity_nb(state, bid, ask)
    if margin_nb(ints, order[O.volume_steps], price) > equity - reals[L.margin_used]:
        order[O.state] = REJECTED
        order[O.reason] = NO_MARGIN
        return
    order[O.state] = FILLED
    order[O.fill_price_points] = price
    _enter_position_nb(state, order, price, bid, ask, tick, time_ns)


@kernel
def arrivals_nb(state: Any, bid: int, ask: int, tick: int, time_ns: int) -> int:
    """Lets every request that has arrived take effect, in request order; returns how many did (rules R3, R7)."""
    ints = state.ints
    kept, done = 0, 0
    next_arrival = FAR_FUTURE_NS
    for k in range(ints[L.pending]):
        index = state.queue[k]
        arrival = state.orders[index, O.arrival_ns]
        if arrival <= time_ns and state.orders[index, O.request_tick] < tick:
            _take_effect_nb(state, index, bid, ask, tick, time_ns)
            done += 1
        else:
            state.queue[kept] = index
            kept += 1
            next_arrival = min(next_arrival, arrival)
    ints[L.pending] = kept
    ints[L.next_arrival_ns] = next_arrival
    return done


@kernel
def stops_nb(state: Any, bid: int, ask: int, tick: int, time_ns: int) -> int:
    """Closes every position whose stop loss or take profit is reached, in fill order; returns how many (rule R6)."""
    ints = state.ints
    k, closed = 0, 0
    while k < ints[L.positions]:
        position = state.positions[k]
        if position[P.entry_tick] >= tick:
            k += 1
            continue
        side = position[P.side]
        quote = bid if side > 0 else ask
        sl, tp = position[P.sl_points], position[P.tp_points]
        if sl != NO_PRICE and (quote - sl) * side <= 0:
            exit_position_nb(state, k, quote, tick, time_ns, BY_STOP, 0)
            closed += 1
        elif tp != NO_PRICE and (quote - tp) * side >= 0:
            price = quote if position[P.tp_at_quote] != 0 else tp
            exit_position_nb(state, k, price, tick, time_ns, BY_TARGET, 0)
            closed += 1
        else:
            position[P.tp_at_quote] = 0
            k += 1
    return closed
