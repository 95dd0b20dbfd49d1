"""Positions: entries, exits in whole or in part, netting, stop loss, take profit and trailing stop (rules R6, R8, R11)."""

from __future__ import annotations

from typing import Any

from finiex_ray.core.records import FILL_COLUMNS as F
from finiex_ray.core.records import LEDGER_COLUMNS as L
from finiex_ray.core.records import ORDER_COLUMNS as O
from finiex_ray.core.records import POSITION_COLUMNS as P
from finiex_ray.core.records import TRADE_COLUMNS as T
from finiex_ray.kernels import codes
from finiex_ray.kernels.booking import (
    commission_nb,
    event_nb,
    margin_used_nb,
    profit_nb,
    rate_nb,
    round_ratio_nb,
    swap_nb,
)
from finiex_ray.kernels.jit import kernel

__all__ = ["enter_position_nb", "exit_position_nb", "held_steps_nb", "net_nb", "roll_over_nb", "stops_nb"]

NO_PRICE = codes.NO_PRICE
ENTRY, EXIT, SWAP = codes.ENTRY, codes.EXIT, codes.SWAP
EXIT_STOP, EXIT_TARGET, EXIT_NETTED = codes.EXIT_STOP, codes.EXIT_TARGET, codes.EXIT_NETTED
TOLD_STOP, TOLD_TARGET, TOLD_SWAP = codes.TOLD_STOP, codes.TOLD_TARGET, codes.TOLD_SWAP


@kernel
def _record_fill_nb(
    state: Any, order_id: int, position_id: int, kind: int, side: int, steps: int, tick: int, time_ns: int, price: int
) -> Any:
    """A new row of the fill record, its amounts zero; the caller books and closes it with `_close_fill_nb`."""
    fill = state.fills[state.ints[L.fills]]
    state.ints[L.fills] += 1
    fill[F.order_id] = order_id
    fill[F.position_id] = position_id
    fill[F.kind] = kind
    fill[F.side] = side
    fill[F.volume_steps] = steps
    fill[F.tick] = tick
    fill[F.time_ns] = time_ns
    fill[F.price_points] = price
    fill[F.gross_minor] = 0
    fill[F.commission_minor] = 0
    fill[F.swap_minor] = 0
    return fill


@kernel
def _book_nb(state: Any, fill: Any) -> None:
    """Takes the amounts of a fill into the balance (rules R2, R9)."""
    ints = state.ints
    ints[L.balance_minor] += fill[F.gross_minor] + fill[F.commission_minor] + fill[F.swap_minor]
    ints[L.gross_minor] += fill[F.gross_minor]
    ints[L.commission_minor] += fill[F.commission_minor]
    ints[L.swap_total_minor] += fill[F.swap_minor]
    fill[F.balance_minor] = ints[L.balance_minor]


@kernel
def exit_position_nb(
    state: Any, index: int, steps: int, price: int, tick: int, time_ns: int, reason: int, order_id: int, maker: bool
) -> None:
    """Closes ``steps`` of the open position at ``index`` at a recorded price and writes the trade (rules R6, R11, R12).

    Costs booked for the position so far go to the trade in proportion; the last part takes what is left, so that they add up.
    """
    ints = state.ints
    position = state.positions[index]
    side, entry, whole = position[P.side], position[P.entry_price_points], position[P.volume_steps]
    low, high = min(position[P.lowest_points], price), max(position[P.highest_points], price)
    entry_commission, swap = position[P.entry_commission_minor], position[P.swap_minor]
    if steps < whole:
        entry_commission = round_ratio_nb(entry_commission * steps, whole)
        swap = round_ratio_nb(swap * steps, whole)
    fill = _record_fill_nb(state, order_id, position[P.position_id], EXIT, -side, steps, tick, time_ns, price)
    fill[F.gross_minor] = profit_nb(ints, side, steps, entry, price)
    fill[F.commission_minor] = commission_nb(ints, steps, price, maker)
    _book_nb(state, fill)
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
    trade[T.gross_minor] = fill[F.gross_minor]
    trade[T.commission_minor] = fill[F.commission_minor] + entry_commission
    trade[T.swap_minor] = swap
    trade[T.net_minor] = trade[T.gross_minor] + trade[T.commission_minor] + swap
    trade[T.balance_minor] = ints[L.balance_minor]
    trade[T.mae_points] = max((entry - (low if side > 0 else high)) * side, 0)
    trade[T.mfe_points] = max(((high if side > 0 else low) - entry) * side, 0)
    trade[T.magic] = position[P.magic]
    if steps < whole:
        position[P.volume_steps] = whole - steps
        position[P.entry_commission_minor] -= entry_commission
        position[P.swap_minor] -= swap
    else:
        ints[L.positions] -= 1
        for k in range(index, ints[L.positions]):
            state.positions[k] = state.positions[k + 1]
    state.reals[L.margin_used], _ = margin_used_nb(state)


@kernel
def _nearer_nb(sl: int, trail: int, side: int, quote: int) -> int:
    """A stop loss drawn after the quote by a trailing distance; it never moves away from the price (rule R6)."""
    level = quote - side * trail
    return level if sl == NO_PRICE or (level - sl) * side > 0 else sl


@kernel
def enter_position_nb(
    state: Any, order: Any, steps: int, price: int, bid: int, ask: int, tick: int, time_ns: int, maker: bool
) -> None:
    """Opens a position, or on a netting account one more leg of the net position; distances become levels here (rule R6)."""
    ints = state.ints
    side = order[O.side]
    legs = ints[L.positions] if ints[L.netting] != 0 else 0
    if legs > 0:
        position_id = state.positions[0, P.position_id]
    else:
        position_id = ints[L.next_position_id]
        ints[L.next_position_id] = position_id + 1
    order[O.position_id] = position_id
    fill = _record_fill_nb(state, order[O.order_id], position_id, ENTRY, side, steps, tick, time_ns, price)
    fill[F.commission_minor] = commission_nb(ints, steps, price, maker)
    _book_nb(state, fill)
    sl, tp, trail = order[O.sl_points], order[O.tp_points], order[O.trail_points]
    quote = bid if side > 0 else ask
    if order[O.sl_offset_points] != 0:
        sl = price - side * order[O.sl_offset_points]
    if order[O.tp_offset_points] != 0:
        tp = price + side * order[O.tp_offset_points]
    if trail != 0:
        sl = _nearer_nb(sl, trail, side, quote)
    sets_target = tp != NO_PRICE
    if legs > 0:  # the net position has one set of stops: what the order leaves open stays as it is
        sl = state.positions[0, P.sl_points] if sl == NO_PRICE else sl
        tp = state.positions[0, P.tp_points] if tp == NO_PRICE else tp
        trail = state.positions[0, P.trail_points] if trail == 0 else trail
    position = state.positions[ints[L.positions]]
    ints[L.positions] += 1
    position[P.position_id] = position_id
    position[P.order_id] = order[O.order_id]
    position[P.side] = side
    position[P.volume_steps] = steps
    position[P.entry_tick] = tick
    position[P.entry_ns] = time_ns
    position[P.entry_price_points] = price
    position[P.entry_commission_minor] = fill[F.commission_minor]
    position[P.swap_minor] = 0
    position[P.margin_rate] = rate_nb(ints, False) if ints[L.rate_mode] != 0 else 1
    position[P.magic] = order[O.magic]
    position[P.lowest_points] = quote
    position[P.highest_points] = quote
    for k in range(ints[L.positions] - 1 - legs, ints[L.positions]):
        at_quote = state.positions[k, P.tp_at_quote]
        set_stops_nb(state.positions[k], sl, tp, trail, quote)
        if k < ints[L.positions] - 1 and not sets_target:  # an older leg's take profit was set before, and stays that
            state.positions[k, P.tp_at_quote] = at_quote
    state.reals[L.margin_used], _ = margin_used_nb(state)


@kernel
def set_stops_nb(position: Any, sl: int, tp: int, trail: int, quote: int) -> None:
    """Gives a position its stops; a take profit that is passed already fills at the quote (rule R6)."""
    position[P.sl_points] = sl if trail == 0 else _nearer_nb(sl, trail, position[P.side], quote)
    position[P.tp_points] = tp
    position[P.trail_points] = trail
    position[P.tp_at_quote] = 1 if tp != NO_PRICE and (quote - tp) * position[P.side] >= 0 else 0


@kernel
def held_steps_nb(state: Any, side: int) -> int:
    """Volume of the open positions of one side."""
    held = 0
    for k in range(state.ints[L.positions]):
        if state.positions[k, P.side] == side:
            held += state.positions[k, P.volume_steps]
    return held


@kernel
def net_nb(state: Any, order: Any, steps: int, price: int, tick: int, time_ns: int, reason: int, maker: bool) -> int:
    """Closes legs of the other side, first in, first out; returns the volume that no leg was left for (rule R11)."""
    left = steps
    while left > 0 and state.ints[L.positions] > 0 and state.positions[0, P.side] == -order[O.side]:
        part = min(left, state.positions[0, P.volume_steps])
        order[O.position_id] = state.positions[0, P.position_id]
        exit_position_nb(state, 0, part, price, tick, time_ns, reason, order[O.order_id], maker)
        left -= part
    return left


@kernel
def stops_nb(state: Any, bid: int, ask: int, tick: int, time_ns: int) -> int:
    """Closes what has reached its stop loss or take profit, in fill order, and trails the others; returns how many closed.

    Both can fire from the tick after the fill on; the stop loss is looked at first (rule R6).
    """
    k, closed = 0, 0
    while k < state.ints[L.positions]:
        position = state.positions[k]
        if position[P.entry_tick] >= tick:
            k += 1
            continue
        side, steps = position[P.side], position[P.volume_steps]
        position_id = position[P.position_id]
        quote = bid if side > 0 else ask
        sl, tp = position[P.sl_points], position[P.tp_points]
        if sl != NO_PRICE and (quote - sl) * side <= 0:
            exit_position_nb(state, k, steps, quote, tick, time_ns, EXIT_STOP, 0, False)
            event_nb(state, TOLD_STOP, 0, position_id, tick, time_ns)
            closed += 1
        elif tp != NO_PRICE and (quote - tp) * side >= 0:
            price = quote if position[P.tp_at_quote] != 0 else tp
            exit_position_nb(state, k, steps, price, tick, time_ns, EXIT_TARGET, 0, False)
            event_nb(state, TOLD_TARGET, 0, position_id, tick, time_ns)
            closed += 1
        else:
            position[P.tp_at_quote] = 0
            if position[P.trail_points] != 0:
                position[P.sl_points] = _nearer_nb(sl, position[P.trail_points], side, quote)
            k += 1
    return closed


@kernel
def roll_over_nb(state: Any, days: int, bid: int, ask: int, tick: int, time_ns: int) -> None:
    """Books the swap of every open position for one rollover, at the quotes that would close it (rule R9)."""
    ints = state.ints
    for k in range(ints[L.positions]):
        position = state.positions[k]
        side, steps = position[P.side], position[P.volume_steps]
        price = bid if side > 0 else ask
        amount = swap_nb(ints, side, steps, days, price)
        if amount == 0:
            continue
        fill = _record_fill_nb(state, 0, position[P.position_id], SWAP, side, steps, tick, time_ns, price)
        fill[F.swap_minor] = amount
        _book_nb(state, fill)
        position[P.swap_minor] += amount
        event_nb(state, TOLD_SWAP, 0, position[P.position_id], tick, time_ns)
