"""Windows from what the data holds: blocks, stretches, volatility buckets, sessions, random ones, and those around gaps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

import numpy as np

from finiex_ray.bars.renderer import bars_of_day
from finiex_ray.config.models import BarPrice, ScenarioConfig
from finiex_ray.core.errors import ConfigError, suggest
from finiex_ray.core.market import BarSeries, IntArray
from finiex_ray.core.random import generator
from finiex_ray.core.time import NS_PER_S, Timeframe, day_start_ns, to_ns
from finiex_ray.data.source import TickSource
from finiex_ray.data.synthetic import SyntheticMarket

__all__ = [
    "SESSIONS",
    "Window",
    "around_gaps",
    "by_volatility",
    "continuous",
    "fixed_blocks",
    "random_windows",
    "sessions",
    "span",
]

Session = Literal["asia", "london", "new_york"]
Span = timedelta | str

SESSIONS: Final = {
    "asia": (ZoneInfo("Asia/Tokyo"), time(9), time(18)),
    "london": (ZoneInfo("Europe/London"), time(8), time(17)),
    "new_york": (ZoneInfo("America/New_York"), time(8), time(17)),
}
"""Local opening and closing times; daylight saving moves them in UTC."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SPAN: Final = re.compile(r"(\d+)\s*(m|h|d|w)")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MOST_DRAWS: Final = 10_000


@dataclass(frozen=True)
class Window:
    """A stretch of one market, ``end`` exclusive."""

    name: str
    symbol: str
    start: datetime
    end: datetime

    def scenario(self, model: ScenarioConfig) -> ScenarioConfig:
        """A scenario on this window, all else as in the model."""
        own = {"name": self.name, "symbol": self.symbol, "start": self.start, "end": self.end, "max_ticks": None}
        return ScenarioConfig.model_validate({**model.model_dump(), **own})

    def entry(self) -> dict[str, str]:
        """The window as it stands in a set file."""
        return {"name": self.name, "symbol": self.symbol, "start": _text(self.start), "end": _text(self.end)}


def span(given: Span) -> timedelta:
    """A length of time: a timedelta, or text such as ``30m``, ``4h``, ``1d``, ``2w``.

    Raises:
        ConfigError: If it is none, or not above zero.
    """
    if isinstance(given, timedelta):
        length = given
    else:
        found = _SPAN.fullmatch(given.strip())
        if found is None:
            raise ConfigError(f"{given!r} is no length of time; write 30m, 4h, 1d or 2w")
        length = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if length <= timedelta():
        raise ConfigError(f"{given!r}: a length of time must be above zero")
    return length


def fixed_blocks(
    source: TickSource,
    symbol: str,
    length: Span,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    min_ticks: int = 1,
) -> list[Window]:
    """Consecutive blocks of equal length from ``start`` ; those with too few ticks are left out.

    Args:
        source: The market.
        symbol: The symbol.
        length: Of a block.
        start: First moment; default: all that there is.
        end: Last moment, exclusive.
        min_ticks: Ticks that a block must hold; weekends hold none.

    Raises:
        DataError: If the symbol is unknown.
        ConfigError: If the length is none.
    """
    times = _Times(source, symbol, start, end)
    step, found = span(length), []
    moment = times.first
    while moment < times.end:
        until = min(moment + step, times.end)
        if times.count(moment, until) >= min_ticks:
            found.append(Window(f"block_{_stamp(moment)}", symbol, moment, until))
        moment = until
    return found


def continuous(
    source: TickSource,
    symbol: str,
    *,
    max_gap: Span = "1h",
    min_length: Span = "1h",
    start: datetime | None = None,
    end: datetime | None = None,
) -> list[Window]:
    """Each stretch without a gap: the weeks of a market that closes at weekends.

    Args:
        source: The market.
        symbol: The symbol.
        max_gap: A pause between two ticks that is longer ends a stretch.
        min_length: Stretches that are shorter are left out.
        start: First moment; default: all that there is.
        end: Last moment, exclusive.
    """
    times = _Times(source, symbol, start, end)
    shortest, found, begin = span(min_length), [], times.first_tick
    for before, after in [*times.gaps(span(max_gap)), (times.last_tick, None)]:
        until = before + timedelta(microseconds=1)  # exclusive: the last tick is inside
        if begin is not None and until - begin >= shortest:
            found.append(Window(f"stretch_{_stamp(begin)}", symbol, begin, until))
        begin = after
    return found


def by_volatility(
    source: TickSource,
    symbol: str,
    length: Span,
    *,
    buckets: Sequence[float] = (33.0, 67.0),
    timeframe: Timeframe = Timeframe.M5,
    start: datetime | None = None,
    end: datetime | None = None,
    min_ticks: int = 1,
) -> list[Window]:
    """Fixed blocks, named by how volatile they are: the mean true range of a block's bars, as a share of the price.

    True range is the largest of high − low, |high − close before|, |low − close before| (Wilder, "New Concepts in Technical
    Trading Systems", 1978).

    Args:
        source: The market.
        symbol: The symbol.
        length: Of a block.
        buckets: Percentiles, from low to high, between the buckets; two make the names ``low``, ``mid``, ``high``, other numbers
            ``q1``, ``q2``, ….
        timeframe: Of the bars.
        start: First moment; default: all that there is.
        end: Last moment, exclusive.
        min_ticks: Ticks that a block must hold.
    """
    if list(buckets) != sorted(set(buckets)) or not all(0 < each < 100 for each in buckets):
        raise ConfigError(f"buckets {list(buckets)}: give percentiles between 0 and 100, from low to high")
    blocks = fixed_blocks(source, symbol, length, start=start, end=end, min_ticks=min_ticks)
    bars = _bars(source, symbol, timeframe, blocks)
    ranges = np.array([_mean_range(bars, block) for block in blocks])
    known = np.isfinite(ranges)
    if not known.any():
        return []
    edges = np.percentile(ranges[known], buckets)
    names = ("low", "mid", "high") if len(buckets) == 2 else tuple(f"q{n + 1}" for n in range(len(buckets) + 1))
    return [
        Window(
            f"{names[int(np.searchsorted(edges, value, side='right'))]}_{_stamp(block.start)}",
            symbol,
            block.start,
            block.end,
        )
        for block, value in zip(blocks, ranges, strict=True)
        if np.isfinite(value)
    ]


def sessions(
    source: TickSource,
    symbol: str,
    names: Sequence[Session] = ("asia", "london", "new_york"),
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    min_ticks: int = 1,
) -> list[Window]:
    """The trading sessions of each day, in local time (`SESSIONS`).

    Args:
        source: The market.
        symbol: The symbol.
        names: Which.
        start: First moment; default: all that there is.
        end: Last moment, exclusive.
        min_ticks: Ticks that a session must hold.
    """
    for name in names:
        if name not in SESSIONS:
            raise ConfigError(f"there is no session {name!r}.{suggest(name, SESSIONS)}")
    times, found = _Times(source, symbol, start, end), []
    day = times.first.date() - timedelta(days=1)
    while day <= times.end.date():
        for name in names:
            zone, opens, closes = SESSIONS[name]
            begin = datetime.combine(day, opens, zone).astimezone(UTC)
            until = datetime.combine(day, closes, zone).astimezone(UTC)
            inside = begin >= times.first and until <= times.end
            if inside and times.count(begin, until) >= min_ticks:
                found.append(Window(f"{name}_{day.isoformat()}", symbol, begin, until))
        day += timedelta(days=1)
    return sorted(found, key=lambda each: (each.start, each.name))


def random_windows(
    source: TickSource,
    symbol: str,
    count: int,
    length: Span,
    *,
    seed: int = 0,
    start: datetime | None = None,
    end: datetime | None = None,
    min_ticks: int = 1,
) -> list[Window]:
    """Windows at random minutes, in order of time; they may overlap, but none is there twice.

    Args:
        source: The market.
        symbol: The symbol.
        count: How many.
        length: Of each.
        seed: Seed of the draws.
        start: First moment; default: all that there is.
        end: Last moment, exclusive.
        min_ticks: Ticks that a window must hold.

    Raises:
        ConfigError: If the data has no room for so many.
    """
    times, size = _Times(source, symbol, start, end), span(length)
    room = int((times.end - times.first - size) / timedelta(minutes=1))
    rng, found = generator(seed, "windows", symbol), dict[int, Window]()
    for _ in range(_MOST_DRAWS if room >= 0 else 0):
        if len(found) == count:
            break
        minute = int(rng.integers(room + 1))
        begin = times.first + timedelta(minutes=minute)
        if minute not in found and times.count(begin, begin + size) >= min_ticks:
            found[minute] = Window(f"random_{_stamp(begin)}", symbol, begin, begin + size)
    if len(found) < count:
        raise ConfigError(f"only {len(found)} of {count} random windows of {size} found room in the {symbol} data")
    return [found[minute] for minute in sorted(found)]


def around_gaps(
    source: TickSource,
    symbol: str,
    *,
    before: Span = "2h",
    after: Span = "2h",
    min_gap: Span = "1h",
    start: datetime | None = None,
    end: datetime | None = None,
) -> list[Window]:
    """A window around each pause of the market: weekends, holidays, outages.

    Args:
        source: The market.
        symbol: The symbol.
        before: How much of the market before the pause.
        after: How much after it.
        min_gap: Shorter pauses are none.
        start: First moment; default: all that there is.
        end: Last moment, exclusive.
    """
    times = _Times(source, symbol, start, end)
    lead, trail = span(before), span(after)
    return [
        Window(f"gap_{_stamp(closed)}", symbol, max(times.first, closed - lead), min(times.end, opened + trail))
        for closed, opened in times.gaps(span(min_gap))
    ]


class _Times:
    """Tick times of a symbol from ``start`` to ``end``, a day in memory at a time but for the counts by minute."""

    def __init__(self, source: TickSource, symbol: str, start: datetime | None, end: datetime | None) -> None:
        self._source, self._symbol = source, symbol
        if isinstance(source, SyntheticMarket) and (start is None or end is None):
            raise ConfigError("the synthetic market goes on for decades: give start and end", source="windows")
        first, last = source.first_day(symbol), source.last_day(symbol)
        self.first = max(start or _midnight(first), _midnight(first)).astimezone(UTC)
        self.end = min(end or _midnight(last + timedelta(days=1)), _midnight(last + timedelta(days=1))).astimezone(UTC)
        if self.first >= self.end:
            raise ConfigError(
                f"from {self.first} to {self.end} there is nothing: {symbol} has ticks from {first} to {last}"
            )
        self._days: dict[date, IntArray] = {}

    def count(self, begin: datetime, until: datetime) -> int:
        """Ticks from ``begin`` to ``until``."""
        first_ns, last_ns = to_ns(begin), to_ns(until)
        total, day = 0, begin.date()
        while day <= until.date():
            times = self._day(day)
            total += int(np.searchsorted(times, last_ns)) - int(np.searchsorted(times, first_ns))
            day += timedelta(days=1)
        return total

    def gaps(self, longest: timedelta) -> list[tuple[datetime, datetime]]:
        """Last tick before and first tick after each pause that is longer."""
        found, limit_ns, before = [], round(longest.total_seconds() * NS_PER_S), None
        for times in self._in_order():
            joined = times if before is None else np.concatenate([[before], times])
            places = np.flatnonzero(np.diff(joined) > limit_ns)
            found += [(_moment(joined[place]), _moment(joined[place + 1])) for place in places]
            before = int(times[-1])
        return found

    @property
    def first_tick(self) -> datetime | None:
        """Time of the first tick, cut to microseconds."""
        return next((_moment(times[0]) for times in self._in_order()), None)

    @property
    def last_tick(self) -> datetime:
        """Time of the last tick, cut to microseconds."""
        last = to_ns(self.first)
        for times in self._in_order():
            last = int(times[-1])
        return _moment(last)

    def _in_order(self) -> Iterator[IntArray]:
        day, first_ns, end_ns = self.first.date(), to_ns(self.first), to_ns(self.end)
        while day <= self.end.date():
            times = self._day(day)
            kept = times[np.searchsorted(times, first_ns) : np.searchsorted(times, end_ns)]
            if len(kept):
                yield kept
            day += timedelta(days=1)

    def _day(self, day: date) -> IntArray:
        if day not in self._days:
            has = self._source.has_day(self._symbol, day)
            self._days[day] = self._source.load(self._symbol, day).time_ns if has else np.empty(0, np.int64)
        return self._days[day]


def _bars(source: TickSource, symbol: str, timeframe: Timeframe, blocks: Sequence[Window]) -> BarSeries:
    parts = []
    day = blocks[0].start.date() if blocks else date.max
    while blocks and day <= blocks[-1].end.date():
        if source.has_day(symbol, day):
            parts.append(bars_of_day(source.load(symbol, day), timeframe, BarPrice.MID))
        day += timedelta(days=1)
    if not parts:
        return BarSeries(*(np.empty(0, np.int64) for _ in BarSeries._fields))
    return BarSeries(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _mean_range(bars: BarSeries, block: Window) -> float:
    """Mean true range of the bars that begin in the block / mean close; NaN without two bars."""
    first, last = np.searchsorted(bars.start_ns, [to_ns(block.start), to_ns(block.end)])
    if last - first < 2:
        return float("nan")
    inside = slice(first + 1, last)
    before = bars.close_hp[first : last - 1]
    high, low = np.maximum(bars.high_hp[inside], before), np.minimum(bars.low_hp[inside], before)
    return float((high - low).mean() / bars.close_hp[inside].mean())


def _midnight(day: date) -> datetime:
    return _moment(day_start_ns(day))


def _moment(time_ns: int | np.integer) -> datetime:
    return _EPOCH + timedelta(microseconds=int(time_ns) // 1_000)


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d_%H%M}"


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
