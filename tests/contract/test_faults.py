"""What can befall a scenario, on every executor: it costs that scenario alone, and its row says what it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from execution_support import WalkSource, brokers, scenario, scenario_set
from own_access import OWN

from finiex_ray.config.models import ScenarioConfig
from finiex_ray.core.errors import ExecutionError
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.execution import ray_executor, ray_progress
from finiex_ray.execution.coordinator import ExecutionCoordinator, RunSummary

Runner = Callable[..., tuple[RunSummary, dict[str, ScenarioResult]]]


def harm(name: str, kind: str, limit_s: float | None = None, **params: Any) -> ScenarioConfig:
    logic = {"type": "fault_strategies:Harm", "kind": kind, **params}
    return scenario(name, workers={}, logic=logic, execution={"time_limit_s": limit_s}, max_ticks=100)


SOUND = [harm(f"sound_{number}", "").model_copy(update={"seed": number}) for number in range(12)]


def run(executor: Any, jobs: int | None, *scenarios: ScenarioConfig, **options: Any):
    found: dict[str, ScenarioResult] = {}
    on_progress = options.pop("on_progress", None)
    coordinator = ExecutionCoordinator(
        scenario_set(*scenarios), WalkSource(), brokers, executor=executor, jobs=jobs, access=OWN, **options
    )
    summary = coordinator.run(lambda result: found.update({result.name: result}), on_progress)
    assert len(found) == len(scenarios)
    return summary, found


@pytest.fixture(params=["local", "threads", pytest.param("ray", marks=pytest.mark.ray)])
def runner(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Runner:
    monkeypatch.setenv("DEBUG_MODE", "0")
    if request.param == "ray":
        request.getfixturevalue("ray_session")
        return lambda *scenarios, **options: run("ray", None, *scenarios, **options)
    jobs = 1 if request.param == "local" else 3
    return lambda *scenarios, **options: run("local", jobs, *scenarios, **options)


def check_sound(found: dict[str, ScenarioResult]) -> None:
    expected = run("local", 1, *SOUND)[1]
    for each in SOUND:
        result, other = found[each.name], expected[each.name]
        assert result.loop is not None
        assert other.loop is not None
        assert result.loop.result_hash == other.loop.result_hash


def test_errors_of_every_kind(runner: Runner) -> None:
    kinds = {
        "exit": "SystemExit",
        "exception": "OddError",
        "unprintable": "UnprintableError",
        "huge_error": "ValueError",
    }
    _, found = runner(*SOUND, *(harm(kind, kind) for kind in kinds))
    check_sound(found)
    for kind, error_type in kinds.items():
        error = found[kind].error
        assert error is not None
        assert (error.type, error.tick_index) == (error_type, 20)
        assert f"_{kind}" in error.traceback
        assert len(error.message) + len(error.traceback) < 300_000
    assert found["unprintable"].error.message == "(its message cannot be shown: RuntimeError in __str__)"
    assert "characters dropped" in found["huge_error"].error.message


def test_a_huge_log_is_bounded(runner: Runner) -> None:
    _, found = runner(*SOUND, harm("log", "huge_log"))
    check_sound(found)
    log = found["log"].log
    assert found["log"].success
    assert sum(map(len, log)) < 600_000
    assert max(map(len, log)) < 4_100
    assert any("lines dropped" in line for line in log)


def test_endless_loops(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_executor, "_GRACE_S", 2.0)
    kinds = ["python_loop", "stubborn_loop"]
    _, found = runner(*SOUND, *(harm(kind, kind, limit_s=0.5) for kind in kinds))
    check_sound(found)
    for kind in kinds:
        error = found[kind].error
        assert error is not None
        assert error.type == "TimeLimitError"
        assert "time limit of 0.5 s" in error.message


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
class TestRay:
    def test_a_loop_in_compiled_code_is_ended_with_its_process(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ray_executor, "_GRACE_S", 2.0)
        _, found = run("ray", None, *SOUND, harm("loop", "kernel_loop", limit_s=1.0))
        check_sound(found)
        error = found["loop"].error
        assert error is not None
        assert error.type == "TimeLimitError"
        assert "time limit of 1 s" in error.message
        assert "its process was ended" in error.message

    def test_a_process_that_dies_costs_its_scenario_alone_and_says_of_what(self) -> None:
        kinds = {"segfault": "Segmentation fault", "abort": "Aborted", "os_exit": "os._exit", "kill": "SIGKILL"}
        _, found = run("ray", None, *SOUND, *(harm(kind, kind) for kind in kinds))
        check_sound(found)
        for kind, words in kinds.items():
            error = found[kind].error
            assert error is not None
            assert error.type == "WorkerCrashedError"
            assert words in error.message
            proven = kind in ("segfault", "abort")
            assert ("2 tries" if proven else "5 tries") in error.message
            assert (f"in _{kind}" in error.traceback) is proven

    def test_a_process_that_was_killed_from_outside_costs_nothing(self, tmp_path) -> None:
        unlucky = [harm(f"unlucky_{number}", "kill", once=str(tmp_path / f"{number}")) for number in range(3)]
        summary, found = run("ray", None, *SOUND, *unlucky)
        assert len(list(tmp_path.iterdir())) == 3
        assert summary.failed == 0
        check_sound(found)

    def test_the_progress_actor_may_die(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import ray

        actors = []

        def start() -> Any:
            actors.append(ray_progress.start_progress_actor())
            return actors[-1]

        monkeypatch.setattr(ray_executor, "start_progress_actor", start)
        slow = [harm(f"slow_{number}", "", sleep_s=0.3) for number in range(12)]

        def shown(*_: Any) -> None:
            if actors:
                ray.kill(actors[0])

        summary, found = run("ray", None, *SOUND, *slow, on_progress=shown, interval_s=0.1)
        assert summary.failed == 0
        check_sound(found)

    def test_a_full_object_store_waits_for_room_and_at_last_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import ray

        real, full = ray.put, [0]

        def put(value: Any, **options: Any) -> Any:
            full[0] += 1
            if full[0] in (3, 6):
                raise ray.exceptions.ObjectStoreFullError("no room")
            return real(value, **options)

        monkeypatch.setattr(ray, "put", put)
        days = [harm(f"day_{day}", "", sleep_s=0.1).model_copy(update={"start": _day(day)}) for day in range(15, 20)]
        summary, _ = run("ray", None, *days)
        assert summary.completed == 5
        assert full[0] == 7  # five days, two of them twice
        monkeypatch.setattr(ray, "put", lambda *_, **__: (_ for _ in ()).throw(ray.exceptions.OutOfDiskError("full")))
        with pytest.raises(ExecutionError, match=r"object store: it is full, and so is the disk.*OutOfDiskError"):
            run("ray", None, *days)


def _day(day: int) -> Any:
    return scenario("any", start=f"2025-09-{day}T14:00:00Z").start
