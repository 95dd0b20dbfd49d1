"""Moving average convergence divergence (arguments as in `finiex_ray.kernels.rsi`)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from finiex_ray.core.market import FloatArray, IntArray
from finiex_ray.kernels.jit import kernel

__all__ = ["macd_nb"]


@kernel
def _next_nb(value: float, price: float, index: int, period: int, start: int) -> float:
    """The next state of a mean that is a sum from bar ``start`` on, and exponential after ``period`` bars."""
    if index < start:
        return 0.0
    if index < start + period - 1:
        return value + price
    if index == start + period - 1:
        return (value + price) / period
    return value + (price - value) * (2.0 / (period + 1))


@kernel
def macd_nb(
    close_hp: IntArray,
    span_first: IntArray,
    span_closed: IntArray,
    price_hp: IntArray,
    live: bool,
    fast: int,
    slow: int,
    signal: int,
    half_point: float,
    consumed: NDArray[np.int64],
    means: FloatArray,
    out_macd: FloatArray,
    out_signal: FloatArray,
    out_histogram: FloatArray,
) -> None:
    """Fast minus slow exponential mean, its own exponential mean, and the distance between the two.

    Both means begin at the same bar, the ``slow``-th, with plain means of the last ``fast`` and ``slow`` closes; the
    signal begins with the mean of the first ``signal`` values. ``consumed`` [1] counts bars; ``means`` [3]: fast,
    slow, signal, half points.
    """
    begin = slow - 1
    done = consumed[0]
    quick, steady, smooth = means[0], means[1], means[2]
    for j in range(span_closed.size):
        first, last = span_first[j], min(span_first[j + 1], price_hp.size)
        closed = span_closed[j] if live else span_closed[j] - 1
        while done < closed:
            close = float(close_hp[done])
            quick = _next_nb(quick, close, done, fast, slow - fast)
            steady = _next_nb(steady, close, done, slow, 0)
            smooth = _next_nb(smooth, quick - steady, done, signal, begin)
            done += 1
        if closed < begin or first >= last:
            out_macd[first:last] = math.nan
            out_signal[first:last] = math.nan
            out_histogram[first:last] = math.nan
            continue
        settled = closed >= begin + signal - 1
        ticks = last if live else first + 1
        for i in range(first, ticks):
            price = float(price_hp[i]) if live else float(close_hp[closed])
            line = _next_nb(quick, price, closed, fast, slow - fast) - _next_nb(steady, price, closed, slow, 0)
            mean = _next_nb(smooth, line, closed, signal, begin) if settled else math.nan
            out_macd[i] = line * half_point
            out_signal[i] = mean * half_point
            out_histogram[i] = (line - mean) * half_point
        if not live:
            out_macd[first:last] = out_macd[first]
            out_signal[first:last] = out_signal[first]
            out_histogram[first:last] = out_histogram[first]
    consumed[0] = done
    means[0], means[1], means[2] = quick, steady, smooth
