"""Requests: how an order is written, sent, and taken off the books again (rules R3, R15)."""

from __future__ import annotations

from typing import Any

from finiex_ray.core.records import LEDGER_COLUMNS as L
from finiex_ray.core.records import ORDER_COLUMNS as O
from finiex_ray.core.records import POSITION_COLUMNS as P
from finiex_ray.kernels import codes
from finiex_ray.kernels.booking import event_nb
from finiex_ray.kernels.jit import kernel

__all__ = ["clear_draft_nb", "close_draft_nb", "end_order_nb", "reject_nb", "send_nb", "set_timer_nb"]

NO_PRICE, NO_TICK, FAR_FUTURE_NS = codes.NO_PRICE, codes.NO_TICK, codes.FAR_FUTURE_NS
MARKET, CLOSE, LIMIT, STOP, STOP_LIMIT = codes.MARKET, codes.CLOSE, codes.LIMIT, codes.STOP, codes.STOP_LIMIT
PENDING, REJECTED, EXPIRED, CANCELLED, FILLED = (
    codes.PENDING,
    codes.REJECTED,
    codes.EXPIRED,
    codes.CANCELLED,
    codes.FILLED,
)
NO_REASON, BELOW_MIN, ABOVE_MAX, COOL_DOWN = codes.NO_REASON, codes.BELOW_MIN, codes.ABOVE_MAX, codes.COOL_DOWN
TOLD_REJECTED, TOLD_CANCELLED, TOLD_EXPIRED = codes.TOLD_REJECTED, codes.TOLD_CANCELLED, codes.TOLD_EXPIRED
TOLD_DONE = codes.TOLD_DONE


@kernel
def clear_draft_nb(draft: Any) -> None:
    """Makes the draft an empty market order."""
    for column in range(len(draft)):
        draft[column] = 0
    draft[O.price_points] = NO_PRICE
    draft[O.stop_points] = NO_PRICE
    draft[O.sl_points] = NO_PRICE
    draft[O.tp_points] = NO_PRICE
    draft[O.max_slippage_points] = NO_PRICE
    draft[O.expire_ns] = FAR_FUTURE_NS


@kernel
def close_draft_nb(draft: Any, position: Any) -> None:
    """Makes the draft an order that closes a position."""
    clear_draft_nb(draft)
    draft[O.type] = CLOSE
    draft[O.side] = -position[P.side]
    draft[O.volume_steps] = position[P.volume_steps]
    draft[O.position_id] = position[P.position_id]
    draft[O.magic] = position[P.magic]


@kernel
def end_order_nb(state: Any, order: Any, end: int, reason: int, tick: int, time_ns: int) -> None:
    """Brings an order to a terminal state and tells of it; rejections in a row start the guard's cool-down."""
    ints = state.ints
    order[O.state] = end
    order[O.reason] = reason
    order[O.done_tick] = tick
    order[O.done_ns] = time_ns
    if end == REJECTED:
        event_nb(state, TOLD_REJECTED, order[O.order_id], order[O.position_id], tick, time_ns)
        if reason != COOL_DOWN and ints[L.guard_rejections] > 0:
            ints[L.rejections] += 1
            if ints[L.rejections] >= ints[L.guard_rejections]:
                ints[L.rejections] = 0
                ints[L.guard_until_ns] = time_ns + ints[L.guard_cool_down_ns]
    elif end == CANCELLED:
        event_nb(state, TOLD_CANCELLED, order[O.order_id], order[O.position_id], tick, time_ns)
    elif end == EXPIRED:
        event_nb(state, TOLD_EXPIRED, order[O.order_id], order[O.position_id], tick, time_ns)
    else:
        ints[L.rejections] = 0
        if end != FILLED:
            event_nb(state, TOLD_DONE, order[O.order_id], order[O.position_id], tick, time_ns)


@kernel
def reject_nb(state: Any, order: Any, reason: int, tick: int, time_ns: int) -> None:
    """Rejects an order with its reason (rule R15)."""
    end_order_nb(state, order, REJECTED, reason, tick, time_ns)


@kernel
def send_nb(state: Any, tick: int, time_ns: int, refused: int) -> int:
    """Sends the drafted request at ``tick``; returns its order id.

    ``refused`` is a `RejectReason` that the caller found (a volume off the step), or 0. A volume outside the symbol's
    bounds, and an opening order during a cool-down, are refused here too; a refused request never leaves.
    """
    ints = state.ints
    index = ints[L.orders]
    ints[L.orders] = index + 1
    order = state.orders[index]
    order[:] = state.draft
    opens = order[O.type] == MARKET or (order[O.type] >= LIMIT and order[O.type] <= STOP_LIMIT)
    order[O.order_id] = index + 1
    order[O.request_tick] = tick
    order[O.request_ns] = time_ns
    order[O.request_price_points] = ints[L.last_ask] if order[O.side] > 0 else ints[L.last_bid]
    order[O.arrival_ns] = time_ns + state.draws[index, 0 if opens else 1]
    order[O.done_tick] = NO_TICK
    order[O.fill_price_points] = NO_PRICE
    reason = refused
    if reason == NO_REASON and opens:
        if order[O.volume_steps] < ints[L.volume_min_steps]:
            reason = BELOW_MIN
        elif order[O.volume_steps] > ints[L.volume_max_steps]:
            reason = ABOVE_MAX
        elif time_ns < ints[L.guard_until_ns]:
            reason = COOL_DOWN
    if reason != NO_REASON:
        reject_nb(state, order, reason, tick, time_ns)
        return index + 1
    order[O.state] = PENDING
    state.queue[ints[L.pending]] = index
    ints[L.pending] += 1
    ints[L.next_arrival_ns] = min(ints[L.next_arrival_ns], order[O.arrival_ns])
    return index + 1


@kernel
def set_timer_nb(state: Any) -> None:
    """Finds the next moment at which time alone makes something happen: a rollover or an expiry."""
    ints = state.ints
    timer = FAR_FUTURE_NS
    if ints[L.rollovers] < len(state.rollovers):
        timer = state.rollovers[ints[L.rollovers], 0]
    for k in range(ints[L.resting]):
        timer = min(timer, state.orders[state.book[k], O.expire_ns])
    ints[L.next_timer_ns] = timer
