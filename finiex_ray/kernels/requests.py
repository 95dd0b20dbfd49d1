"""Requests: how an order is written, sent, and taken off the books again (rules R3, R15)."""

from __future__ import annotations

from typing import Any

from finiex_ray.core.records import LEDGER_COLUMNS as L
from finiex_ray.core.records import ORDER_COLUMNS as O
from finiex_ray.core.records import POSITION_COLUMNS as P
from finiex_ray.kernels import codes
from finiex_ray.kernels.booking import event_nb
from finiex_ray.kernels.codes import ORDER
from finiex_ray.kernels.jit import helper, kernel

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
def clear_draft_nb(ints: Any) -> None:
    """Makes the draft an empty market order."""
    draft = ints[L.draft_at]
    for column in range(ORDER):
        ints[draft + column] = 0
    ints[draft + O.price_points] = NO_PRICE
    ints[draft + O.stop_points] = NO_PRICE
    ints[draft + O.sl_points] = NO_PRICE
    ints[draft + O.tp_points] = NO_PRICE
    ints[draft + O.max_slippage_points] = NO_PRICE
    ints[draft + O.expire_ns] = FAR_FUTURE_NS


@helper
def close_draft_nb(ints: Any, position: int) -> None:
    """Makes the draft an order that closes a position."""
    clear_draft_nb(ints)
    draft = ints[L.draft_at]
    ints[draft + O.type] = CLOSE
    ints[draft + O.side] = -ints[position + P.side]
    ints[draft + O.volume_steps] = ints[position + P.volume_steps]
    ints[draft + O.position_id] = ints[position + P.position_id]
    ints[draft + O.magic] = ints[position + P.magic]


@helper
def end_order_nb(ints: Any, order: int, end: int, reason: int) -> None:
    """Brings an order to a terminal state and tells of it; rejections in a row start the guard's cool-down."""
    ints[order + O.state] = end
    ints[order + O.reason] = reason
    ints[order + O.done_tick] = ints[L.last_tick]
    ints[order + O.done_ns] = ints[L.last_ns]
    if end == REJECTED:
        event_nb(ints, TOLD_REJECTED, ints[order + O.order_id], ints[order + O.position_id])
        if reason != COOL_DOWN and ints[L.guard_rejections] > 0:
            ints[L.rejections] += 1
            if ints[L.rejections] >= ints[L.guard_rejections]:
                ints[L.rejections] = 0
                ints[L.guard_until_ns] = ints[L.last_ns] + ints[L.guard_cool_down_ns]
    elif end == CANCELLED:
        event_nb(ints, TOLD_CANCELLED, ints[order + O.order_id], ints[order + O.position_id])
    elif end == EXPIRED:
        event_nb(ints, TOLD_EXPIRED, ints[order + O.order_id], ints[order + O.position_id])
    else:
        ints[L.rejections] = 0
        if end != FILLED:
            event_nb(ints, TOLD_DONE, ints[order + O.order_id], ints[order + O.position_id])


@helper
def reject_nb(ints: Any, order: int, reason: int) -> None:
    """Rejects an order with its reason (rule R15)."""
    end_order_nb(ints, order, REJECTED, reason)


@kernel
def send_nb(ints: Any, refused: int) -> int:
    """Sends the drafted request at the current tick; returns its order id.

    ``refused`` is a `RejectReason` that the caller found (a volume off the step), or 0. A volume outside the symbol's
    bounds, and an opening order during a cool-down, are refused here too; a refused request never leaves.
    """
    index = ints[L.orders]
    ints[L.orders] = index + 1
    order = ints[L.orders_at] + index * ORDER
    for column in range(ORDER):
        ints[order + column] = ints[ints[L.draft_at] + column]
    opens = ints[order + O.type] == MARKET or (ints[order + O.type] >= LIMIT and ints[order + O.type] <= STOP_LIMIT)
    ints[order + O.order_id] = index + 1
    ints[order + O.request_tick] = ints[L.last_tick]
    ints[order + O.request_ns] = ints[L.last_ns]
    ints[order + O.request_price_points] = ints[L.last_ask] if ints[order + O.side] > 0 else ints[L.last_bid]
    ints[order + O.arrival_ns] = ints[L.last_ns] + ints[ints[L.draws_at] + index * 4 + (0 if opens else 1)]
    ints[order + O.done_tick] = NO_TICK
    ints[order + O.fill_price_points] = NO_PRICE
    reason = refused
    if reason == NO_REASON and opens:
        if ints[order + O.volume_steps] < ints[L.volume_min_steps]:
            reason = BELOW_MIN
        elif ints[order + O.volume_steps] > ints[L.volume_max_steps]:
            reason = ABOVE_MAX
        elif ints[L.last_ns] < ints[L.guard_until_ns]:
            reason = COOL_DOWN
    if reason != NO_REASON:
        reject_nb(ints, order, reason)
        return index + 1
    ints[order + O.state] = PENDING
    ints[ints[L.queue_at] + ints[L.pending]] = index
    ints[L.pending] += 1
    ints[L.next_arrival_ns] = min(ints[L.next_arrival_ns], ints[order + O.arrival_ns])
    return index + 1


@kernel
def set_timer_nb(ints: Any) -> None:
    """Finds the next moment at which time alone makes something happen: a rollover or an expiry."""
    timer = FAR_FUTURE_NS
    if ints[L.rollovers] < ints[L.rollovers_rows]:
        timer = ints[ints[L.rollovers_at] + ints[L.rollovers] * 2]
    for k in range(ints[L.resting]):
        timer = min(timer, ints[ints[L.orders_at] + ints[ints[L.book_at] + k] * ORDER + O.expire_ns])
    ints[L.next_timer_ns] = timer
