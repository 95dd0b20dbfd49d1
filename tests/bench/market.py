"""The market of the benchmarks: the peers' ticks (or synthetic ones where there are none), in memory and as a catalog."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

from finiex_ray.core.market import IntArray, TickSegment, content_hash, freeze
from finiex_ray.core.time import NS_PER_S
from finiex_ray.data.catalog import Catalog
from finiex_ray.data.catalog_format import SourcePart
from finiex_ray.data.segments import concat_segments, empty_segment, split_days, take
from finiex_ray.data.synthetic import SyntheticMarket

SYMBOL, DIGITS = "GBPUSD", 5
M5_NS, M30_NS = 300 * NS_PER_S, 1_800 * NS_PER_S
_WEEK_NS = 7 * 86_400 * NS_PER_S


class Market(NamedTuple):
    """A window of ticks, and what came before it."""

    before: TickSegment  # gives the warm-up bars
    ticks: TickSegment

    @property
    def start_ns(self) -> int:
        """Start of the window: the half hour in which its first tick lies."""
        return int(self.ticks.time_ns[0] // M30_NS * M30_NS)

    def closes(self, width_ns: int) -> IntArray:
        """Closes of the bars before the window, half points."""
        period = self.before.time_ns // width_ns
        last = np.flatnonzero(np.r_[period[1:] != period[:-1], True])
        return (self.before.bid_points + self.before.ask_points)[last]

    def head(self, ticks: int) -> Market:
        """The same with the first ticks only."""
        return Market(self.before, freeze(take(self.ticks, slice(ticks))))


class MemorySource:
    """A market as the `TickSource` of a plan."""

    def __init__(self, market: Market) -> None:
        whole = concat_segments([market.before, market.ticks])
        self._days = {day: freeze(segment) for day, segment in split_days(whole)}

    def symbols(self) -> tuple[str, ...]:
        return (SYMBOL,)

    def digits(self, symbol: str) -> int:
        return DIGITS

    def first_day(self, symbol: str) -> date:
        return min(self._days)

    def last_day(self, symbol: str) -> date:
        return max(self._days)

    def has_day(self, symbol: str, day: date) -> bool:
        return day in self._days

    def load(self, symbol: str, day: date) -> TickSegment:
        return self._days.get(day, empty_segment())

    def rows(self, symbol: str, day: date) -> int | None:
        """Not known before a day is loaded."""
        return None

    def content_key(self, symbol: str, day: date) -> str:
        return content_hash(self.load(symbol, day))

    def describe(self) -> str:
        return "the benchmark's ticks"


def write_catalog(market: Market, folder: Path) -> Path:
    """Writes a market as a catalog, for what runs as a process of its own."""
    catalog = Catalog(folder)
    for day, ticks in split_days(concat_segments([market.before, market.ticks])):
        span = int(ticks.time_ns[0]), int(ticks.time_ns[-1])
        part = SourcePart("bench", "", "bench", "UTC", "keep", len(ticks.time_ns), *span, content_hash(ticks))
        catalog.write_day(SYMBOL, day, DIGITS, [(part, ticks)])
    return folder


def from_peers(file: Path) -> Market:
    """The market of one of the peers' files.

    It gives closes of bars, and no ticks, from before the window. A tick at the end of each M5 bar makes the same bars.

    Raises:
        ValueError: If the closes of the half hours are not those of every sixth M5 bar.
    """
    with np.load(file) as data:
        bid, ask = (np.rint(data[name] * 10**DIGITS).astype(np.int64) for name in ("bid", "ask"))
        ticks = freeze(TickSegment(data["time"], bid, ask, data["volume"]))
        m5, m30 = (np.rint(data[name] * 2 * 10**DIGITS).astype(np.int64) for name in ("warm_m5", "warm_m30"))
    start_ns = int(ticks.time_ns[0] // M30_NS * M30_NS)
    ends = start_ns - M5_NS * np.arange(len(m5), dtype=np.int64)[::-1] - 1
    before = freeze(TickSegment(ends, m5 // 2, m5 - m5 // 2, np.zeros(len(m5))))
    market = Market(before, ticks)
    ours = market.closes(M30_NS)
    count = min(len(ours), len(m30))
    if not np.array_equal(ours[-count:], m30[-count:]):
        raise ValueError(f"{file}: warm_m30 does not hold the closes of every sixth bar of warm_m5")
    return market


def synthetic(ticks: int) -> Market:
    """Ticks of the shipped synthetic market from a Tuesday on; the days of the week before give the warm-up bars."""
    source, start = SyntheticMarket(7), date(2025, 9, 23)
    before = [source.load(SYMBOL, start - timedelta(days=day)) for day in range(5, 0, -1)]
    days: list[TickSegment] = []
    while sum(len(day.time_ns) for day in days) < ticks:
        days.append(source.load(SYMBOL, start + timedelta(days=len(days))))
    return Market(concat_segments(before), concat_segments(days)).head(ticks)


def repeated(market: Market, ticks: int) -> Market:
    """A longer market: the window over and over, every second time backwards in price, so that prices have no jumps.

    Each repetition begins a whole number of weeks after the one before, so that all have the same hours of the day.
    """
    window = market.ticks
    span = int(window.time_ns[-1] - market.start_ns)
    step = -(-span // _WEEK_NS) * _WEEK_NS
    parts, left = [], ticks
    while left > 0:
        turn = len(parts)
        columns = (column[::-1] if turn % 2 else column for column in window[1:])
        part = TickSegment(window.time_ns + turn * step, *columns)
        parts.append(take(part, slice(left)))
        left -= len(window.time_ns)
    return Market(market.before, concat_segments(parts))
