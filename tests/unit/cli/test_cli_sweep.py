from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finiex_ray import open_run
from finiex_ray.cli import app
from finiex_ray.core.errors import ConfigError
from finiex_ray.execution.local import LocalExecutor
from finiex_ray.sweep.config import load_sweep

ROOT = Path(__file__).resolve().parents[3]
SETS = ROOT / "configs" / "scenario_sets"


def sweep_file(folder: Path, **changes: object) -> Path:
    tree = {
        "set": str(SETS / "synthetic_days.json"),
        "overrides": ["max_ticks=3000"],
        "space": {"workers.rsi_fast.period": [7, 14], "logic.sl_points": [60, 120]},
        "objective": "net_profit",
        **changes,
    }
    path = folder / "stops.json"
    path.write_text(json.dumps(tree), encoding="utf-8")
    return path


def invoke(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.stdout, done.stderr


def test_a_sweep_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = sweep_file(tmp_path)
    code, out, err = invoke("sweep", str(path), "--executor", "local", "--json", "--report", "--set", "logic.lots=0.2")
    assert code == 0, err
    last = json.loads(out.splitlines()[-1])
    assert (last["trials"], last["scenarios"], last["failed"]) == (4, 40, 0)
    assert set(last["best"][0]["params"]) == {"workers.rsi_fast.period", "logic.sl_points"}
    found = open_run("latest")
    assert found.info["set"] == "stops"
    assert float(found.config.scenarios[0].logic.params["lots"]) == 0.2
    assert (found.run_dir.path / "report" / "index.html").is_file()
    assert "Best trials" in err
    assert "4 trials, 40 scenarios, 0 failed" in err
    assert "4/4 trials  40 scenarios  best net_profit" in err
    assert "120,000 of 120,000 ticks" in err
    few = json.loads(invoke("sweep", str(path), "--executor", "local", "--json", "--trials", "2")[1].splitlines()[-1])
    assert few["trials"] == 2


def test_a_walk_forward_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = sweep_file(tmp_path, walk_forward={"in_sample": 6, "out_of_sample": 2})
    code, out, err = invoke("sweep", str(path), "--executor", "local")
    assert code == 0, err
    assert "Folds" in out
    assert "Efficiency" in out


def test_failed_scenarios_give_exit_code_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = sweep_file(tmp_path, space={"logic.rsi_buy_threshold": [30, 90]})
    code, out, _ = invoke("sweep", str(path), "--executor", "local")
    assert code == 1
    assert "rsi_buy_threshold (90" in out


def test_an_interrupted_sweep_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = str(sweep_file(tmp_path))
    plain = LocalExecutor.run

    def run(self, planned):
        for number, result in enumerate(plain(self, planned)):
            if number == 11:
                raise KeyboardInterrupt
            yield result

    with monkeypatch.context() as patch:
        patch.setattr(LocalExecutor, "run", run)
        code, _, err = invoke("sweep", path, "--executor", "local", "--quiet")
        assert code == 130
        assert "is kept in" in err
    code, out, err = invoke("sweep", path, "--executor", "local", "--resume", "latest", "--json", "--quiet")
    assert code == 0, err
    assert json.loads(out)["scenarios"] == 40
    assert invoke("sweep", path, "--executor", "local", "--resume", "latest")[0] == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"set": None}, "set: is missing; name the scenario set"),
        ({"set": "absent.json"}, "no such file"),
        ({"space": {}}, "space"),
        ({"spaces": {}}, "Did you mean 'space'"),
        ({"search": "gird"}, "must be 'grid', 'random' or 'optuna'"),
        ({"search": {"type": "optuna", "sampler": "cma"}}, "search.sampler"),
        ({"search": "random"}, "needs 'trials'"),
        ({"trials": 0}, "trials"),
        ({"objective": "net_proft"}, "Did you mean 'net_profit'"),
        ({"space": {"logic.sl_points": {"uniform": [1, 2]}}}, "has no step"),
        ({"returns": "D2"}, "returns"),
        ({"walk_forward": {"in_sample": 0}}, "walk_forward.in_sample"),
        ({"walk_forward": {"in_sample": 11}}, "needs 12 windows"),
        ({"constraints": ["period <"]}, "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_sweep_file_is_told(
    changes: dict, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = invoke("sweep", str(sweep_file(tmp_path, **changes)), "--executor", "local")
    assert code == 2
    assert message in err
    assert not list(tmp_path.glob("runs/*/journal.jsonl"))


def test_a_window_set_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = str(SETS / "synthetic_days.json")
    arguments = ["--output", "out.json", "--start", "2025-09-15", "--end", "2025-09-20", "--length", "8h"]
    assert invoke("windows", "blocks", model, *arguments)[:2] == (0, "15 windows written to out.json\n")
    assert invoke("validate", "out.json")[0] == 0
    assert invoke("windows", "random", model, *arguments[:6], "--length", "99w")[0] == 2
    assert "give start and end" in invoke("windows", "blocks", model, "-o", "out.json")[2]
    assert invoke("windows", "blocks", model, "-o", "out.yaml")[0] == 2


def test_a_sweep_file_names_itself() -> None:
    config = load_sweep(ROOT / "configs" / "sweeps" / "rsi_grid.json")
    assert (config.name, config.search.type, config.seed) == ("rsi_grid", "grid", 0)
    with pytest.raises(ConfigError, match="no such file"):
        load_sweep(ROOT / "absent.json")


def test_a_local_sweep_loads_neither_ray_nor_optuna(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['finiex-ray', 'sweep', {str(sweep_file(tmp_path))!r}, '--executor', 'local', '--quiet', '--trials', '1']\n"
        "from finiex_ray.cli import main\n"
        "try: main()\nexcept SystemExit as end: print(end.code, sorted({'ray', 'optuna', 'plotly'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path, check=False
    )
    assert done.stdout.splitlines()[-1] == "0 []", done.stderr
