"""One suite for every executor: the same results, whatever happens to a scenario."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from execution_support import WalkSource, brokers, failing, mixed_scenarios, scenario, scenario_set
from own_access import OWN

from finiex_ray.config.models import InvalidScenario, ScenarioConfig
from finiex_ray.core.enums import ScenarioStatus
from finiex_ray.core.errors import ExecutionError
from finiex_ray.engine.result import ProgressUpdate, ScenarioResult
from finiex_ray.execution.coordinator import ExecutionCoordinator, RunSummary, Totals, _Desk
from finiex_ray.execution.debugger import debugger_attached

Scenario = ScenarioConfig | InvalidScenario
Runner = Callable[..., tuple[RunSummary, dict[str, ScenarioResult]]]


def run(
    executor: Any, jobs: int | None, *scenarios: Scenario, **options: Any
) -> tuple[RunSummary, dict[str, ScenarioResult]]:
    """Runs the scenarios; fails if one comes back twice or not at all."""
    source = options.pop("source", None) or WalkSource()
    on_progress = options.pop("on_progress", None)
    coordinator = ExecutionCoordinator(
        scenario_set(*scenarios), source, brokers, executor=executor, jobs=jobs, access=OWN, **options
    )
    results: list[ScenarioResult] = []
    summary = coordinator.run(results.append, on_progress)
    assert sorted(each.index for each in results) == list(range(len(scenarios)))
    assert summary.scenarios == len(scenarios) == summary.completed + summary.failed
    assert summary.executor == executor
    return summary, {each.name: each for each in results}


@pytest.fixture(params=["local", "threads", pytest.param("ray", marks=pytest.mark.ray)])
def runner(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Runner:
    monkeypatch.setenv("DEBUG_MODE", "0")
    if request.param == "ray":
        request.getfixturevalue("ray_session")
        return lambda *scenarios, **options: run("ray", None, *scenarios, **options)
    jobs = 1 if request.param == "local" else 3
    return lambda *scenarios, **options: run("local", jobs, *scenarios, **options)


def test_every_executor_gives_the_same_results_in_any_order(runner: Runner) -> None:
    scenarios = mixed_scenarios(30)
    expected, by_name = run("local", 1, *scenarios)
    assert any(each.loop is not None and len(each.loop.trades) > 3 for each in by_name.values())
    random.Random(1).shuffle(scenarios)
    summary, results = runner(*scenarios)
    assert summary.failed == 0
    assert summary.set_hash == expected.set_hash
    assert summary.ticks == expected.ticks > 0
    for name, result in results.items():
        assert result.loop is not None
        assert by_name[name].loop is not None
        assert result.log == by_name[name].log
        assert result.loop.trades.tobytes() == by_name[name].loop.trades.tobytes()


def test_unrelated_scenarios_change_no_hash(runner: Runner) -> None:
    """Alone, and among others: on its own window, on other ones, with other strategies, failing and invalid ones."""
    alone = scenario("alone")
    _, expected = run("local", 1, alone)
    others = [
        scenario("same_window", logic={"type": "aggressive_trend", "lots": 0.3, "sl_points": 40}),
        scenario("other_workers", workers={"macd": {"type": "macd", "timeframe": "M1"}}, logic={"type": "macd_cross"}),
        scenario("other_seed", seed=8, account={"latency": {"kind": "uniform", "ms": 0, "max_ms": 90_000}}),
        failing("fails", "Raises"),
        InvalidScenario(name="invalid", reasons=("no reason",)),
    ]
    _, results = runner(*others[:3], alone, *others[3:])
    loops = [each["alone"].loop for each in (expected, results)]
    assert loops[0] is not None
    assert loops[1] is not None
    assert len(loops[0].trades) > 3
    assert loops[0].result_hash == loops[1].result_hash
    assert len({each.loop.result_hash for each in results.values() if each.loop is not None}) > 3


def test_a_failure_is_a_result_and_the_rest_completes(runner: Runner) -> None:
    summary, results = runner(
        scenario("good_1"),
        failing("raises", "Raises", tick=400),
        scenario("nowhere", symbol="EURUSX"),
        failing("odd", "RaisesOdd"),
        failing("polite", "ExitsPolitely"),
        failing("base", "RaisesBase"),
        failing("writer", "WritesToTicks"),
        InvalidScenario(name="unread", reasons=("seed: must be a whole number",)),
        failing("unbuilt", "FailsToBuild"),
        scenario("good_2", symbol="GBPUSD"),
    )
    assert summary.completed == 2
    types = {name: each.error.type for name, each in results.items() if each.error is not None}
    assert types == {
        "raises": "ValueError",
        "nowhere": "ScenarioInvalidError",
        "odd": "OddError",
        "polite": "SystemExit",
        "base": "BaseException",
        "writer": "ValueError",
        "unread": "ScenarioInvalidError",
        "unbuilt": "ZeroDivisionError",
    }
    raised = results["raises"]
    assert raised.status is ScenarioStatus.FINISHED_WITH_ERROR
    assert raised.error is not None
    assert raised.error.tick_index == 400
    assert raised.error.message == "an error in the strategy"
    assert 'raise ValueError("an error in the strategy")' in raised.error.traceback
    assert any("an error in the strategy" in line for line in raised.log)
    assert raised.loop is not None
    assert results["writer"].error is not None
    assert "read-only" in results["writer"].error.message


def test_set_hash_tells_failures_apart_by_type_and_is_equal_everywhere(runner: Runner) -> None:
    scenarios = [scenario("good"), failing("bad", "Raises")]
    assert runner(*scenarios)[0].set_hash == run("local", 1, *reversed(scenarios))[0].set_hash
    assert runner(*scenarios)[0].set_hash != runner(scenario("good"), failing("bad", "ExitsPolitely"))[0].set_hash


def test_fail_fast_cancels_what_has_not_run(runner: Runner) -> None:
    many = [scenario(f"later_{number}", max_ticks=5_000) for number in range(60)]
    summary, results = runner(failing("first", "Raises", tick=0), *many, fail_fast=True)
    assert results["first"].error is not None
    assert results["first"].error.type == "ValueError"
    cancelled = [each for each in results.values() if each.error is not None and each.error.type == "Cancelled"]
    assert cancelled
    assert summary.failed == 1 + len(cancelled)


def test_fail_fast_with_an_invalid_scenario_runs_nothing(runner: Runner) -> None:
    summary, results = runner(scenario("good"), scenario("bad", symbol="EURUSX"), fail_fast=True)
    assert summary.completed == 0
    assert results["good"].error is not None
    assert results["good"].error.type == "Cancelled"


def test_progress_ends_with_the_totals(runner: Runner) -> None:
    seen: list[tuple[list[ProgressUpdate], Totals]] = []
    summary, _ = runner(
        *mixed_scenarios(6),
        failing("bad", "Raises"),
        on_progress=lambda updates, totals: seen.append((list(updates), totals)),
        interval_s=0.01,
    )
    running, last = seen[-1]
    assert running == []
    assert (last.completed, last.failed, last.running, last.waiting) == (6, 1, 0, 0)
    assert last.ticks == summary.ticks
    assert last.ticks_total == last.ticks  # what the failed one left undone does not count


def test_a_failing_display_loses_no_result(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    delivered: list[str] = []
    original = _Desk.deliver

    def deliver(desk: _Desk, result: ScenarioResult) -> None:
        delivered.append(result.name)
        original(desk, result)

    monkeypatch.setattr(_Desk, "deliver", deliver)

    def broken(updates: Any, totals: Totals) -> None:
        raise RuntimeError("the display broke")

    with pytest.raises(RuntimeError, match="the display broke"):
        runner(scenario("one"), scenario("two"), on_progress=broken)
    assert sorted(delivered) == ["one", "two"]


def test_a_debugger_means_the_calling_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG_MODE", "1")
    assert debugger_attached()
    coordinator = ExecutionCoordinator(scenario_set(*mixed_scenarios(8)), WalkSource(), brokers, jobs=4)
    order: list[int] = []
    summary = coordinator.run(lambda result: order.append(result.index))
    assert summary.executor == "local"
    assert order == sorted(order)


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
class TestRay:
    def test_a_killed_process_costs_one_scenario_of_its_batch(self) -> None:
        many = [scenario(f"small_{number}", max_ticks=50) for number in range(40)]
        many.insert(21, failing("killer", "Dies"))
        summary, results = run("ray", None, *many)
        assert summary.completed == 40
        error = results["killer"].error
        assert error is not None
        assert error.type == "WorkerCrashedError"
        assert "os._exit" in error.message
        assert "5 tries" in error.message

    def test_a_process_that_is_killed_once_gets_another_try(self, tmp_path: Path) -> None:
        summary, _ = run("ray", None, failing("unlucky", "Dies", once=str(tmp_path / "died")), scenario("other"))
        assert (tmp_path / "died").exists()
        assert summary.completed == 2

    def test_data_is_put_once_however_many_scenarios_share_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import ray

        put: list[str] = []
        original = ray.put

        def spy(value: Any, **options: Any) -> Any:
            put.append(type(value).__name__)
            return original(value, **options)

        monkeypatch.setattr(ray, "put", spy)
        source = WalkSource()
        same = [scenario(f"same_{number}", max_ticks=2_500, seed=number) for number in range(25)]
        summary, _ = run("ray", None, *same, source=source)
        assert summary.completed == 25
        assert put.count("StoredDay") == 3  # 16 to 18 September
        assert put.count("dict") == 1  # one bundle of warm-up bars
        assert max(source.loads.values()) == 1

    def test_strategies_are_found_in_the_current_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        module = "\n".join(
            [
                "from finiex_ray.decisions.tick_style import TickLogic",
                "class Mine(TickLogic):",
                "    def on_tick(self, tick, values, trading):",
                "        if tick.index == 3:",
                "            trading.buy('0.1')",
            ]
        )
        (tmp_path / "strategy_of_this_folder.py").write_text(module)
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend("")
        mine = scenario("mine", workers={}, logic={"type": "strategy_of_this_folder:Mine"})
        _, results = run("ray", None, mine)
        loop = results["mine"].loop
        assert results["mine"].error is None
        assert loop is not None
        assert len(loop.trades) == 1

    def test_a_strategy_that_interrupts_fails_alone(self) -> None:
        summary, results = run("ray", None, failing("interrupts", "Interrupts"), scenario("other"))
        assert summary.completed == 1
        assert results["interrupts"].error is not None
        assert results["interrupts"].error.type == "KeyboardInterrupt"

    def test_no_progress_actor_without_a_display(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse() -> None:
            raise AssertionError("an actor was started")

        monkeypatch.setattr("finiex_ray.execution.ray_executor.start_progress_actor", refuse)
        assert run("ray", None, scenario("one"))[0].completed == 1


def test_a_ray_client_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(ExecutionError, match="finiex-ray submit"):
        run("ray", None, scenario("one"), address="ray://head:10001")
