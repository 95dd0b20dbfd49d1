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
    closing_quote_nb,
    commission_nb,
    event_nb,
    margin_used_nb,
    profit_nb,
    rate_nb,
    round_ratio_nb,
    swap_nb,
)
from finiex_ray.kernels.codes import FILL, POSITION, TRADE
from finiex_ray.kernels.jit import helper

__all__ = ["enter_position_nb", "exit_position_nb", "held_steps_nb", "nearer_nb", "net_nb", "roll_over_nb", "stops_nb"]

NO_PRICE = codes.NO_PRICE
ENTRY, EXIT, SWAP = codes.ENTRY, codes.EXIT, codes.SWAP
EXIT_STOP, EXIT_TARGET, EXIT_NETTED = codes.EXIT_STOP, codes.EXIT_TARGET, codes.EXIT_NETTED
TOLD_STOP, TOLD_TARGET, TOLD_SWAP = codes.TOLD_STOP, codes.TOLD_TARGET, codes.TOLD_SWAP


@helper
def _record_fill_nb(ints: Any, order_id: int, position_id: int, kind: int, side: int, steps: int, price: int) -> int:
    """A new row of the fill record, its amounts zero; the caller books it with `_book_nb`. Returns its place."""
    fill = ints[L.fills_at] + ints[L.fills] * FILL
    ints[L.fills] += 1
    ints[fill + F.order_id] = order_id
    ints[fill + F.position_id] = position_id
    ints[fill + F.kind] = kind
    ints[fill + F.side] = side
    ints[fill + F.volume_steps] = steps
    ints[fill + F.tick] = ints[L.last_tick]
    ints[fill + F.time_ns] = ints[L.last_ns]
    ints[fill + F.price_points] = price
    ints[fill + F.gross_minor] = 0
    ints[fill + F.commission_minor] = 0
    ints[fill + F.swap_minor] = 0
    return fill


@helper
def _book_nb(ints: Any, fill: int) -> None:
    """Takes the amounts of a fill into the balance (rules R2, R9)."""
    ints[L.balance_minor] += ints[fill + F.gross_minor] + ints[fill + F.commission_minor] + ints[fill + F.swap_minor]
    ints[L.gross_minor] += ints[fill + F.gross_minor]
    ints[L.commission_minor] += ints[fill + F.commission_minor]
    ints[L.swap_total_minor] += ints[fill + F.swap_minor]
    ints[fill + F.balance_minor] = ints[L.balance_minor]


@helper
def exit_position_nb(
    ints: Any, reals: Any, index: int, steps: int, price: int, reason: int, order_id: int, maker: bool
) -> None:
    """Closes ``steps`` of the open position at ``index`` at a recorded price and writes the trade (rules R6, R11, R12).

    Costs booked for the position so far go to the trade in proportion; the last part takes what is left, so that they add up.
    """
    position = ints[L.positions_at] + index * POSITION
    side, entry, whole = ints[position + P.side], ints[position + P.entry_price_points], ints[position + P.volume_steps]
    low, high = min(ints[position + P.lowest_points], price), max(ints[position + P.highest_points], price)
    entry_commission, swap = ints[position + P.entry_commission_minor], ints[position + P.swap_minor]
    if steps < whole:
        entry_commission = round_ratio_nb(entry_commission * steps, whole)
        swap = round_ratio_nb(swap * steps, whole)
    fill = _record_fill_nb(ints, order_id, ints[position + P.position_id], EXIT, -side, steps, price)
    ints[fill + F.gross_minor] = profit_nb(ints, side, steps, entry, price)
    ints[fill + F.commission_minor] = commission_nb(ints, steps, price, maker)
    _book_nb(ints, fill)
    trade = ints[L.trades_at] + ints[L.trades] * TRADE
    ints[L.trades] += 1
    ints[trade + T.trade_id] = ints[L.trades]
    ints[trade + T.position_id] = ints[position + P.position_id]
    ints[trade + T.entry_order_id] = ints[position + P.order_id]
    ints[trade + T.exit_order_id] = order_id
    ints[trade + T.side] = side
    ints[trade + T.volume_steps] = steps
    ints[trade + T.entry_tick] = ints[position + P.entry_tick]
    ints[trade + T.entry_ns] = ints[position + P.entry_ns]
    ints[trade + T.entry_price_points] = entry
    ints[trade + T.exit_tick] = ints[L.last_tick]
    ints[trade + T.exit_ns] = ints[L.last_ns]
    ints[trade + T.exit_price_points] = price
    ints[trade + T.exit_reason] = reason
    ints[trade + T.sl_points] = ints[position + P.sl_points]
    ints[trade + T.tp_points] = ints[position + P.tp_points]
    ints[trade + T.gross_minor] = ints[fill + F.gross_minor]
    ints[trade + T.commission_minor] = ints[fill + F.commission_minor] + entry_commission
    ints[trade + T.swap_minor] = swap
    ints[trade + T.net_minor] = ints[trade + T.gross_minor] + ints[trade + T.commission_minor] + swap
    ints[trade + T.balance_minor] = ints[L.balance_minor]
    ints[trade + T.mae_points] = max((entry - (low if side > 0 else high)) * side, 0)
    ints[trade + T.mfe_points] = max(((high if side > 0 else low) - entry) * side, 0)
    ints[trade + T.magic] = ints[position + P.magic]
    if steps < whole:
        ints[position + P.volume_steps] = whole - steps
        ints[position + P.entry_commission_minor] -= entry_commission
        ints[position + P.swap_minor] -= swap
    else:
        ints[L.positions] -= 1
        for word in range(position, ints[L.positions_at] + ints[L.positions] * POSITION):
            ints[word] = ints[word + POSITION]
    reals[L.margin_used], _ = margin_used_nb(ints)


@helper
def nearer_nb(sl: int, trail: int, side: int, quote: int) -> int:
    """A stop loss drawn after the quote by a trailing distance; it never moves away from the price (rule R6)."""
    level = quote - side * trail
    return level if sl == NO_PRICE or (level - sl) * side > 0 else sl


@helper
def enter_position_nb(ints: Any, reals: Any, order: int, steps: int, price: int, maker: bool) -> None:
    """Opens a position, or on a netting account one more leg of the net position; distances become levels here (rule R6)."""
    side = ints[order + O.side]
    legs = ints[L.positions] if ints[L.netting] != 0 else 0
    if legs > 0:
        position_id = ints[ints[L.positions_at] + P.position_id]
    else:
        position_id = ints[L.next_position_id]
        ints[L.next_position_id] = position_id + 1
    ints[order + O.position_id] = position_id
    fill = _record_fill_nb(ints, ints[order + O.order_id], position_id, ENTRY, side, steps, price)
    ints[fill + F.commission_minor] = commission_nb(ints, steps, price, maker)
    _book_nb(ints, fill)
    sl, tp, trail = ints[order + O.sl_points], ints[order + O.tp_points], ints[order + O.trail_points]
    quote = closing_quote_nb(ints, side)
    if ints[order + O.sl_offset_points] != 0:
        sl = price - side * ints[order + O.sl_offset_points]
    if ints[order + O.tp_offset_points] != 0:
        tp = price + side * ints[order + O.tp_offset_points]
    if trail != 0:
        sl = nearer_nb(sl, trail, side, quote)
    sets_target = tp != NO_PRICE
    if legs > 0:  # the net position has one set of stops: what the order leaves open stays as it is
        sl = ints[ints[L.positions_at] + P.sl_points] if sl == NO_PRICE else sl
        tp = ints[ints[L.positions_at] + P.tp_points] if tp == NO_PRICE else tp
        trail = ints[ints[L.positions_at] + P.trail_points] if trail == 0 else trail
    position = ints[L.positions_at] + ints[L.positions] * POSITION
    ints[L.positions] += 1
    ints[position + P.position_id] = position_id
    ints[position + P.order_id] = ints[order + O.order_id]
    ints[position + P.side] = side
    ints[position + P.volume_steps] = steps
    ints[position + P.entry_tick] = ints[L.last_tick]
    ints[position + P.entry_ns] = ints[L.last_ns]
    ints[position + P.entry_price_points] = price
    ints[position + P.entry_commission_minor] = ints[fill + F.commission_minor]
    ints[position + P.swap_minor] = 0
    ints[position + P.margin_rate] = rate_nb(ints, False) if ints[L.rate_mode] != 0 else 1
    ints[position + P.magic] = ints[order + O.magic]
    ints[position + P.lowest_points] = quote
    ints[position + P.highest_points] = quote
    for k in range(ints[L.positions] - 1 - legs, ints[L.positions]):
        at_quote = ints[ints[L.positions_at] + k * POSITION + P.tp_at_quote]
        set_stops_nb(ints, ints[L.positions_at] + k * POSITION, sl, tp, trail, quote)
        if k < ints[L.positions] - 1 and not sets_target:  # an older leg's take profit was set before, and stays that
            ints[ints[L.positions_at] + k * POSITION + P.tp_at_quote] = at_quote
    reals[L.margin_used], _ = margin_used_nb(ints)


@helper
def set_stops_nb(ints: Any, position: int, sl: int, tp: int, trail: int, quote: int) -> None:
    """Gives a position its stops; a take profit that is passed already fills at the quote (rule R6)."""
    ints[position + P.sl_points] = sl if trail == 0 else nearer_nb(sl, trail, ints[position + P.side], quote)
    ints[position + P.tp_points] = tp
    ints[position + P.trail_points] = trail
    ints[position + P.tp_at_quote] = 1 if tp != NO_PRICE and (quote - tp) * ints[position + P.side] >= 0 else 0


@helper
def held_steps_nb(ints: Any, side: int) -> int:
    """Volume of the open positions of one side."""
    held = 0
    for k in range(ints[L.positions]):
        if ints[ints[L.positions_at] + k * POSITION + P.side] == side:
            held += ints[ints[L.positions_at] + k * POSITION + P.volume_steps]
    return held


@helper
def net_nb(ints: Any, reals: Any, order: int, steps: int, price: int, reason: int, maker: bool) -> int:
    """Closes legs of the other side, first in, first out; returns the volume that no leg was left for (rule R11)."""
    left = steps
    while left > 0 and ints[L.positions] > 0 and ints[ints[L.positions_at] + P.side] == -ints[order + O.side]:
        part = min(left, ints[ints[L.positions_at] + P.volume_steps])
        ints[order + O.position_id] = ints[ints[L.positions_at] + P.position_id]
        exit_position_nb(ints, reals, 0, part, price, reason, ints[order + O.order_id], maker)
        left -= part
    return left


@helper
def stops_nb(ints: Any, reals: Any) -> int:
    """Closes what has reached its stop loss or take profit, in fill order, and trails the others; returns how many closed.

    Both can fire from the tick after the fill on; the stop loss is looked at first (rule R6).
    """
    k, closed = 0, 0
    while k < ints[L.positions]:
        position = ints[L.positions_at] + k * POSITION
        if ints[position + P.entry_tick] >= ints[L.last_tick]:
            k += 1
            continue
        side, steps = ints[position + P.side], ints[position + P.volume_steps]
        position_id = ints[position + P.position_id]
        quote = closing_quote_nb(ints, side)
        sl, tp = ints[position + P.sl_points], ints[position + P.tp_points]
        if sl != NO_PRICE and (quote - sl) * side <= 0:
            exit_position_nb(ints, reals, k, steps, quote, EXIT_STOP, 0, False)
            event_nb(ints, TOLD_STOP, 0, position_id)
            closed += 1
        elif tp != NO_PRICE and (quote - tp) * side >= 0:
            price = quote if ints[position + P.tp_at_quote] != 0 else tp
            exit_position_nb(ints, reals, k, steps, price, EXIT_TARGET, 0, False)
            event_nb(ints, TOLD_TARGET, 0, position_id)
            closed += 1
        else:
            ints[position + P.tp_at_quote] = 0
            if ints[position + P.trail_points] != 0:
                ints[position + P.sl_points] = nearer_nb(sl, ints[position + P.trail_points], side, quote)
            k += 1
    return closed


@helper
def roll_over_nb(ints: Any, days: int) -> None:
    """Books the swap of every open position for one rollover, at the quotes that would close it (rule R9)."""
    for k in range(ints[L.positions]):
        position = ints[L.positions_at] + k * POSITION
        side, steps = ints[position + P.side], ints[position + P.volume_steps]
        price = closing_quote_nb(ints, side)
        amount = swap_nb(ints, side, steps, days, price)
        if amount == 0:
            continue
        fill = _record_fill_nb(ints, 0, ints[position + P.position_id], SWAP, side, steps, price)
        ints[fill + F.swap_minor] = amount
        _book_nb(ints, fill)
        ints[position + P.swap_minor] += amount
        event_nb(ints, TOLD_SWAP, 0, ints[position + P.position_id])
