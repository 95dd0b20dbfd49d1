"""The broker's side: what an arriving request does, and when resting orders fill (rules R3 to R5, R7, R8, R11, R15)."""

from __future__ import annotations

from typing import Any

from finiex_ray.core.records import LEDGER_COLUMNS as L
from finiex_ray.core.records import ORDER_COLUMNS as O
from finiex_ray.core.records import POSITION_COLUMNS as P
from finiex_ray.kernels import codes
from finiex_ray.kernels.booking import (
    closing_quote_nb,
    commission_nb,
    event_nb,
    free_margin_nb,
    margin_nb,
    margin_used_nb,
    rate_nb,
    round_ratio_nb,
)
from finiex_ray.kernels.codes import ORDER, POSITION
from finiex_ray.kernels.jit import helper, part
from finiex_ray.kernels.positions import enter_position_nb, exit_position_nb, held_steps_nb, net_nb, set_stops_nb
from finiex_ray.kernels.requests import end_order_nb, reject_nb, set_timer_nb

__all__ = ["arrivals_nb", "expiries_nb", "resting_nb"]

NO_PRICE, FAR_FUTURE_NS = codes.NO_PRICE, codes.FAR_FUTURE_NS
MARKET, CLOSE, LIMIT, STOP, STOP_LIMIT = codes.MARKET, codes.CLOSE, codes.LIMIT, codes.STOP, codes.STOP_LIMIT
MODIFY_ORDER, MODIFY_POSITION, CANCEL = codes.MODIFY_ORDER, codes.MODIFY_POSITION, codes.CANCEL
ACTIVE, TRIGGERED, FILLED, CANCELLED, EXPIRED, DONE = (
    codes.ACTIVE,
    codes.TRIGGERED,
    codes.FILLED,
    codes.CANCELLED,
    codes.EXPIRED,
    codes.DONE,
)
NO_REASON, BELOW_MIN, ABOVE_MAX, NO_MARGIN = codes.NO_REASON, codes.BELOW_MIN, codes.ABOVE_MAX, codes.NO_MARGIN
POSITION_GONE, ORDER_GONE, INVALID_PRICE, FROZEN = (
    codes.POSITION_GONE,
    codes.ORDER_GONE,
    codes.INVALID_PRICE,
    codes.FROZEN,
)
SLIPPED, NO_ASSET, MARKET_CLOSED, BY_BROKER = codes.SLIPPED, codes.NO_ASSET, codes.MARKET_CLOSED, codes.BY_BROKER
BY_PARTNER, OUT_OF_DATE, BY_REQUEST = codes.BY_PARTNER, codes.OUT_OF_DATE, codes.BY_REQUEST
EXIT_ORDER, EXIT_NETTED = codes.EXIT_ORDER, codes.EXIT_NETTED
TOLD_FILL, TOLD_PARTIAL, TOLD_TRIGGERED = codes.TOLD_FILL, codes.TOLD_PARTIAL, codes.TOLD_TRIGGERED
WEEK_NS, MONDAY_NS = codes.WEEK_NS, codes.MONDAY_NS


@helper
def _resting_place_nb(ints: Any, order_id: int) -> int:
    """Place of an order in the book, or -1."""
    for k in range(ints[L.resting]):
        if ints[ints[L.book_at] + k] == order_id - 1:
            return k
    return -1


@helper
def _leave_book_nb(ints: Any, place: int) -> None:
    """Takes an order out of the book; the others keep their order."""
    ints[L.resting] -= 1
    for k in range(place, ints[L.resting]):
        ints[ints[L.book_at] + k] = ints[ints[L.book_at] + k + 1]


@helper
def _cancel_partner_nb(ints: Any, order: int) -> None:
    """Cancels the other order of an OCO pair once one has filled; one still under way is cancelled when it arrives."""
    if ints[order + O.oco_id] == 0:
        return
    partner = ints[L.orders_at] + (ints[order + O.oco_id] - 1) * ORDER
    place = _resting_place_nb(ints, ints[order + O.oco_id])
    if place >= 0:
        _leave_book_nb(ints, place)
        end_order_nb(ints, partner, CANCELLED, BY_PARTNER)
        set_timer_nb(ints)


@helper
def _needed_nb(ints: Any, held: int, steps: int, price: int, maker: bool) -> float:
    """What ``steps`` on top of ``held`` need of the free margin; a spot account pays their commission from its cash too."""
    rate = rate_nb(ints, False) if ints[L.rate_mode] != 0 else 1
    margin = margin_nb(ints, held, steps, price, rate)
    return margin - commission_nb(ints, steps, price, maker) if ints[L.spot] != 0 else margin


@helper
def _affordable_nb(ints: Any, reals: Any, order: int, steps: int, price: int, maker: bool) -> int:
    """How much of ``steps`` the free margin carries: all of it, or for an immediate-or-cancel order the largest part."""
    free = free_margin_nb(ints, reals)
    _, held = margin_used_nb(ints)
    if _needed_nb(ints, held, steps, price, maker) <= free:
        return steps
    if ints[order + O.immediate_or_cancel] == 0:
        return 0
    low, high = 0, steps - 1  # the need grows with the volume: halve the range
    while low < high:
        middle = (low + high + 1) // 2
        if _needed_nb(ints, held, middle, price, maker) <= free:
            low = middle
        else:
            high = middle - 1
    return low if low >= ints[L.volume_min_steps] else 0


@helper
def _fill_nb(ints: Any, reals: Any, order: int, price: int, maker: bool) -> None:
    """Fills an opening order at a price: nets first where the account nets, then opens what is left (rules R8, R11)."""
    wanted = ints[order + O.volume_steps]
    if ints[L.spot] != 0 and ints[order + O.side] < 0 and wanted > held_steps_nb(ints, 1):
        reject_nb(ints, order, NO_ASSET)
        return
    left = wanted
    if ints[L.netting] != 0:
        left = net_nb(ints, reals, order, wanted, price, EXIT_NETTED, maker)
    opened = 0
    if left > 0:
        opened = _affordable_nb(ints, reals, order, left, price, maker)
        if opened > 0:
            enter_position_nb(ints, reals, order, opened, price, maker)
    filled = wanted - left + opened
    ints[order + O.filled_steps] = filled
    if filled == 0:
        reject_nb(ints, order, NO_MARGIN)
        return
    ints[order + O.fill_price_points] = price
    end_order_nb(ints, order, FILLED, NO_REASON if filled == wanted else NO_MARGIN)
    told = TOLD_FILL if filled == wanted else TOLD_PARTIAL
    event_nb(ints, told, ints[order + O.order_id], ints[order + O.position_id])
    _cancel_partner_nb(ints, order)


@helper
def _near_nb(price: int, quote: int, distance: int) -> bool:
    """Whether a price is nearer to the quote than the symbol allows."""
    return price != NO_PRICE and abs(price - quote) < distance


@helper
def _market_price_nb(ints: Any, order: int) -> int:
    """The arrival tick's quote plus slippage against the trader (rule R4)."""
    bid, ask = ints[L.last_bid], ints[L.last_ask]
    slip = ints[ints[L.draws_at] + (ints[order + O.order_id] - 1) * 4 + 2]
    if ints[L.spread_slip_num] > 0:
        slip += round_ratio_nb(max(ask - bid, 0) * ints[L.spread_slip_num], ints[L.spread_slip_den])
    return ask + slip if ints[order + O.side] > 0 else bid - slip


@helper
def _slipped_nb(ints: Any, order: int, price: int) -> bool:
    """Whether the market has moved past what the order allows since it was requested."""
    if ints[order + O.max_slippage_points] == NO_PRICE:
        return False
    return (price - ints[order + O.request_price_points]) * ints[order + O.side] > ints[order + O.max_slippage_points]


@helper
def _bad_stops_nb(ints: Any, sl: int, tp: int, side: int) -> bool:
    """Whether stop loss or take profit stand nearer to the closing quote than the symbol's stops level."""
    quote = closing_quote_nb(ints, side)
    distance = ints[L.stops_level_points]
    return _near_nb(sl, quote, distance) or _near_nb(tp, quote, distance)


@helper
def _open_now_nb(ints: Any) -> bool:
    """Whether the symbol's sessions allow trading at this time of the UTC week."""
    if ints[L.sessions_rows] == 0:
        return True
    moment = (ints[L.last_ns] - MONDAY_NS) % WEEK_NS
    for k in range(ints[L.sessions_rows]):
        if ints[ints[L.sessions_at] + k * 2] <= moment and moment < ints[ints[L.sessions_at] + k * 2 + 1]:
            return True
    return False


@helper
def _close_nb(ints: Any, reals: Any, order: int) -> None:
    """An arrived order to close a position, in whole or in part (rule R11)."""
    found, held = -1, 0
    for k in range(ints[L.positions]):
        if ints[ints[L.positions_at] + k * POSITION + P.position_id] == ints[order + O.position_id]:
            found = k if found < 0 else found
            held += ints[ints[L.positions_at] + k * POSITION + P.volume_steps]
    if found < 0 or ints[ints[L.positions_at] + found * POSITION + P.side] == ints[order + O.side]:
        reject_nb(ints, order, POSITION_GONE)
        return
    steps = min(ints[order + O.volume_steps], held)
    if steps < held and (steps < ints[L.volume_min_steps] or held - steps < ints[L.volume_min_steps]):
        reject_nb(ints, order, BELOW_MIN)
        return
    price = _market_price_nb(ints, order)
    if _slipped_nb(ints, order, price):
        reject_nb(ints, order, SLIPPED)
        return
    position_id = ints[order + O.position_id]
    if ints[L.netting] != 0:
        net_nb(ints, reals, order, steps, price, EXIT_ORDER, False)
    else:
        exit_position_nb(ints, reals, found, steps, price, EXIT_ORDER, ints[order + O.order_id], False)
    ints[order + O.position_id] = position_id
    ints[order + O.filled_steps] = steps
    ints[order + O.fill_price_points] = price
    end_order_nb(ints, order, FILLED, NO_REASON)
    event_nb(ints, TOLD_FILL, ints[order + O.order_id], position_id)
    _cancel_partner_nb(ints, order)


@helper
def _rest_nb(ints: Any, reals: Any, index: int) -> None:
    """An arrived limit, stop or stop-limit order: fills at the quote if marketable, else rests (rule R5)."""
    order = ints[L.orders_at] + index * ORDER
    side = ints[order + O.side]
    quote = closing_quote_nb(ints, -side)
    trigger = ints[order + O.price_points] if ints[order + O.type] == LIMIT else ints[order + O.stop_points]
    if trigger == NO_PRICE or (ints[order + O.type] == STOP_LIMIT and ints[order + O.price_points] == NO_PRICE):
        reject_nb(ints, order, INVALID_PRICE)
        return
    distance = ints[L.stops_level_points]
    if (
        _near_nb(trigger, quote, distance)
        or _near_nb(ints[order + O.sl_points], trigger, distance)
        or _near_nb(ints[order + O.tp_points], trigger, distance)
    ):
        reject_nb(ints, order, INVALID_PRICE)
        return
    if ints[order + O.expire_ns] <= ints[L.last_ns]:
        end_order_nb(ints, order, EXPIRED, OUT_OF_DATE)
        return
    if ints[order + O.type] == LIMIT and (quote - trigger) * side <= 0:
        _fill_nb(ints, reals, order, quote, False)
        return
    ints[order + O.state] = ACTIVE
    ints[ints[L.book_at] + ints[L.resting]] = index
    ints[L.resting] += 1
    ints[L.next_timer_ns] = min(ints[L.next_timer_ns], ints[order + O.expire_ns])


@helper
def _frozen_nb(ints: Any, price: int, quote: int) -> bool:
    """Whether a price is so near to execution that the broker changes nothing any more."""
    return price != NO_PRICE and abs(price - quote) <= ints[L.freeze_level_points] > 0


@helper
def _change_order_nb(ints: Any, order: int) -> None:
    """An arrived instruction to change or cancel a resting order."""
    place = _resting_place_nb(ints, ints[order + O.target_id])
    if place < 0:
        reject_nb(ints, order, ORDER_GONE)
        return
    target = ints[L.orders_at] + (ints[order + O.target_id] - 1) * ORDER
    side = ints[target + O.side]
    quote = closing_quote_nb(ints, -side)
    at_limit = ints[target + O.type] == LIMIT or ints[target + O.state] == TRIGGERED
    if _frozen_nb(ints, ints[target + O.price_points] if at_limit else ints[target + O.stop_points], quote):
        reject_nb(ints, order, FROZEN)
        return
    if ints[order + O.type] == CANCEL:
        _leave_book_nb(ints, place)
        end_order_nb(ints, target, CANCELLED, BY_REQUEST)
    else:
        trigger = ints[order + O.price_points] if at_limit else ints[order + O.stop_points]
        distance = ints[L.stops_level_points]
        if (
            trigger == NO_PRICE
            or (ints[target + O.type] == STOP_LIMIT and ints[order + O.price_points] == NO_PRICE)
            or _near_nb(trigger, quote, distance)
            or _near_nb(ints[order + O.sl_points], trigger, distance)
            or _near_nb(ints[order + O.tp_points], trigger, distance)
        ):
            reject_nb(ints, order, INVALID_PRICE)
            return
        ints[target + O.price_points] = ints[order + O.price_points]
        ints[target + O.stop_points] = ints[order + O.stop_points]
        ints[target + O.sl_points] = ints[order + O.sl_points]
        ints[target + O.tp_points] = ints[order + O.tp_points]
        ints[target + O.sl_offset_points] = ints[order + O.sl_offset_points]
        ints[target + O.tp_offset_points] = ints[order + O.tp_offset_points]
        ints[target + O.expire_ns] = ints[order + O.expire_ns]
        if ints[target + O.expire_ns] <= ints[L.last_ns]:  # before anything is matched on this tick
            _leave_book_nb(ints, place)
            end_order_nb(ints, target, EXPIRED, OUT_OF_DATE)
    end_order_nb(ints, order, DONE, NO_REASON)
    set_timer_nb(ints)


@helper
def _change_position_nb(ints: Any, order: int) -> None:
    """An arrived instruction to set the stops of a position (of all legs of a net position)."""
    found = False
    for k in range(ints[L.positions]):
        position = ints[L.positions_at] + k * POSITION
        if ints[position + P.position_id] != ints[order + O.position_id]:
            continue
        side = ints[position + P.side]
        quote = closing_quote_nb(ints, side)
        if not found:
            found = True
            if _frozen_nb(ints, ints[position + P.sl_points], quote) or _frozen_nb(
                ints, ints[position + P.tp_points], quote
            ):
                reject_nb(ints, order, FROZEN)
                return
            if _bad_stops_nb(ints, ints[order + O.sl_points], ints[order + O.tp_points], side):
                reject_nb(ints, order, INVALID_PRICE)
                return
        set_stops_nb(
            ints, position, ints[order + O.sl_points], ints[order + O.tp_points], ints[order + O.trail_points], quote
        )
    if found:
        end_order_nb(ints, order, DONE, NO_REASON)
    else:
        reject_nb(ints, order, POSITION_GONE)


@helper
def _take_effect_nb(ints: Any, reals: Any, index: int) -> None:
    """One arrived request."""
    order = ints[L.orders_at] + index * ORDER
    kind = ints[order + O.type]
    if (
        ints[order + O.oco_id] != 0
        and ints[ints[L.orders_at] + (ints[order + O.oco_id] - 1) * ORDER + O.filled_steps] > 0
    ):
        end_order_nb(ints, order, CANCELLED, BY_PARTNER)
    elif ints[ints[L.draws_at] + index * 4 + 3] != 0:
        reject_nb(ints, order, BY_BROKER)
    elif not _open_now_nb(ints):
        reject_nb(ints, order, MARKET_CLOSED)
    elif kind == CLOSE:
        _close_nb(ints, reals, order)
    elif kind in (MODIFY_ORDER, CANCEL):
        _change_order_nb(ints, order)
    elif kind == MODIFY_POSITION:
        _change_position_nb(ints, order)
    elif kind == MARKET:
        price = _market_price_nb(ints, order)
        if _slipped_nb(ints, order, price):
            reject_nb(ints, order, SLIPPED)
        elif _bad_stops_nb(ints, ints[order + O.sl_points], ints[order + O.tp_points], ints[order + O.side]):
            reject_nb(ints, order, INVALID_PRICE)
        else:
            _fill_nb(ints, reals, order, price, False)
    else:
        _rest_nb(ints, reals, index)


@part
def arrivals_nb(ints: Any, reals: Any) -> None:
    """Lets every request that has arrived take effect, in request order (rules R3, R7)."""
    kept = 0
    tick, time_ns = ints[L.last_tick], ints[L.last_ns]
    next_arrival = FAR_FUTURE_NS
    for k in range(ints[L.pending]):
        index = ints[ints[L.queue_at] + k]
        arrival = ints[ints[L.orders_at] + index * ORDER + O.arrival_ns]
        if arrival <= time_ns and ints[ints[L.orders_at] + index * ORDER + O.request_tick] < tick:
            _take_effect_nb(ints, reals, index)
        else:
            ints[ints[L.queue_at] + kept] = index
            kept += 1
            next_arrival = min(next_arrival, arrival)
    ints[L.pending] = kept
    ints[L.next_arrival_ns] = next_arrival


@helper
def expiries_nb(ints: Any) -> None:
    """Takes out of the book what was good till now."""
    k = 0
    while k < ints[L.resting]:
        order = ints[L.orders_at] + ints[ints[L.book_at] + k] * ORDER
        if ints[order + O.expire_ns] <= ints[L.last_ns]:
            _leave_book_nb(ints, k)
            end_order_nb(ints, order, EXPIRED, OUT_OF_DATE)
        else:
            k += 1


@helper
def _match_nb(ints: Any, reals: Any, limits: bool) -> None:
    """One pass over the book: limit orders at their own price, or stops at the quote (rule R5)."""
    k, before = 0, ints[L.resting]
    while k < ints[L.resting]:
        order = ints[L.orders_at] + ints[ints[L.book_at] + k] * ORDER
        side = ints[order + O.side]
        quote = closing_quote_nb(ints, -side)
        at_limit = ints[order + O.type] == LIMIT or ints[order + O.state] == TRIGGERED
        price = NO_PRICE
        if limits and at_limit and (quote - ints[order + O.price_points]) * side <= 0:
            price = ints[order + O.price_points]
        elif not limits and not at_limit and (quote - ints[order + O.stop_points]) * side >= 0:
            price = quote
            if ints[order + O.type] == STOP_LIMIT:
                ints[order + O.state] = TRIGGERED
                event_nb(ints, TOLD_TRIGGERED, ints[order + O.order_id], 0)
                if (quote - ints[order + O.price_points]) * side > 0:
                    price = NO_PRICE
        if price == NO_PRICE:
            k += 1
            continue
        _leave_book_nb(ints, k)
        _fill_nb(ints, reals, order, price, limits)
        k = 0  # the fill may have cancelled a partner before this place: look again from the start
    if ints[L.resting] < before:
        set_timer_nb(ints)


@helper
def resting_nb(ints: Any, reals: Any) -> None:
    """Fills the resting orders that this tick reaches: limits first, then stops, each in order of arrival (rule R7)."""
    _match_nb(ints, reals, True)
    _match_nb(ints, reals, False)
