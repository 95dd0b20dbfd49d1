from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from finiex_ray.core.errors import ConfigError
from finiex_ray.project.create import ModuleKind, create_module, create_project
from finiex_ray.project.names import class_name, module_name, package_name

ROOT = Path(__file__).resolve().parents[3]


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("RAY_ADDRESS", "DEBUG_MODE")}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def test_everything_in_a_new_project_runs_as_generated(tmp_path) -> None:
    made = call(tmp_path, "finiex_ray", "init", "My strategies")
    assert made.returncode == 0, made.stderr
    folder = tmp_path / "My strategies"
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == {
        ".gitignore",
        "README.md",
        "configs/first.json",
        "conftest.py",
        "finiex-project.json",
        "my_strategies/__init__.py",
        "my_strategies/breakout.py",
        "my_strategies/channel.py",
        "tests/test_strategy.py",
    }
    assert "configs/first.json --allow-import my_strategies" in made.stderr
    assert call(folder, "finiex_ray", "new", "worker", "spread").returncode == 0
    logic = call(folder, "finiex_ray", "new", "logic", "fade")
    assert '"type": "my_strategies.fade:Fade"' in logic.stderr
    ran = call(
        folder, "finiex_ray", "run", "configs/first.json", "--allow-import", "my_strategies", "--json", "--quiet"
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["completed"] == 2
    tree = json.loads((folder / "configs/first.json").read_text())
    tree["global"]["workers"]["channel"]["type"] = "my_strategies.spread:Spread"
    tree["global"]["logic"]["type"] = "my_strategies.fade:Fade"
    (folder / "configs/second.json").write_text(json.dumps(tree))
    second = call(
        folder, "finiex_ray", "run", "configs/second.json", "--allow-import", "my_strategies", "--json", "--quiet"
    )
    assert second.returncode == 0, second.stderr
    assert json.loads(second.stdout)["result_hash"] == json.loads(ran.stdout)["result_hash"]
    tested = call(folder, "pytest", "-q", "-p", "no:cacheprovider")
    assert tested.returncode == 0, tested.stdout
    assert "3 passed" in tested.stdout
    linted = call(
        folder, "ruff", "check", "--select", "E,F,W,I,UP,B,D1", "--line-length", "120", "--no-cache", "my_strategies"
    )
    assert linted.returncode == 0, linted.stdout
    assert call(folder, "ruff", "check", "--no-cache", ".").returncode == 0
    formatted = call(folder, "ruff", "format", "--check", "--line-length", "120", "--no-cache", ".")
    assert formatted.returncode == 0, formatted.stdout
    for command in (folder / "README.md").read_text().split("```sh\n")[1].split("```")[0].splitlines():
        assert command.startswith(("finiex-ray ", "pytest"))


def test_nothing_is_written_over(tmp_path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(ConfigError, match="not empty"):
        create_project(tmp_path / "full")
    create_project(tmp_path / "mine")
    with pytest.raises(ConfigError, match=r"channel.py: is there already"):
        create_module(ModuleKind.WORKER, "channel", tmp_path / "mine")
    with pytest.raises(ConfigError, match="finiex-ray init DIR"):
        create_module(ModuleKind.WORKER, "other", tmp_path)
    (tmp_path / "mine" / "finiex-project.json").write_text('{"package": "gone"}')
    with pytest.raises(ConfigError, match="'gone', which is not here"):
        create_module(ModuleKind.WORKER, "other", tmp_path / "mine")


@pytest.mark.parametrize(
    "name", ["My-Channel", "2fast", "class", "match", "json", "finiex_ray", "", "../up", "a.b", "é"]
)
def test_bad_module_names_are_refused(name) -> None:
    with pytest.raises(ConfigError):
        module_name(name)


def test_names(tmp_path) -> None:
    with pytest.raises(ConfigError, match="for example my_channel"):
        module_name("MyChannel")
    assert class_name(module_name("my_channel_2")) == "MyChannel2"
    assert package_name("My strategies 2") == "my_strategies_2"
    assert package_name("json") == "json_strategies"
    with pytest.raises(ConfigError, match="begins with a letter"):
        create_project(tmp_path / "123")


def test_a_folder_that_cannot_be_made_is_told(tmp_path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        create_project(tmp_path / "file" / "below")
