"""What travels back from a task: measures, balances, and nothing that was not asked for."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from builders import make_broker, make_config, make_window
from own_access import OWN
from sweep_support import broken_measure

from finiex_ray.core.time import NS_PER_S, Timeframe
from finiex_ray.engine.batch import run_batch
from finiex_ray.engine.result import ScenarioResult, ScenarioTask, Wanted
from finiex_ray.engine.run import run_scenario

CONFIG = make_config(
    max_ticks=9_000,
    workers={"rsi": {"type": "rsi", "timeframe": "M1"}, "band": {"type": "bollinger", "timeframe": "M5"}},
    logic={"type": "aggressive_trend", "sl_points": 40, "tp_points": 60},
)


def run(wanted: Wanted) -> ScenarioResult:
    return run_scenario(ScenarioTask(0, CONFIG, make_broker(), OWN, wanted), make_window(CONFIG), clock=lambda: 0)


def trades_of(result: ScenarioResult) -> int:
    assert result.loop is not None
    assert result.balances is not None  # there before measures are taken
    return len(result.loop.trades)


@pytest.fixture(scope="module")
def whole() -> ScenarioResult:
    result = run(Wanted())
    assert result.loop is not None
    assert len(result.loop.trades) > 5
    return result


def test_what_is_left_out_changes_no_statistic_and_no_hash(whole: ScenarioResult) -> None:
    slim = run(Wanted(records=False, balances=Timeframe.M15, measures={"trades": trades_of}))
    assert slim.loop is not None
    assert whole.loop is not None
    assert slim.loop.statistics == whole.loop.statistics
    assert slim.loop.result_hash == whole.loop.result_hash
    assert slim.measures == {"trades": float(len(whole.loop.trades))}
    assert [len(getattr(slim.loop, name)) for name in ("orders", "fills", "trades", "equity")] == [0] * 4
    assert slim.log == ()
    assert slim.loop.profile.operations == {}
    assert len(pickle.dumps(slim)) < len(pickle.dumps(whole)) / 4


@pytest.mark.parametrize("period", [Timeframe.M1, Timeframe.M15, Timeframe.H1, Timeframe.D1])
def test_balances_by_period_are_those_of_the_fills(whole: ScenarioResult, period: Timeframe) -> None:
    balances = run(Wanted(balances=period)).balances
    assert balances is not None
    assert whole.loop is not None
    window = make_window(CONFIG)
    times = np.concatenate([each.time_ns for each in window.segments])[window.first :][: CONFIG.max_ticks]
    assert balances.start_ns.tolist() == sorted({int(time) // period.ns * period.ns for time in times})
    assert balances.width_ns == period.ns
    expected, balance, fills = [], 10_000 * 100, list(whole.loop.fills)
    for start in balances.start_ns.tolist():
        while fills and fills[0]["time_ns"] < start + period.ns:
            balance = int(fills.pop(0)["balance_minor"])
        expected.append(balance)
    assert balances.balance_minor.tolist() == expected
    assert balances.balance_minor[-1] == round(whole.loop.statistics["final_balance"] * 100)


def test_scenarios_that_share_a_window_give_the_same() -> None:
    wanted = Wanted(records=False, balances=Timeframe.M15, measures={"trades": trades_of})
    configs = [
        CONFIG.model_copy(update={"logic": CONFIG.logic.model_copy(update={"sl_points": sl})}) for sl in (30, 50)
    ]
    tasks = [ScenarioTask(place, config, make_broker(), OWN, wanted) for place, config in enumerate(configs)]
    window = make_window(CONFIG)
    for task, shared in zip(tasks, run_batch(tasks, window, clock=lambda: 0), strict=True):
        single = run_scenario(task, window, clock=lambda: 0)
        assert shared.loop is not None
        assert single.loop is not None
        assert shared.loop.result_hash == single.loop.result_hash
        assert shared.measures == single.measures
        assert shared.balances is not None
        assert single.balances is not None
        assert shared.balances.balance_minor.tolist() == single.balances.balance_minor.tolist()
        assert len(shared.loop.trades) == 0
    broken = [replace(task, wanted=Wanted(measures={"x": broken_measure})) for task in tasks]
    assert [each.success for each in run_batch(broken, window, clock=lambda: 0)] == [False, False]


def test_a_measure_that_raises_is_the_failure_of_its_scenario() -> None:
    failed = run(Wanted(records=False, measures={"x": broken_measure}))
    assert not failed.success
    assert failed.error is not None
    assert failed.error.type == "LookupError"
    assert "in broken_measure" in failed.error.traceback
    assert any("LookupError" in line for line in failed.log)


@pytest.mark.parametrize(("value", "message"), [("high", "must return a number"), (True, "must return a number")])
def test_a_measure_returns_a_number_or_none(value: object, message: str) -> None:
    failed = run(Wanted(measures={"x": lambda _: value}))  # type: ignore[dict-item,return-value]
    assert failed.error is not None
    assert message in failed.error.message
    assert run(Wanted(measures={"x": lambda _: None})).measures == {"x": None}
    assert run(Wanted(measures={"x": lambda _: float("inf")})).measures == {"x": None}
    assert run(Wanted(measures={"x": lambda _: np.int64(3)})).measures == {"x": 3.0}


def test_measures_come_by_import_path() -> None:
    measures = {"longs": "sweep_support:profit_of_longs", "absent": "sweep_support:absent"}
    assert run(Wanted(measures={"longs": measures["longs"]})).measures["longs"] is not None
    failed = run(replace(Wanted(), measures=measures))
    assert failed.error is not None
    assert failed.error.type == "RegistryError"


def test_no_tick_lies_between_the_periods_that_are_left_out() -> None:
    config = make_config(start="2025-09-26T18:00:00Z", end="2025-09-29T02:00:00Z", max_ticks=None)
    balances = run_scenario(
        ScenarioTask(0, config, make_broker(), OWN, Wanted(balances=Timeframe.H1)), make_window(config), clock=lambda: 0
    ).balances
    assert balances is not None
    hours = (balances.start_ns // (3_600 * NS_PER_S) - balances.start_ns[0] // (3_600 * NS_PER_S)).tolist()
    assert hours == [0, 1, 2, *range(51, 56)]  # Friday to 21:00, Sunday from 21:00 on
