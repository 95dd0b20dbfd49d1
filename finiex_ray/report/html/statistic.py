"""`Statistic`: one line of a page, with its definition."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import pandas as pd

from finiex_ray.display.numbers import count, duration, money, percent, ratio

__all__ = ["Statistic", "amount", "count_of", "number", "percent_of", "ratio_of", "share", "time_of"]


class Statistic(NamedTuple):
    """One line of a page."""

    name: str
    value: float | None
    text: str
    definition: str


def amount(name: str, value: Any, definition: str) -> Statistic:
    """An amount of money."""
    value = number(value)
    return Statistic(name, value, money(value), definition)


def ratio_of(name: str, value: Any, definition: str) -> Statistic:
    """A ratio with two decimals."""
    value = number(value)
    return Statistic(name, value, ratio(value), definition)


def percent_of(name: str, value: Any, definition: str) -> Statistic:
    """A number that is percent already."""
    value = number(value)
    return Statistic(name, value, percent(value, 2), definition)


def count_of(name: str, value: Any, definition: str) -> Statistic:
    """A whole number."""
    value = number(value)
    return Statistic(name, value, count(value), definition)


def time_of(name: str, value: Any, definition: str) -> Statistic:
    """A time in seconds."""
    value = number(value)
    return Statistic(name, value, duration(value), definition)


def number(value: Any) -> float | None:
    """A number; None for what is missing or not finite."""
    if value is None or value is pd.NA:
        return None
    return float(value) if math.isfinite(value) else None


def share(part: float, whole: float) -> float | None:
    """Percent that a part is of a whole, where there is a whole."""
    return 100.0 * part / whole if whole else None
