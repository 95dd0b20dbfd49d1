"""A run folder after a disk that failed, a driver that died, a second writer: nothing is lost, nothing is there twice."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from disk_faults import OPERATIONS, Disk
from result_builders import completed, failed, scenario, scenario_set

from finiex_ray.core.errors import ConfigError, DataError, ExecutionError, OutputError
from finiex_ray.results import files
from finiex_ray.results import writer as writer_module
from finiex_ray.results.reader import RunData
from finiex_ray.results.run_dir import RunDir, create_run_dir
from finiex_ray.results.writer import ResultWriter

NAMES = [f"s{number}" for number in range(10)]
SET = scenario_set(*map(scenario, NAMES))


def result(index: int):
    return failed(index, NAMES[index]) if index == 4 else completed(index, NAMES[index], trades=index)


@pytest.fixture(autouse=True)
def small_and_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "_PART_SCENARIOS", 3)
    monkeypatch.setattr(files, "os_sync", lambda _: None)


def tables(run_dir: RunDir) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in run_dir.path.glob("*.parquet")}


def write(writer: ResultWriter, indexes: list[int]) -> None:
    for index in indexes:
        writer.add(result(index), key=f"key of {index}")
    writer.close(result_hash="ff")


def undisturbed(root: Path, order: list[int]) -> dict[str, str]:
    run_dir = create_run_dir(root)
    write(ResultWriter(run_dir, SET), order)
    assert {path.name for path in run_dir.path.iterdir()} == {"run.json", "lock", "logs", *tables(run_dir)}
    return tables(run_dir)


def resume(run_dir: RunDir) -> list[int]:
    """Goes on with a run; returns what had to be done again or for the first time."""
    writer = ResultWriter.resume(run_dir)
    missing = [index for index in range(len(NAMES)) if index not in writer.done]
    assert all(done == (NAMES[index], f"key of {index}", *done[2:]) for index, done in writer.done.items())
    writer.begin()
    write(writer, missing)
    return missing


def test_tables_are_the_same_bytes_in_any_order(tmp_path) -> None:
    expected = undisturbed(tmp_path, list(range(10)))
    assert len(expected) == 6
    assert undisturbed(tmp_path, list(reversed(range(10)))) == expected
    assert undisturbed(tmp_path, [5, 0, 9, 1, 8, 2, 7, 3, 6, 4]) == expected


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_disk_that_fails_at_any_moment_costs_no_result(tmp_path, operation: str) -> None:
    expected = undisturbed(tmp_path / "good", list(range(10)))
    with Disk(operation)() as counting:
        undisturbed(tmp_path / "counted", list(range(10)))
    assert counting.calls >= 20 or operation == "os_rename"
    for moment in moments(counting.calls):
        run_dir = create_run_dir(tmp_path / f"bad_{moment}")
        added: list[int] = []
        with Disk(operation, moment)() as disk, pytest.raises(OutputError, match=r"No space left on device.*--resume"):
            _write_until_it_fails(run_dir, added)
        assert disk.broken
        if not run_dir.info.exists():
            assert added == []
            continue
        if json.loads(run_dir.info.read_text())["status"] != "finished":
            assert {*RunData(run_dir).scenarios["index"]} >= {*added}
        repeated = resume(run_dir)
        assert set(repeated).isdisjoint(added)
        assert len(repeated) >= 10 - len(added) - 1  # the one that failed half-way may have been whole
        assert tables(run_dir) == expected
        assert {path.name for path in run_dir.path.iterdir()} == {"run.json", "lock", "logs", *expected}


def moments(calls: int) -> range:
    """All of them, or as many as suit a quick suite (``FINIEX_FAULTS=all`` or a number)."""
    wanted = os.environ.get("FINIEX_FAULTS", "12")
    return range(1, calls + 1, 1 if wanted == "all" else -(-calls // int(wanted)))


def _write_until_it_fails(run_dir: RunDir, added: list[int]) -> None:
    with ResultWriter(run_dir, SET) as writer:
        for index in range(10):
            writer.add(result(index), key=f"key of {index}")
            added.append(index)
        writer.close(result_hash="ff")


def test_an_unfinished_run_reads_like_a_finished_one(tmp_path) -> None:
    run_dir = create_run_dir(tmp_path)
    writer = ResultWriter(run_dir, SET)
    for index in (9, 1, 8, 2, 7, 3, 6):
        writer.add(result(index), "key")
    live = RunData(run_dir)
    assert live.info["status"] == "running"
    assert list(live.scenarios["index"]) == [1, 2, 3, 6, 7, 8, 9]
    assert list(live.trades.groupby("scenario_index").size()) == [1, 2, 3, 6, 7, 8, 9]
    writer.close("interrupted")
    frames = {name: getattr(RunData(run_dir), name) for name in ("scenarios", "orders", "trades", "equity", "profile")}
    writer = ResultWriter.resume(run_dir)
    writer.begin()
    write(writer, [0, 4, 5])
    for name, before in frames.items():
        column = "index" if name == "scenarios" else "scenario_index"
        after = getattr(RunData(run_dir), name)
        after = after[after[column].isin([1, 2, 3, 6, 7, 8, 9])].reset_index(drop=True)
        pd.testing.assert_frame_equal(before, after, check_categorical=False)


def test_a_second_writer_is_refused_and_told_who_writes(tmp_path) -> None:
    run_dir = create_run_dir(tmp_path)
    first = ResultWriter(run_dir, SET)
    with pytest.raises(ConfigError, match=r"is being written by process \d+ on .*wait until"):
        ResultWriter.resume(run_dir)
    code = f"from pathlib import Path; from finiex_ray import resume_run; resume_run({str(run_dir.path)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "is being written by process" in done.stderr
    first.add(result(0))
    first.release()
    assert ResultWriter.resume(run_dir).done.keys() == {0}


def test_an_older_session_without_its_lock_writes_no_part(tmp_path) -> None:
    run_dir = create_run_dir(tmp_path)
    old = ResultWriter(run_dir, SET)
    old.add(result(0), "key of 0")
    old._lock.release()  # as on a file system that forgets its locks
    new = ResultWriter.resume(run_dir)
    new.begin()
    old.add(result(1), "key of 1")
    with pytest.raises(ExecutionError, match=r"another session has taken over \(epoch 2, this one is 1\)"):
        old.add(result(2), "key of 2")
    with pytest.raises(ExecutionError, match="another session"):
        old.close()
    write(new, list(range(1, 10)))
    assert tables(run_dir) == undisturbed(tmp_path, list(range(10)))


def test_a_result_takes_the_place_of_an_earlier_one(tmp_path) -> None:
    run_dir = create_run_dir(tmp_path)
    write(ResultWriter(run_dir, SET), list(range(10)))
    writer = ResultWriter.resume(run_dir)
    assert writer.finished
    assert not writer.done[4].success
    writer.begin()
    assert len(RunData(run_dir).scenarios) == 10
    writer.add(completed(4, NAMES[4], trades=2), "key of 4")
    writer.close()
    run = RunData(run_dir)
    assert run.scenarios["success"].all()
    assert len(run.trades.query("scenario == 's4'")) == 2
    assert (run.info["completed"], run.info["failed"], run.info["epoch"]) == (10, 0, 2)
    assert run.log(NAMES[4]).startswith("hello")


def test_a_scenario_gets_one_result_a_session(tmp_path) -> None:
    with ResultWriter(create_run_dir(tmp_path), SET) as writer:
        writer.add(result(0))
        with pytest.raises(DataError, match="has a result already"):
            writer.add(result(0))


def test_logs_of_many_scenarios_are_packed(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "_MOST_LOG_FILES", 5)
    run_dir = create_run_dir(tmp_path)
    writer = ResultWriter(run_dir, SET)
    for index in range(8):
        writer.add(result(index))
    assert RunData(run_dir).log("s7").startswith("hello")
    assert RunData(run_dir).log("s1").startswith("hello")
    for index in (8, 9):
        writer.add(result(index))
    writer.close()
    assert list(run_dir.logs.iterdir()) == []
    run = RunData(run_dir)
    assert run.scenarios["log"].isna().all()
    assert "FAILED at tick 7: ValueError: boom\nTraceback" in run.log("s4")
    assert pd.read_parquet(run_dir.table("logs"))["scenario"].tolist() == NAMES


def test_a_run_of_an_older_format_is_refused(tmp_path) -> None:
    run_dir = create_run_dir(tmp_path)
    write(ResultWriter(run_dir, SET), [])
    run_dir.info.write_text(run_dir.info.read_text().replace('"format": 2', '"format": 1'))
    for _ in range(2):  # the lock is free again
        with pytest.raises(DataError, match="has format 1; this version resumes runs of format 2"):
            ResultWriter.resume(run_dir)
