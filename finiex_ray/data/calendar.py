"""The trading week of spot FX: from Sunday 17:00 to Friday 17:00, New York."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from finiex_ray.core.time import day_of, to_ns

__all__ = ["closed_ns", "closing_ns", "open_span_ns"]

_NEW_YORK: Final = ZoneInfo("America/New_York")
_CLOSE_HOUR: Final = 17
_FRIDAY, _SATURDAY, _SUNDAY = 4, 5, 6


def closing_ns(day: date) -> int:
    """17:00 New York on a calendar day (21:00 or 22:00 UTC)."""
    return to_ns(datetime(day.year, day.month, day.day, _CLOSE_HOUR, tzinfo=_NEW_YORK))


def open_span_ns(day: date, day_start_ns: int, day_end_ns: int) -> tuple[int, int]:
    """The open part of a UTC day; equal numbers for a day on which the market is closed."""
    weekday = day.weekday()
    if weekday == _SATURDAY:
        return day_start_ns, day_start_ns
    if weekday == _FRIDAY:
        return day_start_ns, closing_ns(day)
    if weekday == _SUNDAY:
        return closing_ns(day), day_end_ns
    return day_start_ns, day_end_ns


def closed_ns(first_ns: int, last_ns: int) -> int:
    """How much of the time from ``first_ns`` to ``last_ns`` lies in weekends, in ns."""
    first, last = day_of(first_ns), day_of(last_ns)
    friday = first - timedelta(days=(first.weekday() - _FRIDAY) % 7)
    total = 0
    while friday <= last:
        begin, end = closing_ns(friday), closing_ns(friday + timedelta(days=2))
        total += max(0, min(end, last_ns) - max(begin, first_ns))
        friday += timedelta(days=7)
    return total
