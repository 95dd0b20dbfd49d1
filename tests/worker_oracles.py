"""Plain-Python twins of the worker kernels: each takes closed bars and the forming one, and knows no state.

A bar is (high, low, close) in half points; ``bars`` ends with the bar that the value is for. NaN where bars are too few.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

Bars = list[tuple[int, int, int]]
NAN = math.nan


def rsi(bars: Bars, period: int, method: str) -> dict[str, float]:
    closes = [bar[2] for bar in bars]
    changes = [b - a for a, b in pairwise(closes)]
    if len(changes) < period:
        return {"rsi": NAN}
    window = changes[:period] if method == "wilder" else changes[-period:]
    up = sum(max(c, 0) for c in window) / period
    down = sum(max(-c, 0) for c in window) / period
    for change in changes[period:] if method == "wilder" else []:
        up = (up * (period - 1) + max(change, 0)) / period
        down = (down * (period - 1) + max(-change, 0)) / period
    return {"rsi": 100 * up / (up + down) if up + down else 50.0}


def _ema(values: list[float], period: int) -> list[float]:
    means = [sum(values[:period]) / period]
    for value in values[period:]:
        means.append(means[-1] + (value - means[-1]) * 2 / (period + 1))
    return means


def moving_average(bars: Bars, unit: float, period: int, kind: str) -> dict[str, float]:
    closes = [float(bar[2]) for bar in bars]
    if len(closes) < period:
        return {"ma": NAN}
    return {"ma": unit * (sum(closes[-period:]) / period if kind == "sma" else _ema(closes, period)[-1])}


def envelope(bars: Bars, unit: float, period: int, kind: str, deviation: float) -> dict[str, float]:
    mean = moving_average(bars, unit, period, kind)["ma"]
    return {"upper": mean * (1 + deviation / 100), "middle": mean, "lower": mean * (1 - deviation / 100)}


def bollinger(bars: Bars, unit: float, period: int, deviation: float) -> dict[str, float]:
    closes = [bar[2] for bar in bars[-period:]]
    if len(closes) < period:
        return dict.fromkeys(("upper", "middle", "lower"), NAN)
    mean = Fraction(sum(closes), period)
    spread = math.sqrt(sum((close - mean) ** 2 for close in closes) / period)
    return {
        "upper": (float(mean) + deviation * spread) * unit,
        "middle": float(mean) * unit,
        "lower": (float(mean) - deviation * spread) * unit,
    }


def macd(bars: Bars, unit: float, fast: int, slow: int, signal: int) -> dict[str, float]:
    closes = [float(bar[2]) for bar in bars]
    if len(closes) < slow:
        return {"macd": NAN, "signal": NAN, "histogram": NAN}
    lines = [a - b for a, b in zip(_ema(closes[slow - fast :], fast), _ema(closes, slow), strict=True)]
    mean = _ema(lines, signal)[-1] if len(lines) >= signal else NAN
    return {"macd": lines[-1] * unit, "signal": mean * unit, "histogram": (lines[-1] - mean) * unit}


def atr(bars: Bars, unit: float, period: int) -> dict[str, float]:
    ranges = [max(b[0], a[2]) - min(b[1], a[2]) for a, b in pairwise(bars)]
    if len(ranges) < period:
        return {"atr": NAN}
    mean = sum(ranges[:period]) / period
    for reach in ranges[period:]:
        mean = (mean * (period - 1) + reach) / period
    return {"atr": mean * unit}


def stochastic(bars: Bars, k_period: int, k_smooth: int, d_period: int) -> dict[str, float]:
    if len(bars) < k_period + k_smooth + d_period - 2:
        return {"k": NAN, "d": NAN}

    def raw(end: int) -> float:
        window = bars[end - k_period : end]
        high, low = max(bar[0] for bar in window), min(bar[1] for bar in window)
        return 100 * (window[-1][2] - low) / (high - low) if high > low else 50.0

    def smooth(end: int) -> float:
        return sum(raw(end - s) for s in range(k_smooth)) / k_smooth

    count = len(bars)
    return {"k": smooth(count), "d": sum(smooth(count - s) for s in range(d_period)) / d_period}


def oracle(name: str, params: dict[str, object], unit: float) -> Callable[[Bars], dict[str, float]]:
    """The twin of a shipped worker with its parameters bound."""
    functions: dict[str, Callable[..., dict[str, float]]] = {
        "rsi": rsi, "moving_average": moving_average, "envelope": envelope, "bollinger": bollinger,
        "macd": macd, "atr": atr, "stochastic": stochastic,
    }  # fmt: skip
    bound = dict(params) if name in ("rsi", "stochastic") else {"unit": unit, **params}
    return lambda bars: functions[name](bars, **bound)
