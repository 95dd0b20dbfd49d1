"""Relative strength index.

One formula serves both modes: the value of a closed bar is the live value on the bars before it, at its own close.

All kernels of indicators share their arguments: ``close_hp`` closed bars, ``span_first`` and ``span_closed`` the
spans of `BarBlock`, ``price_hp`` the price at each tick, ``live`` whether the forming bar counts. State is carried in
small arrays from call to call, so that values do not depend on the block size.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from finiex_ray.core.market import FloatArray, IntArray
from finiex_ray.kernels.jit import helper, kernel

__all__ = ["rsi_simple_nb", "rsi_wilder_nb", "take_change_nb"]


@helper
def take_change_nb(close_hp: IntArray, bar: int, period: int, gain: float, loss: float) -> tuple[float, float]:
    """Takes the change to one more closed bar into Wilder's sums of gains and losses."""
    if bar > 0:
        change = float(close_hp[bar] - close_hp[bar - 1])
        gain += max(change, 0.0)
        loss += max(-change, 0.0)
        if bar >= period:
            gain = gain / period * (period - 1)
            loss = loss / period * (period - 1)
    return gain, loss


@helper
def _fill_rsi_nb(
    price_hp: IntArray, first: int, last: int, before: int, gain: float, loss: float, out: FloatArray
) -> None:
    """``100 * up / (up + down)`` with the change from ``before`` added to the base; 50 where nothing has moved."""
    movement = gain + loss
    for i in range(first, last):
        change = float(price_hp[i] - before)
        up = gain + max(change, 0.0)
        both = movement + abs(change)
        out[i] = 100.0 * up / both if both > 0.0 else 50.0


@kernel
def rsi_wilder_nb(
    close_hp: IntArray,
    span_first: IntArray,
    span_closed: IntArray,
    price_hp: IntArray,
    live: bool,
    period: int,
    consumed: NDArray[np.int64],
    base: FloatArray,
    out: FloatArray,
) -> None:
    """Wilder's RSI: mean of the first ``period`` changes, then ``(mean * (period - 1) + change) / period``.

    ``consumed`` [1] counts the bars taken in. ``base`` [2] is what the next gain and loss are added to, half points:
    the sums until ``period`` changes are there, then mean * (period - 1).
    """
    done, gain, loss = consumed[0], base[0], base[1]
    for j in range(span_closed.size):
        first, last = span_first[j], min(span_first[j + 1], price_hp.size)
        closed = span_closed[j] if live else span_closed[j] - 1
        while done < closed:
            gain, loss = take_change_nb(close_hp, done, period, gain, loss)
            done += 1
        if closed < period:
            out[first:last] = math.nan
        elif live:
            _fill_rsi_nb(price_hp, first, last, close_hp[closed - 1], gain, loss, out)
        else:
            _fill_rsi_nb(close_hp[closed : closed + 1], 0, 1, close_hp[closed - 1], gain, loss, out[first : first + 1])
            out[first:last] = out[first]
    consumed[0], base[0], base[1] = done, gain, loss


@kernel
def rsi_simple_nb(
    close_hp: IntArray,
    span_first: IntArray,
    span_closed: IntArray,
    price_hp: IntArray,
    live: bool,
    period: int,
    out: FloatArray,
) -> None:
    """RSI of plain means over the last ``period`` changes; sums of integers, so nothing drifts and no state is kept."""
    gain = loss = 0
    done = -1
    for j in range(span_closed.size):
        first, last = span_first[j], min(span_first[j + 1], price_hp.size)
        closed = span_closed[j] if live else span_closed[j] - 1
        if closed < period:
            out[first:last] = math.nan
            continue
        if done < 0:
            for bar in range(closed - period + 1, closed):
                change = close_hp[bar] - close_hp[bar - 1]
                gain += max(change, 0)
                loss += max(-change, 0)
        else:
            for bar in range(done, closed):
                change = close_hp[bar] - close_hp[bar - 1]
                gone = close_hp[bar - period + 1] - close_hp[bar - period]
                gain += max(change, 0) - max(gone, 0)
                loss += max(-change, 0) - max(-gone, 0)
        done = closed
        if live:
            _fill_rsi_nb(price_hp, first, last, close_hp[closed - 1], float(gain), float(loss), out)
        else:
            last_close = close_hp[closed : closed + 1]
            _fill_rsi_nb(last_close, 0, 1, close_hp[closed - 1], float(gain), float(loss), out[first : first + 1])
            out[first:last] = out[first]
