"""The broker's side: what an arriving request does, and when resting orders fill (rules R3 to R5, R7, R8, R11, R15)."""

from __future__ import annotations

from typing import Any

from finiex_ray.core.records import LEDGER_COLUMNS as L
from finiex_ray.core.records import ORDER_COLUMNS as O
from finiex_ray.core.records import POSITION_COLUMNS as P
from finiex_ray.kernels import codes
from finiex_ray.kernels.booking import (
    commission_nb,
    event_nb,
    free_margin_nb,
    margin_nb,
    margin_used_nb,
    rate_nb,
    round_ratio_nb,
)
from finiex_ray.kernels.jit import kernel
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


@kernel
def _resting_place_nb(state: Any, order_id: int) -> int:
    """Place of an order in the book, or -1."""
    for k in range(state.ints[L.resting]):
        if state.book[k] == order_id - 1:
            return k
    return -1


@kernel
def _leave_book_nb(state: Any, place: int) -> None:
    """Takes an order out of the book; the others keep their order."""
    state.ints[L.resting] -= 1
    for k in range(place, state.ints[L.resting]):
        state.book[k] = state.book[k + 1]


@kernel
def _cancel_partner_nb(state: Any, order: Any, tick: int, time_ns: int) -> None:
    """Cancels the other order of an OCO pair once one has filled; one still under way is cancelled when it arrives."""
    if order[O.oco_id] == 0:
        return
    partner = state.orders[order[O.oco_id] - 1]
    place = _resting_place_nb(state, order[O.oco_id])
    if place >= 0:
        _leave_book_nb(state, place)
        end_order_nb(state, partner, CANCELLED, BY_PARTNER, tick, time_ns)
        set_timer_nb(state)


@kernel
def _needed_nb(state: Any, held: int, steps: int, price: int, maker: bool) -> float:
    """What ``steps`` on top of ``held`` need of the free margin; a spot account pays their commission from its cash too."""
    rate = rate_nb(state.ints, False) if state.ints[L.rate_mode] != 0 else 1
    margin = margin_nb(state, held, steps, price, rate)
    return margin - commission_nb(state.ints, steps, price, maker) if state.ints[L.spot] != 0 else margin


@kernel
def _affordable_nb(state: Any, order: Any, steps: int, price: int, bid: int, ask: int, maker: bool) -> int:
    """How much of ``steps`` the free margin carries: all of it, or for an immediate-or-cancel order the largest part."""
    free = free_margin_nb(state, bid, ask)
    _, held = margin_used_nb(state)
    if _needed_nb(state, held, steps, price, maker) <= free:
        return steps
    if order[O.immediate_or_cancel] == 0:
        return 0
    low, high = 0, steps - 1  # the need grows with the volume: halve the range
    while low < high:
        middle = (low + high + 1) // 2
        if _needed_nb(state, held, middle, price, maker) <= free:
            low = middle
        else:
            high = middle - 1
    return low if low >= state.ints[L.volume_min_steps] else 0


@kernel
def _fill_nb(state: Any, order: Any, price: int, bid: int, ask: int, tick: int, time_ns: int, maker: bool) -> None:
    """Fills an opening order at a price: nets first where the account nets, then opens what is left (rules R8, R11)."""
    ints = state.ints
    wanted = order[O.volume_steps]
    if ints[L.spot] != 0 and order[O.side] < 0 and wanted > held_steps_nb(state, 1):
        reject_nb(state, order, NO_ASSET, tick, time_ns)
        return
    left = wanted
    if ints[L.netting] != 0:
        left = net_nb(state, order, wanted, price, tick, time_ns, EXIT_NETTED, maker)
    opened = 0
    if left > 0:
        opened = _affordable_nb(state, order, left, price, bid, ask, maker)
        if opened > 0:
            enter_position_nb(state, order, opened, price, bid, ask, tick, time_ns, maker)
    filled = wanted - left + opened
    order[O.filled_steps] = filled
    if filled == 0:
        reject_nb(state, order, NO_MARGIN, tick, time_ns)
        return
    order[O.fill_price_points] = price
    end_order_nb(state, order, FILLED, NO_REASON if filled == wanted else NO_MARGIN, tick, time_ns)
    told = TOLD_FILL if filled == wanted else TOLD_PARTIAL
    event_nb(state, told, order[O.order_id], order[O.position_id], tick, time_ns)
    _cancel_partner_nb(state, order, tick, time_ns)


@kernel
def _near_nb(price: int, quote: int, distance: int) -> bool:
    """Whether a price is nearer to the quote than the symbol allows."""
    return price != NO_PRICE and abs(price - quote) < distance


@kernel
def _market_price_nb(state: Any, order: Any, bid: int, ask: int) -> int:
    """The arrival tick's quote plus slippage against the trader (rule R4)."""
    ints = state.ints
    slip = state.draws[order[O.order_id] - 1, 2]
    if ints[L.spread_slip_num] > 0:
        slip += round_ratio_nb(max(ask - bid, 0) * ints[L.spread_slip_num], ints[L.spread_slip_den])
    return ask + slip if order[O.side] > 0 else bid - slip


@kernel
def _slipped_nb(order: Any, price: int) -> bool:
    """Whether the market has moved past what the order allows since it was requested."""
    if order[O.max_slippage_points] == NO_PRICE:
        return False
    return (price - order[O.request_price_points]) * order[O.side] > order[O.max_slippage_points]


@kernel
def _bad_stops_nb(state: Any, sl: int, tp: int, side: int, bid: int, ask: int) -> bool:
    """Whether stop loss or take profit stand nearer to the closing quote than the symbol's stops level."""
    quote = bid if side > 0 else ask
    distance = state.ints[L.stops_level_points]
    return _near_nb(sl, quote, distance) or _near_nb(tp, quote, distance)


@kernel
def _open_now_nb(state: Any, time_ns: int) -> bool:
    """Whether the symbol's sessions allow trading at this time of the UTC week."""
    if len(state.sessions) == 0:
        return True
    moment = (time_ns - MONDAY_NS) % WEEK_NS
    for k in range(len(state.sessions)):  # noqa: SIM110 - numba has no any() over a generator
        if state.sessions[k, 0] <= moment and moment < state.sessions[k, 1]:
            return True
    return False


@kernel
def _close_nb(state: Any, order: Any, bid: int, ask: int, tick: int, time_ns: int) -> None:
    """An arrived order to close a position, in whole or in part (rule R11)."""
    ints = state.ints
    found, held = -1, 0
    for k in range(ints[L.positions]):
        if state.positions[k, P.position_id] == order[O.position_id]:
            found = k if found < 0 else found
            held += state.positions[k, P.volume_steps]
    if found < 0 or state.positions[found, P.side] == order[O.side]:
        reject_nb(state, order, POSITION_GONE, tick, time_ns)
        return
    steps = min(order[O.volume_steps], held)
    if steps < held and (steps < ints[L.volume_min_steps] or held - steps < ints[L.volume_min_steps]):
        reject_nb(state, order, BELOW_MIN, tick, time_ns)
        return
    price = _market_price_nb(state, order, bid, ask)
    if _slipped_nb(order, price):
        reject_nb(state, order, SLIPPED, tick, time_ns)
        return
    position_id = order[O.position_id]
    if ints[L.netting] != 0:
        net_nb(state, order, steps, price, tick, time_ns, EXIT_ORDER, False)
    else:
        exit_position_nb(state, found, steps, price, tick, time_ns, EXIT_ORDER, order[O.order_id], False)
    order[O.position_id] = position_id
    order[O.filled_steps] = steps
    order[O.fill_price_points] = price
    end_order_nb(state, order, FILLED, NO_REASON, tick, time_ns)
    event_nb(state, TOLD_FILL, order[O.order_id], position_id, tick, time_ns)
    _cancel_partner_nb(state, order, tick, time_ns)


@kernel
def _rest_nb(state: Any, index: int, bid: int, ask: int, tick: int, time_ns: int) -> None:
    """An arrived limit, stop or stop-limit order: fills at the quote if marketable, else rests (rule R5)."""
    ints = state.ints
    order = state.orders[index]
    side = order[O.side]
    quote = ask if side > 0 else bid
    trigger = order[O.price_points] if order[O.type] == LIMIT else order[O.stop_points]
    if trigger == NO_PRICE or (order[O.type] == STOP_LIMIT and order[O.price_points] == NO_PRICE):
        reject_nb(state, order, INVALID_PRICE, tick, time_ns)
        return
    distance = ints[L.stops_level_points]
    if (
        _near_nb(trigger, quote, distance)
        or _near_nb(order[O.sl_points], trigger, distance)
        or _near_nb(order[O.tp_points], trigger, distance)
    ):
        reject_nb(state, order, INVALID_PRICE, tick, time_ns)
        return
    if order[O.expire_ns] <= time_ns:
        end_order_nb(state, order, EXPIRED, OUT_OF_DATE, tick, time_ns)
        return
    if order[O.type] == LIMIT and (quote - trigger) * side <= 0:
        _fill_nb(state, order, quote, bid, ask, tick, time_ns, False)
        return
    order[O.state] = ACTIVE
    state.book[ints[L.resting]] = index
    ints[L.resting] += 1
    ints[L.next_timer_ns] = min(ints[L.next_timer_ns], order[O.expire_ns])


@kernel
def _frozen_nb(state: Any, price: int, quote: int) -> bool:
    """Whether a price is so near to execution that the broker changes nothing any more."""
    return price != NO_PRICE and abs(price - quote) <= state.ints[L.freeze_level_points] > 0


@kernel
def _change_order_nb(state: Any, order: Any, bid: int, ask: int, tick: int, time_ns: int) -> None:
    """An arrived instruction to change or cancel a resting order."""
    place = _resting_place_nb(state, order[O.target_id])
    if place < 0:
        reject_nb(state, order, ORDER_GONE, tick, time_ns)
        return
    target = state.orders[order[O.target_id] - 1]
    side = target[O.side]
    quote = ask if side > 0 else bid
    at_limit = target[O.type] == LIMIT or target[O.state] == TRIGGERED
    if _frozen_nb(state, target[O.price_points] if at_limit else target[O.stop_points], quote):
        reject_nb(state, order, FROZEN, tick, time_ns)
        return
    if order[O.type] == CANCEL:
        _leave_book_nb(state, place)
        end_order_nb(state, target, CANCELLED, BY_REQUEST, tick, time_ns)
    else:
        trigger = order[O.price_points] if at_limit else order[O.stop_points]
        distance = state.ints[L.stops_level_points]
        if (
            trigger == NO_PRICE
            or (target[O.type] == STOP_LIMIT and order[O.price_points] == NO_PRICE)
            or _near_nb(trigger, quote, distance)
            or _near_nb(order[O.sl_points], trigger, distance)
            or _near_nb(order[O.tp_points], trigger, distance)
        ):
            reject_nb(state, order, INVALID_PRICE, tick, time_ns)
            return
        target[O.price_points] = order[O.price_points]
        target[O.stop_points] = order[O.stop_points]
        target[O.sl_points] = order[O.sl_points]
        target[O.tp_points] = order[O.tp_points]
        target[O.sl_offset_points] = order[O.sl_offset_points]
        target[O.tp_offset_points] = order[O.tp_offset_points]
        target[O.expire_ns] = order[O.expire_ns]
        if target[O.expire_ns] <= time_ns:  # before anything is matched on this tick
            _leave_book_nb(state, place)
            end_order_nb(state, target, EXPIRED, OUT_OF_DATE, tick, time_ns)
    end_order_nb(state, order, DONE, NO_REASON, tick, time_ns)
    set_timer_nb(state)


@kernel
def _change_position_nb(state: Any, order: Any, bid: int, ask: int, tick: int, time_ns: int) -> None:
    """An arrived instruction to set the stops of a position (of all legs of a net position)."""
    found = False
    for k in range(state.ints[L.positions]):
        position = state.positions[k]
        if position[P.position_id] != order[O.position_id]:
            continue
        side = position[P.side]
        quote = bid if side > 0 else ask
        if not found:
            found = True
            if _frozen_nb(state, position[P.sl_points], quote) or _frozen_nb(state, position[P.tp_points], quote):
                reject_nb(state, order, FROZEN, tick, time_ns)
                return
            if _bad_stops_nb(state, order[O.sl_points], order[O.tp_points], side, bid, ask):
                reject_nb(state, order, INVALID_PRICE, tick, time_ns)
                return
        set_stops_nb(position, order[O.sl_points], order[O.tp_points], order[O.trail_points], quote)
    if found:
        end_order_nb(state, order, DONE, NO_REASON, tick, time_ns)
    else:
        reject_nb(state, order, POSITION_GONE, tick, time_ns)


@kernel
def _take_effect_nb(state: Any, index: int, bid: int, ask: int, tick: int, time_ns: int) -> None:
    """One arrived request."""
    order = state.orders[index]
    kind = order[O.type]
    if order[O.oco_id] != 0 and state.orders[order[O.oco_id] - 1, O.filled_steps] > 0:
        end_order_nb(state, order, CANCELLED, BY_PARTNER, tick, time_ns)
    elif state.draws[index, 3] != 0:
        reject_nb(state, order, BY_BROKER, tick, time_ns)
    elif not _open_now_nb(state, time_ns):
        reject_nb(state, order, MARKET_CLOSED, tick, time_ns)
    elif kind == CLOSE:
        _close_nb(state, order, bid, ask, tick, time_ns)
    elif kind in (MODIFY_ORDER, CANCEL):
        _change_order_nb(state, order, bid, ask, tick, time_ns)
    elif kind == MODIFY_POSITION:
        _change_position_nb(state, order, bid, ask, tick, time_ns)
    elif kind == MARKET:
        price = _market_price_nb(state, order, bid, ask)
        if _slipped_nb(order, price):
            reject_nb(state, order, SLIPPED, tick, time_ns)
        elif _bad_stops_nb(state, order[O.sl_points], order[O.tp_points], order[O.side], bid, ask):
            reject_nb(state, order, INVALID_PRICE, tick, time_ns)
        else:
            _fill_nb(state, order, price, bid, ask, tick, time_ns, False)
    else:
        _rest_nb(state, index, bid, ask, tick, time_ns)


@kernel
def arrivals_nb(state: Any, bid: int, ask: int, tick: int, time_ns: int) -> None:
    """Lets every request that has arrived take effect, in request order (rules R3, R7)."""
    ints = state.ints
    kept = 0
    next_arrival = FAR_FUTURE_NS
    for k in range(ints[L.pending]):
        index = state.queue[k]
        arrival = state.orders[index, O.arrival_ns]
        if arrival <= time_ns and state.orders[index, O.request_tick] < tick:
            _take_effect_nb(state, index, bid, ask, tick, time_ns)
        else:
            state.queue[kept] = index
            kept += 1
            next_arrival = min(next_arrival, arrival)
    ints[L.pending] = kept
    ints[L.next_arrival_ns] = next_arrival


@kernel
def expiries_nb(state: Any, tick: int, time_ns: int) -> None:
    """Takes out of the book what was good till now."""
    k = 0
    while k < state.ints[L.resting]:
        order = state.orders[state.book[k]]
        if order[O.expire_ns] <= time_ns:
            _leave_book_nb(state, k)
            end_order_nb(state, order, EXPIRED, OUT_OF_DATE, tick, time_ns)
        else:
            k += 1


@kernel
def _match_nb(state: Any, bid: int, ask: int, tick: int, time_ns: int, limits: bool) -> None:
    """One pass over the book: limit orders at their own price, or stops at the quote (rule R5)."""
    k = 0
    while k < state.ints[L.resting]:
        order = state.orders[state.book[k]]
        side = order[O.side]
        quote = ask if side > 0 else bid
        at_limit = order[O.type] == LIMIT or order[O.state] == TRIGGERED
        price = NO_PRICE
        if limits and at_limit and (quote - order[O.price_points]) * side <= 0:
            price = order[O.price_points]
        elif not limits and not at_limit and (quote - order[O.stop_points]) * side >= 0:
            price = quote
            if order[O.type] == STOP_LIMIT:
                order[O.state] = TRIGGERED
                event_nb(state, TOLD_TRIGGERED, order[O.order_id], 0, tick, time_ns)
                if (quote - order[O.price_points]) * side > 0:
                    price = NO_PRICE
        if price == NO_PRICE:
            k += 1
            continue
        _leave_book_nb(state, k)
        _fill_nb(state, order, price, bid, ask, tick, time_ns, limits)
        k = 0  # the fill may have cancelled a partner before this place: look again from the start
    set_timer_nb(state)


@kernel
def resting_nb(state: Any, bid: int, ask: int, tick: int, time_ns: int) -> None:
    """Fills the resting orders that this tick reaches: limits first, then stops, each in order of arrival (rule R7)."""
    _match_nb(state, bid, ask, tick, time_ns, True)
    _match_nb(state, bid, ask, tick, time_ns, False)
