from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from finiex_ray.cli import app

COMMANDS = [["lookahead", "--probes", "2"], ["determinism", "--no-ray"]]


def call(*arguments: Any) -> Result:
    return CliRunner().invoke(
        app, ["check", *(str(argument) for argument in arguments)], env={"FINIEX_RAY_ALLOW_IMPORT": "checks_strategies"}
    )


def set_file(folder: Path, **logics: str) -> Path:
    scenarios = [
        {
            "name": name,
            "symbol": "EURUSD",
            "start": "2025-09-24T08:00:00Z",
            "max_ticks": 1_500,
            "logic": {"type": logic},
        }
        for name, logic in logics.items()
    ]
    path = folder / "set.json"
    path.write_text(json.dumps({"data": {"catalog": "synthetic"}, "scenarios": scenarios}))
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_clean_exits_with_0(command: list[str], tmp_path: Path) -> None:
    result = call(*command, set_file(tmp_path, good="checks_strategies:Honest"), "--json")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") == 1
    values = json.loads(result.stdout)
    assert (values["check"], values["scenarios"], values["clean"]) == (command[0], 1, 1)
    assert "clean" in result.stderr


@pytest.mark.parametrize(
    ("command", "logic"), [(COMMANDS[0], "NextTick"), (COMMANDS[1], "Unseeded")], ids=["lookahead", "determinism"]
)
def test_a_difference_exits_with_1_and_is_named(command: list[str], logic: str, tmp_path: Path) -> None:
    path = set_file(tmp_path, good="checks_strategies:Honest", bad=f"checks_strategies:{logic}")
    result = call(*command, path)
    assert result.exit_code == 1
    assert "different: bad: " in result.stdout
    assert " became " in result.stdout
    only = call(*command, path, "--only", "good", "--json")
    assert only.exit_code == 0
    assert json.loads(only.stdout)["scenarios"] == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_bad_input_exits_with_2(command: list[str], tmp_path: Path) -> None:
    assert call(*command, tmp_path / "missing.json").exit_code == 2
    invalid = call(*command, set_file(tmp_path, bad="macd_cross"))
    assert invalid.exit_code == 2
    assert "macd" in invalid.stderr
    broken = call(*command, set_file(tmp_path, broken="checks_strategies:Broken"))
    assert broken.exit_code == 2
    assert "not checked: broken: ValueError: no luck (tick 300)" in broken.stdout


def test_bad_options_exit_with_2(tmp_path: Path) -> None:
    assert call("lookahead", set_file(tmp_path, good="scripted"), "--probes", "0").exit_code == 2
    assert call("nothing", "x.json").exit_code == 2
