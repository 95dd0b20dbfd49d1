"""The account, tick by tick: `advance_nb` brings it to the next wake-up, `finish_nb` ends the scenario (rules R7, R12, R16)."""

from __future__ import annotations

import math
from typing import Any

from finiex_ray.core import enums, records
from finiex_ray.core.records import CURVE_COLUMNS as E
from finiex_ray.core.records import LEDGER_COLUMNS as L
from finiex_ray.core.records import ORDER_COLUMNS as O
from finiex_ray.core.records import POSITION_COLUMNS as P
from finiex_ray.kernels.booking import equity_nb, mark_nb, sums_nb
from finiex_ray.kernels.jit import inlined, kernel
from finiex_ray.kernels.orders import arrivals_nb, exit_position_nb, request_nb, stops_nb

__all__ = ["advance_nb", "finish_nb"]

NO_PRICE = records.NO_PRICE
MARKET = int(enums.OrderType.MARKET)
CLOSE = int(enums.OrderType.CLOSE)
EXPIRED = int(enums.OrderState.EXPIRED)
AT_END = int(enums.RejectReason.SCENARIO_END)
BY_END = int(enums.ExitReason.SCENARIO_END)
DO_CLOSE = int(enums.Action.CLOSE)
WAKE_ACTION = int(enums.Wake.ACTION)
WAKE_FILL = int(enums.Wake.FILL)
WAKE_TICK = int(enums.Wake.TICK)
WAKE_GROW = int(enums.Wake.GROW)
FAR = 2**62


@inlined
def _flush_bucket_nb(state: Any) -> None:
    """Writes the current bucket as a row of the equity record and opens the next one."""
    ints, reals = state.ints, state.reals
    row = ints[L.equity_rows]
    ints[L.equity_rows] += 1
    state.curve_ints[row, E.tick] = ints[L.last_tick]
    state.curve_ints[row, E.time_ns] = ints[L.last_ns]
    state.curve_reals[row, E.balance] = ints[L.balance_minor]
    state.curve_reals[row, E.equity] = reals[L.equity]
    state.curve_reals[row, E.equity_low] = reals[L.bucket_low]
    state.curve_reals[row, E.equity_high] = reals[L.bucket_high]
    reals[L.bucket_low] = math.inf
    reals[L.bucket_high] = -math.inf
    ints[L.bucket_end] += ints[L.bucket_ticks]


@inlined
def _policy_nb(state: Any, action: int, tick: int, time_ns: int) -> None:
    """The one-position policy: turns the action of one tick into requests."""
    ints, reals = state.ints, state.reals
    if ints[L.pending] > 0:
        return
    free = reals[L.equity]
    side = action
    if ints[L.positions] > 0:
        position = state.positions[0]
        if action == position[P.side]:
            return
        request_nb(
            state, tick, time_ns, CLOSE, -position[P.side], position[P.volume_steps], position[P.position_id],
            NO_PRICE, NO_PRICE, 0, 0, 0,
        )  # fmt: skip
        if ints[L.reverse] == 0:
            return
    if side == DO_CLOSE or free < reals[L.min_free_margin]:
        return
    request_nb(
        state, tick, time_ns, MARKET, side, ints[L.volume_steps], 0,
        NO_PRICE, NO_PRICE, ints[L.sl_offset_points], ints[L.tp_offset_points], 0,
    )  # fmt: skip


@inlined
def _band_nb(state: Any) -> tuple[int, int, int, int]:
    """Highest bid and ask that trigger downwards, lowest that trigger upwards: between them no stop can fire."""
    bid_low, bid_high, ask_low, ask_high = -FAR, FAR, -FAR, FAR
    for k in range(state.ints[L.positions]):
        position = state.positions[k]
        sl, tp = position[P.sl_points], position[P.tp_points]
        if position[P.tp_at_quote] != 0:
            return FAR, -FAR, FAR, -FAR
        if position[P.side] > 0:
            if sl != NO_PRICE:
                bid_low = max(bid_low, sl)
            if tp != NO_PRICE:
                bid_high = min(bid_high, tp)
        else:
            if sl != NO_PRICE:
                ask_high = min(ask_high, sl)
            if tp != NO_PRICE:
                ask_low = max(ask_low, tp)
    return bid_low, bid_high, ask_low, ask_high


@inlined
def _next_action_nb(actions: Any, first: int, last: int, idle: int) -> int:
    """Offset of the first tick from ``first`` on whose action matters (is neither 0 nor ``idle``), or ``last``."""
    i = first
    while i < last and (actions[i] == 0 or actions[i] == idle):
        i += 1
    return i


@inlined
def _pass_quiet_nb(state: Any, time_ns: Any, bid: Any, ask: Any, first: int, last: int, base: int) -> int:
    """Passes over ticks at which nothing but marks can happen; returns the first offset that needs the full step.

    Within the band of the open stops, with nothing under way and no action, a tick only moves equity and excursions.
    """
    ints, reals = state.ints, state.reals
    if ints[L.positions] == 0:
        ints[L.last_tick] = base + last - 1
        ints[L.last_ns] = time_ns[last - 1]
        mark_nb(reals, float(ints[L.balance_minor]))
        return last
    bid_low, bid_high, ask_low, ask_high = _band_nb(state)
    long_steps, long_entry, short_steps, short_entry = sums_nb(ints, state.positions)
    own_quote, value, balance = ints[L.own_quote] != 0, reals[L.value], ints[L.balance_minor]
    least_bid, most_bid, least_ask, most_ask = FAR, -FAR, FAR, -FAR
    # The marks of `mark_nb`, with the account's extremes in locals: stores in this loop would cost most of its time.
    equity, peak, trough = reals[L.equity], reals[L.equity_peak], reals[L.equity_trough]
    fall, rise, share = reals[L.peak_fall], reals[L.trough_rise], reals[L.max_drawdown_share]
    most_fall, most_rise = reals[L.max_drawdown], reals[L.max_runup]
    low, high = reals[L.bucket_low], reals[L.bucket_high]
    i = first
    while i < last:
        b, a = bid[i], ask[i]
        if b <= bid_low or b >= bid_high or a <= ask_low or a >= ask_high:
            break
        least_bid, most_bid = min(least_bid, b), max(most_bid, b)
        least_ask, most_ask = min(least_ask, a), max(most_ask, a)
        long_points = long_steps * b - long_entry
        short_points = short_entry - short_steps * a
        if own_quote:
            equity = balance + (long_points / b + short_points / a) * value
        else:
            equity = balance + (long_points + short_points) * value
        low, high = min(low, equity), max(high, equity)
        if equity > peak:
            peak, fall = equity, 0.0
        elif peak - equity > fall:
            fall = peak - equity
            most_fall = max(most_fall, fall)
            if fall > share * peak:
                share = fall / peak
        if equity < trough:
            trough, rise = equity, 0.0
        elif equity - trough > rise:
            rise = equity - trough
            most_rise = max(most_rise, rise)
        i += 1
    if i > first:
        reals[L.equity], reals[L.equity_peak], reals[L.equity_trough] = equity, peak, trough
        reals[L.peak_fall], reals[L.trough_rise], reals[L.max_drawdown_share] = fall, rise, share
        reals[L.max_drawdown], reals[L.max_runup] = most_fall, most_rise
        reals[L.bucket_low], reals[L.bucket_high] = low, high
        ints[L.last_tick] = base + i - 1
        ints[L.last_ns] = time_ns[i - 1]
        for k in range(ints[L.positions]):
            position = state.positions[k]
            least = least_bid if position[P.side] > 0 else least_ask
            most = most_bid if position[P.side] > 0 else most_ask
            position[P.lowest_points] = min(position[P.lowest_points], least)
            position[P.highest_points] = max(position[P.highest_points], most)
    return i


@inlined
def _full_step_nb(state: Any, time_ns: int, bid: int, ask: int, tick: int) -> int:
    """One tick in the order of rule R7: arrivals, stop loss and take profit, marks. Returns how many requests or stops acted."""
    ints, reals = state.ints, state.reals
    events = 0
    if ints[L.pending] > 0 and time_ns >= ints[L.next_arrival_ns]:
        events += arrivals_nb(state, bid, ask, tick, time_ns)
    if ints[L.positions] > 0:
        events += stops_nb(state, bid, ask, tick, time_ns)
    ints[L.last_tick] = tick
    ints[L.last_ns] = time_ns
    for k in range(ints[L.positions]):
        position = state.positions[k]
        quote = bid if position[P.side] > 0 else ask
        position[P.lowest_points] = min(position[P.lowest_points], quote)
        position[P.highest_points] = max(position[P.highest_points], quote)
    mark_nb(reals, equity_nb(state, bid, ask))
    return events


@inlined
def _room_nb(state: Any) -> bool:
    """Whether the record arrays can take whatever one tick may add."""
    ints = state.ints
    ends = ints[L.positions] + ints[L.pending] + 2
    return bool(
        ints[L.orders] + 2 <= len(state.orders)
        and ints[L.fills] + ends <= len(state.fills)
        and ints[L.trades] + ends <= len(state.trades)
        and ends <= len(state.positions)
    )


@kernel
def advance_nb(
    state: Any, time_ns: Any, bid: Any, ask: Any, actions: Any, first: int, last: int, base: int, wake: int
) -> tuple[int, int]:
    """Moves the account from tick offset ``first`` of a block to ``last``, or to the next wake-up before it.

    Args:
        state: The account; changed in place.
        time_ns: [n] ns, times of the block's ticks; likewise ``bid`` and ``ask`` in points.
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
            if heed_actions:
                # To the policy, an action that the open position follows already is none.
                idle = state.positions[0, P.side] if policy_on and ints[L.positions] > 0 else 0
                stop = _next_action_nb(actions, i, stop, idle)
            if stop > i:
                i = _pass_quiet_nb(state, time_ns, bid, ask, i, stop, base)
                if i >= last:
                    break
                if base + i >= ints[L.bucket_end]:
                    _flush_bucket_nb(state)
        if not _room_nb(state):
            return i, WAKE_GROW
        events = _full_step_nb(state, time_ns[i], bid[i], ask[i], base + i)
        action = actions[i]
        reason = 0
        if policy_on:
            if action != 0:
                _policy_nb(state, action, base + i, time_ns[i])
        elif action != 0:
            reason |= wake & WAKE_ACTION
        if events > 0:
            reason |= wake & WAKE_FILL
        reason |= wake & WAKE_TICK
        i += 1
        if reason != 0:
            return i, reason
    return last, 0


@kernel
def finish_nb(state: Any, bid: int, ask: int) -> None:
    """Ends the scenario at its last tick: requests under way expire, what is open closes at the quotes (rule R12)."""
    ints, reals = state.ints, state.reals
    tick, time_ns = ints[L.last_tick], ints[L.last_ns]
    for k in range(ints[L.pending]):
        order = state.orders[state.queue[k]]
        order[O.state] = EXPIRED
        order[O.reason] = AT_END
        order[O.done_tick] = tick
        order[O.done_ns] = time_ns
    ints[L.pending] = 0
    ints[L.next_arrival_ns] = records.FAR_FUTURE_NS
    while ints[L.positions] > 0:
        price = bid if state.positions[0, P.side] > 0 else ask
        exit_position_nb(state, 0, price, tick, time_ns, BY_END, 0)
    mark_nb(reals, float(ints[L.balance_minor]))
    _flush_bucket_nb(state)
