"""Data of any length: a bounded cache, plans that load little, windows that hold two days, days loaded on the nodes."""

from __future__ import annotations

import gc
import json
import weakref
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from execution_support import FIRST, LAST, TICKS_A_DAY, WalkSource, brokers, scenario, scenario_set
from own_access import OWN
from typer.testing import CliRunner

from finiex_ray.cli import app
from finiex_ray.config.models import DataConfig, DataLoad, ScenarioConfig, ScenarioSet
from finiex_ray.core.errors import DataError
from finiex_ray.core.market import TickSegment
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.execution import ray_store, ray_task, stream
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.coordinator import ExecutionCoordinator, RunSummary
from finiex_ray.execution.estimate import estimate_plan
from finiex_ray.execution.plan import plan_scenarios
from finiex_ray.execution.stream import SegmentStream, StreamedWindow

PLAIN: dict[str, Any] = {"workers": {}, "logic": {"type": "scripted", "orders": [{"tick": 5, "action": "buy"}]}}
DAY_BYTES = TICKS_A_DAY * stream.TICK_BYTES


class CountedSource(WalkSource):
    """Knows its days' lengths, and counts loads, also those of other processes, in files."""

    def __init__(self, folder: Path | None = None, damaged: frozenset[date] = frozenset(), missing: int = 0) -> None:
        super().__init__(damaged)
        self._folder, self._missing = folder, missing

    def rows(self, symbol: str, day: date) -> int | None:
        return TICKS_A_DAY + self._missing if self.has_day(symbol, day) else 0

    def load(self, symbol: str, day: date) -> TickSegment:
        if self._folder is not None:
            with (self._folder / f"{symbol} {day}").open("a") as stream:
                stream.write(".")
        return super().load(symbol, day)


def month(name: str, **values: Any) -> ScenarioConfig:
    """From the second to the last week of September, with a conversion-free account."""
    shared = {"start": "2025-09-08T00:00:00Z", "end": "2025-09-30T12:00:00Z", "max_ticks": None}
    return scenario(name, **{**shared, **values})


def run(
    executor: Any, chosen: ScenarioSet, source: WalkSource | None = None
) -> tuple[RunSummary, list[ScenarioResult]]:
    results: list[ScenarioResult] = []
    coordinator = ExecutionCoordinator(chosen, source or CountedSource(), brokers, executor=executor, access=OWN)
    return coordinator.run(results.append), results


def test_the_cache_lets_go_of_what_was_not_asked_for_the_longest() -> None:
    source = WalkSource()
    cache = SegmentCache(source, most_bytes=3 * DAY_BYTES)
    days = [date(2025, 9, number) for number in (1, 2, 3, 4)]
    for day in (*days[:3], days[0], days[3]):  # the second has waited the longest when the fourth comes
        cache.segment("EURUSD", day)
    for day in days:
        cache.segment("EURUSD", day)
    assert [source.loads["EURUSD", day] for day in days] == [1, 2, 1, 1] or max(source.loads.values()) == 2
    assert source.loads["EURUSD", days[0]] == 1
    held = [weakref.ref(cache.segment("EURUSD", day).time_ns) for day in days]
    del cache
    gc.collect()
    assert [ref() for ref in held] == [None] * 4


def test_a_day_larger_than_the_bound_is_still_given() -> None:
    cache = SegmentCache(WalkSource(), most_bytes=1)
    assert len(cache.segment("EURUSD", FIRST).time_ns) == TICKS_A_DAY
    assert len(cache.segment("EURUSD", LAST).time_ns) == TICKS_A_DAY


def test_a_plan_loads_the_edges_of_a_window_only() -> None:
    source = CountedSource()
    config = month("long", **PLAIN, start="2025-09-08T00:00:00Z", end="2025-09-26T00:00:00Z")
    (planned,) = plan_scenarios(scenario_set(config), source, brokers, OWN).runnable
    assert (planned.ticks, len(planned.days)) == (14 * TICKS_A_DAY, 14)
    assert not source.loads
    config = month("odd", **PLAIN, start="2025-09-08T10:00:00Z")
    (planned,) = plan_scenarios(scenario_set(config), source, brokers, OWN).runnable
    assert set(source.loads) == {("EURUSD", date(2025, 9, 8)), ("EURUSD", date(2025, 9, 30))}
    full = plan_scenarios(scenario_set(config), WalkSource(), brokers, OWN).runnable[0]
    assert (planned.days, planned.first, planned.last, planned.ticks) == (full.days, full.first, full.last, full.ticks)


def test_a_stream_holds_two_days_whatever_is_asked_of_it() -> None:
    source, alive = WalkSource(), []

    def load(number: int) -> TickSegment:
        segment = source.load("EURUSD", date(2025, 9, number))
        alive.append(weakref.ref(segment.time_ns))
        return segment

    segments = SegmentStream([lambda number=number: load(number) for number in (1, 2, 3, 4, 5)])  # type: ignore[misc]
    assert len(segments) == 5
    for _segment in segments:
        del _segment
        gc.collect()
        assert sum(ref() is not None for ref in alive) <= 2
    assert len(alive) == 5
    assert segments[-1] is segments[4]
    assert len(alive) == 5
    assert len(segments[1:3]) == 2
    with pytest.raises(IndexError):
        segments[5]


@pytest.fixture
def short_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of more than 5,000 ticks are streamed."""
    monkeypatch.setattr(stream, "STREAM_TICKS", 5_000)


@pytest.mark.usefixtures("short_stream")
def test_a_streamed_window_says_the_same_as_a_whole_one(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = SegmentCache(WalkSource())
    for config in (month("a"), month("b", start="2025-09-12T23:59:50Z"), month("c", end="2025-09-29T00:00:40Z")):
        (planned,) = plan_scenarios(scenario_set(config), cache, brokers, OWN).runnable
        streamed = planned.window(cache)
        assert isinstance(streamed, StreamedWindow)
        with monkeypatch.context() as patch:
            patch.setattr(stream, "STREAM_TICKS", 10**9)
            whole = planned.window(cache)
        assert not isinstance(whole, StreamedWindow)
        assert (streamed.ticks, streamed.span_ns) == (whole.ticks, whole.span_ns)


def test_streaming_and_a_tiny_cache_change_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = scenario_set(month("a"), month("b", symbol="GBPUSD", start="2025-09-09T13:00:00Z"), scenario("short"))
    expected, _ = run("local", chosen)
    monkeypatch.setattr(stream, "STREAM_TICKS", 5_000)
    monkeypatch.setattr(SegmentCache.__init__, "__defaults__", (DAY_BYTES,))
    source = CountedSource()
    summary, results = run("local", chosen, source)
    assert [each.error for each in results] == [None] * 3
    assert summary.set_hash == expected.set_hash
    assert source.loads["EURUSD", date(2025, 9, 16)] > 1  # let go and loaded again


@pytest.mark.usefixtures("short_stream")
def test_a_damaged_day_in_mid_stream_fails_its_scenario_alone() -> None:
    source = CountedSource(damaged=frozenset({date(2025, 9, 18)}))
    summary, results = run("local", scenario_set(month("hit", **PLAIN), scenario("fine")), source)
    assert (summary.completed, summary.failed) == (1, 1)
    (error,) = (each.error for each in results if each.error is not None)
    assert error.type == "DataError"
    assert "checksum differs" in error.message


def on_cluster(*scenarios: ScenarioConfig) -> ScenarioSet:
    return scenario_set(*scenarios).model_copy(update={"data": DataConfig(load=DataLoad.CLUSTER)})


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
class TestOnTheNodes:
    def test_each_day_is_loaded_by_one_task_once(self, tmp_path: Path) -> None:
        same = [scenario(f"same_{number}", max_ticks=2_500, seed=number) for number in range(12)]
        source = CountedSource(tmp_path)
        chosen = on_cluster(*same)
        plan_scenarios(chosen, SegmentCache(source), brokers, OWN)
        planned = {path.name: len(path.read_text()) for path in tmp_path.iterdir()}
        for path in tmp_path.iterdir():
            path.unlink()
        summary, _ = run("ray", chosen, source)
        assert summary.completed == 12
        loaded = {path.name: len(path.read_text()) for path in tmp_path.iterdir()}
        used = [f"EURUSD 2025-09-{number}" for number in (16, 17, 18)]
        assert {name: loaded[name] - planned.get(name, 0) for name in used} == dict.fromkeys(used, 1)
        assert summary.set_hash == run("local", scenario_set(*same))[0].set_hash

    def test_long_windows_are_streamed_there_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        chosen = on_cluster(month("a"), month("b", symbol="GBPUSD"))
        expected, _ = run("local", scenario_set(*chosen.scenarios))
        monkeypatch.setattr(stream, "STREAM_TICKS", 5_000)
        assert run("ray", chosen)[0].set_hash == expected.set_hash

    def test_a_node_that_sees_other_data_is_no_result(self) -> None:
        source = CountedSource(missing=3)
        config = scenario("one", **PLAIN, start="2025-09-16T00:00:00Z", max_ticks=3_000)
        summary, results = run("ray", on_cluster(config), source)
        assert summary.failed == 1
        assert results[0].error is not None
        assert results[0].error.type == "DataError"
        assert "1,440 ticks of EURUSD on 2025-09-1" in results[0].error.message
        assert "1,443 as the driver does" in results[0].error.message

    def test_a_damaged_day_is_the_failure_of_those_that_need_it(self) -> None:
        source = CountedSource(damaged=frozenset({date(2025, 9, 17)}))
        hit = scenario("hit", **PLAIN, start="2025-09-16T00:00:00Z", end="2025-09-18T00:00:00Z", max_ticks=None)
        summary, results = run(
            "ray", on_cluster(hit, scenario("fine", start="2025-09-12T14:00:00Z", max_ticks=500)), source
        )
        assert (summary.completed, summary.failed) == (1, 1)
        (error,) = (each.error for each in results if each.error is not None)
        assert (error.type, "checksum differs" in error.message) == ("DataError", True)


def test_a_lost_segment_is_no_failure_of_the_scenario(monkeypatch: pytest.MonkeyPatch) -> None:
    from ray.exceptions import ObjectLostError

    from finiex_ray.execution.stopped import DataLostError

    def lost(reference: Any) -> Any:
        raise ObjectLostError("ab", None, "")

    monkeypatch.setattr(ray_task, "_get", lost)
    with pytest.raises(DataLostError) as caught:
        ray_task._stream("reference")
    assert isinstance(caught.value.__cause__, ObjectLostError)
    with pytest.raises(DataError, match="as the driver does"):
        ray_store.checked_day(WalkSource(), "EURUSD", FIRST, 7)


def test_the_estimate_counts_each_day_once(short_stream: None) -> None:
    cache = SegmentCache(CountedSource())
    same = [scenario(f"s{number}", max_ticks=2_500, seed=number) for number in range(40)]
    plan = plan_scenarios(scenario_set(*same, month("long"), scenario("bad", symbol="X1")), cache, brokers, OWN)
    found = estimate_plan(plan, cache, 4)
    assert (found.scenarios, found.invalid, found.streamed) == (41, 1, 1)
    assert found.segments == 17  # of the long one; the others lie in it
    assert found.data_bytes == 17 * DAY_BYTES
    assert found.ticks == plan.ticks
    assert 1 < found.tasks < 41
    assert found.warmup_bytes > 0
    assert found.wall_s < found.work_s < 5
    assert estimate_plan(plan, cache, 1).wall_s == pytest.approx(found.work_s)


def test_plan_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    shared = {"symbol": "EURUSD", "start": "2025-09-24T08:00:00Z", "max_ticks": 2_000, "logic": PLAIN["logic"]}
    path = tmp_path / "set.json"
    path.write_text(json.dumps({"global": shared, "scenarios": [{"name": "a"}, {"name": "b", "symbol": "EURUSX"}]}))
    told = CliRunner().invoke(app, ["plan", str(path), "--jobs", "3"])
    assert told.exit_code == 2
    assert "b: " in told.stderr
    assert "1 can run, 1 cannot" in told.stdout
    assert "2,000 ticks in 1 tasks" in told.stdout
    values = json.loads(CliRunner().invoke(app, ["plan", str(path), "--jobs", "3", "--only", "a", "--json"]).stdout)
    assert (values["scenarios"], values["cpus"], values["segments"]) == (1, 3, 1)
    assert values["versions"]["finiex_ray"]
