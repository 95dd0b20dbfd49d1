"""Decisions of the shipped logics: workers' values in, one action (int8, codes of `Action`) a tick out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from finiex_ray.core.market import FloatArray, IntArray
from finiex_ray.kernels.jit import helper, kernel

__all__ = ["cross_nb", "rsi_band_nb"]


@helper
def _share_nb(value: float) -> float:
    return min(max(value, 0.0), 1.0)


@kernel
def rsi_band_nb(
    rsi: FloatArray,
    upper: FloatArray,
    lower: FloatArray,
    price_hp: IntArray,
    half_point: float,
    rsi_buy: float,
    rsi_sell: float,
    extremes: float,
    min_confidence: float,
    both: bool,
    out: NDArray[np.int8],
) -> None:
    """RSI *and* (``both``) or *or* band position past their thresholds; NaN and a band without width signal nothing.

    The confidence is the weaker (``both``) or the stronger of the two strengths: the share of the way from the
    threshold to the end of the RSI's scale, and the distance past the band's threshold in widths of the band, each in
    [0, 1].
    """
    for i in range(price_hp.size):
        width = upper[i] - lower[i]
        above = price_hp[i] * half_point - lower[i]
        rsi_low, rsi_high = rsi[i] < rsi_buy, rsi[i] > rsi_sell
        band_low = (width > 0.0) & (above < extremes * width)
        band_high = (width > 0.0) & (above > (1.0 - extremes) * width)
        if both:
            buy, sell = rsi_low & band_low, rsi_high & band_high
        else:
            buy, sell = rsi_low | band_low, rsi_high | band_high
        if min_confidence > 0.0 and (buy or sell):
            position = above / width if width > 0.0 else 0.5
            low_rsi = _share_nb((rsi_buy - rsi[i]) / rsi_buy) if rsi_low else 0.0
            high_rsi = _share_nb((rsi[i] - rsi_sell) / (100.0 - rsi_sell)) if rsi_high else 0.0
            low_band = _share_nb(extremes - position) if band_low else 0.0
            high_band = _share_nb(position - (1.0 - extremes)) if band_high else 0.0
            if both:
                buy = buy and min(low_rsi, low_band) >= min_confidence
                sell = sell and min(high_rsi, high_band) >= min_confidence
            else:
                buy = buy and max(low_rsi, low_band) >= min_confidence
                sell = sell and max(high_rsi, high_band) >= min_confidence
        out[i] = np.int8(buy) - np.int8(sell)


@kernel
def cross_nb(line: FloatArray, signal: FloatArray, side: NDArray[np.int64], out: NDArray[np.int8]) -> None:
    """BUY where ``line`` comes from below ``signal`` to above it, SELL where from above to below, else NONE.

    ``side`` [1] carries on which side the line last was (-1, 1, or 0 before it was on any); equality and NaN leave it.
    """
    last = side[0]
    for i in range(line.size):
        now = np.int64(line[i] > signal[i]) - np.int64(line[i] < signal[i])
        crossed = now != 0 and last == -now
        out[i] = np.int8(now) if crossed else np.int8(0)
        if now != 0:
            last = now
    side[0] = last
