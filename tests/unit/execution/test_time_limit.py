"""Code that does not come back is stopped, where Python can stop it; what is stopped says so."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest
from execution_support import WalkSource, brokers, scenario, scenario_set
from own_access import OWN

from finiex_ray.core.errors import TimeLimitError
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.execution import last_words as module
from finiex_ray.execution.coordinator import ExecutionCoordinator
from finiex_ray.execution.last_words import fatal_signal, last_words
from finiex_ray.execution.time_limit import StuckError, time_limit


def harm(name: str, kind: str, limit_s: float | None = 0.4, **params):
    logic = {"type": "fault_strategies:Harm", "kind": kind, **params}
    return scenario(name, workers={}, logic=logic, execution={"time_limit_s": limit_s}, max_ticks=200)


def run(*scenarios, jobs: int = 1) -> dict[str, ScenarioResult]:
    found: dict[str, ScenarioResult] = {}
    coordinator = ExecutionCoordinator(
        scenario_set(*scenarios), WalkSource(), brokers, executor="local", jobs=jobs, access=OWN
    )
    coordinator.run(lambda result: found.update({result.name: result}))
    return found


@pytest.mark.parametrize("jobs", [1, 3])
def test_an_endless_loop_costs_its_scenario_alone(jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG_MODE", "0")
    scenarios = [harm(f"sound_{number}", "", None, once="") for number in range(4)]
    found = run(*scenarios, harm("loop", "python_loop"), harm("stubborn", "stubborn_loop"), jobs=jobs)
    for name in ("loop", "stubborn"):
        error = found[name].error
        assert error is not None
        assert error.type == "TimeLimitError"
        assert "time limit of 0.4 s reached inside the strategy's code" in error.message
    loop = found["loop"]
    assert loop.error is not None
    assert loop.error.tick_index == 20
    assert "_python_loop" in loop.error.traceback
    assert loop.loop is not None
    assert len(loop.loop.trades) == 1  # of tick 5 to 15, before the loop
    assert all(found[each.name].success for each in scenarios)


def test_nothing_is_thrown_after_the_block_or_without_a_limit() -> None:
    with time_limit(None):
        pass
    for _ in range(3):
        with time_limit(0.05):
            time.sleep(0.01)
    time.sleep(0.4)
    assert not [thread for thread in threading.enumerate() if thread.name == "time limit"]


def test_code_that_swallows_the_error_gets_another_kind() -> None:
    swallowed = []

    def stubborn() -> None:
        with time_limit(0.05):
            while True:
                try:
                    while True:
                        time.sleep(0.01)
                except TimeLimitError as error:
                    swallowed.append(str(error))

    with pytest.raises(StuckError):
        stubborn()
    assert len(swallowed) == 3
    assert "time limit of 0.05 s" in swallowed[0]


def test_an_import_is_never_cut_off(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow_to_import.py").write_text(
        "import time\nfor _ in range(60):\n    time.sleep(0.01)\nwhole = True\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))

    def late() -> None:
        with time_limit(0.05):
            import slow_to_import

            assert slow_to_import.whole
            while True:
                time.sleep(0.01)

    with pytest.raises(TimeLimitError):
        late()
    assert sys.modules.pop("slow_to_import").whole


CRASH = """
import sys
sys.path.insert(0, {tests!r})
from finiex_ray.execution.last_words import last_words
from fault_strategies import Harm
with last_words("token", 7) as before:
    assert before == ""
    Harm._{kind}(None)
"""


@pytest.mark.parametrize(
    ("kind", "signal"), [("segfault", "Segmentation fault"), ("abort", "Aborted"), ("os_exit", ""), ("kill", "")]
)
def test_last_words_tell_of_a_fatal_signal(kind: str, signal: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(module.tempfile, "tempdir", str(tmp_path))
    code = CRASH.format(tests=str(pytest.importorskip("fault_strategies").__file__).rpartition("/")[0], kind=kind)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode != 0
    with last_words("token", 8) as other:
        assert other == ""
    with last_words("token", 7) as before:
        assert fatal_signal(before) == signal
        assert (f"_{kind}" in before) is bool(signal)
    assert list(tmp_path.iterdir()) == []


def test_last_words_of_nothing() -> None:
    assert fatal_signal("") == fatal_signal("Traceback") == fatal_signal("Fatal Python error: ") == ""
