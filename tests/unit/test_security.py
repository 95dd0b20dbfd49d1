"""What SECURITY.md promises about files, names and secrets."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from finiex_ray import open_run, run_set
from finiex_ray.cli import app
from finiex_ray.core.errors import ConfigError
from finiex_ray.engine.result import ErrorInfo
from finiex_ray.engine.run import failed_result
from finiex_ray.execution.redaction import redacted

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "finiex_ray"
SECRET = "hunter2-hunter2-hunter2"
WINDOW = {"symbol": "EURUSD", "start": "2025-09-24T08:00:00Z", "max_ticks": 400}

LEAKY = """
import os
from finiex_ray import TickLogic

class Leaks(TickLogic):
    def on_tick(self, tick, values, trading):
        if tick.index == 5:
            secret = os.environ["BROKER_API_KEY"]
            self.log.info(f"connecting with {secret}")
            trading.buy("0.1", comment=f"key {secret}")
        if tick.index == 200:
            raise RuntimeError(f"refused: {os.environ['BROKER_API_KEY']}")
"""


def write(folder: Path, *scenarios: dict[str, Any]) -> Path:
    path = folder / "set.json"
    shared = {**WINDOW, "logic": {"type": "scripted", "orders": [{"tick": 5, "action": "buy"}]}}
    path.write_text(json.dumps({"global": shared, "scenarios": list(scenarios)}))
    return path


def everything(folder: Path) -> str:
    """All that a run folder holds, as text; tables decoded."""
    parts = []
    for path in sorted(folder.rglob("*")):
        parts.append(str(path.relative_to(folder)))
        if path.suffix == ".parquet":
            parts.append(pq.read_table(path).to_pandas().to_csv())
        elif path.is_file():
            parts.append(path.read_bytes().decode(errors="replace"))
    return "\n".join(parts)


HOSTILE = [
    "<script>alert(1)</script>".replace("/", ""),
    "[red]markup[link=file:etc]x",
    "..",
    "CON",
    "a" * 200,
    "‮evil",
    "ev\u0085il",
    "'; DROP TABLE trades; --",
    "${HOME} $(reboot) `reboot`",
    "%s%s%n",
]


def test_hostile_names_are_only_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, *({"name": name} for name in HOSTILE))
    result = CliRunner().invoke(app, ["run", "set.json", "--executor", "local", "--out", "out"])
    assert result.exit_code == 0, result.output
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", result.output)
    assert "[red]markup" in result.stdout  # shown, not obeyed
    run = open_run("latest", tmp_path / "out")
    assert len(run.scenarios) == len(HOSTILE)
    inside = {path.name for path in tmp_path.iterdir()}
    assert inside == {"set.json", "out"}
    for path in (tmp_path / "out").rglob("*"):
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", path.name), path


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", '=HYPERLINK("http:x")', "@SUM(A1)", "a\tb", "a/b", "..\\x", "a\x1b[2J"]
)
def test_names_that_are_no_names_are_refused(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, {"name": name})
    with pytest.raises(
        ConfigError, match="must have no slash, backslash or control character, and not begin with"
    ) as caught:
        run_set(path, executor="local", out=tmp_path / "out", quiet=True)
    assert "\x1b" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_no_cell_of_a_name_is_a_formula(tmp_path: Path) -> None:
    run = run_set(write(tmp_path, {"name": "a=1"}, {"name": "b"}), executor="local", out=tmp_path / "out", quiet=True)
    for frame in (run.scenarios, run.trades, run.orders, run.fills, run.equity, run.profile):
        for column in frame.columns:
            if frame[column].dtype == object or isinstance(frame[column].dtype, pd.CategoricalDtype | pd.StringDtype):
                assert not frame[column].dropna().astype(str).str.match(r"[=+@\t\r]").any(), column


@pytest.mark.parametrize("executor", ["local", pytest.param("ray", marks=pytest.mark.ray)])
def test_secrets_of_the_environment_stay_there(executor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    (tmp_path / "leaky.py").write_text(LEAKY)
    write(tmp_path, {"name": "leaks", "logic": {"type": "leaky:Leaks"}})
    environment = {key: value for key, value in os.environ.items() if key != "RAY_ADDRESS"}
    done = subprocess.run(
        [sys.executable, "-m", "finiex_ray", "run", "set.json", "--executor", executor, "--allow-import", "leaky"],
        cwd=tmp_path,
        env={**environment, "BROKER_API_KEY": SECRET, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    told = done.stdout + done.stderr + everything(tmp_path / "runs")
    assert SECRET not in told
    for kept in ("refused: [BROKER_API_KEY]", "connecting with [BROKER_API_KEY]", "key [BROKER_API_KEY]"):
        assert kept in told


def test_what_counts_as_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI",
        "DB_PASSWORD": "correct-horse",
        "RAY_AUTH_TOKEN_PATH": "/tmp/place-of-the-token",
        "SHORT_TOKEN": "1234",
        "EDITOR": "an-editor-of-mine",
    }.items():
        monkeypatch.setenv(name, value)
    text = "wJalrXUtnFEMI correct-horse /tmp/place-of-the-token 1234 an-editor-of-mine"
    result = redacted(failed_result(0, "a", "EURUSD", ErrorInfo("E", text, text)))
    assert result.error is not None
    expected = "[AWS_SECRET_ACCESS_KEY] [DB_PASSWORD] /tmp/place-of-the-token 1234 an-editor-of-mine"
    assert (result.error.message, result.error.traceback) == (expected, expected)


@pytest.mark.parametrize("uri", ["s3://key:secret@bucket/ticks", "s3://:secret@bucket", "hdfs://user:pw@host:8020/x"])
def test_a_place_with_a_password_is_refused(uri: str, tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    logic = {"type": "scripted", "orders": []}
    path.write_text(json.dumps({"data": {"catalog": uri}, "scenarios": [{**WINDOW, "name": "a", "logic": logic}]}))
    with pytest.raises(ConfigError, match=r"data\.catalog: must hold no password"):
        run_set(path, out=tmp_path / "out")


def test_no_code_of_ours_runs_what_a_file_says() -> None:
    """No eval, exec, unsafe YAML or shell anywhere; pickle only between a process and one that it has started.

    A check and its program; the driver and its tasks, within what Ray has pickled anyway. And machine code, from a folder
    that nobody else can write to: the next test.
    """
    pickles = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in {"eval", "exec", "os.system", "os.popen", "__import__", "marshal.loads"}, path
                assert not called.startswith("yaml.") or called == "yaml.parse", (path, called)  # events, no objects
                assert not any(key.arg == "shell" for key in node.keywords), path
                assert not (called.startswith("np.load") and any(key.arg == "allow_pickle" for key in node.keywords)), (
                    path
                )
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name.partition(".")[0] for alias in node.names} | {getattr(node, "module", None) or ""}
                if names & {"pickle", "cloudpickle", "dill", "shelve", "marshal"}:
                    pickles.add(path.relative_to(PACKAGE).as_posix())
    assert pickles == {"checks/rerun.py", "execution/ray_task.py", "kernels/machine_code.py"}


def test_machine_code_that_others_could_have_written_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from finiex_ray.kernels import jit

    source = tmp_path / "kernels.py"
    source.write_text("def work():\n    return 1\n")
    space: dict[str, Any] = {}
    exec(compile(source.read_text(), str(source), "exec"), space)
    monkeypatch.setenv("FINIEX_RAY_CACHE_DIR", str(tmp_path / "cache"))
    assert jit.ContentLocator.from_function(space["work"], str(source)) is not None
    jit.cache_root().chmod(0o777)
    assert jit.ContentLocator.from_function(space["work"], str(source)) is None
