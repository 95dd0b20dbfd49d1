"""The account, tick by tick: `advance_nb` brings it to the next wake-up, `finish_nb` ends the scenario (rules R7, R12, R16)."""

from __future__ import annotations

import math
from typing import Any

from finiex_ray.core.records import LEDGER_COLUMNS as L
from finiex_ray.core.records import POSITION_COLUMNS as P
from finiex_ray.kernels import codes
from finiex_ray.kernels.booking import closing_quote_nb, equity_nb, event_nb, mark_nb
from finiex_ray.kernels.codes import ORDER, POSITION
from finiex_ray.kernels.jit import helper, kernel
from finiex_ray.kernels.matching import arrivals_nb, expiries_nb, resting_nb
from finiex_ray.kernels.policy import ahead_nb, policy_nb
from finiex_ray.kernels.positions import exit_position_nb, roll_over_nb, stops_nb
from finiex_ray.kernels.quiet import close_bucket_nb, pass_quiet_nb, row_nb, stand_at_nb
from finiex_ray.kernels.requests import end_order_nb, set_timer_nb
from finiex_ray.kernels.runs import first_at_nb
from finiex_ray.kernels.signals import ACTION, FIRST

__all__ = ["advance_nb", "finish_nb"]

FAR_FUTURE_NS = codes.FAR_FUTURE_NS
MOST_REQUESTS = 3  # of a policy at one tick: it cancels two orders and closes a position
EXPIRED, AT_END = codes.EXPIRED, codes.AT_END
EXIT_END, EXIT_STOP_OUT = codes.EXIT_END, codes.EXIT_STOP_OUT
TOLD_STOP_OUT, TOLD_MARGIN_CALL = codes.TOLD_STOP_OUT, codes.TOLD_MARGIN_CALL
WAKE_ACTION, WAKE_FILL, WAKE_TICK, WAKE_GROW = (
    codes.WAKE_ACTION,
    codes.WAKE_FILL,
    codes.WAKE_TICK,
    codes.WAKE_GROW,
)


@helper
def _flush_bucket_nb(ints: Any, reals: Any, offset: int) -> None:
    """Writes the current bucket as a row of the equity record and opens the next one."""
    low, high = reals[L.bucket_low], reals[L.bucket_high]
    close_bucket_nb(ints, reals, ints[L.last_tick], ints[L.last_ns], reals[L.equity], low, high, offset)
    reals[L.bucket_low] = math.inf
    reals[L.bucket_high] = -math.inf


@helper
def _timers_nb(ints: Any) -> None:
    """What time alone brings: the swap of every rollover that has passed, then expiries (rules R7, R9)."""
    while ints[L.rollovers] < ints[L.rollovers_rows]:
        rollover = ints[L.rollovers_at] + ints[L.rollovers] * 2
        if ints[rollover] > ints[L.last_ns]:
            break
        roll_over_nb(ints, ints[rollover + 1])
        ints[L.rollovers] += 1
    expiries_nb(ints)
    set_timer_nb(ints)


@helper
def _margin_level_nb(ints: Any, reals: Any) -> None:
    """Margin call, and at or below the stop-out level the largest loss first (the older one of equals; rule R8)."""
    if ints[L.positions] == 0:
        ints[L.margin_called] = 0
        return
    equity = equity_nb(ints, reals)
    if reals[L.margin_call_share] >= 0.0:
        below = equity <= reals[L.margin_call_share] * reals[L.margin_used]
        if below and ints[L.margin_called] == 0:
            event_nb(ints, TOLD_MARGIN_CALL, 0, 0)
        ints[L.margin_called] = 1 if below else 0
    if reals[L.stop_out_share] < 0.0:
        return
    while ints[L.positions] > 0 and equity <= reals[L.stop_out_share] * reals[L.margin_used]:
        worst, least = 0, 0
        for k in range(ints[L.positions]):
            position = ints[L.positions_at] + k * POSITION
            side = ints[position + P.side]
            moved = (closing_quote_nb(ints, side) - ints[position + P.entry_price_points]) * side
            profit = moved * ints[position + P.volume_steps]
            if k == 0 or profit < least:
                worst, least = k, profit
        position = ints[L.positions_at] + worst * POSITION
        quote = closing_quote_nb(ints, ints[position + P.side])
        event_nb(ints, TOLD_STOP_OUT, 0, ints[position + P.position_id])
        exit_position_nb(ints, reals, worst, ints[position + P.volume_steps], quote, EXIT_STOP_OUT, 0, False)
        equity = equity_nb(ints, reals)
    if ints[L.positions] == 0:
        ints[L.margin_called] = 0


@helper
def _full_step_nb(ints: Any, reals: Any) -> None:
    """One tick in the order of rule R7: timers, arrivals, limits, stops, stop loss and take profit, stop-out, marks."""
    time_ns = ints[L.last_ns]
    if time_ns >= ints[L.next_timer_ns]:
        _timers_nb(ints)
    if ints[L.pending] > 0 and time_ns >= ints[L.next_arrival_ns]:
        arrivals_nb(ints, reals)
    if ints[L.resting] > 0:
        resting_nb(ints, reals)
    if ints[L.positions] > 0:
        stops_nb(ints, reals)
    _margin_level_nb(ints, reals)
    for k in range(ints[L.positions]):
        position = ints[L.positions_at] + k * POSITION
        quote = closing_quote_nb(ints, ints[position + P.side])
        ints[position + P.lowest_points] = min(ints[position + P.lowest_points], quote)
        ints[position + P.highest_points] = max(ints[position + P.highest_points], quote)
    mark_nb(reals, equity_nb(ints, reals))


@helper
def _room_nb(ints: Any) -> bool:
    """Whether the tables can take whatever one tick may add."""
    alive = ints[L.positions] + ints[L.pending] + ints[L.resting] + MOST_REQUESTS
    # A fill can end each position once and open one more; a tick can bring every rollover that is left.
    swaps = ints[L.positions] * (ints[L.rollovers_rows] - ints[L.rollovers])
    return bool(
        ints[L.orders] + MOST_REQUESTS <= ints[L.orders_rows]
        and ints[L.fills] + 2 * alive + swaps <= ints[L.fills_rows]
        and ints[L.trades] + 2 * alive <= ints[L.trades_rows]
        and ints[L.events] + 6 * alive + swaps <= ints[L.events_rows]
        and alive <= ints[L.positions_rows]
    )


@kernel
def advance_nb(
    ints: Any,
    reals: Any,
    time_ns: Any,
    bid: Any,
    ask: Any,
    extremes: Any,
    rates: Any,
    signals: Any,
    first: int,
    last: int,
    shift: int,
    base: int,
    wake: int,
) -> tuple[int, int]:
    """Moves the account from segment offset ``first`` to ``last``, or to the next wake-up before it.

    Args:
        ints: The account's memory; changed in place.
        reals: The same memory, read as floats.
        time_ns: [n] ns, times of the segment's ticks; likewise ``bid`` and ``ask`` in points.
        extremes: [runs, EXTREMES] as `extremes_nb` made them, or [0, EXTREMES]: every tick is looked at.
        rates: [block, 2] bid and ask of the conversion pair at each tick, its points; [0, 2] where none is needed.
        signals: [k, SIGNAL] the stretches of the block's ticks with an `Action` other than NONE, as `signals_nb` wrote them.
        first: Segment offset of the first tick to process.
        last: Segment offset past the last tick to process.
        shift: Segment offset of the block's first tick.
        base: Index within the scenario of the segment's first tick.
        wake: `Wake` flags on which control goes back.

    Returns:
        The offset past the last processed tick, and the `Wake` flags that ended the call (0: ``last`` was reached). With
        ``GROW`` the tick at the returned offset is not processed yet: a table is full.
    """
    policy_on = ints[L.enabled] != 0
    heed_actions = policy_on or wake & WAKE_ACTION != 0
    i = first
    row = row_nb(signals, 0, first - shift)
    while i < last:
        if base + i >= ints[L.bucket_end]:
            _flush_bucket_nb(ints, reals, i)
        if wake & WAKE_TICK == 0:
            stop = last
            moment = ints[L.next_timer_ns]
            if ints[L.pending] > 0:
                moment = min(moment, ints[L.next_arrival_ns])
            if time_ns[i] >= moment:
                stop = i
            elif time_ns[stop - 1] >= moment:
                stop = first_at_nb(time_ns, extremes, moment, i, stop)
            if stop > i and heed_actions:
                row = row_nb(signals, row, i - shift)
                ahead = ahead_nb(ints, signals, row) if policy_on else row
                if ahead < len(signals):
                    stop = min(stop, max(signals[ahead, FIRST] + shift, i))
            if stop > i:
                i = pass_quiet_nb(ints, reals, time_ns, bid, ask, extremes, rates, i, stop, shift, base)
                if i >= last:
                    break
                if base + i >= ints[L.bucket_end]:
                    continue
        if not _room_nb(ints):
            return i, WAKE_GROW
        stand_at_nb(ints, time_ns, bid, ask, rates, i, shift, base)
        told = ints[L.events]
        _full_step_nb(ints, reals)
        row = row_nb(signals, row, i - shift)
        reason = 0
        if row < len(signals) and signals[row, FIRST] + shift <= i:
            if policy_on:
                policy_nb(ints, reals, signals[row, ACTION])
            else:
                reason |= wake & WAKE_ACTION
        if ints[L.events] > told:
            reason |= wake & WAKE_FILL
        reason |= wake & WAKE_TICK
        i += 1
        if reason != 0:
            return i, reason
    return last, 0


@kernel
def finish_nb(ints: Any, reals: Any) -> None:
    """Ends the scenario at its last tick: orders under way or resting expire, what is open closes (rule R12)."""
    for k in range(ints[L.pending]):
        end_order_nb(ints, ints[L.orders_at] + ints[ints[L.queue_at] + k] * ORDER, EXPIRED, AT_END)
    for k in range(ints[L.resting]):
        end_order_nb(ints, ints[L.orders_at] + ints[ints[L.book_at] + k] * ORDER, EXPIRED, AT_END)
    ints[L.pending] = 0
    ints[L.resting] = 0
    ints[L.next_arrival_ns] = FAR_FUTURE_NS
    while ints[L.positions] > 0:
        position = ints[L.positions_at]
        price = closing_quote_nb(ints, ints[position + P.side])
        exit_position_nb(ints, reals, 0, ints[position + P.volume_steps], price, EXIT_END, 0, False)
    mark_nb(reals, equity_nb(ints, reals))
    _flush_bucket_nb(ints, reals, 0)
