from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from history_runs import make_run, plant, write_fragile, write_set

from finiex_ray import open_run, run_set
from finiex_ray.config.imports import allowed_imports
from finiex_ray.core.errors import ConfigError
from finiex_ray.data.catalog import Catalog
from finiex_ray.data.importing import import_ticks
from finiex_ray.history.postmortem import frames_below_own_code, post_mortem
from finiex_ray.history.replay import replay_scenario

ROOT = Path(__file__).resolve().parents[3]


def call(folder: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("RAY_ADDRESS", "DEBUG_MODE")}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-m", "finiex_ray", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, input=stdin, capture_output=True, text=True, check=False, timeout=300
    )


def test_the_same_result_in_another_place(tmp_path) -> None:
    run = make_run(tmp_path, "a")
    elsewhere = tmp_path / "elsewhere" / "copied"
    shutil.copytree(run.run_dir.path, elsewhere)
    (tmp_path / "set.json").unlink()
    found = replay_scenario(open_run(elsewhere), "day_24")
    assert (found.same, found.changed_inputs, found.exit_code) == (True, False, 0)
    assert found.hash == found.saved_hash == run.scenarios["result_hash"][2]
    with pytest.raises(ConfigError, match="Did you mean 'day_2"):
        replay_scenario(run, "day_2")


def test_a_changed_row_is_named(tmp_path) -> None:
    run = make_run(tmp_path, "a")
    plant(run.run_dir.table("trades"), 0, "exit_price", 1.5)
    found = replay_scenario(open_run("a", tmp_path / "runs"), str(run.trades["scenario"].iloc[0]))
    assert [(each.table, each.column, each.saved) for each in found.differences] == [("trades", "exit_price", "1.5")]
    assert found.hash == found.saved_hash
    assert found.exit_code == 1


def test_brokers_are_those_that_the_run_saved(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = ROOT / "configs/brokers/ecn_fx.json"
    (tmp_path / "mine.json").write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    run = make_run(tmp_path, "a", account={"broker": "mine.json"})
    assert run.trades["commission"].abs().sum() > 0
    (tmp_path / "mine.json").unlink()
    assert replay_scenario(run, "day_22").same


def test_data_that_is_gone_is_named_with_the_mend(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = ["time,bid,ask"]
    for second in range(1_800):
        price = 1.1 + (second * 7919 % 300) * 1e-5
        lines.append(f"2025-09-24T08:{second // 60:02}:{second % 60:02}Z,{price:.5f},{price + 0.0001:.5f}")
    Path("ticks.csv").write_text("\n".join(lines), encoding="utf-8")
    import_ticks(Path("ticks.csv"), fmt="csv", symbol="EURUSD", digits=5, catalog=Catalog("mine"))
    orders = [{"tick": 10, "action": "buy", "lots": 0.1}]
    scenario = {"name": "one", "symbol": "EURUSD", "start": "2025-09-24T08:00:00Z", "max_ticks": 1_000}
    shared = {"logic": {"type": "scripted", "orders": orders}}
    tree = {"data": {"catalog": "mine"}, "global": shared, "scenarios": [scenario]}
    Path("set.json").write_text(json.dumps(tree), encoding="utf-8")
    run = run_set("set.json", executor="local", quiet=True)
    assert replay_scenario(run, "one").same
    Path("mine").rename("moved")
    with pytest.raises(ConfigError, match=r"'mine', which is not here .* with --data CATALOG"):
        replay_scenario(run, "one")
    assert replay_scenario(run, "one", data="moved").same
    Catalog("other")
    import_ticks(Path("ticks.csv"), fmt="csv", symbol="GBPUSD", digits=5, catalog=Catalog("other"))
    with pytest.raises(ConfigError, match=r"ran there and cannot run here: .*no symbol 'EURUSD'"):
        replay_scenario(run, "one", data="other")


def test_a_failure_is_the_same_failure_and_reaches_the_debugger(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    run = run_set(write_fragile(tmp_path, "replayed"), executor="local", quiet=True, allow_imports=["."])
    access = allowed_imports(["."], tmp_path)
    found = replay_scenario(run, "fails", access=access)
    assert (found.same, found.exit_code) == (True, 0)
    assert found.error is not None
    assert (found.error.type, found.error.tick_index) == ("RuntimeError", 700)
    assert any("RuntimeError: spread" in line for line in found.log)
    output = io.StringIO()

    def debug(error: BaseException) -> None:
        post_mortem(error, output, io.StringIO("p width\nup\np tick.index\nq\n"))

    assert replay_scenario(run, "fails", access=access, on_error=debug).same
    text = output.getvalue()
    assert "is odd" in text
    assert "in check()" in text or "check()" in text
    assert "\n(Pdb) 700" in text.replace("> ", "\n") or "700\n" in text
    assert replay_scenario(run, "fine", access=access, on_error=debug).same


def test_a_strategy_that_cannot_be_built_reaches_the_debugger(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    path = write_fragile(tmp_path, "unbuilt")
    with (tmp_path / "unbuilt.py").open("a") as stream:
        stream.write("\n    def __init__(self, params):\n        super().__init__(params)\n        self.x = 1 / 0\n")
    seen: list[BaseException] = []
    run = run_set(path, executor="local", quiet=True, allow_imports=["."])
    found = replay_scenario(run, "fine", access=allowed_imports(["."], tmp_path), on_error=seen.append)
    assert [type(error) for error in seen] == [ZeroDivisionError]
    assert found.same


def test_ctrl_c_in_a_loop_without_end_reaches_the_debugger(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    path = write_fragile(tmp_path, "endless")
    run = run_set(path, executor="local", quiet=True, allow_imports=["."], overrides=["execution.time_limit_s=60"])
    (tmp_path / "endless.py").write_text(
        (tmp_path / "endless.py").read_text(encoding="utf-8").replace("raise RuntimeError", "raise KeyboardInterrupt"),
        encoding="utf-8",
    )
    sys.modules.pop("endless")
    seen: list[BaseException] = []
    found = replay_scenario(run, "fails", access=allowed_imports(["."], tmp_path), on_error=seen.append)
    assert [type(error) for error in seen] == [KeyboardInterrupt]
    assert seen[0].__traceback__ is not None
    assert (found.exit_code, found.changed_inputs) == (1, True)


def test_the_debugger_stands_in_own_code_not_in_the_library_below() -> None:
    with pytest.raises(ValueError, match="property name") as caught:
        json.loads("{")
    assert frames_below_own_code(caught.value.__traceback__) == 3  # loads, decode, raw_decode


@pytest.mark.ray
@pytest.mark.slow
def test_a_failure_of_a_ray_run_is_reproduced_under_pdb(tmp_path) -> None:
    write_fragile(tmp_path)
    options = ("--allow-import", "fragile")
    ran = call(
        tmp_path, "run", "fragile.json", "--executor", "ray", "--jobs", "1", "--run-id", "on_ray", "--quiet", *options
    )
    assert ran.returncode == 1, ran.stderr
    assert open_run("on_ray", tmp_path / "runs").info["executor"] == "ray"
    done = call(tmp_path, "replay", "on_ray", "fails", "--pdb", *options, stdin="p width\nup\np tick.index\nq\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "RuntimeError: spread" in done.stdout
    assert "raise RuntimeError" in done.stdout
    assert "(Pdb) 700" in done.stdout
    assert "fails: failed the same way as in run on_ray" in done.stdout


def test_command_line(tmp_path) -> None:
    write_set(tmp_path)
    make_run(tmp_path, "a")
    done = call(tmp_path, "replay", "a", "day_22", "--json", "--log")
    assert done.returncode == 0, done.stderr
    assert "completed: 4000 ticks" in done.stdout
    values = json.loads(done.stdout.splitlines()[-1])
    assert values["same"] is True
    assert values["hash"] == values["saved_hash"]
    plant(tmp_path / "runs/a/trades.parquet", 0, "gross", 77.0)
    done = call(tmp_path, "verify", "a")
    assert done.returncode == 1
    assert "day_22: trades row 0 (trade_id 1), gross: saved 77.0, recomputed" in done.stdout
    assert "1 cells differ in 1 scenarios" in done.stdout
