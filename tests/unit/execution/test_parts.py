"""The small parts of the execution room: board, hash, batches, cache, choice, sender."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from execution_support import WalkSource, brokers, failing, scenario, scenario_set
from hypothesis import given
from hypothesis import strategies as st
from own_access import OWN

from finiex_ray.config.models import BarPrice
from finiex_ray.core.enums import ScenarioStatus
from finiex_ray.core.errors import ExecutionError
from finiex_ray.core.market import BarSeries, TickSegment, read_only
from finiex_ray.engine.result import ErrorInfo, ProgressUpdate, ScenarioResult, Wanted
from finiex_ray.engine.run import failed_result
from finiex_ray.execution.batches import make_batches
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.choice import choose_executor, estimate_s
from finiex_ray.execution.coordinator import ExecutionCoordinator
from finiex_ray.execution.executor import Executor
from finiex_ray.execution.hashing import outcome, set_hash
from finiex_ray.execution.local import LocalExecutor
from finiex_ray.execution.plan import plan_scenarios
from finiex_ray.execution.planned import PlannedScenario
from finiex_ray.execution.progress import ProgressBoard
from finiex_ray.execution.ray_progress import ProgressActor, ProgressSender
from finiex_ray.execution.ray_store import References
from finiex_ray.execution.ray_task import Shipment, pack_shipments

RUNNING = ScenarioStatus.RUNNING.value
PLANNED = plan_scenarios(scenario_set(scenario("one")), WalkSource(), brokers, OWN).runnable[0]


def update(index: int, ticks: int, status: str = RUNNING) -> ProgressUpdate:
    return ProgressUpdate(index, f"s{index}", "EURUSD", status, ticks, 100, ticks / 10)


class TestBoard:
    def test_the_latest_of_each_running_scenario_in_order(self) -> None:
        board = ProgressBoard()
        board.update_all([update(2, 10), update(0, 5), update(2, 30), update(2, 20)])
        assert [(each.index, each.ticks_done) for each in board.running()] == [(0, 5), (2, 30)]

    def test_a_finished_scenario_stays_finished(self) -> None:
        board = ProgressBoard()
        board.update(update(1, 10))
        board.finish(1)
        board.update(update(1, 20))
        assert board.running() == []

    def test_a_final_update_ends_the_row(self) -> None:
        board = ProgressBoard()
        board.update(update(1, 10))
        board.update(update(1, 100, ScenarioStatus.COMPLETED.value))
        assert board.running() == []

    def test_a_scenario_that_begins_again_goes_back(self) -> None:
        board = ProgressBoard()
        board.update(update(1, 90))
        board.restart(1)
        board.update(update(1, 10))
        assert [each.ticks_done for each in board.running()] == [10]


class TestHash:
    def test_order_does_not_matter_and_names_do(self) -> None:
        outcomes = [("a", "hash:1"), ("b", "hash:2")]
        assert set_hash(outcomes) == set_hash(reversed(outcomes))
        assert set_hash(outcomes) != set_hash([("a", "hash:2"), ("b", "hash:1")])
        assert set_hash([("a", "hash:1;1:b=hash:2")]) != set_hash(outcomes)

    def test_a_failure_counts_by_its_type_only(self) -> None:
        first = failed_result(0, "a", "EURUSD", ErrorInfo("ValueError", "in one folder"))
        second = failed_result(0, "a", "EURUSD", ErrorInfo("ValueError", "in another folder"))
        third = failed_result(0, "a", "EURUSD", ErrorInfo("KeyError", "in one folder"))
        assert outcome(first) == outcome(second) != outcome(third)


@given(st.lists(st.integers(1, 300_000), max_size=300), st.integers(1, 16))
def test_batches_hold_every_scenario_once_in_order(ticks: list[int], cpus: int) -> None:
    planned = [replace(PLANNED, ticks=count, first=number) for number, count in enumerate(ticks)]
    batches = list(make_batches(planned, cpus))
    assert [each.first for batch in batches for each in batch] == list(range(len(ticks)))
    for batch in batches:
        assert len(batch) == 1 or sum(0.5 + each.ticks * 4e-6 for each in batch) <= 25.0
        assert len(batch) <= 256
    work_ms = sum(0.5 + each * 4e-6 for each in ticks)
    assert all(len(batch) <= -(-len(ticks) // cpus) for batch in batches)
    if work_ms <= 25.0 * cpus:  # little: a batch for each CPU
        assert len(batches) <= 2 * cpus
    elif work_ms >= 100.0 * cpus:
        assert len(batches) >= min(2 * cpus, len(ticks))


def test_a_strategy_of_ones_own_may_take_any_time_and_goes_in_small_batches() -> None:
    task = PLANNED.task
    own = task.config.logic.model_copy(update={"type": "engine_strategies:Own"})
    config = task.config.model_copy(update={"logic": own})
    shipped = [replace(PLANNED, ticks=10, first=number) for number in range(8)]
    planned = [replace(each, task=replace(task, config=config)) for each in shipped]
    assert [len(batch) for batch in make_batches(shipped, 2)] == [4, 4]
    assert [len(batch) for batch in make_batches(planned, 2)] == [1] * 8


class TestCache:
    def test_threads_load_a_day_once(self) -> None:
        gate = threading.Barrier(8)

        class Slow(WalkSource):
            def load(self, symbol: str, day: date) -> TickSegment:
                started.set()
                release.wait(5)
                return super().load(symbol, day)

        started, release = threading.Event(), threading.Event()
        source = Slow()
        cache = SegmentCache(source)

        def ask() -> TickSegment:
            gate.wait(5)
            return cache.segment("EURUSD", date(2025, 9, 16))

        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(ask) for _ in range(8)]
            assert started.wait(5)
            release.set()
            found = [each.result(5) for each in asked]
        assert all(each is found[0] for each in found)
        assert list(source.loads.values()) == [1]

    def test_ticks_are_read_only_and_a_day_without_ticks_is_empty(self) -> None:
        cache = SegmentCache(WalkSource())
        with pytest.raises(ValueError, match="read-only"):
            cache.segment("EURUSD", date(2025, 9, 16)).bid_points[0] = 1
        assert len(cache.segment("EURUSD", date(2025, 9, 14)).time_ns) == 0

    def test_a_dropped_day_is_loaded_again(self) -> None:
        source = WalkSource()
        cache = SegmentCache(source)
        before = cache.segment("EURUSD", date(2025, 9, 16))
        cache.drop("EURUSD", date(2025, 9, 16))
        np.testing.assert_array_equal(cache.segment("EURUSD", date(2025, 9, 16)).bid_points, before.bid_points)
        assert list(source.loads.values()) == [2]


class TestChoice:
    @pytest.fixture(autouse=True)
    def surroundings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DEBUG_MODE", "0")
        monkeypatch.delenv("RAY_ADDRESS", raising=False)

    def test_small_work_stays_here_and_large_work_goes_to_ray(self) -> None:
        assert choose_executor([PLANNED] * 4, None, jobs=4) == "local"
        assert choose_executor([replace(PLANNED, ticks=10**9)] * 4, None, jobs=4) == "ray"

    def test_one_cpu_or_one_scenario_gains_nothing(self) -> None:
        huge = replace(PLANNED, ticks=10**10)
        assert choose_executor([huge] * 4, None, jobs=1) == "local"
        assert choose_executor([huge], None, jobs=8) == "local"

    def test_an_address_means_ray_and_a_debugger_means_here(self, monkeypatch: pytest.MonkeyPatch) -> None:
        huge = [replace(PLANNED, ticks=10**9)] * 4
        monkeypatch.setenv("RAY_ADDRESS", "head:6379")
        assert choose_executor([PLANNED], None) == "ray"
        monkeypatch.setenv("DEBUG_MODE", "1")
        assert choose_executor(huge, None, jobs=4) == "local"
        assert choose_executor([PLANNED], "auto") == "ray"

    def test_python_strategies_count_for_more(self) -> None:
        slow = plan_scenarios(scenario_set(failing("one", "Raises")), WalkSource(), brokers, OWN).runnable[0]
        many = 10**6
        assert estimate_s([replace(slow, ticks=many)]) > 10 * estimate_s([replace(PLANNED, ticks=many)])


class TestCoordinator:
    @staticmethod
    def run(monkeypatch: pytest.MonkeyPatch, answers: Sequence[tuple[int, str]]) -> list[ScenarioResult]:
        class Wrong(Executor):
            name = "wrong"

            def run(self, planned: Sequence[PlannedScenario]) -> Iterator[ScenarioResult]:  # type: ignore[override]
                for index, kind in answers:
                    yield failed_result(index, f"s{index}", "EURUSD", ErrorInfo(kind, "e"))

            def close(self) -> None: ...

        coordinator = ExecutionCoordinator(
            scenario_set(scenario("s0"), scenario("s1")), WalkSource(), brokers, executor="local"
        )
        monkeypatch.setattr(coordinator, "_start", lambda *_, **__: Wrong())
        results: list[ScenarioResult] = []
        coordinator.run(results.append)
        return results

    def test_a_late_duplicate_that_differs_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(ExecutionError, match=r"'s0' .* came back twice.* first error:E, then error:F.*determinism"):
            self.run(monkeypatch, [(0, "E"), (1, "E"), (0, "F")])

    def test_a_late_duplicate_that_says_the_same_is_dropped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert [each.index for each in self.run(monkeypatch, [(0, "E"), (0, "E"), (1, "E")])] == [0, 1]

    def test_a_result_that_never_comes_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(ExecutionError, match="1 scenarios came back without a result: 's1'"):
            self.run(monkeypatch, [(0, "E")])

    def test_an_interrupt_passes_after_the_results_before_it(self) -> None:
        names: list[str] = []
        coordinator = ExecutionCoordinator(
            scenario_set(scenario("first"), failing("stop", "Interrupts"), scenario("never")),
            WalkSource(),
            brokers,
            executor="local",
            access=OWN,
        )
        with pytest.raises(KeyboardInterrupt):
            coordinator.run(lambda result: names.append(result.name))
        assert names == ["first"]


def test_threads_stop_at_their_next_update_when_the_run_is_closed() -> None:
    cache = SegmentCache(WalkSource())
    window = {"start": "2025-09-08T00:00:00Z", "max_ticks": 20_000, "execution": {"block_ticks": 50}}
    logic = {"type": "execution_support:Raises", "tick": 10**9}
    endless = [scenario(f"slow_{number}", **window, workers={}, logic=logic) for number in range(6)]
    planned = plan_scenarios(scenario_set(failing("first", "Raises", tick=0), *endless), cache, brokers, OWN).runnable
    executor = LocalExecutor(cache, jobs=2)
    stream = executor.run(planned)
    next(stream)
    stream.close()
    with pytest.raises(StopIteration):
        next(stream)
    for thread in threading.enumerate():
        if thread.name.startswith("scenario"):
            thread.join(timeout=60)
            assert not thread.is_alive()
    assert all(update.ticks_done < 20_000 for update in executor.progress())


def test_an_address_for_a_run_in_this_process_is_refused() -> None:
    with pytest.raises(ExecutionError, match=r"--address head:6379 names a Ray cluster.*leave one out"):
        ExecutionCoordinator(scenario_set(scenario("s")), WalkSource(), brokers, executor="local", address="head:6379")


def test_jobs_below_one_are_refused() -> None:
    with pytest.raises(ExecutionError, match="jobs is 0"):
        LocalExecutor(SegmentCache(WalkSource()), jobs=0)


class TestSender:
    @staticmethod
    def sender(sent: list[ProgressUpdate], now: list[float], error: Exception | None = None) -> ProgressSender:
        def remote(each: ProgressUpdate) -> None:
            if error is not None:
                raise error
            sent.append(each)

        actor: Any = SimpleNamespace(update=SimpleNamespace(remote=remote))
        return ProgressSender(actor, clock=lambda: now[0])

    def test_it_sends_no_more_often_than_its_gap(self) -> None:
        sent: list[ProgressUpdate] = []
        now = [0.0]
        send = self.sender(sent, now)
        for now[0] in (0.0, 0.01, 0.02, 0.06, 0.07, 0.2):
            send(update(0, 1))
        assert len(sent) == 3

    def test_start_and_end_are_not_sent(self) -> None:
        sent: list[ProgressUpdate] = []
        send = self.sender(sent, [0.0])
        send(update(0, 0, ScenarioStatus.INIT_PROCESS.value))
        send(update(0, 0, ScenarioStatus.COMPLETED.value))
        assert sent == []

    def test_what_does_not_fit_is_dropped(self) -> None:
        from ray.exceptions import ActorDiedError, PendingCallsLimitExceeded

        sent: list[ProgressUpdate] = []
        for error in (PendingCallsLimitExceeded("full"), ActorDiedError()):
            self.sender(sent, [0.0], error)(update(0, 1))
        assert sent == []

    def test_the_actor_gives_each_change_once(self) -> None:
        actor = ProgressActor()
        for each in (update(0, 1), update(1, 1), update(0, 2)):
            actor.update(each)
        assert [(each.index, each.ticks_done) for each in actor.drain()] == [(0, 2), (1, 1)]
        assert actor.drain() == []


class TestShipments:
    def test_market_data_travels_as_it_is(self) -> None:
        bars = BarSeries(*(read_only(np.arange(5) * column) for column in range(6)))
        there = pickle.loads(pickle.dumps(bars))
        assert isinstance(there, BarSeries)
        for one, other in zip(bars, there, strict=True):
            assert np.array_equal(one, other)
            assert not other.flags.writeable

    def test_what_another_process_finds_by_no_name_travels_as_it_is(self) -> None:
        def measure(result: ScenarioResult) -> float:
            return float(len(result.name))

        measured = replace(PLANNED.task, wanted=Wanted(measures={"name": measure}))
        for task in (PLANNED.task, measured):
            shipment = Shipment(task, "EURUSD", 5, BarPrice.MID, 0, 0, 1, 1, stream=False, segments=(0,), warmup={})
            (there,) = pickle.loads(pack_shipments([shipment]))
            assert there.task.config == task.config
        assert there.task.wanted.measures["name"](failed_result(0, "four", "EURUSD", ValueError())) == 4.0

    def test_a_module_that_is_registered_by_value_travels_whole(self) -> None:
        import execution_support
        from ray import cloudpickle

        task = replace(PLANNED.task, wanted=Wanted(measures={"made": execution_support.failing}))
        shipment = Shipment(task, "EURUSD", 5, BarPrice.MID, 0, 0, 1, 1, stream=False, segments=(0,), warmup={})
        by_name = pack_shipments([shipment])
        cloudpickle.register_pickle_by_value(execution_support)
        try:
            (there,) = pickle.loads(pack_shipments([shipment]))
        finally:
            cloudpickle.unregister_pickle_by_value(execution_support)
        assert there.task.wanted.measures["made"] is not execution_support.failing
        assert pickle.loads(by_name)[0].task.wanted.measures["made"] is execution_support.failing

    def test_each_reference_of_a_batch_once(self) -> None:
        references = References()
        assert [references.place(each) for each in "abacb"] == [0, 1, 0, 2, 1]
        assert list(references) == ["a", "b", "c"]
