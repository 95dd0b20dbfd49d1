"""The kernel cache is keyed by content: another folder shares it, an edit does not; without a folder it still works.

And of processes that need the same machine code, one compiles.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from finiex_ray.kernels import jit
from finiex_ray.trading.memory import AccountMemory

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FINIEX_RAY_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def _locator(folder: Path, body: str = "return 1") -> jit.ContentLocator:
    folder.mkdir(exist_ok=True)
    path = folder / "kernels.py"
    path.write_text(f"def work():\n    {body}\n")
    space: dict[str, Any] = {}
    exec(compile(path.read_text(), str(path), "exec"), space)
    work: Callable[[], int] = space["work"]
    locator = jit.ContentLocator.from_function(work, str(path))
    assert locator is not None
    return locator


def test_equal_content_shares_an_entry_whatever_its_folder(cache: Path, tmp_path: Path) -> None:
    one, two = _locator(tmp_path / "one"), _locator(tmp_path / "two")
    assert one.get_cache_path() == two.get_cache_path()
    assert one.get_source_stamp() == two.get_source_stamp()
    assert Path(one.get_cache_path()).is_relative_to(cache / "kernels")


def test_an_edit_makes_another_entry(cache: Path, tmp_path: Path) -> None:
    assert _locator(tmp_path, "return 1").get_cache_path() != _locator(tmp_path, "return 2").get_cache_path()


def test_without_a_folder_kernels_are_compiled_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    monkeypatch.setenv("FINIEX_RAY_CACHE_DIR", str(in_the_way))
    monkeypatch.setattr(numba.config, "DISABLE_JIT", False)

    def double(value: int) -> int:
        return value * 2

    assert jit.kernel(double)(21) == 42


def test_disabled_jit_leaves_plain_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)

    def double(value: int) -> int:
        return value * 2

    assert jit.kernel(double) is double


_KERNEL = """
from finiex_ray.kernels.jit import kernel

@kernel
def double_nb(value):
    return value * 2
"""

_PROGRAM = """
import shared_kernel

print("ready", flush=True)
input()
assert shared_kernel.double_nb(21) == 42
print(sum(shared_kernel.double_nb.stats.cache_misses.values()))
"""


def test_of_processes_that_start_together_one_compiles(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "shared_kernel.py").write_text(_KERNEL)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]), "NUMBA_DISABLE_JIT": "0"}
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", _PROGRAM],
                    env=environment,
                    text=True,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )
            for _ in range(3)
        ]
        for each in started:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        for each in started:
            assert each.stdin is not None
            each.stdin.write("\n")
            each.stdin.flush()
        assert sorted(each.communicate()[0] for each in started) == ["0\n", "0\n", "1\n"]


def test_what_is_compiled_ahead_is_what_the_engine_calls() -> None:
    memory = AccountMemory({})
    assert numba.typeof(memory.ints) == numba.typeof(np.zeros(1, np.int64))
    assert numba.typeof(memory.reals) == numba.typeof(np.zeros(1))
