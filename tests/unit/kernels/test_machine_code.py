"""Machine code comes back from the cache as it was; what is damaged is compiled anew."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from finiex_ray.kernels import jit

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FINIEX_RAY_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(numba.config, "DISABLE_JIT", False)
    return tmp_path


def _counts(dispatcher: Any) -> tuple[int, int]:
    stats = dispatcher.stats
    return sum(stats.cache_hits.values()), sum(stats.cache_misses.values())


def _loaded(function: Callable[..., Any], *arguments: Any) -> Any:
    """The kernel as another process gets it, after a first one has compiled it."""
    jit.kernel(function)(*arguments)
    again: Any = jit.kernel(function)
    again(*arguments)
    assert _counts(again) == (1, 0)
    return again


def _shares(values: Any, whole: int, flag: bool) -> tuple[float, int]:
    if whole == 0:
        raise ValueError("nothing to share")
    room = np.zeros(len(values))
    for place in range(len(values)):
        room[place] = values[place] / whole
    return room.sum() if flag else 0.0, len(room)


def test_a_loaded_kernel_computes_allocates_and_raises(folder: Path) -> None:
    values = np.arange(5.0)
    values.flags.writeable = False
    shares_nb = _loaded(_shares, values, 4, True)
    assert shares_nb(values, 4, True) == (2.5, 5)
    assert shares_nb(values, 4, False) == (0.0, 5)
    with pytest.raises(ValueError, match="nothing to share"):
        shares_nb(values, 0, True)


def _twice(value: int) -> int:
    return value * 2


def test_a_loaded_kernel_can_be_part_of_another(folder: Path) -> None:
    twice_nb = _loaded(_twice, 21)

    def four_times(value: int) -> int:
        doubled: int = twice_nb(twice_nb(value))
        return doubled

    assert jit.kernel(four_times)(10) == 40
    assert _counts(twice_nb) == (1, 0)


def _run(folder: Path, source: str, *programs: str) -> list[str]:
    """What programs print that use a module, one process after the other."""
    (folder / "kernels_of_test.py").write_text(source)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]), "NUMBA_DISABLE_JIT": "0"}
    printed = []
    for program in programs:
        command = [sys.executable, "-c", f"from kernels_of_test import *\n{program}"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        printed.append(done.stdout.strip())
    return printed


_PARTS = """
import numba
from finiex_ray.kernels.jit import helper, inlined, kernel, part

@inlined
def half_nb(number):
    return number / 2

@helper
def quarter_nb(number):
    return half_nb(half_nb(number))

@part
def checked_nb(number):
    if number < 0:
        raise ValueError("negative")
    return quarter_nb(number) + 1

@kernel
def one_nb(number):
    return checked_nb(number)

@kernel
def two_nb(number):
    return checked_nb(number) + half_nb(number)

@numba.njit
def other(number):
    return checked_nb(number) + quarter_nb(number)

def hits():
    return sum(checked_nb.stats.cache_hits.values())
"""


def test_parts_are_linked_into_kernels_of_every_process_and_into_other_functions(folder: Path) -> None:
    program = "print(two_nb(8.0), other(8.0), hits())\ntry: two_nb(-1.0)\nexcept ValueError as error: print(error)"
    first, second, third = _run(folder, _PARTS, "print(one_nb(8.0), hits())", program, "print(other(8.0), two_nb(8.0))")
    assert first == "3.0 0"
    assert second == "7.0 5.0 1\nnegative"
    assert third == "5.0 7.0"


_RECURSIVE = """
from finiex_ray.kernels.jit import kernel

@kernel
def sum_nb(number):
    return 0 if number == 0 else number + sum_nb(number - 1)

@kernel
def even_nb(number):
    return True if number == 0 else odd_nb(number - 1)

@kernel
def odd_nb(number):
    return False if number == 0 else even_nb(number - 1)
"""


def test_kernels_that_call_themselves_or_each_other_work_in_every_process(folder: Path) -> None:
    program = "print(sum_nb(4), odd_nb(3), sum(sum_nb.stats.cache_hits.values()))"
    assert _run(folder, _RECURSIVE, program, program) == ["10 True 0", "10 True 1"]


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[:-1], lambda data: data[:99] + b"?" + data[100:]]
)
def test_a_damaged_entry_is_compiled_anew(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    jit.kernel(_twice)(21)
    (entry,) = folder.rglob("*.nbc")
    whole = entry.read_bytes()
    entry.write_bytes(damage(whole))
    again: Any = jit.kernel(_twice)
    assert again(21) == 42
    assert _counts(again) == (0, 1)
    _loaded(_twice, 21)


def test_machine_code_with_checks_is_kept_apart(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jit.kernel(_twice)(21)
    monkeypatch.setattr(numba.config, "BOUNDSCHECK", 1)
    checked: Any = jit.kernel(_twice)
    assert checked(21) == 42
    assert _counts(checked) == (0, 1)
    assert len(list(folder.rglob("*.nbc"))) == 2
