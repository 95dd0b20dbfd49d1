"""Finds the ticks and the warm-up bars of a scenario's window (rules R13, R14), by binary search in whole days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from finiex_ray.config.models import BarPrice, ScenarioConfig
from finiex_ray.core.errors import DataError
from finiex_ray.core.market import BarSeries, freeze
from finiex_ray.core.time import NS_PER_DAY, Timeframe, day_of, day_start_ns, format_utc, to_ns
from finiex_ray.execution.cache import SegmentCache

__all__ = ["TickWindow", "find_conversion", "find_ticks", "find_warmup"]

_ONE_DAY = timedelta(days=1)
_MAX_EMPTY_DAYS = 400  # a year's hole in the data ends the search for warm-up bars


class TickWindow(NamedTuple):
    """Where a scenario's ticks are; see `PlannedScenario`."""

    start_ns: int
    days: tuple[date, ...]
    first: int
    last: int
    ticks: int


def find_ticks(cache: SegmentCache, config: ScenarioConfig) -> TickWindow:
    """Finds the ticks from ``start`` to ``end`` or ``max_ticks``, whichever comes first.

    Raises:
        DataError: If the window holds no tick (the message says what the data has), or a day of it is damaged.
    """
    symbol, start_ns = config.symbol, to_ns(config.start)
    end_ns = None if config.end is None else to_ns(config.end)
    first_day = day_of(start_ns)
    last_day = cache.source.last_day(symbol)
    if end_ns is not None:
        last_day = min(last_day, day_of(end_ns - 1))
    first = _ticks_before(cache, symbol, first_day, start_ns)
    days, last, ticks = [first_day], first, 0
    day = max(first_day, cache.source.first_day(symbol))
    while day <= last_day and (config.max_ticks is None or ticks < config.max_ticks):
        if cache.source.has_day(symbol, day):
            begin = first if day == first_day else 0
            end = cache.rows(symbol, day) if end_ns is None else _ticks_before(cache, symbol, day, end_ns)
            if config.max_ticks is not None:
                end = min(end, begin + config.max_ticks - ticks)
            if end > begin:
                if day != first_day:
                    days.append(day)
                last, ticks = end, ticks + end - begin
        day += _ONE_DAY
    if ticks == 0:
        raise DataError(_no_ticks(cache, config, start_ns, end_ns))
    return TickWindow(start_ns, tuple(days), first, last, ticks)


def _ticks_before(cache: SegmentCache, symbol: str, day: date, moment_ns: int) -> int:
    """Ticks of a day before a moment; whole days need not be loaded."""
    since_ns = moment_ns - day_start_ns(day)
    if since_ns <= 0:
        return 0
    if since_ns >= NS_PER_DAY:
        return cache.rows(symbol, day)
    return int(np.searchsorted(cache.segment(symbol, day).time_ns, moment_ns))


def _no_ticks(cache: SegmentCache, config: ScenarioConfig, start_ns: int, end_ns: int | None) -> str:
    """Why a window is empty, and what there is instead."""
    symbol, source = config.symbol, cache.source
    first_day, last_day = source.first_day(symbol), source.last_day(symbol)
    until = "" if end_ns is None else f" to {format_utc(end_ns)}"
    if day_of(start_ns) > last_day:
        where = "after the data"
    elif end_ns is not None and day_of(end_ns - 1) < first_day:
        where = "before the data"
    else:
        where = "in a gap of the data (a weekend, a holiday or a day that was not imported)"
    return (
        f"no {symbol} ticks in the window from {format_utc(start_ns)}{until}: it lies {where}; "
        f"{symbol} has ticks from {first_day.isoformat()} to {last_day.isoformat()} UTC; move start"
        f"{'' if end_ns is None else ' and end'}, or import the missing days"
    )


def find_conversion(cache: SegmentCache, symbol: str, window: TickWindow) -> tuple[tuple[str, date], ...]:
    """Days of a conversion pair that say what it was worth at every tick of a window (rule R10).

    Args:
        cache: Where ticks come from.
        symbol: The conversion pair.
        window: The scenario's ticks.

    Raises:
        DataError: If the pair has no quote at or before the window's start.
    """
    day, first_day = day_of(window.start_ns), cache.source.first_day(symbol)
    while day >= first_day and not _has_quote(cache, symbol, day, window.start_ns):
        day -= _ONE_DAY
    if day < first_day:
        raise DataError(
            f"no {symbol} quote at or before {format_utc(window.start_ns)} to convert profits with; import earlier "
            f"{symbol} ticks, or state account.conversion_rates"
        )
    days = [day]
    while day < window.days[-1]:
        day += _ONE_DAY
        if cache.source.has_day(symbol, day):
            days.append(day)
    return tuple((symbol, each) for each in days)


def _has_quote(cache: SegmentCache, symbol: str, day: date, moment_ns: int) -> bool:
    if not cache.source.has_day(symbol, day):
        return False
    times = cache.segment(symbol, day).time_ns
    return len(times) > 0 and int(times[0]) <= moment_ns


def find_warmup(
    cache: SegmentCache, symbol: str, start_ns: int, price: BarPrice, needs: Mapping[Timeframe, int]
) -> dict[Timeframe, BarSeries]:
    """The last bars that ended at or before ``start_ns``, the newest last; fewer than asked for where the data has fewer.

    Args:
        cache: Where bars come from.
        symbol: The symbol.
        start_ns: The scenario's start.
        price: The price that bars are made of.
        needs: Bars wanted, by timeframe.

    Raises:
        DataError: If a day is damaged.
    """
    return {
        timeframe: _last_bars(cache, symbol, start_ns, price, timeframe, bars)
        for timeframe, bars in _sorted_needs(needs)
    }


def _sorted_needs(needs: Mapping[Timeframe, int]) -> list[tuple[Timeframe, int]]:
    """Needs from the shortest timeframe to the longest, so that bundles do not depend on the order of workers."""
    return sorted(needs.items(), key=lambda item: item[0].ns)


def _last_bars(
    cache: SegmentCache, symbol: str, start_ns: int, price: BarPrice, timeframe: Timeframe, bars: int
) -> BarSeries:
    parts: list[BarSeries] = []
    missing, empty_days = bars, 0
    day, first_day = day_of(start_ns), cache.source.first_day(symbol)
    while missing > 0 and day >= first_day and empty_days < _MAX_EMPTY_DAYS:
        empty_days += 1
        if cache.source.has_day(symbol, day):
            series = cache.bars(symbol, day, timeframe, price)
            ended = int(np.searchsorted(series.start_ns, start_ns - timeframe.ns, side="right"))
            if ended:
                parts.append(BarSeries(*(column[max(0, ended - missing) : ended] for column in series)))
                missing, empty_days = missing - ended, 0
        day -= _ONE_DAY
    if not parts:
        return freeze(BarSeries(*(np.empty(0, np.int64) for _ in BarSeries._fields)))
    return freeze(BarSeries(*(np.concatenate(columns) for columns in zip(*reversed(parts), strict=True))))
