from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from execution_support import WalkSource, brokers, scenario, scenario_set
from own_access import OWN

from finiex_ray.checks.futures import cut_after, scrambled_after
from finiex_ray.checks.lookahead import check_lookahead
from finiex_ray.checks.verdict import CheckReport
from finiex_ray.config.load import load_broker
from finiex_ray.config.models import ScenarioConfig
from finiex_ray.core.errors import ScenarioInvalidError
from finiex_ray.core.market import TickSegment
from finiex_ray.core.random import generator
from finiex_ray.core.time import NS_PER_DAY
from finiex_ray.data.synthetic import SyntheticMarket
from finiex_ray.decisions.registry import logic_types
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.plan import plan_scenarios
from finiex_ray.workers.registry import worker_types

WORKERS = {
    "rsi": {"type": "rsi", "period": 5, "timeframe": "M1"},
    "envelope": {"type": "envelope", "period": 8, "deviation": 0.01, "timeframe": "M1"},
    "bollinger": {"type": "bollinger", "period": 8, "deviation": 1.0, "timeframe": "M5"},
    "moving_average": {"type": "moving_average", "period": 10, "timeframe": "M1"},
    "macd": {"type": "macd", "timeframe": "M1"},
    "atr": {"type": "atr", "period": 5, "timeframe": "M5"},
    "stochastic": {"type": "stochastic", "timeframe": "M1"},
}
TRADES = {"lots": 0.1, "sl_points": 60, "tp_points": 60}
SCRIPT = [{"tick": tick, "action": "buy" if tick % 200 else "close_all"} for tick in range(0, 2_000, 100)]
LOGICS: dict[str, dict[str, Any]] = {
    "aggressive_trend": {**TRADES, "inputs": {"band": "envelope"}},
    "limit_entry": {**TRADES, "inputs": {"band": "bollinger"}, "band_extremes": 0.3, "offset_points": 5},
    "macd_cross": TRADES,
    "scripted": {"orders": SCRIPT},
    "simple_consensus": {**TRADES, "inputs": {"band": "bollinger"}, "band_extremes": 0.3},
    "two_sided_quote": {**TRADES, "offset_points": 8, "lifetime_s": 30, "trail_points": 20},
}


def synthetic(name: str, logic: dict[str, Any], workers: dict[str, Any] | None = None, **values: Any) -> ScenarioConfig:
    chosen = {"max_ticks": 2_500, "start": "2025-09-24T13:00:00Z", "execution": {"block_ticks": 512}, **values}
    return scenario(name, workers=workers or {}, logic=logic, **chosen)


def check(*scenarios: ScenarioConfig, probes: int = 6) -> CheckReport:
    return check_lookahead(
        scenario_set(*scenarios),
        SyntheticMarket(7),
        lambda name: load_broker(name, Path("set.json"))[0],
        probes=probes,
        access=OWN,
    )


def cheat(name: str) -> dict[str, Any]:
    return {"type": f"checks_strategies:{name}"}


def test_the_lists_name_everything_that_is_shipped() -> None:
    assert set(WORKERS) == set(worker_types())
    assert set(LOGICS) == set(logic_types())


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("logic", sorted(LOGICS))
def test_all_that_is_shipped_is_clean(logic: str, live: bool) -> None:
    workers = {name: {**values, "live": live} for name, values in WORKERS.items()}
    report = check(synthetic("shipped", {"type": logic, **LOGICS[logic]}, workers), probes=4)
    assert [each.sentence() for each in report.differences] == []
    assert report.exit_code == 0
    assert report.scenarios[0].runs == 2 * (2 + 3 * 4)


@pytest.mark.parametrize(
    "strategy", [{"logic": cheat("Honest")}, {"logic": {"type": "engine_strategies:ByRange"}, "tick": True}]
)
def test_tick_style_of_a_user_is_clean(strategy: dict[str, Any]) -> None:
    workers = {"range": {"type": "engine_strategies:Range", "timeframe": "M1"}} if "tick" in strategy else {}
    report = check(synthetic("own", strategy["logic"], workers, max_ticks=1_200), probes=4)
    assert (report.exit_code, report.differences) == (0, ())


def test_a_worker_that_reads_the_final_close_is_caught_and_the_logic_is_not_blamed() -> None:
    workers = {"rsi": WORKERS["rsi"], "peek": {**cheat("FinalClose"), "timeframe": "M1"}}
    report = check(synthetic("final_close", cheat("Honest"), workers))
    assert report.exit_code == 1
    (difference,) = report.differences
    assert (difference.scenario, difference.output) == ("final_close", "close")
    assert difference.subject == "worker 'peek' (checks_strategies:FinalClose)"
    assert difference.tick is not None
    assert 0 <= difference.tick < 2_500
    assert difference.time is not None
    assert difference.time.startswith("2025-09-24T13:")
    assert difference.expected != difference.found
    assert "after tick" in difference.run


@pytest.mark.parametrize("name", ["NextTick", "RareNextTick", "BlockEnd"])
@pytest.mark.parametrize("block_ticks", [512, 8_192])
def test_a_logic_that_reads_ahead_in_its_block_is_caught(name: str, block_ticks: int) -> None:
    report = check(synthetic(name, cheat(name), execution={"block_ticks": block_ticks}))
    (difference,) = report.differences
    assert difference.subject == f"logic 'checks_strategies:{name}'"
    assert difference.output == "action"
    assert {difference.expected, difference.found} <= {"BUY", "SELL", "NONE"}
    assert difference.expected != difference.found


def test_one_tick_ahead_differs_at_the_probe_itself() -> None:
    (difference,) = check(synthetic("next", cheat("NextTick"))).differences
    assert f"after tick {difference.tick}, " in difference.run


def test_a_worker_that_sees_the_whole_block_is_caught() -> None:
    report = check(synthetic("high", cheat("Honest"), {"high": {**cheat("BlockHigh"), "timeframe": "M1"}}))
    assert [each.output for each in report.differences] == ["high"]


def test_a_logic_that_peeks_while_it_trades_is_caught_by_its_orders() -> None:
    (difference,) = check(synthetic("peeping", cheat("Peeping")), probes=12).differences
    assert difference.output.startswith("orders row ")
    assert difference.tick is not None
    assert difference.tick % 200 == 100


def test_a_logic_whose_failure_hangs_on_the_future_is_caught() -> None:
    (difference,) = check(synthetic("nervous", cheat("Nervous"))).differences
    assert (difference.subject, difference.output, difference.expected) == ("strategy", "error", "none")
    assert "too wild" in difference.found


def test_a_cheat_with_blocks_of_one_tick_is_caught_in_the_large_block() -> None:
    report = check(synthetic("one", cheat("NextTick"), execution={"block_ticks": 1}, max_ticks=600))
    assert ["one block a day" in each.run for each in report.differences] == [True]


def test_what_is_not_repeatable_is_told_as_that() -> None:
    (difference,) = check(synthetic("dice", cheat("Unseeded"))).differences
    assert "not repeatable" in difference.run


def test_a_failing_scenario_is_not_checked_and_others_are() -> None:
    report = check(synthetic("broken", cheat("Broken")), synthetic("good", cheat("Honest")))
    assert [each.verdict for each in report.scenarios] == ["not checked", "clean"]
    assert report.scenarios[0].failure == "ValueError: no luck (tick 300)"
    assert report.exit_code == 2


def test_an_invalid_scenario_is_told_and_a_set_of_them_is_bad_input() -> None:
    bad = synthetic("bad", {"type": "macd_cross"})
    report = check(bad, synthetic("good", cheat("Honest")), probes=1)
    assert report.exit_code == 2
    assert "macd" in report.as_json()["failures"]["bad"]
    with pytest.raises(ScenarioInvalidError, match="bad: "):
        check(bad)


def test_probes_are_seeded() -> None:
    def differences(seed: int) -> Any:
        cheating = scenario_set(scenario("seeded", workers={}, logic=cheat("NextTick")))
        return check_lookahead(cheating, WalkSource(), brokers, access=OWN, probes=2, seed=seed).differences

    assert differences(1) == differences(1)
    assert differences(1) != differences(2)


@pytest.mark.parametrize("tick", [0, 700, 1_000, 2_200])
def test_futures_keep_the_past_and_change_all_that_follows(tick: int) -> None:
    cache = SegmentCache(WalkSource())
    plan = plan_scenarios(scenario_set(scenario("two_days", max_ticks=2_400)), cache, brokers, OWN)
    window = plan.runnable[0].window(cache)
    columns = _columns(window.segments, window.first)
    short = cut_after(window, tick)
    assert short.ticks == tick + 1
    assert all(column.base is None or len(column.base) == len(column) for column in short.segments[-1])
    for upwards in (True, False):
        other = scrambled_after(window, tick, tick + 50, generator(1), upwards=upwards)
        assert other.ticks == tick + 50
        assert other.warmup is window.warmup
        seen = _columns(other.segments, other.first)
        for true, mine in zip(columns, seen, strict=True):
            assert np.array_equal(true[: tick + 1], mine[: tick + 1])
        times, bid, ask, _ = seen
        assert np.all(np.diff(times) >= 0)
        assert times[-1] // NS_PER_DAY == times[tick] // NS_PER_DAY
        away = bid[tick + 1 :] - bid[tick]
        assert away.min() > 1_000 if upwards else away.max() < -1_000
        assert bid.min() > 0
        assert np.all(ask >= bid)
        assert times[tick + 1] != columns[0][tick + 1]


def _columns(segments: tuple[TickSegment, ...], first: int) -> list[Any]:
    joined = [np.concatenate(parts) for parts in zip(*segments, strict=True)]
    return [column[first:] for column in joined]
