"""The account, tick by tick: `advance_nb` brings it to the next wake-up, `finish_nb` ends the scenario (rules R7, R12, R16)."""

from __future__ import annotations

import math
from typing import Any

from finiex_ray.core import enums, records
from finiex_ray.kernels.booking import equity_nb, mark_nb, sums_nb
from finiex_ray.kernels.jit import kernel
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


@kernel
def _flush_bucket_nb(state: Any) -> None:
    """Writes the current bucket as a row of the equity record and opens the next one."""
    account = state.account[0]
    row = state.equity[account["equity_rows"]]
    account["equity_rows"] += 1
    row["tick"] = account["last_tick"]
    row["time_ns"] = account["last_ns"]
    row["balance"] = account["balance_minor"]
    row["equity"] = account["equity"]
    row["equity_low"] = account["bucket_low"]
    row["equity_high"] = account["bucket_high"]
    account["bucket_low"] = math.inf
    account["bucket_high"] = -math.inf
    account["bucket_end"] += account["bucket_ticks"]


@kernel
def _policy_nb(state: Any, action: int, tick: int, time_ns: int) -> None:
    """The one-position policy: turns the action of one tick into requests."""
    account = state.account[0]
    policy = state.policy[0]
    if account["pending"] > 0:
        return
    free = account["equity"]
    side = action
    if account["positions"] > 0:
        position = state.positions[0]
        if action == position["side"]:
            return
        request_nb(
            state, tick, time_ns, CLOSE, -position["side"], position["volume_steps"], position["position_id"],
            NO_PRICE, NO_PRICE, 0, 0, 0,
        )  # fmt: skip
        if policy["reverse"] == 0:
            return
    if side == DO_CLOSE or free < policy["min_free_margin"]:
        return
    request_nb(
        state, tick, time_ns, MARKET, side, policy["volume_steps"], 0,
        NO_PRICE, NO_PRICE, policy["sl_offset_points"], policy["tp_offset_points"], 0,
    )  # fmt: skip


@kernel
def _band_nb(state: Any) -> tuple[int, int, int, int]:
    """Highest bid and ask that trigger downwards, lowest that trigger upwards: between them no stop can fire."""
    bid_low, bid_high, ask_low, ask_high = -FAR, FAR, -FAR, FAR
    for k in range(state.account[0]["positions"]):
        position = state.positions[k]
        sl, tp = position["sl_points"], position["tp_points"]
        if position["tp_at_quote"] != 0:
            return FAR, -FAR, FAR, -FAR
        if position["side"] > 0:
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


@kernel
def _next_action_nb(actions: Any, first: int, last: int) -> int:
    """Offset of the first tick from ``first`` on that has an action, or ``last``."""
    i = first
    while i < last and actions[i] == 0:
        i += 1
    return i


@kernel
def _pass_quiet_nb(state: Any, time_ns: Any, bid: Any, ask: Any, first: int, last: int, base: int) -> int:
    """Passes over ticks at which nothing but marks can happen; returns the first offset that needs the full step.

    Within the band of the open stops, with nothing under way and no action, a tick only moves equity and excursions.
    """
    account = state.account[0]
    symbol = state.symbol[0]
    if account["positions"] == 0:
        account["last_tick"] = base + last - 1
        account["last_ns"] = time_ns[last - 1]
        mark_nb(account, float(account["balance_minor"]))
        return last
    bid_low, bid_high, ask_low, ask_high = _band_nb(state)
    sums = sums_nb(account, state.positions)
    balance = account["balance_minor"]
    least_bid, most_bid, least_ask, most_ask = FAR, -FAR, FAR, -FAR
    i = first
    while i < last:
        b, a = bid[i], ask[i]
        if b <= bid_low or b >= bid_high or a <= ask_low or a >= ask_high:
            break
        least_bid, most_bid = min(least_bid, b), max(most_bid, b)
        least_ask, most_ask = min(least_ask, a), max(most_ask, a)
        mark_nb(account, equity_nb(symbol, balance, sums, b, a))
        i += 1
    if i > first:
        account["last_tick"] = base + i - 1
        account["last_ns"] = time_ns[i - 1]
        for k in range(account["positions"]):
            position = state.positions[k]
            low = least_bid if position["side"] > 0 else least_ask
            high = most_bid if position["side"] > 0 else most_ask
            position["lowest_points"] = min(position["lowest_points"], low)
            position["highest_points"] = max(position["highest_points"], high)
    return i


@kernel
def _full_step_nb(state: Any, time_ns: int, bid: int, ask: int, tick: int) -> int:
    """One tick in the order of rule R7: arrivals, stop loss and take profit, marks. Returns how many requests or stops acted."""
    account = state.account[0]
    events = 0
    if account["pending"] > 0 and time_ns >= account["next_arrival_ns"]:
        events += arrivals_nb(state, bid, ask, tick, time_ns)
    if account["positions"] > 0:
        events += stops_nb(state, bid, ask, tick, time_ns)
    account["last_tick"] = tick
    account["last_ns"] = time_ns
    for k in range(account["positions"]):
        position = state.positions[k]
        quote = bid if position["side"] > 0 else ask
        position["lowest_points"] = min(position["lowest_points"], quote)
        position["highest_points"] = max(position["highest_points"], quote)
    mark_nb(account, equity_nb(state.symbol[0], account["balance_minor"], sums_nb(account, state.positions), bid, ask))
    return events


@kernel
def _room_nb(state: Any) -> bool:
    """Whether the record arrays can take whatever one tick may add."""
    account = state.account[0]
    ends = account["positions"] + account["pending"] + 2
    return bool(
        account["orders"] + 2 <= len(state.orders)
        and account["fills"] + ends <= len(state.fills)
        and account["trades"] + ends <= len(state.trades)
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
    account = state.account[0]
    policy_on = state.policy[0]["enabled"] != 0
    heed_actions = policy_on or wake & WAKE_ACTION != 0
    i = first
    while i < last:
        if base + i >= account["bucket_end"]:
            _flush_bucket_nb(state)
        if account["pending"] == 0 and wake & WAKE_TICK == 0:
            stop = min(last, account["bucket_end"] - base)
            if heed_actions:
                stop = _next_action_nb(actions, i, stop)
            if stop > i:
                i = _pass_quiet_nb(state, time_ns, bid, ask, i, stop, base)
                if i >= last:
                    break
                if base + i >= account["bucket_end"]:
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
    account = state.account[0]
    tick, time_ns = account["last_tick"], account["last_ns"]
    for k in range(account["pending"]):
        order = state.orders[state.queue[k]]
        order["state"] = EXPIRED
        order["reason"] = AT_END
        order["done_tick"] = tick
        order["done_ns"] = time_ns
    account["pending"] = 0
    account["next_arrival_ns"] = records.FAR_FUTURE_NS
    while account["positions"] > 0:
        price = bid if state.positions[0]["side"] > 0 else ask
        exit_position_nb(state, 0, price, tick, time_ns, BY_END, 0)
    mark_nb(account, float(account["balance_minor"]))
    _flush_bucket_nb(state)
