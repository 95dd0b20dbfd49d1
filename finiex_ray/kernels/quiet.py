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
from finiex_ray.kernels.positions import nearer_nb
from finiex_ray.kernels.runs import RUN
from finiex_ray.kernels.signals import PAST

__all__ = ["band_nb", "close_bucket_nb", "equity_band_nb", "pass_quiet_nb", "row_nb", "stand_at_nb", "value_nb"]

NO_PRICE = codes.NO_PRICE
LIMIT, TRIGGERED = codes.LIMIT, codes.TRIGGERED
FAR = 2**62
PART = 16  # ticks of a run that are looked at together, where the run as a whole may do something


@inlined
def row_nb(signals: Any, row: int, offset: int) -> int:
    """First row from ``row`` on that does not end before ``offset`` of the block: doubling steps, then halving ones."""
    n = len(signals)
    if row >= n or signals[row, PAST] > offset:
        return row
    low, step = row, 1
    while low + step < n and signals[low + step, PAST] <= offset:
        low += step
        step *= 2
    high = min(low + step, n)
    while low + 1 < high:
        middle = (low + high) // 2
        if signals[middle, PAST] <= offset:
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
def band_nb(ints: Any) -> tuple[int, int, int, int, int, int]:
    """Highest bid and ask that trigger downwards, lowest that trigger upwards: between them no price makes anything happen.

    Trailing stops draw the band's outer edges after the quotes: the last two are the least distance of the longs' from the
    bid and of the shorts' from the ask, `FAR` where there are none.
    """
    bid_low, bid_high, ask_low, ask_high = -FAR, FAR, -FAR, FAR
    long_trail, short_trail = FAR, FAR
    for k in range(ints[L.positions]):
        position = ints[L.positions_at] + k * POSITION
        sl, tp, trail = ints[position + P.sl_points], ints[position + P.tp_points], ints[position + P.trail_points]
        if ints[position + P.tp_at_quote] != 0 or (trail != 0 and sl == NO_PRICE):
            return FAR, -FAR, FAR, -FAR, FAR, FAR
        if ints[position + P.side] > 0:
            if sl != NO_PRICE:
                bid_low = max(bid_low, sl)
            if tp != NO_PRICE:
                bid_high = min(bid_high, tp)
            if trail != 0:
                long_trail = min(long_trail, trail)
        else:
            if sl != NO_PRICE:
                ask_high = min(ask_high, sl)
            if tp != NO_PRICE:
                ask_low = max(ask_low, tp)
            if trail != 0:
                short_trail = min(short_trail, trail)
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
    return bid_low, bid_high, ask_low, ask_high, long_trail, short_trail


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


@inlined
def _follow_nb(
    quote: int,
    balance: int,
    long_steps: int,
    long_entry: int,
    short_steps: int,
    short_entry: int,
    own_quote: bool,
    value: float,
) -> float:
    """Equity of one-sided positions at the quote that closes them."""
    # The other quote is multiplied with no volume: it must only not be zero.
    return balance + value_nb(quote, quote, long_steps, long_entry, short_steps, short_entry, own_quote, value)


@inlined
def _reach_nb(
    least: int,
    most: int,
    balance: int,
    long_steps: int,
    long_entry: int,
    short_steps: int,
    short_entry: int,
    own_quote: bool,
    value: float,
) -> tuple[float, float]:
    """Lowest and highest equity of one-sided positions while the quote that closes them goes from ``least`` to ``most``."""
    one = _follow_nb(least, balance, long_steps, long_entry, short_steps, short_entry, own_quote, value)
    two = _follow_nb(most, balance, long_steps, long_entry, short_steps, short_entry, own_quote, value)
    return min(one, two), max(one, two)


@inlined
def _move_nb(
    down: float,
    up: float,
    floor: float,
    ceiling: float,
    peak: float,
    trough: float,
    fall: float,
    rise: float,
    most_fall: float,
    most_rise: float,
    drawdown: float,
) -> tuple[bool, float, float, float, float, float, float, float]:
    """The marks of ticks whose equity went from ``down`` to ``up``, in whatever order.

    Returns:
        Whether the order is without effect, and then peak, trough, fall, rise, largest fall and rise, and drawdown. After a
        new peak the fall since it is not known: 0 stands for it, as no fall of these ticks is a new largest one.
    """
    known = down > floor and up <= ceiling
    if up > peak:
        known = known and up - down <= most_fall and (up - down) / peak <= drawdown
        peak, fall = up, 0.0
    elif peak - down > fall:
        fall = peak - down
        most_fall = max(most_fall, fall)
        drawdown = max(drawdown, fall / peak)
    if down < trough:
        known = known and up - down <= most_rise
        trough, rise = down, 0.0
    elif up - trough > rise:
        rise = up - trough
        most_rise = max(most_rise, rise)
    return known, peak, trough, fall, rise, most_fall, most_rise, drawdown


@helper
def _bounds_nb(
    worst: float,
    best: float,
    long_steps: int,
    long_entry: int,
    short_steps: int,
    short_entry: int,
    own_quote: bool,
    value: float,
) -> tuple[int, int]:
    """Quotes between which the unrealised profit of one-sided positions is from ``worst`` to ``best``, safe from rounding."""
    if long_steps == 0 and short_steps == 0:
        return -FAR, FAR
    if worst > best:
        return FAR, -FAR + 1
    if long_steps > 0:
        low, high = worst / value, best / value
        if own_quote:
            low = long_entry / (long_steps - low) if low < long_steps else FAR
            high = long_entry / (long_steps - high) if high < long_steps else FAR
        else:
            low, high = (low + long_entry) / long_steps, (high + long_entry) / long_steps
    else:
        low, high = best / value, worst / value
        if own_quote:
            low = short_entry / (short_steps + low)
            high = short_entry / (short_steps + high) if high > -short_steps else FAR
        else:
            low, high = (short_entry - low) / short_steps, (short_entry - high) / short_steps
    low += 1.0 + abs(low) * 1e-12
    high -= 1.0 + abs(high) * 1e-12
    return math.ceil(max(min(low, 4.0e18), -4.0e18)), math.floor(max(min(high, 4.0e18), -4.0e18))


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

    Within the band of stops and resting orders, above the margin call, with no arrival, no action and no timer, a tick only
    moves equity, excursions and trailing stops. The arguments are those of `advance_nb`.
    """
    flat = ints[L.positions] == 0
    if flat and ints[L.resting] == 0:
        _pass_flat_nb(ints, reals, time_ns, last, base)
        stand_at_nb(ints, time_ns, bid, ask, rates, last - 1, shift, base)
        return last
    bid_low, bid_high, ask_low, ask_high, long_trail, short_trail = band_nb(ints)
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
    # Equity follows one quote only: the bid of long positions, the ask of short ones; bounds of it in place of equities.
    column, calm_low, calm_high = 0 if long_steps > 0 else 2, FAR, -FAR
    bucket_least, bucket_most, least, most = FAR, -FAR, FAR, -FAR
    while i < last and inside:
        if i == until:
            if bucket_least <= bucket_most:
                down, up = _reach_nb(
                    bucket_least, bucket_most, balance,
                    long_steps, long_entry, short_steps, short_entry, own_quote, value,
                )  # fmt: skip
                low, high = min(low, down), max(high, up)
                least, most = min(least, bucket_least), max(most, bucket_most)
                bucket_least, bucket_most = FAR, -FAR
            close_bucket_nb(ints, reals, base + i - 1, time_ns[i - 1], equity, low, high, i)
            low, high = math.inf, -math.inf
            until = min(last, ints[L.bucket_end] - base)
        run = i // RUN
        end = min(run * RUN + RUN, until)
        if one_sided:
            if calm_low > calm_high:
                best = min(peak, ceiling, trough + max(rise, most_rise))
                worst = max(trough, floor, peak - max(fall, min(most_fall, drawdown * peak)))
                calm_low, calm_high = _bounds_nb(
                    worst - balance, best - balance, long_steps, long_entry, short_steps, short_entry, own_quote, value
                )
            # Runs, then parts of a run, are passed over whole where the order of their prices is without effect: clear of the
            # stops, and of two extremes of the account at once.
            begin = i
            if i == run * RUN:
                runs = min(until // RUN, len(extremes))
                while (
                    run < runs
                    and extremes[run, 0] > max(bid_low, extremes[run, 1] - long_trail)
                    and extremes[run, 1] < bid_high
                    and extremes[run, 2] > ask_low
                    and extremes[run, 3] < min(ask_high, extremes[run, 2] + short_trail)
                ):
                    lowest, highest = extremes[run, column], extremes[run, column + 1]
                    calm = lowest > calm_low and highest < calm_high
                    if not calm:
                        down, up = _reach_nb(
                            lowest, highest, balance, long_steps, long_entry, short_steps, short_entry, own_quote, value
                        )
                        marks = _move_nb(
                            down, up, floor, ceiling, peak, trough, fall, rise, most_fall, most_rise, drawdown
                        )
                        if not marks[0]:
                            break
                        _, peak, trough, fall, rise, most_fall, most_rise, drawdown = marks
                        calm_low, calm_high = FAR, -FAR
                    bucket_least, bucket_most = min(bucket_least, lowest), max(bucket_most, highest)
                    bid_low = max(bid_low, extremes[run, 1] - long_trail)
                    ask_high = min(ask_high, extremes[run, 2] + short_trail)
                    run += 1
                    if not calm:
                        break  # to find the bounds anew
                i = max(i, run * RUN)
                end = min(run * RUN + RUN, until)
            if i == begin:
                end = min(i + PART, end)
                lowest, highest, sl_bid, sl_ask = FAR, -FAR, bid_low, ask_high
                bids, asks = bid[i:end], ask[i:end]
                for k in range(len(bids)):
                    b, a = bids[k], asks[k]
                    if b <= sl_bid or b >= bid_high or a <= ask_low or a >= sl_ask:
                        end, inside = i + k, False
                        break
                    quote = b if column == 0 else a
                    lowest, highest = min(lowest, quote), max(highest, quote)
                    sl_bid, sl_ask = max(sl_bid, b - long_trail), min(sl_ask, a + short_trail)
                if end == i:
                    break
                calm = lowest > calm_low and highest < calm_high
                if not calm:
                    down, up = _reach_nb(
                        lowest, highest, balance, long_steps, long_entry, short_steps, short_entry, own_quote, value
                    )
                    marks = _move_nb(down, up, floor, ceiling, peak, trough, fall, rise, most_fall, most_rise, drawdown)
                    if marks[0]:
                        _, peak, trough, fall, rise, most_fall, most_rise, drawdown = marks
                        calm, calm_low, calm_high = True, FAR, -FAR
                if calm:
                    bucket_least, bucket_most = min(bucket_least, lowest), max(bucket_most, highest)
                    bid_low, ask_high = sl_bid, sl_ask
                    i = end
            if i > begin:
                if i == until:
                    quote = bid[i - 1] if column == 0 else ask[i - 1]
                    equity = _follow_nb(
                        quote, balance, long_steps, long_entry, short_steps, short_entry, own_quote, value
                    )
                continue
            calm_low, calm_high = FAR, -FAR  # what follows may move the extremes
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
            bid_low, ask_high = max(bid_low, b - long_trail), min(ask_high, a + short_trail)
            low, high = min(low, equity), max(high, equity)
            if equity > peak:
                peak, fall = equity, 0.0
            elif peak - equity > fall:
                fall = peak - equity
                most_fall = max(most_fall, fall)
                drawdown = max(drawdown, fall / peak)
            if equity < trough:
                trough, rise = equity, 0.0
            elif equity - trough > rise:
                rise = equity - trough
                most_rise = max(most_rise, rise)
            i += 1
    if bucket_least <= bucket_most:
        down, up = _reach_nb(
            bucket_least, bucket_most, balance, long_steps, long_entry, short_steps, short_entry, own_quote, value
        )
        low, high = min(low, down), max(high, up)
        least, most = min(least, bucket_least), max(most, bucket_most)
    if column == 0:
        least_bid, most_bid = min(least_bid, least), max(most_bid, most)
    else:
        least_ask, most_ask = min(least_ask, least), max(most_ask, most)
    if i > first:
        reals[L.equity], reals[L.equity_peak], reals[L.equity_trough] = equity, peak, trough
        reals[L.peak_fall], reals[L.trough_rise], reals[L.max_drawdown_share] = fall, rise, drawdown
        reals[L.max_drawdown], reals[L.max_runup] = most_fall, most_rise
        reals[L.bucket_low], reals[L.bucket_high] = low, high
        stand_at_nb(ints, time_ns, bid, ask, rates, i - 1, shift, base)
        for k in range(ints[L.positions]):
            position = ints[L.positions_at] + k * POSITION
            least, most = (least_bid, most_bid) if ints[position + P.side] > 0 else (least_ask, most_ask)
            ints[position + P.lowest_points] = min(ints[position + P.lowest_points], least)
            ints[position + P.highest_points] = max(ints[position + P.highest_points], most)
            if ints[position + P.trail_points] != 0:
                trail, side = ints[position + P.trail_points], ints[position + P.side]
                ints[position + P.sl_points] = nearer_nb(
                    ints[position + P.sl_points], trail, side, most if side > 0 else least
                )
    return i
