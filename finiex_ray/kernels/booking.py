"""Money: rounding, profit, commission, swap, margin and equity of the simulated account (rules R2, R6, R8, R9, R16)."""

from __future__ import annotations

from typing import Any

from finiex_ray.core.records import EVENT_COLUMNS as E
from finiex_ray.core.records import LEDGER_COLUMNS as L
from finiex_ray.core.records import POSITION_COLUMNS as P
from finiex_ray.kernels.codes import EVENT, POSITION
from finiex_ray.kernels.jit import inlined

__all__ = [
    "closing_quote_nb",
    "commission_nb",
    "equity_nb",
    "event_nb",
    "free_margin_nb",
    "margin_nb",
    "margin_used_nb",
    "mark_nb",
    "profit_nb",
    "rate_nb",
    "round_ratio_nb",
    "sums_nb",
    "swap_nb",
    "unrealised_nb",
]


@inlined
def round_ratio_nb(numerator: int, denominator: int) -> int:
    """Integer nearest to ``numerator / denominator`` (denominator > 0), halves away from zero (rule R2)."""
    if numerator >= 0:
        return (2 * numerator + denominator) // (2 * denominator)
    return -((denominator - 2 * numerator) // (2 * denominator))


@inlined
def profit_nb(ints: Any, side: int, steps: int, entry_points: int, exit_points: int) -> int:
    """Profit in minor units between two recorded prices, rounded once (rules R6, R10)."""
    amount = (exit_points - entry_points) * side * steps * ints[L.value_num]
    denominator = ints[L.value_den]
    if ints[L.own_quote] != 0:
        denominator = denominator * exit_points
    return _converted_nb(ints, amount, denominator)


@inlined
def rate_nb(ints: Any, gain: bool) -> int:
    """The conversion pair's price in points for an amount of the quote currency: what is gained is sold, what is lost bought."""
    if ints[L.rate_mode] == 1:
        return ints[L.rate_bid] if gain else ints[L.rate_ask]
    return ints[L.rate_ask] if gain else ints[L.rate_bid]


@inlined
def _converted_nb(ints: Any, amount: int, denominator: int) -> int:
    """A ratio of the quote currency as minor units of the account currency, rounded once (rules R2, R10)."""
    if ints[L.rate_mode] == 1:
        amount = amount * rate_nb(ints, amount >= 0)
    elif ints[L.rate_mode] == 2:
        denominator = denominator * rate_nb(ints, amount >= 0)
    return round_ratio_nb(amount, denominator)


@inlined
def commission_nb(ints: Any, steps: int, price_points: int, maker: bool) -> int:
    """Commission of one side of a deal in minor units, zero or negative; resting limit orders make (rule R9)."""
    num = ints[L.maker_num] if maker else ints[L.commission_num]
    den = ints[L.maker_den] if maker else ints[L.commission_den]
    amount = steps * num
    if ints[L.commission_by_price] != 0:
        return _converted_nb(ints, -amount * price_points, den)
    return -round_ratio_nb(amount, den)


@inlined
def swap_nb(ints: Any, side: int, steps: int, days: int, price_points: int) -> int:
    """Swap of one position over one rollover in minor units, either sign (rule R9)."""
    num = ints[L.swap_long_num] if side > 0 else ints[L.swap_short_num]
    den = ints[L.swap_long_den] if side > 0 else ints[L.swap_short_den]
    amount = steps * days * num
    if ints[L.swap_by_price] > 0:
        amount = amount * price_points
    elif ints[L.swap_by_price] < 0:
        den = den * price_points
    if ints[L.swap_in_quote] != 0:
        return _converted_nb(ints, amount, den)
    return round_ratio_nb(amount, den)


@inlined
def margin_nb(ints: Any, held_steps: int, steps: int, price_points: int, rate: int) -> float:
    """Margin of ``steps`` that come on top of ``held_steps``, through the symbol's leverage tiers, in minor units (rule R8).

    ``rate`` is the conversion rate in points of the pair, 1 where none is needed. One division of integers, so a margin
    that is a whole number is exactly that: an account that has just enough has enough.
    """
    amount, low = 0, 0
    for k in range(ints[L.tiers_rows]):
        high = ints[ints[L.tiers_at] + k * 2]
        inside = min(high, held_steps + steps) - max(low, held_steps)
        if inside > 0:
            amount += inside * ints[ints[L.tiers_at] + k * 2 + 1]
        low = high
    if ints[L.margin_by_price] != 0:
        amount = amount * price_points
    if ints[L.rate_mode] == 2:
        return float(amount / (ints[L.margin_den] * rate))
    return float(amount * rate / ints[L.margin_den])


@inlined
def margin_used_nb(ints: Any) -> tuple[float, int]:
    """Margin and volume of the open positions, summed in fill order, so that no rounding is carried along (rule R8)."""
    used, held = 0.0, 0
    for k in range(ints[L.positions]):
        position = ints[L.positions_at] + k * POSITION
        steps = ints[position + P.volume_steps]
        used += margin_nb(ints, held, steps, ints[position + P.entry_price_points], ints[position + P.margin_rate])
        held += steps
    return used, held


@inlined
def sums_nb(ints: Any) -> tuple[int, int, int, int]:
    """Steps and steps · entry price of all long and of all short positions: what equity needs to know of them."""
    long_steps, long_entry, short_steps, short_entry = 0, 0, 0, 0
    for k in range(ints[L.positions]):
        position = ints[L.positions_at] + k * POSITION
        steps = ints[position + P.volume_steps]
        entry = steps * ints[position + P.entry_price_points]
        if ints[position + P.side] > 0:
            long_steps += steps
            long_entry += entry
        else:
            short_steps += steps
            short_entry += entry
    return long_steps, long_entry, short_steps, short_entry


@inlined
def equity_nb(ints: Any, reals: Any) -> float:
    """Balance plus unrealised profit at the quotes that would close each position, in minor units (rule R16)."""
    bid, ask = ints[L.last_bid], ints[L.last_ask]
    long_steps, long_entry, short_steps, short_entry = sums_nb(ints)
    balance = ints[L.balance_minor]
    long_points = long_steps * bid - long_entry
    short_points = short_entry - short_steps * ask
    if ints[L.own_quote] != 0:
        return float(balance + (long_points / bid + short_points / ask) * reals[L.value])
    if ints[L.rate_mode] != 0:
        return balance + unrealised_nb(
            ints, long_points + short_points, reals[L.value], ints[L.rate_bid], ints[L.rate_ask]
        )
    return float(balance + (long_points + short_points) * reals[L.value])


@inlined
def unrealised_nb(ints: Any, points: int, value: float, rate_bid: int, rate_ask: int) -> float:
    """Unrealised profit at the conversion pair's quotes, in minor units (rules R10, R16)."""
    if ints[L.rate_mode] == 1:
        return points * value * (rate_bid if points >= 0 else rate_ask)
    return points * value / (rate_ask if points >= 0 else rate_bid)


@inlined
def free_margin_nb(ints: Any, reals: Any) -> float:
    """What new positions may use: equity, or the cash of a spot account, less the margin used (rule R8)."""
    funds = float(ints[L.balance_minor]) if ints[L.spot] != 0 else equity_nb(ints, reals)
    return funds - reals[L.margin_used]


@inlined
def event_nb(ints: Any, kind: int, order_id: int, position_id: int) -> None:
    """Writes down what the logic is told of at its next wake-up."""
    event = ints[L.events_at] + ints[L.events] * EVENT
    ints[L.events] += 1
    ints[event + E.kind] = kind
    ints[event + E.tick] = ints[L.last_tick]
    ints[event + E.time_ns] = ints[L.last_ns]
    ints[event + E.order_id] = order_id
    ints[event + E.position_id] = position_id


@inlined
def closing_quote_nb(ints: Any, side: int) -> int:
    """The current quote at which a position of ``side`` is closed, and valued."""
    return ints[L.last_bid] if side > 0 else ints[L.last_ask]


@inlined
def mark_nb(reals: Any, equity: float) -> None:
    """Takes one equity value into peak, trough, drawdown, run-up and the current bucket (rule R16)."""
    reals[L.equity] = equity
    if equity > reals[L.equity_peak]:
        reals[L.equity_peak] = equity
        reals[L.peak_fall] = 0.0
    elif reals[L.equity_peak] - equity > reals[L.peak_fall]:
        fall = reals[L.equity_peak] - equity
        reals[L.peak_fall] = fall
        if fall > reals[L.max_drawdown]:
            reals[L.max_drawdown] = fall
        # Always divided: the largest of rounded quotients does not depend on the ticks that were looked at before.
        reals[L.max_drawdown_share] = max(reals[L.max_drawdown_share], fall / reals[L.equity_peak])
    if equity < reals[L.equity_trough]:
        reals[L.equity_trough] = equity
        reals[L.trough_rise] = 0.0
    elif equity - reals[L.equity_trough] > reals[L.trough_rise]:
        rise = equity - reals[L.equity_trough]
        reals[L.trough_rise] = rise
        if rise > reals[L.max_runup]:
            reals[L.max_runup] = rise
    if equity < reals[L.bucket_low]:
        reals[L.bucket_low] = equity
    if equity > reals[L.bucket_high]:
        reals[L.bucket_high] = equity
