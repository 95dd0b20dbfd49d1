"""Money: rounding, profit, commission, margin and equity of the simulated account (rules R2, R6, R8, R9, R16)."""

from __future__ import annotations

from typing import Any

from finiex_ray.kernels.jit import kernel

__all__ = ["commission_nb", "equity_nb", "margin_nb", "mark_nb", "profit_nb", "round_ratio_nb", "sums_nb"]


@kernel
def round_ratio_nb(numerator: int, denominator: int) -> int:
    """Integer nearest to ``numerator / denominator`` (denominator > 0), halves away from zero (rule R2)."""
    if numerator >= 0:
        return (2 * numerator + denominator) // (2 * denominator)
    return -((denominator - 2 * numerator) // (2 * denominator))


@kernel
def profit_nb(symbol: Any, side: int, steps: int, entry_points: int, exit_points: int) -> int:
    """Profit in minor units between two recorded prices, rounded once (rules R6, R10)."""
    points = (exit_points - entry_points) * side
    denominator = symbol["value_den"]
    if symbol["own_quote"] != 0:
        denominator = denominator * exit_points
    return round_ratio_nb(points * steps * symbol["value_num"], denominator)


@kernel
def commission_nb(symbol: Any, steps: int, price_points: int) -> int:
    """Commission of one side of a deal in minor units, zero or negative (rule R9)."""
    amount = steps * symbol["commission_num"]
    if symbol["commission_by_price"] != 0:
        amount = amount * price_points
    return -round_ratio_nb(amount, symbol["commission_den"])


@kernel
def margin_nb(symbol: Any, steps: int, price_points: int) -> float:
    """Margin that a position needs, in minor units, not rounded (rule R8)."""
    margin = steps * symbol["margin"]
    if symbol["margin_by_price"] != 0:
        margin = margin * price_points
    return float(margin)


@kernel
def sums_nb(account: Any, positions: Any) -> tuple[int, int, int, int]:
    """Steps and steps · entry price of all long and of all short positions: what equity needs to know of them."""
    long_steps, long_entry, short_steps, short_entry = 0, 0, 0, 0
    for k in range(account["positions"]):
        steps = positions[k]["volume_steps"]
        entry = steps * positions[k]["entry_price_points"]
        if positions[k]["side"] > 0:
            long_steps += steps
            long_entry += entry
        else:
            short_steps += steps
            short_entry += entry
    return long_steps, long_entry, short_steps, short_entry


@kernel
def equity_nb(symbol: Any, balance: int, sums: tuple[int, int, int, int], bid: int, ask: int) -> float:
    """Balance plus unrealised profit at the quotes that would close each position, in minor units (rule R16)."""
    long_steps, long_entry, short_steps, short_entry = sums
    long_points = long_steps * bid - long_entry
    short_points = short_entry - short_steps * ask
    if symbol["own_quote"] != 0:
        return float(balance + (long_points / bid + short_points / ask) * symbol["value"])
    return float(balance + (long_points + short_points) * symbol["value"])


@kernel
def mark_nb(account: Any, equity: float) -> None:
    """Takes one equity value into peak, trough, drawdown, run-up and the current bucket (rule R16)."""
    account["equity"] = equity
    if equity > account["equity_peak"]:
        account["equity_peak"] = equity
        account["peak_fall"] = 0.0
    elif account["equity_peak"] - equity > account["peak_fall"]:
        fall = account["equity_peak"] - equity
        account["peak_fall"] = fall
        if fall > account["max_drawdown"]:
            account["max_drawdown"] = fall
        if fall > account["max_drawdown_share"] * account["equity_peak"]:
            account["max_drawdown_share"] = fall / account["equity_peak"]
    if equity < account["equity_trough"]:
        account["equity_trough"] = equity
        account["trough_rise"] = 0.0
    elif equity - account["equity_trough"] > account["trough_rise"]:
        rise = equity - account["equity_trough"]
        account["trough_rise"] = rise
        if rise > account["max_runup"]:
            account["max_runup"] = rise
    if equity < account["bucket_low"]:
        account["bucket_low"] = equity
    if equity > account["bucket_high"]:
        account["bucket_high"] = equity
