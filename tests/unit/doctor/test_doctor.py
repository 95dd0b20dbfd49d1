from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from result_builders import completed, scenario, scenario_set
from typer.testing import CliRunner

from finiex_ray.cli import app
from finiex_ray.doctor import machine
from finiex_ray.doctor.environment import check_environment
from finiex_ray.doctor.finding import Verdict
from finiex_ray.doctor.machine import (
    available_memory,
    check_cache,
    check_clock,
    check_disk,
    check_memory,
    check_shared_memory,
)
from finiex_ray.doctor.places import check_catalogs, check_runs
from finiex_ray.doctor.software import check_packages, check_python, check_ray
from finiex_ray.results.run_dir import create_run_dir
from finiex_ray.results.writer import ResultWriter

GIB = 2**30


def test_this_python_and_these_packages_do(tmp_path) -> None:
    assert check_python().verdict is Verdict.OK
    old = check_python("3.9.1", ">=3.11,<3.14")
    assert (old.verdict, ">=3.11" in old.mend) == (Verdict.FAIL, True)
    assert [each.verdict for each in check_packages()] == [Verdict.OK]
    asked = ["numpy>=99", "no-such-package-here>=1", "pytest>=1", "absent>=1; extra == 'dev'"]
    newer, absent, fine = check_packages(asked)
    assert (newer.verdict, newer.mend) == (Verdict.FAIL, "pip install 'numpy>=99'")
    assert (absent.verdict, absent.found) == (Verdict.FAIL, "no-such-package-here is not installed")
    assert fine.found.startswith("pytest ")


def test_ray_that_does_not_start_is_told() -> None:
    failed = check_ray([sys.executable, "-c", "raise SystemExit('no shared memory')"])
    assert (failed.verdict, "no shared memory" in failed.found) == (Verdict.FAIL, True)
    late = check_ray([sys.executable, "-c", "import time; time.sleep(60)"], limit_s=0.5)
    assert "did not start within" in late.found
    assert check_ray([sys.executable, "-c", "print('2.60 started')"]).found == "2.60 started"


def test_memory_and_shared_memory(tmp_path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:  4194304 kB\nMemAvailable:  1048576 kB\n")
    assert available_memory(meminfo) == (4 * GIB, GIB)
    assert available_memory(tmp_path / "none")[0] > 0
    verdicts = [check_memory(4 * GIB, free).verdict for free in (3 * GIB, GIB, GIB // 4)]
    assert verdicts == [Verdict.OK, Verdict.WARN, Verdict.FAIL]
    short = check_shared_memory(10**18, tmp_path)
    assert (short.verdict, "--shm-size=" in short.mend) == (Verdict.WARN, True)
    assert check_shared_memory(GIB, tmp_path).verdict is Verdict.OK
    assert check_shared_memory(GIB, tmp_path / "none").verdict is (
        Verdict.WARN if sys.platform == "linux" else Verdict.OK
    )


def test_cache(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("FINIEX_RAY_CACHE_DIR", str(tmp_path))
    assert check_cache().verdict is Verdict.OK
    (tmp_path / "kernels").chmod(0o777)
    assert check_cache().verdict is Verdict.WARN
    (tmp_path / "file").touch()
    monkeypatch.setenv("FINIEX_RAY_CACHE_DIR", str(tmp_path / "file"))
    assert (check_cache().verdict, check_cache().mend) == (
        Verdict.FAIL,
        "name another folder with FINIEX_RAY_CACHE_DIR",
    )


def test_clock(monkeypatch) -> None:
    assert check_clock(1_766_000_000.0).verdict is Verdict.OK
    assert check_clock(0.0).verdict is Verdict.WARN
    monkeypatch.setattr(machine, "_ROLLOVER_ZONE", "America/Nowhere")
    assert check_clock().mend == "pip install tzdata"


def test_disk_and_runs(tmp_path) -> None:
    verdicts = [check_disk(tmp_path / "runs", free).verdict for free in (9 * GIB, GIB, GIB // 10)]
    assert verdicts == [Verdict.OK, Verdict.WARN, Verdict.FAIL]
    assert "is made by the first run" in check_runs(tmp_path / "runs").found
    run_dir = create_run_dir(tmp_path / "runs", "a")
    with ResultWriter(run_dir, scenario_set(scenario("a"))) as writer:
        writer.add(completed(0, "a"))
    assert "1 runs, 1 complete" in check_runs(tmp_path / "runs").found
    run_dir.table("scenarios").write_bytes(b"x")
    assert check_runs(tmp_path / "runs").verdict is Verdict.WARN


def test_catalogs(tmp_path) -> None:
    (nothing,) = check_catalogs([], tmp_path)
    assert nothing.verdict is Verdict.OK
    (absent,) = check_catalogs([str(tmp_path / "absent")])
    assert absent.verdict is Verdict.FAIL
    (tmp_path / "empty" / "ticks").mkdir(parents=True)
    assert [each.verdict for each in check_catalogs([], tmp_path)] == [Verdict.WARN]


@pytest.mark.parametrize(
    ("name", "value", "mend"),
    [
        ("RAY_ADDRESS", "10.0.0.1:6379", "unset RAY_ADDRESS"),
        ("UV_RUN_RECURSION_DEPTH", "1", "RAY_ENABLE_UV_RUN_RUNTIME_ENV=0"),
        ("RAY_RUNTIME_ENV_HOOK", "x.y", "unset it"),
        ("RAY_AUTH_MODE", "disabled", "unless you mean it"),
        ("RAY_AUTH_TOKEN_PATH", "/nowhere/token", "check the path"),
        ("DEBUG_MODE", "1", "unset DEBUG_MODE"),
        ("NUMBA_DISABLE_JIT", "1", "unset NUMBA_DISABLE_JIT"),
        ("http_proxy", "http://proxy:3128", "no_proxy=127.0.0.1,localhost"),
    ],
)
def test_traps_of_the_environment(tmp_path, name, value, mend) -> None:
    (clean,) = check_environment({}, tmp_path)
    assert clean.verdict is Verdict.OK
    (found,) = check_environment({name: value}, tmp_path)
    assert found.verdict is Verdict.WARN
    assert mend in found.mend


def test_a_token_that_others_can_read(tmp_path) -> None:
    token = tmp_path / ".ray" / "auth_token"
    token.parent.mkdir()
    token.touch(0o644)
    token.chmod(0o644)
    (found,) = check_environment({"UV_RUN_RECURSION_DEPTH": "1", "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"}, tmp_path)
    assert found.mend == f"chmod 600 {token}"


def test_command_line(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    fine = CliRunner().invoke(app, ["doctor", "--no-ray"])
    assert fine.exit_code == 0, fine.output
    for name in (
        "python",
        "packages",
        "memory",
        "shared memory",
        "kernel cache",
        "clock",
        "disk",
        "runs folder",
        "data",
    ):
        assert f" {name} " in fine.stdout
    bad = CliRunner().invoke(app, ["doctor", "--no-ray", "--json", "--catalog", str(Path("nothing"))])
    assert bad.exit_code == 1
    values = json.loads(bad.stdout)
    assert values["failed"] == 1
    (data,) = [each for each in values["findings"] if each["name"] == "data"]
    assert (data["verdict"], "data import" in data["mend"]) == ("fail", True)


@pytest.mark.ray
@pytest.mark.slow
def test_ray_starts_here() -> None:
    found = check_ray()
    assert found.verdict is Verdict.OK, found.found
    assert "started and ran a task" in found.found
