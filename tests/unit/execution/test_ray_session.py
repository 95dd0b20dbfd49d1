"""Where Ray is found, and what its processes are told."""

from __future__ import annotations

import socket
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
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(
            ExecutionError, match=rf"cannot reach the Ray cluster at '{address}'.*nobody answers.*--address"
        ):
            connect(address, jobs=4)


@pytest.mark.parametrize("address", ["127.0.0.1:{free}", "127.0.0.1:99999", "no-such-host.invalid:6379"])
def test_an_address_at_which_nothing_listens_is_told_before_ray_waits_for_it(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = import_ray()
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **settings: pytest.fail("Ray would wait without end"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = address.format(free=server.getsockname()[1])
    with pytest.raises(ExecutionError, match=rf"cannot reach the Ray cluster at '{where}'.*--address"):
        connect(where)
