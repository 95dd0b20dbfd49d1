"""The account, tick by tick: `advance_nb` brings it to the next wake-up, `finish_nb` ends the scenario (rules R7, R12, R16)."""

from __future__ import annotations

import math
from typing import Any

from finiex_ray.core.records import CURVE_COLUMNS as C
from finiex_ray.core.records import LEDGER_COLUMNS as L
from finiex_ray.core.records import ORDER_COLUMNS as O
from finiex_ray.core.records import POSITION_COLUMNS as P
from finiex_ray.kernels import codes
from finiex_ray.kernels.booking import equity_nb, event_nb, mark_nb
from finiex_ray.kernels.jit import inlined, kernel
from finiex_ray.kernels.matching import arrivals_nb, expiries_nb, resting_nb
from finiex_ray.kernels.positions import exit_position_nb, roll_over_nb, stops_nb
from finiex_ray.kernels.quiet import next_action_nb, pass_quiet_nb, timer_offset_nb
from finiex_ray.kernels.requests import clear_draft_nb, close_draft_nb, end_order_nb, send_nb, set_timer_nb

__all__ = ["advance_nb", "finish_nb"]

FAR_FUTURE_NS = codes.FAR_FUTURE_NS
MARKET, EXPIRED, AT_END, DO_CLOSE = codes.MARKET, codes.EXPIRED, codes.AT_END, codes.DO_CLOSE
EXIT_END, EXIT_STOP_OUT = codes.EXIT_END, codes.EXIT_STOP_OUT
TOLD_STOP_OUT, TOLD_MARGIN_CALL = codes.TOLD_STOP_OUT, codes.TOLD_MARGIN_CALL
WAKE_ACTION, WAKE_FILL, WAKE_TICK, WAKE_GROW = (
    codes.WAKE_ACTION,
    codes.WAKE_FILL,
    codes.WAKE_TICK,
    codes.WAKE_GROW,
)


@inlined
def _flush_bucket_nb(state: Any) -> None:
    """Writes the current bucket as a row of the equity record and opens the next one."""
    ints, reals = state.ints, state.reals
    row = ints[L.equity_rows]
    ints[L.equity_rows] += 1
    state.curve_ints[row, C.tick] = ints[L.last_tick]
    state.curve_ints[row, C.time_ns] = ints[L.last_ns]
    state.curve_reals[row, C.balance] = ints[L.balance_minor]
    state.curve_reals[row, C.equity] = reals[L.equity]
    state.curve_reals[row, C.equity_low] = reals[L.bucket_low]
    state.curve_reals[row, C.equity_high] = reals[L.bucket_high]
    reals[L.bucket_low] = math.inf
    reals[L.bucket_high] = -math.inf
    ints[L.bucket_end] += ints[L.bucket_ticks]


@kernel
def _policy_nb(state: Any, action: int, tick: int, time_ns: int) -> None:
    """The one-position policy: turns the action of one tick into requests."""
    ints, reals = state.ints, state.reals
    if ints[L.pending] > 0:
        return
    if ints[L.positions] > 0:
        position = state.positions[0]
        if action == position[P.side]:
            return
        close_draft_nb(state.draft, position)
        send_nb(state, tick, time_ns, 0)
        if ints[L.reverse] == 0:
            return
    if action == DO_CLOSE or reals[L.equity] < reals[L.min_free_margin]:
        return
    clear_draft_nb(state.draft)
    state.draft[O.type] = MARKET
    state.draft[O.side] = action
    state.draft[O.volume_steps] = ints[L.volume_steps]
    state.draft[O.sl_offset_points] = ints[L.sl_offset_points]
    state.draft[O.tp_offset_points] = ints[L.tp_offset_points]
    state.draft[O.trail_points] = ints[L.policy_trail_points]
    send_nb(state, tick, time_ns, 0)


@kernel
def _timers_nb(state: Any, time_ns: int, bid: int, ask: int, tick: int) -> None:
    """What time alone brings: the swap of every rollover that has passed, then expiries (rules R7, R9)."""
    ints = state.ints
    while ints[L.rollovers] < len(state.rollovers) and state.rollovers[ints[L.rollovers], 0] <= time_ns:
        roll_over_nb(state, state.rollovers[ints[L.rollovers], 1], bid, ask, tick, time_ns)
        ints[L.rollovers] += 1
    expiries_nb(state, tick, time_ns)
    set_timer_nb(state)


@kernel
def _margin_level_nb(state: Any, time_ns: int, bid: int, ask: int, tick: int) -> None:
    """Margin call, and at or below the stop-out level the largest loss first (the older one of equals; rule R8)."""
    ints, reals = state.ints, state.reals
    if ints[L.positions] == 0:
        ints[L.margin_called] = 0
        return
    equity = equity_nb(state, bid, ask)
    if reals[L.margin_call_share] >= 0.0:
        below = equity <= reals[L.margin_call_share] * reals[L.margin_used]
        if below and ints[L.margin_called] == 0:
            event_nb(state, TOLD_MARGIN_CALL, 0, 0, tick, time_ns)
        ints[L.margin_called] = 1 if below else 0
    if reals[L.stop_out_share] < 0.0:
        return
    while ints[L.positions] > 0 and equity <= reals[L.stop_out_share] * reals[L.margin_used]:
        worst, least = 0, 0
        for k in range(ints[L.positions]):
            position = state.positions[k]
            quote = bid if position[P.side] > 0 else ask
            profit = (quote - position[P.entry_price_points]) * position[P.side] * position[P.volume_steps]
            if k == 0 or profit < least:
                worst, least = k, profit
        position = state.positions[worst]
        quote = bid if position[P.side] > 0 else ask
        event_nb(state, TOLD_STOP_OUT, 0, position[P.position_id], tick, time_ns)
        exit_position_nb(state, worst, position[P.volume_steps], quote, tick, time_ns, EXIT_STOP_OUT, 0, False)
        equity = equity_nb(state, bid, ask)
    if ints[L.positions] == 0:
        ints[L.margin_called] = 0


@kernel
def _full_step_nb(state: Any, time_ns: int, bid: int, ask: int, tick: int) -> None:
    """One tick in the order of rule R7: timers, arrivals, limits, stops, stop loss and take profit, stop-out, marks."""
    ints = state.ints
    ints[L.last_tick], ints[L.last_ns] = tick, time_ns
    ints[L.last_bid], ints[L.last_ask] = bid, ask
    if time_ns >= ints[L.next_timer_ns]:
        _timers_nb(state, time_ns, bid, ask, tick)
    if ints[L.pending] > 0 and time_ns >= ints[L.next_arrival_ns]:
        arrivals_nb(state, bid, ask, tick, time_ns)
    if ints[L.resting] > 0:
        resting_nb(state, bid, ask, tick, time_ns)
    if ints[L.positions] > 0:
        stops_nb(state, bid, ask, tick, time_ns)
    _margin_level_nb(state, time_ns, bid, ask, tick)
    for k in range(ints[L.positions]):
        position = state.positions[k]
        quote = bid if position[P.side] > 0 else ask
        position[P.lowest_points] = min(position[P.lowest_points], quote)
        position[P.highest_points] = max(position[P.highest_points], quote)
    mark_nb(state.reals, equity_nb(state, bid, ask))


@inlined
def _room_nb(state: Any) -> bool:
    """Whether the record arrays can take whatever one tick may add."""
    ints = state.ints
    alive = ints[L.positions] + ints[L.pending] + ints[L.resting] + 2
    # A fill can end each position once and open one more; a tick can bring every rollover that is left.
    swaps = ints[L.positions] * (len(state.rollovers) - ints[L.rollovers])
    return bool(
        ints[L.orders] + 2 <= len(state.orders)
        and ints[L.fills] + 2 * alive + swaps <= len(state.fills)
        and ints[L.trades] + 2 * alive <= len(state.trades)
        and ints[L.events] + 6 * alive + swaps <= len(state.events)
        and alive <= len(state.positions)
    )


@kernel
def advance_nb(
    state: Any,
    time_ns: Any,
    bid: Any,
    ask: Any,
    rates: Any,
    actions: Any,
    first: int,
    last: int,
    base: int,
    wake: int,
) -> tuple[int, int]:
    """Moves the account from tick offset ``first`` of a block to ``last``, or to the next wake-up before it.

    Args:
        state: The account; changed in place.
        time_ns: [n] ns, times of the block's ticks; likewise ``bid`` and ``ask`` in points.
        rates: [n, 2] bid and ask of the conversion pair at each tick, its points; [0, 2] where none is needed.
        actions: [n] int8, the `Action` decided for each tick.
        first: Offset of the first tick to process.
        last: Offset past the last tick to process.
        base: Index of the block's first tick within the scenario.
        wake: `Wake` flags on which control goes back.

    Returns:
        The offset past the last processed tick, and the `Wake` flags that ended the call (0: ``last`` was reached). With
        ``GROW`` the tick at the returned offset is not processed yet: a record array is full.
    """
    ints = state.ints
    policy_on = ints[L.enabled] != 0
    heed_actions = policy_on or wake & WAKE_ACTION != 0
    i = first
    while i < last:
        if base + i >= ints[L.bucket_end]:
            _flush_bucket_nb(state)
        if ints[L.pending] == 0 and wake & WAKE_TICK == 0:
            stop = min(last, ints[L.bucket_end] - base)
            stop = timer_offset_nb(time_ns, ints[L.next_timer_ns], i, stop)
            if heed_actions:
                # To the policy, an action that the open position follows already is none.
                idle = state.positions[0, P.side] if policy_on and ints[L.positions] > 0 else 0
                stop = next_action_nb(actions, i, stop, idle)
            if stop > i:
                i = pass_quiet_nb(state, time_ns, bid, ask, rates, i, stop, base)
                if i >= last or base + i >= ints[L.bucket_end]:
                    continue
        if not _room_nb(state):
            return i, WAKE_GROW
        if ints[L.rate_mode] != 0:
            ints[L.rate_bid], ints[L.rate_ask] = rates[i, 0], rates[i, 1]
        told = ints[L.events]
        _full_step_nb(state, time_ns[i], bid[i], ask[i], base + i)
        action = actions[i]
        reason = 0
        if policy_on:
            if action != 0:
                _policy_nb(state, action, base + i, time_ns[i])
        elif action != 0:
            reason |= wake & WAKE_ACTION
        if ints[L.events] > told:
            reason |= wake & WAKE_FILL
        reason |= wake & WAKE_TICK
        i += 1
        if reason != 0:
            return i, reason
    return last, 0


@kernel
def finish_nb(state: Any, bid: int, ask: int, rates: Any) -> None:
    """Ends the scenario at its last tick: orders under way or resting expire, what is open closes (rule R12)."""
    ints = state.ints
    tick, time_ns = ints[L.last_tick], ints[L.last_ns]
    if ints[L.rate_mode] != 0:
        ints[L.rate_bid], ints[L.rate_ask] = rates[len(rates) - 1, 0], rates[len(rates) - 1, 1]
    for k in range(ints[L.pending]):
        end_order_nb(state, state.orders[state.queue[k]], EXPIRED, AT_END, tick, time_ns)
    for k in range(ints[L.resting]):
        end_order_nb(state, state.orders[state.book[k]], EXPIRED, AT_END, tick, time_ns)
    ints[L.pending] = 0
    ints[L.resting] = 0
    ints[L.next_arrival_ns] = FAR_FUTURE_NS
    while ints[L.positions] > 0:
        price = bid if state.positions[0, P.side] > 0 else ask
        exit_position_nb(state, 0, state.positions[0, P.volume_steps], price, tick, time_ns, EXIT_END, 0, False)
    mark_nb(state.reals, equity_nb(state, bid, ask))
    _flush_bucket_nb(state)
