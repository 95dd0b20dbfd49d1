"""The set over real EURUSD ticks is the same on every executor; one failing set gives every kind of failure."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from finiex_ray import RunData, open_run, run_set
from finiex_ray.data.catalog import Catalog
from finiex_ray.data.importing import import_ticks

ROOT = Path(__file__).resolve().parents[2]
DAYS = ROOT / "configs" / "scenario_sets" / "eurusd_days.json"
ONE_BLOCK = 2**20  # more ticks than any of the days has
MONDAY = "2014-05-05_mon"

STRATEGIES = """
import os

from finiex_ray import TickLogic, TickWorker


class Raises(TickLogic):
    def on_tick(self, tick, values, trading):
        if tick.index == 600:
            trading.buy("0.1")
        if tick.index == 1000:
            raise ZeroDivisionError("an error on purpose")


class Dies(TickWorker):
    def compute(self, tick, bar_history, forming_bars):
        if tick.index == 300:
            os._exit(7)
        return 0.0


class Waits(TickLogic):
    def on_tick(self, tick, values, trading):
        pass
"""


@pytest.fixture(scope="module")
def catalog(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalogs") / "eurusd"
    source = shared_data / "lean" / "forex" / "oanda"
    report = import_ticks(source, fmt="lean", symbol="EURUSD", digits=5, catalog=Catalog(str(folder)))
    assert report.files == 13
    return folder


@pytest.fixture(scope="module")
def expected(catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> RunData:
    """The set in this thread, with the default block size."""
    run = run_set(
        DAYS, executor="local", overrides=[f"data.catalog={catalog}"], out=tmp_path_factory.mktemp("runs"), quiet=True
    )
    assert run.info["completed"] == len(run.scenarios) == 12
    assert run.info["ticks"] == 508_724  # all but those of the first day
    assert len(run.trades) > 40
    assert run.scenarios["result_hash"].nunique() == 12
    return run


def again(catalog: Path, out: Path, path: Path = DAYS, block_ticks: int | None = None, **options: object) -> RunData:
    overrides = [f"data.catalog={catalog}"]
    if block_ticks is not None:
        overrides.append(f"execution.block_ticks={block_ticks}")
    return run_set(path, **{"executor": "local", **options}, overrides=overrides, out=out, quiet=True)  # type: ignore[arg-type]


def hashes(run: RunData) -> dict[str, str]:
    return dict(zip(run.scenarios["name"], run.scenarios["result_hash"], strict=True))


def assert_same(run: RunData, expected: RunData) -> None:
    assert hashes(run) == hashes(expected)
    assert run.info["result_hash"] == expected.info["result_hash"]


def assert_same_tables(run: RunData, expected: RunData) -> None:
    """Equal values; the order of categories is that in which results came."""
    for table in ("orders", "fills", "trades", "equity"):
        pd.testing.assert_frame_equal(getattr(run, table), getattr(expected, table), check_categorical=False)


def test_two_threads(catalog: Path, expected: RunData, tmp_path: Path) -> None:
    run = again(catalog, tmp_path, jobs=2)
    assert_same(run, expected)
    assert_same_tables(run, expected)


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
def test_ray(catalog: Path, expected: RunData, tmp_path: Path) -> None:
    run = again(catalog, tmp_path, executor="ray")
    assert run.info["executor"] == "ray"
    assert_same(run, expected)
    assert_same_tables(run, expected)


@pytest.mark.parametrize("block_ticks", [7, 8_192, ONE_BLOCK])
def test_block_sizes(catalog: Path, expected: RunData, tmp_path: Path, block_ticks: int) -> None:
    assert_same(again(catalog, tmp_path, block_ticks=block_ticks, jobs=2), expected)


def test_blocks_of_one_tick(catalog: Path, expected: RunData, tmp_path: Path) -> None:
    run = again(catalog, tmp_path, block_ticks=1, only=[MONDAY])
    assert hashes(run) == {MONDAY: hashes(expected)[MONDAY]}
    assert run.info["ticks"] == 25_177


def test_shuffled_order(catalog: Path, expected: RunData, tmp_path: Path) -> None:
    tree = json.loads(DAYS.read_text(encoding="utf-8"))
    names = [each["name"] for each in tree["scenarios"]]
    random.Random(5).shuffle(tree["scenarios"])
    assert [each["name"] for each in tree["scenarios"]] != names
    shuffled = tmp_path / "shuffled.json"
    shuffled.write_text(json.dumps(tree), encoding="utf-8")
    assert_same(again(catalog, tmp_path / "runs", path=shuffled, jobs=2), expected)


def failing_set(folder: Path) -> Path:
    rsi, bands = {"type": "rsi", "period": 14, "timeframe": "M5"}, {"type": "bollinger", "timeframe": "M5"}
    shared = {"symbol": "EURUSD", "start": "2025-09-24T08:00:00Z", "max_ticks": 3_000}
    scenarios = [
        {"name": "valid", "workers": {"rsi": rsi, "bands": bands}, "logic": {"type": "aggressive_trend"}},
        {"name": "invalid", "workers": {"rsi": {**rsi, "period": 0}}, "logic": {"type": "aggressive_trend"}},
        {"name": "raises", "logic": {"type": "strategies:Raises"}},
        {
            "name": "dies",
            "workers": {"killer": {"type": "strategies:Dies", "timeframe": "M1"}},
            "logic": {"type": "strategies:Waits"},
        },
    ]
    (folder / "strategies.py").write_text(STRATEGIES, encoding="utf-8")
    path = folder / "failing.json"
    path.write_text(json.dumps({"global": shared, "scenarios": scenarios}), encoding="utf-8")
    return path


@pytest.mark.ray
def test_every_kind_of_failure_is_a_result(tmp_path: Path) -> None:
    failing_set(tmp_path)
    environment = {key: value for key, value in os.environ.items() if key not in ("RAY_ADDRESS", "DEBUG_MODE")}
    arguments = ["run", "failing.json", "--executor", "ray", "--jobs", "2", "--json", "--allow-import", "."]
    done = subprocess.run(
        [sys.executable, "-m", "finiex_ray", *arguments],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["executor"], last["scenarios"], last["completed"], last["failed"]) == ("ray", 4, 1, 3)
    run = open_run(last["run_dir"])
    rows = {row["name"]: row for row in run.scenarios.to_dict("records")}
    assert list(rows) == ["valid", "invalid", "raises", "dies"]

    assert rows["valid"]["status"] == "COMPLETED"
    assert rows["valid"]["ticks"] == 3_000
    assert rows["invalid"]["error_type"] == "ScenarioInvalidError"
    assert "period" in rows["invalid"]["error_message"]

    raised = rows["raises"]
    assert (raised["error_type"], raised["error_tick"]) == ("ZeroDivisionError", 1_000)
    assert raised["error_message"] == "an error on purpose"
    assert 'raise ZeroDivisionError("an error on purpose")' in raised["error_traceback"]
    assert raised["orders"] == 1
    log = run.log("raises")
    assert "FAILED at tick 1000: ZeroDivisionError: an error on purpose" in log
    assert 'raise ZeroDivisionError("an error on purpose")' in log

    assert rows["dies"]["error_type"] == "WorkerCrashedError"
    assert "os._exit" in rows["dies"]["error_message"]
    assert "WorkerCrashedError" in run.log("dies")
    assert {name: row["status"] for name, row in rows.items() if name != "valid"} == dict.fromkeys(
        ("invalid", "raises", "dies"), "FINISHED_WITH_ERROR"
    )
    assert "ZeroDivisionError" in done.stderr
