"""Times of source files: zones, stamps as text, numbers since the epoch; all become int64 ns UTC (rule R1)."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np
import pandas as pd

from finiex_ray.core.errors import ConfigError, suggest
from finiex_ray.core.market import IntArray
from finiex_ray.data.importers.base import first_true, refuse

__all__ = ["UNIT_NS", "local_to_utc", "parse_stamps", "parse_zone", "to_utc"]

UNIT_NS: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_OFFSET = re.compile(r"(?:UTC|GMT)?\s*([+-])\s*(\d{1,2})(?::?([0-5]\d))?", re.IGNORECASE)
_ZONED = r":\d{2}(?:[.,]\d+)?\s*(?:Z|z|UTC|[+-]\d{2}(?::?\d{2})?)$"
_EARLIEST_NS = 31_536_000 * 1_000_000_000  # 1971; what lies before or after is a wrong unit, not a tick
_LATEST_NS = 7_258_118_400 * 1_000_000_000  # 2200


def parse_zone(text: str) -> tzinfo:
    """The time zone that a user names.

    Args:
        text: ``UTC``, an IANA name (``America/New_York``), a fixed offset (``UTC-5``, ``UTC+02:00``, ``-05:00``) or
            ``EST``, which is UTC-5 all year.

    Raises:
        ConfigError: If there is no such zone.
    """
    name = text.strip()
    if name.upper() in ("UTC", "Z", "GMT"):
        return UTC
    if name.upper() == "EST":
        return timezone(timedelta(hours=-5), "EST")
    match = _OFFSET.fullmatch(name)
    if match:
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        if minutes > 14 * 60:
            raise ConfigError(f"{text!r} is no time zone: offsets end at 14 hours", source="--tz")
        return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = suggest(name, available_timezones()) if len(name) > 2 else ""
        hint = hint if "Did you mean" in hint else ""
        raise ConfigError(
            f"unknown time zone {text!r}.{hint} Use UTC, an IANA name (America/New_York) or an offset (UTC-5)",
            source="--tz",
        ) from None


def local_to_utc(path: Path, local: pd.DatetimeIndex, zone: tzinfo, first_row: int) -> IntArray:
    """Converts clock times of a zone to ns UTC.

    Raises:
        ImportRefusedError: If a time is ambiguous or does not exist in the zone (the hour of a clock change).
    """
    if isinstance(zone, timezone):
        aware = local.tz_localize(zone)
    else:
        aware = local.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
        bad = first_true(np.asarray(aware.isna()))
        if bad is not None:
            reason = (
                f"local time {local[bad]} is ambiguous or does not exist in {zone}; pass the fixed offset of the source"
            )
            refuse(path, reason, first_row + bad)
    return to_utc(path, np.asarray(aware.tz_convert("UTC").as_unit("ns").asi8), first_row)


def to_utc(path: Path, time_ns: IntArray, first_row: int) -> IntArray:
    """Returns times that lie between 1971 and 2200.

    Raises:
        ImportRefusedError: For a time outside, which is a wrong unit or a damaged row.
    """
    bad = first_true((time_ns < _EARLIEST_NS) | (time_ns >= _LATEST_NS))
    if bad is not None:
        reason = f"time {int(time_ns[bad])} ns since the epoch is not between 1971 and 2200; is the unit right?"
        refuse(path, reason, first_row + bad)
    return time_ns


def parse_stamps(path: Path, texts: Any, zone: tzinfo | None, first_row: int, pattern: str | None = None) -> IntArray:
    """Reads written times.

    Args:
        path: The source file, for messages.
        texts: A pandas Series of text, one entry a row.
        zone: Zone of times that carry none.
        first_row: Row of the first entry.
        pattern: A strptime pattern; None reads ISO 8601.

    Raises:
        ImportRefusedError: For a text that is no time, or a mixture of times with and without zone.
        ConfigError: If the times carry no zone and none is given (rule R1).
    """
    zoned = _zoned(texts) if pattern is None else np.full(len(texts), "%z" in pattern)
    mixed = first_true(zoned != zoned[0]) if len(zoned) else None
    if mixed is not None:
        refuse(path, f"time {texts.iloc[mixed]!r}: some times carry a zone and some do not", first_row + mixed)
    aware = bool(zoned.any())
    try:
        stamps = pd.to_datetime(texts, format=pattern or "ISO8601", errors="coerce", utc=aware)
    except ValueError as error:
        raise ConfigError(f"pattern {pattern!r} cannot be used: {error}", source="--time-format") from error
    index = pd.DatetimeIndex(stamps)
    bad = first_true(np.asarray(index.isna()))
    if bad is not None:
        refuse(path, f"{texts.iloc[bad]!r} is no time (expected {pattern or 'ISO 8601'})", first_row + bad)
    if aware:
        return to_utc(path, np.asarray(index.as_unit("ns").asi8), first_row)
    if zone is None:
        raise ConfigError(
            f"{path}: its times carry no zone; say which one they are in, for example --tz UTC", source="--tz"
        )
    return local_to_utc(path, index, zone, first_row)


def _zoned(texts: Any) -> Any:
    return np.asarray(texts.str.contains(_ZONED, regex=True), dtype=bool)
