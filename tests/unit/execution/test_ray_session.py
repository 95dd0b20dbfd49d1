"""Where Ray is found, and what its processes are told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import finiex_ray
from finiex_ray.core.errors import ExecutionError
from finiex_ray.execution.ray_session import LOCAL, connect, driver_paths, import_ray, target


def test_the_address_given_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    assert target("other:6379") == "other:6379"
    assert target(LOCAL) == LOCAL
    assert target(None) == "head:6379"
    monkeypatch.delenv("RAY_ADDRESS")
    assert target(None) == LOCAL


def test_paths_are_absolute_once_each_and_hold_folder_and_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", "relative", str(tmp_path), *sys.path])
    paths = driver_paths()
    assert paths[:2] == (str(tmp_path), str(tmp_path / "relative"))
    assert len(set(paths)) == len(paths)
    assert str(Path(finiex_ray.__file__).parents[1]) in paths


def test_a_cluster_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = import_ray()
    monkeypatch.setattr(ray, "is_initialized", lambda: False)

    def refuse(**settings: object) -> None:
        assert "num_cpus" not in settings  # Ray refuses it for a running cluster
        raise ConnectionError("nobody answers")

    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(ExecutionError, match=r"cannot reach the Ray cluster at 'head:6379'.*nobody answers.*--address"):
        connect("head:6379", jobs=4)
