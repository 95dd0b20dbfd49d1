"""Runs that go on: after an interruption, with failures tried again, with results of other runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import finiex_ray
from finiex_ray import api
from finiex_ray.api import RunInterruptedError
from finiex_ray.cli import app
from finiex_ray.core.errors import ConfigError
from finiex_ray.execution.coordinator import _Desk
from finiex_ray.results.reader import RunData, open_run
from finiex_ray.results.run_dir import RunDir

ALLOWED = ["fault_strategies", "own_of_resume"]
run_set = partial(api.run_set, allow_imports=ALLOWED)
resume_run = partial(api.resume_run, allow_imports=ALLOWED)

TESTS = Path(__file__).resolve().parents[2]
STRATEGY = """
from finiex_ray.decisions.tick_style import TickLogic
class Own(TickLogic):
    def on_tick(self, tick, values, trading):
        if tick.index == {tick}:
            trading.buy("0.1")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FINIEX_RAY_ALLOW_IMPORT", " ".join(ALLOWED))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "own_of_resume.py").write_text(STRATEGY.format(tick=3))
    yield tmp_path
    sys.modules.pop("own_of_resume", None)


def write_set(folder: Path, count: int = 6, own: tuple[int, ...] = (), **harm) -> Path:
    rows = []
    for number in range(count):
        kind = {"logic": {"type": "fault_strategies:Harm", **(harm if number == 2 else {})}}
        if number in own:
            kind = {"logic": {"type": "own_of_resume:Own"}}
        rows.append({"name": f"s{number}", "start": "2025-09-24T08:00:00Z", "seed": number, **kind})
    shared = {"symbol": "EURUSD", "max_ticks": 60, "account": {"broker": "ecn_fx"}}
    path = folder / "set.json"
    path.write_text(json.dumps({"data": "synthetic", "global": shared, "scenarios": rows}))
    return path


def interrupt_after(monkeypatch: pytest.MonkeyPatch, results: int) -> None:
    real = _Desk.deliver

    def deliver(desk, result) -> None:
        if len(desk.outcomes) >= results:
            raise KeyboardInterrupt
        real(desk, result)

    monkeypatch.setattr(_Desk, "deliver", deliver)


def frames(run: RunData) -> dict[str, pd.DataFrame]:
    found = {name: getattr(run, name) for name in ("scenarios", "orders", "fills", "trades", "equity")}
    found["scenarios"] = found["scenarios"].drop(columns=["execution_time_s", "ticks_per_s"])
    return found


def check_equal(first: RunData, second: RunData) -> None:
    for name, frame in frames(first).items():
        pd.testing.assert_frame_equal(frame, frames(second)[name])
    assert first.info["result_hash"] == second.info["result_hash"]


def test_an_interrupted_run_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_set(folder, own=(1,), kind="exception")
    whole = run_set(path, executor="local", quiet=True)
    with monkeypatch.context() as patch:
        interrupt_after(patch, 4)
        with pytest.raises(RunInterruptedError) as caught:
            run_set(path, executor="local", quiet=True)
    cut = caught.value.run
    assert cut.info["status"] == "interrupted"
    assert list(cut.scenarios["name"]) == ["s0", "s1", "s2", "s3"]
    assert cut.info["failed"] == 1
    done = resume_run("latest", quiet=True)
    assert done.run_id == cut.run_id
    assert done.info["epoch"] == 2
    assert (done.info["completed"], done.info["failed"]) == (5, 1)
    check_equal(done, whole)
    assert open_run(done.run_id).info["status"] == "finished"
    before = done.run_dir.info.read_text()
    assert resume_run(done.run_dir.path, quiet=True).run_id == done.run_id  # nothing to do
    assert done.run_dir.info.read_text() == before


def test_what_changed_runs_again_and_nothing_else(folder: Path, monkeypatch: pytest.MonkeyPatch, capfd) -> None:
    path = write_set(folder, own=(1, 4))
    with monkeypatch.context() as patch:
        interrupt_after(patch, 5)
        with pytest.raises(RunInterruptedError):
            run_set(path, executor="local", quiet=True)
    (folder / "own_of_resume.py").write_text(STRATEGY.format(tick=30))
    del sys.modules["own_of_resume"]
    ran: list[str] = []
    real = _Desk.deliver
    monkeypatch.setattr(_Desk, "deliver", lambda desk, result: (ran.append(result.name), real(desk, result)))
    done = resume_run(quiet=False)
    assert ran == ["s1", "s4", "s5"]
    told = " ".join(capfd.readouterr().err.split())
    assert "3 scenarios have their result already" in told
    assert "2 finished scenarios run again" in told
    check_equal(done, run_set(path, executor="local", quiet=True))


def test_finished_scenarios_that_cannot_be_planned_any_more_are_not_lost(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_set(folder, own=(1,))
    with monkeypatch.context() as patch:
        interrupt_after(patch, 3)
        with pytest.raises(RunInterruptedError):
            run_set(path, executor="local", quiet=True)
    (folder / "own_of_resume.py").unlink()
    del sys.modules["own_of_resume"]
    for _ in range(2):  # the folder is not left locked
        with pytest.raises(ConfigError, match=r"1 scenarios that have completed could not run.*s1.*own_of_resume"):
            resume_run(quiet=True)
    assert len(open_run().scenarios) == 3


def test_failures_are_kept_or_tried_again(folder: Path) -> None:
    marker = folder / "marker"
    path = write_set(folder, kind="exception", once=str(marker))
    marker.touch()
    sound = run_set(path, executor="local", quiet=True)
    marker.unlink()
    failed = run_set(path, executor="local", quiet=True)
    assert (failed.info["completed"], failed.info["failed"]) == (5, 1)
    assert resume_run(quiet=True).info["failed"] == 1
    again = resume_run(retry_failed=True, quiet=True)
    assert again.run_id == failed.run_id
    assert (again.info["completed"], again.info["failed"]) == (6, 0)
    assert again.log("s2").splitlines()[-1].startswith("COMPLETED")
    check_equal(again, sound)


def test_a_named_run_is_started_or_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_set(folder)
    with monkeypatch.context() as patch:
        interrupt_after(patch, 2)
        with pytest.raises(RunInterruptedError):
            run_set(path, executor="local", run_id="nightly", quiet=True)
    done = run_set(path, executor="local", run_id="nightly", quiet=True)
    assert (done.run_id, done.info["epoch"], done.info["completed"]) == ("nightly", 2, 6)
    with pytest.raises(ConfigError, match="holds another scenario set"):
        run_set(path, overrides=["seed=5"], run_id="nightly", quiet=True)
    for name in ("../up", "", "latest", "a/b", ".hidden"):
        with pytest.raises(ConfigError, match="no name for a run folder"):
            run_set(path, run_id=name, quiet=True)


def test_results_of_equal_scenarios_are_reused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_set(folder, own=(1,), kind="exception")
    first = run_set(path, executor="local", quiet=True)
    tree = json.loads(path.read_text())
    rows = tree["scenarios"]
    # Another order, other names, one twice, one new, one left out.
    tree["scenarios"] = [{**rows[number], "name": f"again_{place}"} for place, number in enumerate([5, 1, 0, 2, 5])]
    tree["scenarios"].append({**rows[0], "name": "new", "seed": 99})
    path.write_text(json.dumps(tree))
    plain = run_set(path, executor="local", quiet=True, out="elsewhere")
    ran: list[str] = []
    real = _Desk.deliver
    monkeypatch.setattr(_Desk, "deliver", lambda desk, result: (ran.append(result.name), real(desk, result)))
    reused = run_set(path, executor="local", quiet=True, reuse=True)
    assert ran == ["again_3", "new"]  # the one that failed, and the new one
    check_equal(reused, plain)
    assert reused.log("again_1") == first.log("s1")
    assert len(reused.profile) == len(plain.profile)
    assert finiex_ray.open_run(reused.run_id).info["ticks"] == plain.info["ticks"]


def test_options_that_do_not_go_together(folder: Path) -> None:
    path = str(write_set(folder))
    for arguments in (
        ["run"],
        ["run", path, "--resume", "latest"],
        ["run", "--resume", "latest", "--set", "seed=1"],
        ["run", "--resume", "latest", "--reuse"],
        ["run", path, "--retry-failed"],
        ["run", "--resume", "nothing"],
    ):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 2, arguments
        assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("number", "executor", "code", "word"),
    [
        (signal.SIGINT, "local", 130, "interrupted"),
        (signal.SIGTERM, "local", 143, "terminated"),
        pytest.param(signal.SIGTERM, "ray", 143, "terminated", marks=pytest.mark.ray),
    ],
)
def test_signals_end_a_run_with_a_report_and_it_goes_on(
    folder: Path, number, executor: str, code: int, word: str
) -> None:
    sys.path.insert(0, str(TESTS / "faults"))
    try:
        from common import write_set as write_slow
    finally:
        sys.path.remove(str(TESTS / "faults"))
    path = write_slow(folder / "slow.json", 60, sleep_s=0.25)
    traces = folder / "traces"
    traces.mkdir()
    environment = {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}", "FINIEX_FAULT_RUNS": str(traces)}
    command = [
        sys.executable,
        "-m",
        "finiex_ray",
        "run",
        str(path),
        "--executor",
        executor,
        "--run-id",
        "r",
        "--jobs",
        "2",
    ]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline_s = time.monotonic() + 120
    while time.monotonic() < deadline_s and not (folder / "runs" / "r" / "journal").exists():
        time.sleep(0.05)
    time.sleep(1.0)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert f"{word}. What was finished is kept in" in " ".join(err.split())
    assert "Traceback" not in err
    assert "interrupted" in out  # the summary, as far as the run got
    cut = RunData(RunDir(folder / "runs" / "r"))
    assert cut.info["status"] == "interrupted"
    assert 0 < len(cut.scenarios) < 60
    whole = run_set(write_slow(folder / "fast.json", 60), executor="local", quiet=True)
    done = resume_run(folder / "runs" / "r", executor="local", jobs=8, quiet=True)
    assert done.info["result_hash"] == whole.info["result_hash"]
    assert len(done.scenarios) == 60
