"""Bands of standard deviations (arguments as in `finiex_ray.kernels.rsi`)."""

from __future__ import annotations

import math

from finiex_ray.core.market import FloatArray, IntArray
from finiex_ray.kernels.jit import helper, kernel

__all__ = ["bollinger_nb"]


@helper
def _fill_bands_nb(
    price_hp: IntArray,
    first: int,
    last: int,
    anchor: int,
    total: float,
    squares: float,
    period: int,
    deviation: float,
    half_point: float,
    upper: FloatArray,
    middle: FloatArray,
    lower: FloatArray,
) -> None:
    """Bands with the price added to a window of ``period - 1`` closes, given by sums of distances from ``anchor``."""
    scale = deviation / period
    for i in range(first, last):
        distance = float(price_hp[i] - anchor)
        moved = total + distance
        spread = period * (squares + distance * distance) - moved * moved
        width = scale * math.sqrt(spread if spread > 0.0 else 0.0)
        mean = anchor + moved / period
        upper[i] = (mean + width) * half_point
        middle[i] = mean * half_point
        lower[i] = (mean - width) * half_point


@kernel
def bollinger_nb(
    close_hp: IntArray,
    span_first: IntArray,
    span_closed: IntArray,
    price_hp: IntArray,
    live: bool,
    period: int,
    deviation: float,
    half_point: float,
    upper: FloatArray,
    middle: FloatArray,
    lower: FloatArray,
) -> None:
    """Mean of ``period`` closes plus and minus ``deviation`` population standard deviations.

    Sums are of distances from the latest closed bar (floats, exact up to 2^53) and are taken anew for each span: a
    rolling sum of squares could overflow on finely divided prices, and its rounding would depend on where it began.
    """
    for j in range(span_closed.size):
        first, last = span_first[j], min(span_first[j + 1], price_hp.size)
        closed = span_closed[j] if live else span_closed[j] - 1
        if closed < period - 1 or closed < 1 or first >= last:
            upper[first:last] = math.nan
            middle[first:last] = math.nan
            lower[first:last] = math.nan
            continue
        anchor = close_hp[closed - 1]
        total = squares = 0.0
        for bar in range(closed - period + 1, closed):
            distance = float(close_hp[bar] - anchor)
            total += distance
            squares += distance * distance
        if live:
            _fill_bands_nb(
                price_hp, first, last, anchor, total, squares, period, deviation, half_point, upper, middle, lower
            )
        else:
            one = slice(first, first + 1)
            _fill_bands_nb(
                close_hp[closed : closed + 1],
                0,
                1,
                anchor,
                total,
                squares,
                period,
                deviation,
                half_point,
                upper[one],
                middle[one],
                lower[one],
            )
            upper[first:last] = upper[first]
            middle[first:last] = middle[first]
            lower[first:last] = lower[first]
