"""The kernel cache is keyed by content: another folder shares it, an edit does not; and without a folder it still works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import pytest

from finiex_ray.kernels import jit


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
