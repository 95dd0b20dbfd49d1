from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from result_builders import completed
from typer.testing import CliRunner

import finiex_ray
from finiex_ray import api
from finiex_ray.cli import app
from finiex_ray.core.errors import ConfigError, DataError
from finiex_ray.results.reader import open_run

ROOT = Path(__file__).resolve().parents[3]
QUICKSTART = ROOT / "configs" / "scenario_sets" / "quickstart.json"


def scenario_file(folder: Path, **window) -> Path:
    scenarios = [
        {"name": "good", "symbol": "EURUSD", "start": "2025-09-24T08:00:00Z", "max_ticks": 2_000, **window},
        {"name": "bad", "symbol": "EURUSX", "start": "2025-09-24T08:00:00Z", "max_ticks": 2_000},
    ]
    shared = {
        "workers": {
            "rsi": {"type": "rsi", "period": 14, "timeframe": "M5"},
            "bands": {"type": "bollinger", "period": 20, "timeframe": "M5"},
        },
        "logic": {"type": "aggressive_trend"},
    }
    path = folder / "set.json"
    path.write_text(json.dumps({"data": {"catalog": "synthetic"}, "global": shared, "scenarios": scenarios}))
    return path


def test_a_set_becomes_a_run_folder(tmp_path) -> None:
    out = tmp_path / "out"
    run = finiex_ray.run_set(
        scenario_file(tmp_path), executor="local", out=out, quiet=True, overrides=["logic.lots=0.2"]
    )
    assert list(run.scenarios["success"]) == [True, False]
    assert "EURUSX" in run.scenarios.loc[1, "error_message"]
    assert run.scenarios.loc[0, "ticks"] == 2_000
    assert run.config.scenarios[0].logic.params["lots"] == Decimal("0.2")
    assert len(run.equity) > 0
    assert run.info["executor"] == "local"
    assert run.info["ticks"] == 2_000
    assert "COMPLETED" in run.log("good")
    again = finiex_ray.run_set(
        scenario_file(tmp_path), executor="local", out=out, quiet=True, overrides=["logic.lots=0.2"]
    )
    assert again.info["result_hash"] == run.info["result_hash"]
    assert finiex_ray.open_run("latest", out).run_id == again.run_id
    only = finiex_ray.run_set(scenario_file(tmp_path), executor="local", out=out, quiet=True, only=["good"])
    assert list(only.scenarios["name"]) == ["good"]


def test_validate_lists_every_reason_and_runs_nothing(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["validate", str(scenario_file(tmp_path))])
    assert result.exit_code == 2
    assert "bad: " in result.stderr
    assert "EURUSX" in result.stderr
    assert "1 scenarios valid (2,000 ticks), 1 invalid" in result.stdout
    assert not (tmp_path / "runs").exists()


def test_nothing_is_made_for_a_set_that_cannot_be_read(tmp_path) -> None:
    (tmp_path / "set.json").write_text('{"scenarios": []}')
    with pytest.raises(ConfigError):
        api.run_set(tmp_path / "set.json", out=tmp_path / "out")
    path = scenario_file(tmp_path)
    path.write_text(path.read_text().replace('"synthetic"', '"absent"'))
    with pytest.raises(DataError, match="absent"):
        api.run_set(path, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_interrupted_run_keeps_its_results_and_says_where(tmp_path, monkeypatch) -> None:
    def run(coordinator, on_result, on_progress, done):
        on_result(completed(0, "good"))
        raise KeyboardInterrupt

    monkeypatch.setattr(api.ExecutionCoordinator, "run", run)
    with pytest.raises(KeyboardInterrupt) as caught:
        api.run_set(scenario_file(tmp_path), out=tmp_path / "out", quiet=True)
    kept = open_run("latest", tmp_path / "out")
    assert str(kept.run_dir.path) in str(caught.value)
    assert f"finiex-ray run --resume {kept.run_dir.path}" in str(caught.value)
    assert kept.info["status"] == "interrupted"
    assert list(kept.scenarios["name"]) == ["good"]


def test_a_local_run_from_the_command_line_never_loads_ray(tmp_path) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['finiex-ray', 'run', {str(QUICKSTART)!r}, '--executor', 'local', '--only', 'window_07', '--json']\n"
        "from finiex_ray.cli import main\n"
        "try: main()\nexcept SystemExit as end: print(end.code, 'ray' in sys.modules, file=sys.stderr)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path, check=False
    )
    assert result.stderr.splitlines()[-1] == "0 False"
    assert "window_07" in result.stderr
    values = json.loads(result.stdout)
    assert (values["completed"], values["ticks"]) == (1, 20_000)
    assert (tmp_path / "runs" / values["run_id"] / "trades.parquet").is_file()
