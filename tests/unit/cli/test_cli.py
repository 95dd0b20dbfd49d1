from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from result_builders import completed, failed, scenario, scenario_set
from typer.testing import CliRunner

import finiex_ray
from finiex_ray import cli, cli_data
from finiex_ray.cli import app
from finiex_ray.results.reader import RunData
from finiex_ray.results.run_dir import create_run_dir
from finiex_ray.results.writer import ResultWriter

ROOT = Path(__file__).resolve().parents[3]
TICKS = "time,bid,ask\n2025-09-25T14:00:00Z,1.10000,1.10010\n2025-09-25T14:00:01Z,1.10001,1.10011\n"


@pytest.fixture
def call():
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def python(code: str, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *(["-c", code] if code else []), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd, check=False)


def test_version_and_schema(call) -> None:
    result = call("version")
    assert result.exit_code == 0
    assert f"finiex_ray {finiex_ray.__version__}" in result.stdout
    assert json.loads(call("schema").stdout)["required"] == ["scenarios"]


@pytest.mark.parametrize(("kind", "name"), [("workers", "bollinger"), ("logics", "macd_cross")])
def test_list(call, kind, name) -> None:
    result = call("list", kind)
    assert result.exit_code == 0
    assert name in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "missing.json"],
        ["validate", "missing.json"],
        ["list", "nothing"],
        ["run"],
        ["run", "x.json", "--executor", "cloud"],
        ["run", "x.json", "--jobs", "0"],
        ["data", "list", "--catalog", "missing"],
        ["data", "check", "--catalog", "missing"],
        ["unknown"],
    ],
)
def test_bad_input_exits_with_2_and_no_traceback(call, arguments, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = call(*arguments)
    assert result.exit_code == 2
    assert result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "runs").exists()


def test_formats_of_the_command_line_are_those_of_the_importers() -> None:
    from finiex_ray.data.importing import IMPORTERS

    assert {fmt.value for fmt in cli_data._Format} == set(IMPORTERS)


def test_import_list_and_check(call, tmp_path) -> None:
    source, catalog = tmp_path / "ticks.csv", tmp_path / "catalog"
    source.write_text(TICKS.replace("time,", "Date,"))
    options = ["--format", "csv", "--symbol", "EURUSD", "--digits", "5", "--tz", "UTC", "--catalog", catalog]
    assert call("data", "import", source, *options, "--column", "time").exit_code == 2
    columns = ["--column", "time=Date", "--column", "bid=bid", "--column", "ask=ask"]
    result = call("data", "import", source, *options, *columns)
    assert result.exit_code == 0, result.stderr
    assert "2 ticks read, 2 written" in result.stdout
    assert "0 written" in call("data", "import", source, *options, *columns).stdout
    listed = call("data", "list", "--catalog", catalog)
    assert "EURUSD" in listed.stdout
    assert "2025-09-25" in listed.stdout
    checked = call("data", "check", "--catalog", catalog)
    assert "crossed spreads  0" in checked.stdout
    assert call("data", "check", "--catalog", catalog, "--symbol", "GBPUSD").exit_code == 2


@pytest.fixture
def fake_run(tmp_path, monkeypatch):
    """Stands for the pipeline: the command line gets a finished run with the given results."""
    import finiex_ray.api

    def install(*results, error=None):
        def run_set(path, **options):
            if error is not None:
                raise error
            run_dir = create_run_dir(tmp_path / "runs")
            with ResultWriter(run_dir, scenario_set(*(scenario(each.name) for each in results))) as writer:
                for each in results:
                    writer.add(each)
                writer.close(executor="local", wall_s=1.0, ticks_per_s=5.0, result_hash="ab")
            return RunData(run_dir)

        monkeypatch.setattr(finiex_ray.api, "run_set", run_set)

    return install


def test_json_is_the_only_line_on_stdout(call, fake_run) -> None:
    fake_run(completed(0, "a"), failed(1, "b"))
    result = call("run", "set.json", "--json")
    assert result.exit_code == 1
    values = json.loads(result.stdout)
    assert result.stdout.count("\n") == 1
    assert list(values) == [
        *("run_id", "run_dir", "executor", "scenarios", "completed", "failed", "ticks", "wall_s", "ticks_per_s"),
        "result_hash",
    ]
    assert (values["scenarios"], values["completed"], values["failed"], values["ticks"]) == (2, 1, 1, 1_000)
    assert Path(values["run_dir"]).name == values["run_id"]
    assert "ValueError" in result.stderr


def test_a_completed_run_exits_with_0_and_quiet_says_nothing(call, fake_run) -> None:
    fake_run(completed(0, "a"))
    loud = call("run", "set.json")
    assert loud.exit_code == 0
    assert "1 completed" in loud.stdout
    quiet = call("run", "set.json", "--quiet")
    assert (quiet.exit_code, quiet.output) == (0, "")


@pytest.mark.parametrize(("compiled", "options"), [(False, []), (True, []), (False, ["--quiet"])])
def test_the_first_run_on_a_machine_says_that_it_compiles(call, fake_run, compiled, options, monkeypatch) -> None:
    fake_run()
    monkeypatch.setattr("finiex_ray.kernels.jit.compiled_before", lambda: compiled)
    said = "compiles the engine" in call("run", "set.json", *options).stderr
    assert said == (not compiled and not options)


def test_an_interruption_exits_with_130_and_says_where_the_results_are(call, fake_run) -> None:
    error = KeyboardInterrupt()
    error.add_note("What was finished is kept in runs/x")
    fake_run(error=error)
    result = call("run", "set.json")
    assert result.exit_code == 130
    assert "kept in runs/x" in result.stderr


def test_python_m_works_and_the_folder_is_on_the_path(tmp_path) -> None:
    result = python("", "-m", "finiex_ray", "version", cwd=tmp_path)
    assert result.returncode == 0
    assert result.stdout.startswith("finiex_ray ")
    code = (
        "import sys; sys.argv = ['finiex-ray', 'version']; sys.path[0] = 'elsewhere'\nfrom finiex_ray.cli import main\n"
    )
    code += "try: main()\nexcept SystemExit: print(sys.path[0])"
    assert python(code, cwd=tmp_path).stdout.splitlines()[-1] == str(tmp_path)


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, finiex_ray\nprint(sorted({'ray', 'numba', 'numpy', 'pandas', 'pyarrow', 'rich'} & set(sys.modules)))"
    assert python(code).stdout.strip() == "[]"
    heavy = "{'ray', 'numba', 'pandas', 'pyarrow'}"
    assert python(f"import sys, finiex_ray.cli\nprint(sorted({heavy} & set(sys.modules)))").stdout.strip() == "[]"


def test_public_names_are_sorted_and_there() -> None:
    for module in (finiex_ray, cli, cli_data):
        assert list(module.__all__) == sorted(module.__all__)
    assert set(finiex_ray.__all__) <= set(dir(finiex_ray))
    assert set(finiex_ray._PLACES) | {"__version__"} == set(finiex_ray.__all__)
    assert finiex_ray.Worker.__name__ == "Worker"
    with pytest.raises(AttributeError, match="nothing"):
        _ = finiex_ray.nothing
