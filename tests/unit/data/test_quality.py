"""The quality report on ticks whose faults are known."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pytest

from finiex_ray.core.market import TickSegment
from finiex_ray.core.time import NS_PER_S, day_of, to_ns
from finiex_ray.data.calendar import closed_ns
from finiex_ray.data.quality import QualityReport, check


def series(*ticks: tuple[str, int, int]) -> list[tuple[date, TickSegment]]:
    """Days of ticks written as (time, bid, ask); a time that goes back stays in the day before it."""
    days: dict[date, list[tuple[int, int, int]]] = {}
    for stamp, bid, ask in ticks:
        time = to_ns(datetime.fromisoformat(stamp + "+00:00"))
        days.setdefault(day_of(time), []).append((time, bid, ask))
    result = []
    for day, rows in days.items():
        time_ns, bids, asks = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
        result.append((day, TickSegment(time_ns, bids, asks, np.zeros(len(rows)))))
    return result


def walk(count: int = 2_000, spread: int = 10) -> TickSegment:
    steps = np.arange(count, dtype=np.int64)
    bid = 110_000 + (steps * 7) % 13
    start = to_ns(datetime.fromisoformat("2024-01-02T00:00:00+00:00"))
    return TickSegment(start + steps * NS_PER_S, bid, bid + spread, np.zeros(count))


def one(ticks: TickSegment) -> QualityReport:
    return check([(date(2024, 1, 2), ticks)], 5)


def test_good_ticks_are_clean_and_full_score() -> None:
    report = one(walk())
    assert report.clean
    assert (report.score, report.ticks, report.days) == (100.0, 2_000, 1)
    assert (report.spread_min_points, report.spread_median_points, report.spread_max_points) == (10, 10.0, 10)
    assert report.lines()[-1] == "score            100.0 of 100, clean"


def test_faults_are_counted() -> None:
    report = check(
        series(
            ("2024-01-02T00:00:00", 100, 103),
            ("2024-01-02T00:00:00", 100, 103),  # duplicate
            ("2024-01-02T00:00:00", 101, 103),  # equal time
            ("2024-01-02T00:00:02", 104, 103),  # crossed
            ("2024-01-02T00:00:01", 103, 103),  # goes back; zero spread
        ),
        5,
    )
    assert (report.equal_times, report.duplicates, report.out_of_order) == (2, 1, 1)
    assert (report.crossed, report.zero_spreads, report.spread_min_points) == (1, 1, -1)
    assert not report.clean
    assert report.score < 50


def test_steps_over_midnight_are_looked_at_too() -> None:
    report = check(series(("2024-01-02T23:59:59", 100, 101), ("2024-01-03T00:06:00", 100, 101)), 5)
    assert (report.days, report.gaps, report.longest_gap_s) == (2, 1, 361.0)


def test_a_gap_needs_more_than_the_threshold() -> None:
    ticks = series(
        ("2024-01-02T00:00:00", 100, 101), ("2024-01-02T00:05:00", 101, 102), ("2024-01-02T00:10:01", 100, 101)
    )
    report = check(ticks, 5)
    assert (report.gaps, report.longest_gap_s, report.gap_total_s) == (1, 301.0, 301.0)
    assert report.longest_gap_start_ns == int(ticks[0][1].time_ns[1])
    assert check(ticks, 5, gap_threshold_s=299).gaps == 2


@pytest.mark.parametrize(
    ("last", "first", "gaps"),
    [
        ("2024-07-05T20:59:58", "2024-07-07T21:00:03", 0),  # summer: 17:00 New York is 21:00 UTC
        ("2024-01-05T21:59:58", "2024-01-07T22:00:03", 0),  # winter: 22:00 UTC
        ("2024-01-05T21:00:00", "2024-01-07T22:00:03", 1),  # an hour of Friday is missing
        ("2024-03-08T21:59:58", "2024-03-10T21:00:03", 0),  # the clocks change in between
    ],
)
def test_weekends_are_counted_apart(last: str, first: str, gaps: int) -> None:
    report = check(series((last, 100, 101), (first, 150, 151)), 5)
    assert (report.weekend_gaps, report.gaps, report.outliers) == (1, gaps, 0)


def test_closed_time_of_two_weekends() -> None:
    start, end = (
        to_ns(datetime.fromisoformat(text + "+00:00")) for text in ("2024-01-01T00:00:00", "2024-01-15T00:00:00")
    )
    assert closed_ns(start, end) == 2 * 48 * 3600 * NS_PER_S
    assert closed_ns(start, start) == 0


def test_a_spike_is_an_outlier_and_a_jump_after_a_gap_is_not() -> None:
    ticks = walk()
    bid = ticks.bid_points.copy()
    bid[1_000] += 5_000
    spike = one(ticks._replace(bid_points=bid, ask_points=bid + 10))
    assert (spike.outliers, spike.largest_jump_ns) == (2, int(ticks.time_ns[1_001]))
    assert not spike.clean
    bid = ticks.bid_points.copy()
    bid[1_000:] += 5_000
    time = ticks.time_ns.copy()
    time[1_000:] += 301 * NS_PER_S
    assert one(ticks._replace(time_ns=time, bid_points=bid, ask_points=bid + 10)).outliers == 0


def test_digits_that_are_one_too_many_and_prices_off_that_grid() -> None:
    ticks = walk()
    coarse = ticks._replace(bid_points=ticks.bid_points * 10, ask_points=ticks.ask_points * 10)
    report = one(coarse)
    assert report.price_step_points == 10
    assert not report.clean
    assert any("digits look one too many" in line for line in report.lines())
    bid = coarse.bid_points.copy()
    bid[5] += 3
    assert one(coarse._replace(bid_points=bid)).off_grid == 1


def test_a_few_round_prices_say_nothing_about_the_digits() -> None:
    ticks = walk(9)
    few = one(ticks._replace(bid_points=ticks.bid_points * 10, ask_points=ticks.ask_points * 10))
    assert (few.price_step_points, few.digits_too_many, few.clean, few.score) == (10, False, True, 100.0)


def test_no_ticks() -> None:
    report = check([], 5)
    assert (report.ticks, report.first_ns, report.lines()) == (0, None, ["no ticks"])
    assert report.as_dict()["clean"] is True
