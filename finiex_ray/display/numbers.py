"""Numbers as people read them: thousands separators, units, the same width for the same size."""

from __future__ import annotations

import math

__all__ = ["count", "data_size", "duration", "money", "percent", "rate", "ratio"]

_DASH = "–"
_SIZES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (0.0, "ns"))


def count(number: float | None) -> str:
    """A whole number: ``1,234,567``."""
    return _DASH if _missing(number) else f"{int(number or 0):,}"


def money(amount: float | None) -> str:
    """An amount with two decimals: ``-1,234.50``."""
    return _DASH if _missing(amount) else f"{amount:,.2f}"


def percent(share: float | None, decimals: int = 1) -> str:
    """A number that is percent already: ``12.3 %``."""
    return _DASH if _missing(share) else f"{share:,.{decimals}f} %"


def ratio(number: float | None) -> str:
    """A ratio with two decimals: ``1.25``."""
    return _DASH if _missing(number) else f"{number:,.2f}"


def rate(per_s: float | None) -> str:
    """A rate per second with three digits: ``12.3 M/s``."""
    if per_s is None or _missing(per_s):
        return _DASH
    for size, unit in _SIZES:
        if per_s >= size:
            return f"{_three_digits(per_s / size)} {unit}/s"
    return f"{per_s:.0f} /s"


def data_size(size: float | None) -> str:
    """Bytes: ``850 B``, ``12.3 MB``, ``4.56 GB`` (thousands, not 1,024s)."""
    if size is None or _missing(size):
        return _DASH
    for step, unit in _SIZES:
        if size >= step:
            return f"{_three_digits(size / step)} {unit}B"
    return f"{size:.0f} B"


def duration(seconds: float | None) -> str:
    """A time: ``850 ns``, ``12.3 ms``, ``4.56 s``, ``2:05``, ``1:02:05``, ``3 d 01:02:05``."""
    if seconds is None or _missing(seconds):
        return _DASH
    if seconds < 59.95:
        size, unit = next((size, unit) for size, unit in _UNITS if abs(seconds) >= size)
        return f"{_three_digits(seconds / (size or 1e-9))} {unit}" if seconds else "0 s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 24:
        return f"{hours // 24} d {hours % 24:02d}:{minutes:02d}:{rest:02d}"
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _three_digits(number: float) -> str:
    decimals = 2 if number < 9.995 else 1 if number < 99.95 else 0
    return f"{number:,.{decimals}f}"


def _missing(number: float | None) -> bool:
    return number is None or not math.isfinite(number)
