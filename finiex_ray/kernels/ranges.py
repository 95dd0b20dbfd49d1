"""Indicators of highs and lows (arguments as in `kernels.rsi`; ``forming_*``: the forming bar at each tick)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from finiex_ray.core.market import FloatArray, IntArray
from finiex_ray.kernels.jit import kernel

__all__ = ["atr_nb", "stochastic_nb"]


@kernel
def atr_nb(
    high_hp: IntArray,
    low_hp: IntArray,
    close_hp: IntArray,
    span_first: IntArray,
    span_closed: IntArray,
    forming_high_hp: IntArray,
    forming_low_hp: IntArray,
    ticks: int,
    live: bool,
    period: int,
    half_point: float,
    consumed: NDArray[np.int64],
    base: FloatArray,
    out: FloatArray,
) -> None:
    """Wilder's mean of the true range, begun with the mean of the first ``period`` ranges (the first bar has none).

    ``consumed`` [1] counts bars; ``base`` [1] is what the next range is added to: the sum, later mean * (period - 1),
    half points.
    """
    done, value = consumed[0], base[0]
    for j in range(span_closed.size):
        first, last = span_first[j], min(span_first[j + 1], ticks)
        closed = span_closed[j] if live else span_closed[j] - 1
        while done < closed:
            if done > 0:
                before = close_hp[done - 1]
                value += max(high_hp[done], before) - min(low_hp[done], before)
                if done >= period:
                    value = value / period * (period - 1)
            done += 1
        if closed < period:
            out[first:last] = math.nan
            continue
        before = close_hp[closed - 1]
        if live:
            for i in range(first, last):
                reach = max(forming_high_hp[i], before) - min(forming_low_hp[i], before)
                out[i] = (value + reach) / period * half_point
        else:
            reach = max(high_hp[closed], before) - min(low_hp[closed], before)
            out[first:last] = (value + reach) / period * half_point
    consumed[0], base[0] = done, value


@kernel
def _percent_nb(price: int, high: int, low: int) -> float:
    """Where the price stands between low and high, percent; 50 where there is no range."""
    return 100.0 * (price - low) / (high - low) if high > low else 50.0


@kernel
def _raw_k_nb(high_hp: IntArray, low_hp: IntArray, close_hp: IntArray, bar: int, k_period: int) -> float:
    """The unsmoothed %K of a closed bar."""
    high, low = high_hp[bar], low_hp[bar]
    for b in range(bar - k_period + 1, bar):
        high, low = max(high, high_hp[b]), min(low, low_hp[b])
    return _percent_nb(close_hp[bar], high, low)


@kernel
def stochastic_nb(
    high_hp: IntArray,
    low_hp: IntArray,
    close_hp: IntArray,
    span_first: IntArray,
    span_closed: IntArray,
    price_hp: IntArray,
    forming_high_hp: IntArray,
    forming_low_hp: IntArray,
    live: bool,
    k_period: int,
    k_smooth: int,
    d_period: int,
    recent: FloatArray,
    out_k: FloatArray,
    out_d: FloatArray,
) -> None:
    """%K smoothed by a plain mean, and %D, its plain mean, percent; keeps no state.

    ``recent`` [k_smooth + d_period] is scratch space for the unsmoothed values of the bars before.
    """
    for j in range(span_closed.size):
        first, last = span_first[j], min(span_first[j + 1], price_hp.size)
        closed = span_closed[j] if live else span_closed[j] - 1
        if closed < k_period + k_smooth + d_period - 3 or closed < 0 or first >= last:
            out_k[first:last] = math.nan
            out_d[first:last] = math.nan
            continue
        count = k_smooth + d_period - 2
        for b in range(count):
            recent[b] = _raw_k_nb(high_hp, low_hp, close_hp, closed - count + b, k_period)
        smooth_sum = 0.0
        for b in range(d_period - 1, count):
            smooth_sum += recent[b]
        d_sum = 0.0
        for s in range(d_period - 1):
            inner = 0.0
            for b in range(s, s + k_smooth):
                inner += recent[b]
            d_sum += inner / k_smooth
        top, bottom = close_hp[closed - 1] if closed else 0, close_hp[closed - 1] if closed else 0
        for b in range(closed - k_period + 1, closed):
            top, bottom = max(top, high_hp[b]), min(bottom, low_hp[b])
        ticks = last if live else first + 1
        for i in range(first, ticks):
            price = price_hp[i] if live else close_hp[closed]
            high = forming_high_hp[i] if live else high_hp[closed]
            low = forming_low_hp[i] if live else low_hp[closed]
            if k_period > 1:
                high, low = max(high, top), min(low, bottom)
            smoothed = (smooth_sum + _percent_nb(price, high, low)) / k_smooth
            out_k[i] = smoothed
            out_d[i] = (d_sum + smoothed) / d_period
        if not live:
            out_k[first:last] = out_k[first]
            out_d[first:last] = out_d[first]
