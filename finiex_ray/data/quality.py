"""The quality report: what is unusual in a series of ticks, counted, with its place, and one score."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from finiex_ray.core.market import IntArray, TickSegment
from finiex_ray.core.time import NS_PER_S, format_utc
from finiex_ray.data.calendar import closed_ns
from finiex_ray.data.segments import concat_segments, take

__all__ = ["QualityReport", "check"]

_OUTLIER_MADS: Final = 20
_OUTLIER_SPREADS: Final = 20
_COARSE: Final = 10  # points: a grid ten times too fine
_FEW_PRICES: Final = 10  # different ones, below which a coarse grid may be chance


@dataclass(frozen=True)
class QualityReport:
    """Findings over all ticks, days in a row. Shares are of all ticks; spreads and jumps are in points.

    ``score`` starts at 100 and loses, each at most the number given: crossed quotes 400 · share (40), times going back
    400 · share (40), duplicates 100 · share (10), zero spreads 50 · share (10), outliers 2000 · share (20), time inside
    of gaps 50 · share of the open time (20), digits that look too many (10).
    """

    digits: int
    ticks: int
    days: int
    first_ns: int | None
    last_ns: int | None
    gap_threshold_s: float
    gaps: int  # longer than the threshold, without weekends
    gap_total_s: float
    longest_gap_s: float
    longest_gap_start_ns: int | None
    weekend_gaps: int
    out_of_order: int
    equal_times: int  # same time as the tick before
    duplicates: int  # same time, bid and ask as the tick before
    crossed: int  # ask below bid
    zero_spreads: int
    spread_min_points: int
    spread_median_points: float
    spread_max_points: int
    price_step_points: int  # largest number that divides all prices
    digits_too_many: bool  # every price keeps to the ten-point grid, and there are prices enough to tell
    off_grid: int  # ticks off the ten-point grid, where 99 % of ticks or more keep to it
    outliers: int  # jumps of the mid over 20 median jumps and over 20 median spreads
    largest_jump_points: float
    largest_jump_ns: int | None
    score: float

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong; gaps, zero spreads, equal times and duplicates are facts of a market."""
        return not (self.out_of_order or self.crossed or self.outliers or self.off_grid or self.digits_too_many)

    def as_dict(self) -> dict[str, Any]:
        """All findings as plain values, with ``clean``."""
        return {**asdict(self), "clean": self.clean}

    def lines(self) -> list[str]:
        """The report for people, a line a finding."""
        if self.first_ns is None or self.last_ns is None:
            return ["no ticks"]

        def share(count: int) -> str:
            return f"{count:,} ({count / self.ticks:.2%})"

        place = (
            f", longest {self.longest_gap_s:,.0f} s from {format_utc(self.longest_gap_start_ns)}"
            if self.longest_gap_start_ns
            else ""
        )
        jump = f" at {format_utc(self.largest_jump_ns)}" if self.largest_jump_ns else ""
        low, middle, high = self.spread_min_points, self.spread_median_points, self.spread_max_points
        hint = " (digits look one too many)" if self.digits_too_many else ""
        return [
            f"ticks            {self.ticks:,} in {self.days} days",
            f"time             {format_utc(self.first_ns)} to {format_utc(self.last_ns)}",
            f"gaps             {self.gaps} over {self.gap_threshold_s:g} s, {self.gap_total_s:,.0f} s in all{place}",
            f"weekend gaps     {self.weekend_gaps}",
            f"out of order     {share(self.out_of_order)}",
            f"equal times      {share(self.equal_times)}",
            f"duplicates       {share(self.duplicates)}",
            f"crossed spreads  {share(self.crossed)}",
            f"zero spreads     {share(self.zero_spreads)}",
            f"spread           min {low}, median {middle:g}, max {high} points",
            f"price step       {self.price_step_points} points{hint}",
            f"off grid         {share(self.off_grid)}",
            f"outliers         {share(self.outliers)}, largest jump {self.largest_jump_points:g} points{jump}",
            f"score            {self.score:.1f} of 100, {'clean' if self.clean else 'not clean'}",
        ]


def check(
    segments: Iterable[tuple[date, TickSegment]], digits: int, *, gap_threshold_s: float = 300.0
) -> QualityReport:
    """Looks through ticks, a day at a time; only the counts are kept in memory.

    Args:
        segments: Days in order with their ticks, as ``Catalog.segments`` gives them.
        digits: Decimal digits of the prices.
        gap_threshold_s: Time without ticks, in seconds of open market, from which on it is a gap.
    """
    tally = _Tally(gap_threshold_s)
    for _, segment in segments:
        if len(segment.time_ns):
            tally.add(segment)
    return tally.report(digits)


class _Tally:
    """Counts that grow day by day."""

    def __init__(self, gap_threshold_s: float) -> None:
        self.threshold_ns = int(gap_threshold_s * NS_PER_S)
        self.ticks = self.days = self.gaps = self.weekend_gaps = 0
        self.gap_ns = self.longest_ns = self.longest_at = 0
        self.closed_ns = 0
        self.out_of_order = self.equal = self.duplicates = 0
        self.step = self.on_coarse = 0
        self.prices: set[int] = set()  # different ones, the first few
        self.jump_hp, self.jump_at = 0, 0
        self.spreads: dict[int, int] = {}
        self.jumps_hp: dict[int, int] = {}
        self.first_ns: int | None = None
        self.last: TickSegment | None = None

    def add(self, day: TickSegment) -> None:
        if self.first_ns is None:
            self.first_ns = int(day.time_ns[0])
        self.ticks += len(day.time_ns)
        self.days += 1
        _count(self.spreads, day.ask_points - day.bid_points)
        self.step = int(np.gcd.reduce([np.gcd.reduce(day.bid_points), np.gcd.reduce(day.ask_points), self.step]))
        if len(self.prices) < _FEW_PRICES:
            self.prices.update(np.unique(day.bid_points).tolist())
        self.on_coarse += int(((day.bid_points % _COARSE == 0) & (day.ask_points % _COARSE == 0)).sum())
        joined = day if self.last is None else concat_segments([self.last, day])
        self._steps(joined)
        self.last = take(day, slice(-1, None))

    def _steps(self, ticks: TickSegment) -> None:
        """Counts what lies between a tick and the next."""
        elapsed = np.diff(ticks.time_ns)
        same = elapsed == 0
        unchanged = (np.diff(ticks.bid_points) == 0) & (np.diff(ticks.ask_points) == 0)
        self.out_of_order += int((elapsed < 0).sum())
        self.equal += int(same.sum())
        self.duplicates += int((same & unchanged).sum())
        long = np.flatnonzero(elapsed > self.threshold_ns)
        for place in long.tolist():
            self._gap(int(ticks.time_ns[place]), int(ticks.time_ns[place + 1]))
        mids = ticks.bid_points + ticks.ask_points
        jumps = np.abs(np.diff(mids))
        jumps[long] = 0  # a market may open anywhere after a pause
        _count(self.jumps_hp, jumps)
        if len(jumps) and jumps.max() > self.jump_hp:
            place = int(jumps.argmax())
            self.jump_hp, self.jump_at = int(jumps[place]), int(ticks.time_ns[place + 1])

    def _gap(self, start: int, end: int) -> None:
        closed = closed_ns(start, end)
        open_ns = end - start - closed
        if closed:
            self.weekend_gaps += 1
            self.closed_ns += closed
        if open_ns <= self.threshold_ns:
            return
        self.gaps += 1
        self.gap_ns += open_ns
        if open_ns > self.longest_ns:
            self.longest_ns, self.longest_at = open_ns, start

    def _outliers(self, spread: float) -> int:
        moves = {jump: count for jump, count in self.jumps_hp.items() if jump}
        typical = _median(moves)  # median absolute jump of the ticks that moved, half points
        limit = max(_OUTLIER_MADS * typical, 2 * _OUTLIER_SPREADS * max(spread, 1.0))
        return sum(count for jump, count in moves.items() if jump > limit)

    def report(self, digits: int) -> QualityReport:
        crossed = sum(count for spread, count in self.spreads.items() if spread < 0)
        spread = _median(self.spreads)
        outliers = self._outliers(abs(spread))
        first, last = self.first_ns, int(self.last.time_ns[-1]) if self.last else None
        off_grid = self.ticks - self.on_coarse
        off_grid = off_grid if self.ticks and off_grid <= self.ticks // 100 else 0
        open_ns = max(1, (last or 0) - (first or 0) - self.closed_ns)
        too_many = bool(self.step) and self.step % _COARSE == 0 and len(self.prices) >= _FEW_PRICES
        each = max(1, self.ticks)
        lost = (
            min(40.0, 400 * crossed / each)
            + min(40.0, 400 * self.out_of_order / each)
            + min(10.0, 100 * self.duplicates / each)
            + min(10.0, 50 * self.spreads.get(0, 0) / each)
            + min(20.0, 2000 * outliers / each)
            + min(20.0, 50 * self.gap_ns / open_ns)
            + 10.0 * too_many
        )
        return QualityReport(
            digits=digits,
            ticks=self.ticks,
            days=self.days,
            first_ns=first,
            last_ns=last,
            gap_threshold_s=self.threshold_ns / NS_PER_S,
            gaps=self.gaps,
            gap_total_s=self.gap_ns / NS_PER_S,
            longest_gap_s=self.longest_ns / NS_PER_S,
            longest_gap_start_ns=self.longest_at or None,
            weekend_gaps=self.weekend_gaps,
            out_of_order=self.out_of_order,
            equal_times=self.equal,
            duplicates=self.duplicates,
            crossed=crossed,
            zero_spreads=self.spreads.get(0, 0),
            spread_min_points=min(self.spreads, default=0),
            spread_median_points=spread,
            spread_max_points=max(self.spreads, default=0),
            price_step_points=self.step or 1,
            digits_too_many=too_many,
            off_grid=off_grid,
            outliers=outliers,
            largest_jump_points=self.jump_hp / 2,
            largest_jump_ns=self.jump_at or None,
            score=round(max(0.0, 100.0 - lost), 1),
        )


def _count(counts: dict[int, int], values: IntArray) -> None:
    distinct, times = np.unique(values, return_counts=True)
    for value, count in zip(distinct.tolist(), times.tolist(), strict=True):
        counts[value] = counts.get(value, 0) + count


def _median(counts: dict[int, int]) -> float:
    """The (lower) median of values that are given with how often each occurs; 0 of nothing."""
    half, passed = (sum(counts.values()) + 1) // 2, 0
    for value in sorted(counts):
        passed += counts[value]
        if passed >= half:
            return float(value)
    return 0.0
