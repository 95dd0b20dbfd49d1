"""Simple and exponential moving averages of bar closes (arguments as in `finiex_ray.kernels.rsi`)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from finiex_ray.core.market import FloatArray, IntArray
from finiex_ray.kernels.jit import helper, kernel

__all__ = ["ema_nb", "sma_nb", "take_close_nb"]


@kernel
def sma_nb(
    close_hp: IntArray,
    span_first: IntArray,
    span_closed: IntArray,
    price_hp: IntArray,
    live: bool,
    period: int,
    half_point: float,
    out: FloatArray,
) -> None:
    """Mean of ``period`` closes; the sum is an integer, so nothing drifts and no state is kept."""
    window = period - 1
    total = 0
    done = -1
    for j in range(span_closed.size):
        first, last = span_first[j], min(span_first[j + 1], price_hp.size)
        closed = span_closed[j] if live else span_closed[j] - 1
        if closed < window or closed < 0:
            out[first:last] = math.nan
            continue
        if done < 0:
            for bar in range(closed - window, closed):
                total += close_hp[bar]
        else:
            for bar in range(done, closed):
                total += close_hp[bar] - close_hp[bar - window]
        done = closed
        if live:
            for i in range(first, last):
                out[i] = (total + price_hp[i]) / period * half_point
        else:
            out[first:last] = (total + close_hp[closed]) / period * half_point


@helper
def take_close_nb(close_hp: IntArray, bar: int, period: int, value: float) -> float:
    """Takes one more closed bar into an exponential mean, or into the sum that it begins with."""
    if bar >= period:
        return value + (close_hp[bar] - value) * (2.0 / (period + 1))
    value += close_hp[bar]
    return value / period if bar == period - 1 else value


@kernel
def ema_nb(
    close_hp: IntArray,
    span_first: IntArray,
    span_closed: IntArray,
    price_hp: IntArray,
    live: bool,
    period: int,
    half_point: float,
    consumed: NDArray[np.int64],
    mean: FloatArray,
    out: FloatArray,
) -> None:
    """Exponential mean with factor 2 / (period + 1), begun with the mean of the first ``period`` closes.

    ``consumed`` [1] counts the bars taken in; ``mean`` [1] is their sum until there are ``period``, then the mean,
    half points.
    """
    factor = 2.0 / (period + 1)
    done, value = consumed[0], mean[0]
    for j in range(span_closed.size):
        first, last = span_first[j], min(span_first[j + 1], price_hp.size)
        closed = span_closed[j] if live else span_closed[j] - 1
        while done < closed:
            value = take_close_nb(close_hp, done, period, value)
            done += 1
        if closed < period - 1 or closed < 0:
            out[first:last] = math.nan
        elif closed == period - 1:
            if live:
                for i in range(first, last):
                    out[i] = (value + price_hp[i]) / period * half_point
            else:
                out[first:last] = (value + close_hp[closed]) / period * half_point
        elif live:
            for i in range(first, last):
                out[i] = (value + (price_hp[i] - value) * factor) * half_point
        else:
            out[first:last] = (value + (close_hp[closed] - value) * factor) * half_point
    consumed[0], mean[0] = done, value
