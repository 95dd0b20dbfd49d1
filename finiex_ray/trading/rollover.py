"""The rollovers of a window: 17:00 New York with daylight saving, how many days each counts (rule R9)."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import numpy as np

from finiex_ray.config.costs import SwapSpec, Weekday
from finiex_ray.core.market import IntArray
from finiex_ray.core.time import day_of
from finiex_ray.data.calendar import closing_ns

__all__ = ["rollovers"]

_SATURDAY = 5


def rollovers(swap: SwapSpec, first_ns: int, last_ns: int) -> IntArray:
    """Rollovers after ``first_ns`` and up to ``last_ns``.

    Args:
        swap: The symbol's swap; without one there are no rollovers.
        first_ns: Time of the window's first tick.
        last_ns: Time of its last tick.

    Returns:
        [k, 2] time (ns UTC) and days of each: one from Monday to Friday, three on the triple day, none at the weekend
        (unless the symbol rolls over there too).
    """
    rows = []
    if swap.kind != "none":
        day, end = day_of(first_ns) - timedelta(days=1), day_of(last_ns) + timedelta(days=1)
        while day <= end:
            moment = closing_ns(day)
            if first_ns < moment <= last_ns and (swap.weekends or day.weekday() < _SATURDAY):
                triple = not swap.weekends and swap.triple_day == get_args(Weekday)[day.weekday()]
                rows.append([moment, 3 if triple else 1])
            day += timedelta(days=1)
    return np.array(rows, np.int64).reshape(-1, 2)
