"""The synthetic market: any day of ten symbols, made on demand from (seed, symbol, day) and nothing else.

Only additions, multiplications, divisions, square roots and integer draws are used: they round alike on every
platform, so a day's bytes are the same everywhere. Symbols move on their own: crosses are not tied to their legs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from functools import cache
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from finiex_ray.core.market import FloatArray, IntArray, TickSegment, freeze
from finiex_ray.core.random import generator
from finiex_ray.core.time import NS_PER_DAY, NS_PER_MS, day_start_ns
from finiex_ray.data.calendar import open_span_ns
from finiex_ray.data.segments import empty_segment, unknown_symbol

__all__ = ["SyntheticMarket"]

_VERSION: Final = 1  # of the recipe: goes up when a change alters any tick
_FIRST, _LAST = date(2000, 1, 3), date(2049, 12, 31)
_SATURDAY: Final = 5
_SLOT_NS: Final = 300_000_000_000  # activity is set for five minutes at a time
_SLOTS: Final = NS_PER_DAY // _SLOT_NS
_REVERSION: Final = 0.0025  # of the level to its anchor, a day
_SUM_SD: Final = 65_536 / sqrt(3)  # standard deviation of the sum of four uniform 16-bit draws
# Activity by UTC hour: Asia, the London open, the New York overlap, the evening.
_FX_HOURS: Final = (5, 6, 6, 5, 5, 6, 8, 13, 16, 15, 13, 12, 14, 18, 20, 18, 15, 11, 8, 7, 6, 4, 3, 4)
_ROUND_HOURS: Final = (9, 9, 8, 8, 8, 8, 9, 9, 10, 10, 10, 11, 12, 14, 15, 14, 13, 12, 11, 10, 10, 9, 9, 9)


@dataclass(frozen=True)
class _Spec:
    """What a symbol is like."""

    digits: int
    anchor: int  # points that the level returns to
    daily_move: float  # standard deviation of a day's move, as a share of the price
    ticks: int  # of a full day, about
    spread: int  # points, typical
    weekends: bool = False  # trades on weekends


_SPECS: Final = {
    "AUDUSD": _Spec(5, 67_000, 0.0055, 52_000, 9),
    "BTCUSD": _Spec(2, 6_200_000, 0.022, 62_000, 1_400, weekends=True),
    "EURGBP": _Spec(5, 86_000, 0.0038, 46_000, 9),
    "EURUSD": _Spec(5, 110_000, 0.0050, 64_000, 7),
    "GBPUSD": _Spec(5, 128_000, 0.0055, 60_000, 10),
    "NZDUSD": _Spec(5, 61_000, 0.0058, 44_000, 12),
    "USDCAD": _Spec(5, 135_000, 0.0042, 50_000, 11),
    "USDCHF": _Spec(5, 91_000, 0.0046, 48_000, 10),
    "USDJPY": _Spec(3, 145_000, 0.0056, 62_000, 8),
    "XAUUSD": _Spec(2, 215_000, 0.0085, 70_000, 22),
}


class SyntheticMarket:
    """A ``TickSource`` that needs no data. FX and gold close from Friday to Sunday 17:00 New York, BTCUSD never does.

    Days join without a jump: each is a bridge between two levels of one random walk. Within a day there are sessions,
    quiet and busy spells, a spread that is wider when little happens, a few jumps and some ticks of equal time.

    Args:
        seed: Any whole number; another seed is another market.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = int(seed)

    def symbols(self) -> tuple[str, ...]:
        """The ten symbols, sorted."""
        return tuple(_SPECS)

    def digits(self, symbol: str) -> int:
        """Decimal digits of the symbol's prices."""
        return self._spec(symbol).digits

    def first_day(self, symbol: str) -> date:
        """2000-01-03."""
        self._spec(symbol)
        return _FIRST

    def last_day(self, symbol: str) -> date:
        """2049-12-31."""
        self._spec(symbol)
        return _LAST

    def has_day(self, symbol: str, day: date) -> bool:
        """Whether the market is open at some time of the UTC day."""
        return _FIRST <= day <= _LAST and (self._spec(symbol).weekends or day.weekday() != _SATURDAY)

    def load(self, symbol: str, day: date) -> TickSegment:
        """The ticks of one UTC day, frozen; an empty segment for a day without ticks."""
        spec = self._spec(symbol)
        if not self.has_day(symbol, day):
            return empty_segment()
        return _make_day(self.seed, symbol, spec, day)

    def rows(self, symbol: str, day: date) -> int | None:
        """None: how many ticks a day has is known once it is made."""
        return None if self.has_day(symbol, day) else 0

    def content_key(self, symbol: str, day: date) -> str:
        """Hash of what the day is made from."""
        self._spec(symbol)
        made_from = f"synthetic:{_VERSION}:{self.seed}:{symbol}:{day.isoformat()}"
        return hashlib.sha256(made_from.encode()).hexdigest()

    def describe(self) -> str:
        """What the source is."""
        return f"synthetic market (seed {self.seed})"

    def _spec(self, symbol: str) -> _Spec:
        if symbol not in _SPECS:
            raise unknown_symbol(symbol, _SPECS, self.describe())
        return _SPECS[symbol]


def _bell(rng: np.random.Generator, count: int) -> FloatArray:
    """Draws of a bell-shaped distribution with mean 0 and variance 1: four 16-bit numbers added, in integers."""
    quarters = rng.bit_generator.random_raw(count).view(np.uint16).reshape(count, 4)
    total = quarters[:, 0].astype(np.int32)
    for place in (1, 2, 3):
        total += quarters[:, place]
    return (total - 131_070).astype(np.float64) / _SUM_SD


@cache
def _daily(seed: int, symbol: str) -> tuple[FloatArray, FloatArray]:
    """Level at each UTC midnight (points, not rounded) and the day's volatility factor, from 2000 to 2050."""
    spec = _SPECS[symbol]
    days = (_LAST - _FIRST).days + 2
    rng = generator(seed, "synthetic", symbol, "daily")
    moves, shocks = _bell(rng, days).tolist(), _bell(rng, days).tolist()
    offset, heat = 0.0, 1.0
    levels, heats = [], []
    for place in range(days):
        levels.append(spec.anchor * (1.0 + offset))
        heat = min(2.2, max(0.45, heat + 0.12 * (1.0 - heat) + 0.13 * shocks[place]))
        heats.append(heat)
        weekday = place % 7  # the first day is a Monday
        share = 1.0 if spec.weekends or weekday < _SATURDAY else 0.3 if weekday == _SATURDAY else 0.25
        offset = min(0.4, max(-0.4, offset * (1.0 - _REVERSION) + spec.daily_move * heat * share * moves[place]))
    return np.array(levels), np.array(heats)


def _slot_activity(rng: np.random.Generator, spec: _Spec, heat: float) -> FloatArray:
    """Expected ticks in each five minutes of a full day: the sessions times a slowly changing mood."""
    hours = np.array(_ROUND_HOURS if spec.weekends else _FX_HOURS, dtype=np.float64)
    profile = np.repeat(hours * (spec.ticks / (hours.sum() * (_SLOTS // 24))), _SLOTS // 24)
    mood, moods = 1.0, []
    for shock in _bell(rng, int(_SLOTS)).tolist():
        mood = min(2.6, max(0.35, mood + 0.15 * (1.0 - mood) + 0.22 * shock))
        moods.append(mood)
    return np.asarray(profile * np.array(moods) * (0.55 + 0.45 * heat), dtype=np.float64)


def _tick_times(
    rng: np.random.Generator, activity: FloatArray, span: tuple[int, int]
) -> tuple[IntArray, NDArray[np.int64]]:
    """Times in ms since the day began, in order, and the slot of each; one in eighty repeats the time before it."""
    slot_ms = _SLOT_NS // NS_PER_MS
    counts = np.floor(activity + rng.random(len(activity))).astype(np.int64)
    first_ms = np.repeat(np.arange(len(activity), dtype=np.int64) * slot_ms, counts)
    times = np.sort(first_ms + rng.integers(0, slot_ms, len(first_ms)))
    times = times[np.searchsorted(times, span[0] // NS_PER_MS) : np.searchsorted(times, span[1] // NS_PER_MS)]
    again = np.flatnonzero(rng.integers(0, 80, len(times)) == 0)
    again = again[again > 0]
    times[again] = times[again - 1]
    times = np.maximum.accumulate(times)
    return times, times // slot_ms


def _mid_path(
    rng: np.random.Generator, spec: _Spec, activity: FloatArray, slots: IntArray, ends: tuple[float, float]
) -> FloatArray:
    """A bridge from one level to the next: a step a tick, larger when the market is busy, and now and then a jump."""
    count = len(slots)
    mean = activity.cumsum()[-1] / len(activity)
    busy = np.sqrt(np.sqrt(activity / mean))
    step = spec.anchor * spec.daily_move / sqrt(spec.ticks)
    moves = _bell(rng, count) * (busy * step)[slots]
    jumps = np.flatnonzero(rng.integers(0, 25_000, count) == 0)
    moves[jumps] += _bell(rng, len(jumps)) * (spec.spread * 4.0)
    walk = moves.cumsum()
    tilt = (ends[1] - ends[0] - walk[-1]) / count
    return np.asarray(ends[0] + walk + np.arange(1, count + 1) * tilt, dtype=np.float64)


def _make_day(seed: int, symbol: str, spec: _Spec, day: date) -> TickSegment:
    levels, heats = _daily(seed, symbol)
    place = (day - _FIRST).days
    start_ns = day_start_ns(day)
    span = (0, NS_PER_DAY)
    if not spec.weekends:
        opens, closes = open_span_ns(day, start_ns, start_ns + NS_PER_DAY)
        span = (opens - start_ns, closes - start_ns)
    rng = generator(seed, "synthetic", symbol, day.isoformat())
    activity = _slot_activity(rng, spec, float(heats[place]))
    times_ms, slots = _tick_times(rng, activity, span)
    mids = _mid_path(rng, spec, activity, slots, (float(levels[place]), float(levels[place + 1])))
    calm = activity.max() / (activity + 0.2 * activity.max())  # 0.8 at the busiest time, up to 5 at the quietest
    wide = spec.spread * (0.75 + 0.12 * calm)
    spread = np.maximum(1, np.floor(wide[slots] * (0.8 + 0.4 * rng.random(len(slots))) + 0.5)).astype(np.int64)
    bid = np.floor(mids - spread * 0.5 + 0.5).astype(np.int64)
    ask = bid + spread
    again = np.flatnonzero((np.diff(times_ms) == 0) & (np.diff(bid) == 0) & (np.diff(ask) == 0)) + 1
    ask[again] += 1  # a tick that repeats the one before in everything is no tick
    volume = (1 + rng.integers(0, 20, len(slots))).astype(np.float64)
    return freeze(TickSegment(start_ns + times_ms * NS_PER_MS, bid, ask, volume))
