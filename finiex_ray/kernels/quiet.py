"""The quiet band: ticks at which an account can only be marked are passed over in one tight loop (rule R16)."""

from __future__ import annotations

import math
from typing import Any

from finiex_ray.core.records import CURVE_COLUMNS as C
from finiex_ray.core.records import LEDGER_COLUMNS as L
from finiex_ray.core.records import ORDER_COLUMNS as O
from finiex_ray.core.records import POSITION_COLUMNS as P
from finiex_ray.kernels import codes
from finiex_ray.kernels.booking import mark_nb, sums_nb, unrealised_nb
from finiex_ray.kernels.codes import CURVE, ORDER, POSITION
from finiex_ray.kernels.jit import helper, inlined
from finiex_ray.kernels.runs import RUN

__all__ = ["band_nb", "close_bucket_nb", "equity_band_nb", "pass_quiet_nb", "row_nb", "stand_at_nb", "value_nb"]

NO_PRICE = codes.NO_PRICE
LIMIT, TRIGGERED = codes.LIMIT, codes.TRIGGERED
FAR = 2**62


@inlined
def row_nb(signals: Any, row: int, offset: int) -> int:
    """First row from ``row`` on whose tick is at or past ``offset`` of the block: doubling steps, then halving ones."""
    n = len(signals)
    if row >= n or signals[row, 0] >= offset:
        return row
    low, step = row, 1
    while low + step < n and signals[low + step, 0] < offset:
        low += step
        step *= 2
    high = min(low + step, n)
    while low + 1 < high:
        middle = (low + high) // 2
        if signals[middle, 0] < offset:
            low = middle
        else:
            high = middle
    return high


@inlined
def stand_at_nb(ints: Any, time_ns: Any, bid: Any, ask: Any, rates: Any, i: int, shift: int, base: int) -> None:
    """Makes the tick at segment offset ``i`` the account's current one."""
    ints[L.last_tick], ints[L.last_ns] = base + i, time_ns[i]
    ints[L.last_bid], ints[L.last_ask] = bid[i], ask[i]
    if ints[L.rate_mode] != 0:
        ints[L.rate_bid], ints[L.rate_ask] = rates[i - shift, 0], rates[i - shift, 1]


@inlined
def band_nb(ints: Any) -> tuple[int, int, int, int]:
    """Highest bid and ask that trigger downwards, lowest that trigger upwards: between them no price makes anything happen."""
    bid_low, bid_high, ask_low, ask_high = -FAR, FAR, -FAR, FAR
    for k in range(ints[L.positions]):
        position = ints[L.positions_at] + k * POSITION
        sl, tp, trail = ints[position + P.sl_points], ints[position + P.tp_points], ints[position + P.trail_points]
        if ints[position + P.tp_at_quote] != 0 or (trail != 0 and sl == NO_PRICE):
            return FAR, -FAR, FAR, -FAR
        if ints[position + P.side] > 0:
            if sl != NO_PRICE:
                bid_low = max(bid_low, sl)
            if tp != NO_PRICE:
                bid_high = min(bid_high, tp)
            if trail != 0:
                bid_high = min(bid_high, sl + trail + 1)
        else:
            if sl != NO_PRICE:
                ask_high = min(ask_high, sl)
            if tp != NO_PRICE:
                ask_low = max(ask_low, tp)
            if trail != 0:
                ask_low = max(ask_low, sl - trail - 1)
    for k in range(ints[L.resting]):
        order = ints[L.orders_at] + ints[ints[L.book_at] + k] * ORDER
        at_limit = ints[order + O.type] == LIMIT or ints[order + O.state] == TRIGGERED
        level = ints[order + O.price_points] if at_limit else ints[order + O.stop_points]
        if ints[order + O.side] > 0:
            if at_limit:
                ask_low = max(ask_low, level)
            else:
                ask_high = min(ask_high, level)
        elif at_limit:
            bid_high = min(bid_high, level)
        else:
            bid_low = max(bid_low, level)
    return bid_low, bid_high, ask_low, ask_high


@inlined
def equity_band_nb(ints: Any, reals: Any) -> tuple[float, float]:
    """Equity at or below which the margin level does something (the call, or once it is out, the stop-out), or above which."""
    share = reals[L.stop_out_share] if ints[L.margin_called] != 0 else reals[L.margin_call_share]
    share = max(share, reals[L.stop_out_share])
    floor = share * reals[L.margin_used] if share >= 0.0 and ints[L.positions] > 0 else -1.0e300
    ceiling = 1.0e300
    if ints[L.margin_called] != 0:
        ceiling = reals[L.margin_call_share] * reals[L.margin_used]
    return floor, ceiling


@helper
def close_bucket_nb(
    ints: Any, reals: Any, tick: int, time_ns: int, equity: float, low: float, high: float, offset: int
) -> None:
    """Writes a row of the equity record, and says where the next bucket ends.

    A bucket of more than a run ends where a run of the segment ends, so that whole runs can be passed over.
    """
    if ints[L.equity_rows] == ints[L.curve_rows]:  # more ticks than were announced: the last row takes them in
        ints[L.equity_rows] -= 1
    row = ints[L.curve_at] + ints[L.equity_rows] * CURVE
    ints[L.equity_rows] += 1
    ints[row + C.tick] = tick
    ints[row + C.time_ns] = time_ns
    reals[row + C.balance] = ints[L.balance_minor]
    reals[row + C.equity] = equity
    reals[row + C.equity_low] = low
    reals[row + C.equity_high] = high
    until = offset + ints[L.bucket_ticks]
    if ints[L.bucket_ticks] >= RUN:
        until = (until + RUN - 1) // RUN * RUN
    ints[L.bucket_end] += until - offset


@inlined
def value_nb(
    bid: int,
    ask: int,
    long_steps: int,
    long_entry: int,
    short_steps: int,
    short_entry: int,
    own_quote: bool,
    value: float,
) -> float:
    """Unrealised profit of all positions in minor units; the arithmetic of `equity_nb`."""
    long_points = long_steps * bid - long_entry
    short_points = short_entry - short_steps * ask
    if own_quote:
        return (long_points / bid + short_points / ask) * value
    return (long_points + short_points) * value


@helper
def _pass_flat_nb(ints: Any, reals: Any, time_ns: Any, last: int, base: int) -> None:
    """Passes over ticks of an account without positions: equity is the balance, only buckets of the record end."""
    balance = float(ints[L.balance_minor])
    mark_nb(reals, balance)
    i = min(last, ints[L.bucket_end] - base)
    while i < last:
        low, high = reals[L.bucket_low], reals[L.bucket_high]
        close_bucket_nb(ints, reals, base + i - 1, time_ns[i - 1], balance, low, high, i)
        reals[L.bucket_low] = reals[L.bucket_high] = balance
        i = min(last, ints[L.bucket_end] - base)


@helper
def pass_quiet_nb(
    ints: Any,
    reals: Any,
    time_ns: Any,
    bid: Any,
    ask: Any,
    extremes: Any,
    rates: Any,
    first: int,
    last: int,
    shift: int,
    base: int,
) -> int:
    """Passes over ticks at which nothing but marks can happen; returns the first offset that needs the full step.

    Within the band of stops and resting orders, above the margin call, with nothing under way, no action and no timer, a
    tick only moves equity and excursions. The arguments are those of `advance_nb`.
    """
    flat = ints[L.positions] == 0
    if flat and ints[L.resting] == 0:
        _pass_flat_nb(ints, reals, time_ns, last, base)
        stand_at_nb(ints, time_ns, bid, ask, rates, last - 1, shift, base)
        return last
    bid_low, bid_high, ask_low, ask_high = band_nb(ints)
    long_steps, long_entry, short_steps, short_entry = sums_nb(ints)
    own_quote, value, balance = ints[L.own_quote] != 0, reals[L.value], ints[L.balance_minor]
    least_bid, most_bid, least_ask, most_ask = FAR, -FAR, FAR, -FAR
    floor, ceiling = equity_band_nb(ints, reals)
    # The marks of `mark_nb`, with the account's extremes in locals: stores in this loop would cost most of its time.
    equity, peak, trough = reals[L.equity], reals[L.equity_peak], reals[L.equity_trough]
    fall, rise, drawdown = reals[L.peak_fall], reals[L.trough_rise], reals[L.max_drawdown_share]
    most_fall, most_rise = reals[L.max_drawdown], reals[L.max_runup]
    low, high = reals[L.bucket_low], reals[L.bucket_high]
    converted = ints[L.rate_mode] != 0 and not flat
    one_sided = (long_steps == 0 or short_steps == 0) and not converted
    i, inside = first, True
    until = min(last, ints[L.bucket_end] - base)
    while i < last and inside:
        if i == until:
            close_bucket_nb(ints, reals, base + i - 1, time_ns[i - 1], equity, low, high, i)
            low, high = math.inf, -math.inf
            until = min(last, ints[L.bucket_end] - base)
        run = i // RUN
        end = min(run * RUN + RUN, until)
        if one_sided:
            # A run whose extremes move no extreme of the account is passed over whole: equity follows one quote only.
            if end - i == RUN and run < len(extremes):
                low_bid, high_bid = extremes[run, 0], extremes[run, 1]
                low_ask, high_ask = extremes[run, 2], extremes[run, 3]
            else:
                low_bid, high_bid, low_ask, high_ask = bid[i], bid[i], ask[i], ask[i]
                bids, asks = bid[i:end], ask[i:end]
                for k in range(len(bids)):
                    low_bid, high_bid = min(low_bid, bids[k]), max(high_bid, bids[k])
                    low_ask, high_ask = min(low_ask, asks[k]), max(high_ask, asks[k])
            if low_bid > bid_low and high_bid < bid_high and low_ask > ask_low and high_ask < ask_high:
                worst = value_nb(low_bid, high_ask, long_steps, long_entry, short_steps, short_entry, own_quote, value)
                best = value_nb(high_bid, low_ask, long_steps, long_entry, short_steps, short_entry, own_quote, value)
                worst, best = balance + worst, balance + best
                drop, gain = peak - worst, best - trough
                # What is no larger than the largest so far changes nothing, whether or not it is since the latest peak.
                calm = best <= peak and (drop <= fall or (drop <= most_fall and drop <= drawdown * peak))
                calm = calm and worst >= trough and (gain <= rise or gain <= most_rise)
                if calm and worst > floor and best <= ceiling:
                    least_bid, most_bid = min(least_bid, low_bid), max(most_bid, high_bid)
                    least_ask, most_ask = min(least_ask, low_ask), max(most_ask, high_ask)
                    low, high = min(low, worst), max(high, best)
                    i = end
                    if i == until:
                        equity = balance + value_nb(
                            bid[i - 1], ask[i - 1], long_steps, long_entry, short_steps, short_entry, own_quote, value
                        )
                    continue
        while i < end:
            b, a = bid[i], ask[i]
            if converted:
                points = long_steps * b - long_entry + short_entry - short_steps * a
                now = balance + unrealised_nb(ints, points, value, rates[i - shift, 0], rates[i - shift, 1])
            else:
                now = balance + value_nb(b, a, long_steps, long_entry, short_steps, short_entry, own_quote, value)
            if b <= bid_low or b >= bid_high or a <= ask_low or a >= ask_high or now <= floor or now > ceiling:
                inside = False
                break
            equity = now
            least_bid, most_bid = min(least_bid, b), max(most_bid, b)
            least_ask, most_ask = min(least_ask, a), max(most_ask, a)
            low, high = min(low, equity), max(high, equity)
            if equity > peak:
                peak, fall = equity, 0.0
            elif peak - equity > fall:
                fall = peak - equity
                most_fall = max(most_fall, fall)
                if fall > drawdown * peak:
                    drawdown = fall / peak
            if equity < trough:
                trough, rise = equity, 0.0
            elif equity - trough > rise:
                rise = equity - trough
                most_rise = max(most_rise, rise)
            i += 1
    if i > first:
        reals[L.equity], reals[L.equity_peak], reals[L.equity_trough] = equity, peak, trough
        reals[L.peak_fall], reals[L.trough_rise], reals[L.max_drawdown_share] = fall, rise, drawdown
        reals[L.max_drawdown], reals[L.max_runup] = most_fall, most_rise
        reals[L.bucket_low], reals[L.bucket_high] = low, high
        stand_at_nb(ints, time_ns, bid, ask, rates, i - 1, shift, base)
        for k in range(ints[L.positions]):
            position = ints[L.positions_at] + k * POSITION
            least = least_bid if ints[position + P.side] > 0 else least_ask
            most = most_bid if ints[position + P.side] > 0 else most_ask
            ints[position + P.lowest_points] = min(ints[position + P.lowest_points], least)
            ints[position + P.highest_points] = max(ints[position + P.highest_points], most)
    return i
