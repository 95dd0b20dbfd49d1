"""Where an indicator on the forming bar reaches a value: within a span it depends on the price alone, and never falls with it.

A kernel gives for each span the price in half points at which its indicator equals ``value``: below that price the
indicator is below the value, above it above. NaN: the indicator has no value in the span. `UNKNOWN` (inf): the place is too
flat to be told from rounding, or there is none. The prices are roots of the formulas in `rsi`, `bands` and `averages`,
found in floating point: whoever uses them keeps `SLACK_HP` away.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finiex_ray.core.market import FloatArray, IntArray
from finiex_ray.kernels.averages import take_close_nb
from finiex_ray.kernels.jit import helper, kernel
from finiex_ray.kernels.rsi import take_change_nb
from finiex_ray.kernels.runs import RUN, run_range_nb

__all__ = ["SLACK_HP", "UNKNOWN", "average_level_nb", "bollinger_level_nb", "candidates_nb", "rsi_level_nb"]

UNKNOWN = math.inf
SLACK_HP = 2.0  # half points; the roots' own rounding is many orders of magnitude smaller
FLAT = 1e-9  # slope of an indicator, relative to its scale, under which rounding could hide where it crosses
FAR = 2.0**62


@helper
def _rsi_root_nb(before: int, gain: float, loss: float, value: float) -> float:
    movement = gain + loss
    if movement == 0.0:
        return float(before)
    # Above the last close: 100 (gain + c) = value (movement + c). Below it: 100 gain = value (movement - c).
    change = (value * movement - 100.0 * gain) / (100.0 - value)
    slope = 100.0 - value
    if change < 0.0:
        change = movement - 100.0 * gain / value
        slope = value
    return before + change if slope > FLAT * (movement + abs(change)) else UNKNOWN


@kernel
def rsi_level_nb(
    close_hp: IntArray,
    span_closed: IntArray,
    period: int,
    wilder: bool,
    value: float,
    consumed: NDArray[np.int64],
    base: FloatArray,
    out: FloatArray,
) -> None:
    """Prices at which an RSI reaches ``value`` (0 < value < 100).

    ``consumed`` and ``base`` are the state of Wilder's means, as in `finiex_ray.kernels.rsi`, of the caller's own.
    """
    done, gain, loss = consumed[0], base[0], base[1]
    for j in range(len(span_closed)):
        closed = span_closed[j]
        if wilder:
            while done < closed:
                gain, loss = take_change_nb(close_hp, done, period, gain, loss)
                done += 1
        else:
            gain = loss = 0.0
            for bar in range(closed - period + 1, closed if closed >= period else 0):
                change = float(close_hp[bar] - close_hp[bar - 1])
                gain += max(change, 0.0)
                loss += max(-change, 0.0)
        out[j] = math.nan if closed < period else _rsi_root_nb(close_hp[closed - 1], gain, loss, value)
    consumed[0], base[0], base[1] = done, gain, loss


@kernel
def bollinger_level_nb(
    close_hp: IntArray,
    span_closed: IntArray,
    period: int,
    score: float,
    out: FloatArray,
) -> None:
    """Prices that lie ``score`` population standard deviations above the mean of the window that they close.

    With u = (n - 1) d - t for the price's distance d from an anchor and the sum t of the other closes' distances, the
    price's score is u / sqrt(u² / (n - 1) + V), V = n Σ d² - t² n / (n - 1) over the others: it rises with u, and stays within
    ± sqrt(n - 1).
    """
    others = period - 1
    room = 1.0 - score * score / others
    for j in range(len(span_closed)):
        closed = span_closed[j]
        if closed < others or closed < 1:
            out[j] = math.nan
            continue
        anchor = close_hp[closed - 1]
        total = squares = 0.0
        for bar in range(closed - others, closed):
            distance = float(close_hp[bar] - anchor)
            total += distance
            squares += distance * distance
        spread = max(period * (squares - total * total / others), 0.0)
        out[j] = anchor + (total + score * math.sqrt(spread / room)) / others if room > FLAT else UNKNOWN


@kernel
def average_level_nb(
    close_hp: IntArray,
    span_closed: IntArray,
    period: int,
    exponential: bool,
    factor: float,
    consumed: NDArray[np.int64],
    mean: FloatArray,
    out: FloatArray,
) -> None:
    """Prices that are ``factor`` times the mean of closes that they are part of; state as in `finiex_ray.kernels.averages`."""
    done, value = consumed[0], mean[0]
    weight = 2.0 / (period + 1)
    for j in range(len(span_closed)):
        closed = span_closed[j]
        if exponential:
            while done < closed:
                value = take_close_nb(close_hp, done, period, value)
                done += 1
        if closed < period - 1:
            out[j] = math.nan
            continue
        # The mean is rest + share · price.
        if exponential and closed >= period:
            rest, share = value * (1.0 - weight), weight
        else:
            total = 0
            for bar in range(closed - period + 1, closed):
                total += close_hp[bar]
            rest, share = total / period, 1.0 / period
        room = 1.0 - factor * share
        out[j] = factor * rest / room if room > FLAT else UNKNOWN
    consumed[0], mean[0] = done, value


@kernel
def candidates_nb(
    extremes: Any,
    left: Any,
    right: Any,
    column: int,
    first: int,
    span_first: IntArray,
    low_hp: FloatArray,
    high_hp: FloatArray,
    out: IntArray,
) -> int:
    """Offsets within a block of the ticks whose price is below ``low_hp`` or above ``high_hp`` of their span; how many.

    Args:
        extremes: As for `finiex_ray.kernels.simulation.advance_nb`.
        left: [n] points, of the segment; the price in half points is left + right.
        right: See ``left``.
        column: The first of the price's columns in ``extremes``.
        first: Segment offset of the block's first tick.
        span_first: [spans + 1] first tick of each span within the block, and its length.
        low_hp: [spans] half points.
        high_hp: [spans] half points.
        out: [ticks of the block] receives the offsets.
    """
    found = 0
    for j in range(len(low_hp)):
        i, last = first + span_first[j], first + span_first[j + 1]
        # Integers compare quicker; a price is one.
        low = math.ceil(min(max(low_hp[j], -FAR), FAR))
        high = math.floor(min(max(high_hp[j], -FAR), FAR))
        while i < last:
            run = i // RUN
            end = min(run * RUN + RUN, last)
            if run < len(extremes):
                run_low, run_high = run_range_nb(extremes, run, column)
                if run_low >= low and run_high <= high:
                    i = end  # also where the span has a part of the run only: all of it is between
                    continue
            while i < end:
                price = left[i] + right[i]
                if price < low or price > high:
                    out[found] = i - first
                    found += 1
                i += 1
    return found
