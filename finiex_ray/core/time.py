"""Time is int64 nanoseconds since 1970-01-01 in UTC (rule R1); a timeframe is a length that divides a UTC day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import lru_cache

__all__ = ["NS_PER_DAY", "NS_PER_MS", "NS_PER_S", "Timeframe", "day_of", "day_start_ns", "format_utc", "to_ns"]

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
NS_PER_DAY = 86_400 * NS_PER_S
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1)


class Timeframe(Enum):
    """Length of a bar. Bars are aligned to UTC midnight; every length divides a day, so no bar spans two days."""

    S1, S5, S10, S15, S30 = "S1", "S5", "S10", "S15", "S30"
    M1, M2, M3, M5, M10, M15, M30 = "M1", "M2", "M3", "M5", "M10", "M15", "M30"
    H1, H2, H3, H4, H6, H8, H12 = "H1", "H2", "H3", "H4", "H6", "H8", "H12"
    D1 = "D1"

    __hash__ = object.__hash__  # each is one object; Enum's own hash is a call in Python for every look-up

    @property
    def ns(self) -> int:
        """Length in nanoseconds."""
        seconds = {"S": 1, "M": 60, "H": 3_600, "D": 86_400}[self.value[0]]
        return int(self.value[1:]) * seconds * NS_PER_S


def to_ns(moment: datetime) -> int:
    """Converts a time with a zone to nanoseconds since the epoch, exactly.

    Raises:
        ValueError: If ``moment`` has no time zone (rule R1).
    """
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError(f"time {moment.isoformat()} has no time zone; add one, for example {moment.isoformat()}Z")
    gap = moment - _EPOCH
    return (gap.days * 86_400 + gap.seconds) * NS_PER_S + gap.microseconds * 1_000


@lru_cache(4_096)
@lru_cache(1024)  # the scenarios of a set begin and end at the same few times
def format_utc(time_ns: int) -> str:
    """Writes a time as ISO 8601 in UTC, with as many fractional digits as it needs (0, 3, 6 or 9)."""
    seconds, fraction = divmod(int(time_ns), NS_PER_S)
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    if fraction:
        digits = f"{fraction:09d}"
        while digits.endswith("000"):
            digits = digits[:-3]
        text += f".{digits}"
    return text + "Z"


def day_of(time_ns: int) -> date:
    """The UTC day that holds a time."""
    return _EPOCH_DAY + timedelta(days=int(time_ns) // NS_PER_DAY)


def day_start_ns(day: date) -> int:
    """UTC midnight at which ``day`` begins, in nanoseconds."""
    return (day - _EPOCH_DAY).days * NS_PER_DAY
