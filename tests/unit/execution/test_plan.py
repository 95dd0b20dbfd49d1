"""Validation and data planning: what a plan holds, and every reason why a scenario cannot run."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from execution_support import FIRST, LAST, TICKS_A_DAY, WalkSource, brokers, mixed_scenarios, scenario, scenario_set
from own_access import OWN

from finiex_ray.config.models import BarPrice, InvalidScenario, ScenarioConfig
from finiex_ray.core.enums import ScenarioStatus
from finiex_ray.core.time import NS_PER_DAY, NS_PER_S, Timeframe, day_start_ns
from finiex_ray.engine.result import ErrorInfo
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.plan import plan_scenarios
from finiex_ray.execution.planned import PlannedScenario
from finiex_ray.execution.windows import find_warmup


def planned(config: ScenarioConfig) -> PlannedScenario:
    plan = plan_scenarios(scenario_set(config), WalkSource(), brokers, OWN)
    assert plan.invalid == ()
    return plan.runnable[0]


def refused(config: ScenarioConfig | InvalidScenario, source: WalkSource | None = None) -> ErrorInfo:
    plan = plan_scenarios(scenario_set(config), source or WalkSource(), brokers, OWN)
    assert plan.runnable == ()
    assert plan.invalid[0].status is ScenarioStatus.FINISHED_WITH_ERROR
    error = plan.invalid[0].error
    assert error is not None
    return error


def test_a_window_of_ticks_within_a_day() -> None:
    found = planned(scenario("one", start="2025-09-16T14:00:00Z", max_ticks=600))
    assert found.days == (date(2025, 9, 16),)
    assert (found.first, found.last, found.ticks) == (840, 1_440, 600)


def test_a_window_ends_at_max_ticks_or_at_end_whichever_comes_first() -> None:
    both = planned(scenario("one", end="2025-09-16T15:00:00Z", max_ticks=600))
    assert (both.first, both.last, both.ticks) == (840, 900, 60)
    both = planned(scenario("one", end="2025-09-16T15:00:00Z", max_ticks=30))
    assert both.ticks == 30


def test_end_is_exclusive_and_start_inclusive() -> None:
    found = planned(scenario("one", start="2025-09-16T14:00:30Z", end="2025-09-16T14:02:30Z", max_ticks=None))
    assert (found.first, found.last, found.ticks) == (840, 842, 2)


def test_a_window_over_a_weekend_holds_no_empty_days() -> None:
    found = planned(scenario("one", start="2025-09-12T12:00:00Z", max_ticks=720 + 1_440 + 1))
    assert found.days == (date(2025, 9, 12), date(2025, 9, 15), date(2025, 9, 16))
    assert (found.first, found.last, found.ticks) == (720, 1, 2_161)


def test_the_day_of_the_start_is_kept_even_without_a_tick_of_the_scenario() -> None:
    late = planned(scenario("late", start="2025-09-16T23:59:45Z", max_ticks=5))
    assert late.days == (date(2025, 9, 16), date(2025, 9, 17))
    assert (late.first, late.last, late.ticks) == (TICKS_A_DAY, 5, 5)
    weekend = planned(scenario("weekend", start="2025-09-13T10:00:00Z", max_ticks=5))
    assert weekend.days == (date(2025, 9, 13), date(2025, 9, 15))
    assert (weekend.first, weekend.last, weekend.ticks) == (0, 5, 5)


def test_trailing_days_without_ticks_are_dropped() -> None:
    found = planned(scenario("one", start="2025-09-12T23:00:00Z", end="2025-09-15T00:00:10Z", max_ticks=None))
    assert found.days == (date(2025, 9, 12),)
    assert found.ticks == 60


def test_the_window_of_a_plan_holds_the_ticks_it_counts() -> None:
    cache = SegmentCache(WalkSource())
    for each in plan_scenarios(scenario_set(*mixed_scenarios(20)), cache, brokers, OWN).runnable:
        window = each.window(cache)
        assert window.ticks == each.ticks
        parts = [segment.time_ns for segment in window.segments]
        times = np.concatenate([parts[0][window.first :], *parts[1:]])[: each.ticks]
        assert times[0] >= each.start_ns
        assert len(times) == each.ticks


def test_warm_up_bars_are_the_last_that_ended_before_the_start() -> None:
    cache = SegmentCache(WalkSource())
    start_ns = day_start_ns(date(2025, 9, 15)) + 7_230 * NS_PER_S  # Monday 02:00:30
    bars = find_warmup(cache, "EURUSD", start_ns, BarPrice.MID, {Timeframe.M30: 10, Timeframe.D1: 2})
    ends = bars[Timeframe.M30].start_ns + Timeframe.M30.ns
    assert len(ends) == 10
    assert ends[-1] == day_start_ns(date(2025, 9, 15)) + 7_200 * NS_PER_S
    assert (np.diff(ends) > 0).all()
    assert (ends < day_start_ns(date(2025, 9, 13)) + 1).sum() == 6  # the other four are Monday's
    assert bars[Timeframe.D1].start_ns.tolist() == [day_start_ns(date(2025, 9, day)) for day in (11, 12)]
    assert bars[Timeframe.D1].tick_count.tolist() == [TICKS_A_DAY, TICKS_A_DAY]


def test_a_bar_that_ends_at_the_start_belongs_to_the_warm_up() -> None:
    start_ns = day_start_ns(date(2025, 9, 16)) + 3_600 * NS_PER_S
    (bars,) = find_warmup(SegmentCache(WalkSource()), "EURUSD", start_ns, BarPrice.MID, {Timeframe.H1: 1}).values()
    assert bars.start_ns.tolist() == [day_start_ns(date(2025, 9, 16))]


def test_scenarios_with_one_start_share_the_largest_warm_up() -> None:
    few = {"rsi_fast": {"type": "rsi", "period": 14, "timeframe": "M5", "warmup_bars": 20}}
    many = {"rsi_fast": {"type": "rsi", "period": 14, "timeframe": "M5", "warmup_bars": 90}}
    logic = {"type": "scripted"}
    configs = [scenario("a", workers=few, logic=logic), scenario("b", workers=many, logic=logic)]
    first, second = plan_scenarios(scenario_set(*configs), WalkSource(), brokers, OWN).runnable
    assert first.warmup is second.warmup
    assert len(first.warmup[Timeframe.M5].start_ns) == 90


def test_each_day_is_loaded_once() -> None:
    source = WalkSource()
    plan_scenarios(scenario_set(*mixed_scenarios(40)), source, brokers, OWN)
    assert set(source.loads.values()) == {1}


def test_every_reason_is_told() -> None:
    config = scenario(
        "all wrong",
        start="2025-10-07T14:00:00Z",
        workers={"r": {"type": "rsi", "period": 0}, "x": {"type": "rsx"}},
        account={"broker": "nobody"},
    )
    message = refused(config).message
    for part in ("workers.r", "'period'", "workers.x", "Did you mean 'rsi'?", "no broker 'nobody'", "after the data"):
        assert part in message


def test_an_unknown_symbol_gets_a_suggestion() -> None:
    error = refused(scenario("one", symbol="EURUSX"))
    assert error.type == "ScenarioInvalidError"
    assert "no symbol 'EURUSX'. Did you mean 'EURUSD'?" in error.message


@pytest.mark.parametrize(
    ("start", "end", "where"),
    [
        ("2025-08-01T00:00:00Z", "2025-08-02T00:00:00Z", "before the data"),
        ("2025-10-01T00:00:00Z", "2025-10-02T00:00:00Z", "after the data"),
        ("2025-09-13T00:00:00Z", "2025-09-14T12:00:00Z", "in a gap"),
    ],
)
def test_an_empty_window_says_what_there_is(start: str, end: str, where: str) -> None:
    message = refused(scenario("one", start=start, end=end)).message
    assert where in message
    assert f"{FIRST} to {LAST}" in message


def test_too_few_warm_up_bars_are_told_by_worker_and_timeframe() -> None:
    message = refused(scenario("one", start="2025-09-01T02:02:00Z")).message
    assert "workers.rsi_fast needs 60 closed M5 bars before 2025-09-01T02:02:00Z, the data has 24" in message
    assert "workers.envelope_main needs" in message
    assert "M30 bars" in message


def test_a_damaged_day_is_a_reason_and_others_run() -> None:
    source = WalkSource(damaged=frozenset({date(2025, 9, 18)}))
    configs = [scenario("hit", start="2025-09-18T10:00:00Z"), scenario("fine")]
    plan = plan_scenarios(scenario_set(*configs), source, brokers, OWN)
    assert [each.task.config.name for each in plan.runnable] == ["fine"]
    assert plan.invalid[0].error is not None
    assert "checksum differs" in plan.invalid[0].error.message


def test_damage_in_the_warm_up_is_a_reason() -> None:
    source = WalkSource(damaged=frozenset({date(2025, 9, 15)}))
    assert (
        "warm-up bars: EURUSD 2025-09-15: checksum differs"
        in refused(scenario("one", start="2025-09-16T00:10:00Z"), source).message
    )


def test_what_strategy_code_raises_while_it_is_built_keeps_its_type() -> None:
    error = refused(scenario("one", logic={"type": "execution_support:FailsToBuild"}))
    assert error.type == "ZeroDivisionError"
    assert "FailsToBuild" not in error.message
    assert "while it was built" in error.traceback


def test_scenarios_that_could_not_be_read_are_results_in_the_order_of_the_set() -> None:
    unread = InvalidScenario(name="unread", symbol="EURUSD", reasons=("one.", "two."))
    plan = plan_scenarios(
        scenario_set(scenario("bad", symbol="X1"), unread, scenario("good")), WalkSource(), brokers, OWN
    )
    assert [(each.index, each.name) for each in plan.invalid] == [(0, "bad"), (1, "unread")]
    assert plan.invalid[1].error is not None
    assert plan.invalid[1].error.message == "one.; two."
    assert plan.ticks == plan.runnable[0].ticks == 1_000


def test_the_bar_price_tells_warm_ups_apart() -> None:
    configs = [scenario("mid"), scenario("bid", bar_price="bid")]
    mid, bid = plan_scenarios(scenario_set(*configs), WalkSource(), brokers, OWN).runnable
    assert mid.warmup_key != bid.warmup_key
    mids, bids = (each.warmup[Timeframe.M5].close_hp for each in (mid, bid))
    assert (mids - bids == 7).all()  # half points: the spread is 7 points
    assert mid.start_ns % NS_PER_DAY == 14 * 3_600 * NS_PER_S
