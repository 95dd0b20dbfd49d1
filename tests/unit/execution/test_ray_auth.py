"""The token of a Ray that is started here, and the modes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from finiex_ray.core.errors import ExecutionError
from finiex_ray.execution import ray_session
from finiex_ray.execution.ray_auth import answers_without_token, ensure_token, token_wanted, turn_on


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(ray_session, "turn_on", lambda: None)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_token_is_made_for_the_user_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        ensure_token()
    finally:
        os.umask(before)
    path = tmp_path / ".ray" / "auth_token"
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    token = path.read_text()
    assert len(token) == 64
    ensure_token()
    assert path.read_text() == token


def test_a_token_that_others_can_read_becomes_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "shared_token"
    path.write_text("a" * 64)
    path.chmod(0o644)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(path))
    ensure_token()
    assert mode(path) == 0o600
    assert path.read_text() == "a" * 64


def test_nothing_is_made_where_the_token_is_given_or_not_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "a" * 64)
    ensure_token()
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    ensure_token()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "file" / "token"))
    with pytest.raises(
        ExecutionError, match=r"cannot keep Ray's token private in .*RAY_AUTH_TOKEN_PATH.*RAY_AUTH_MODE=disabled"
    ):
        ensure_token()


def test_the_mode_is_on_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert token_wanted()
    turn_on()
    assert os.environ["RAY_AUTH_MODE"] == "token"
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    turn_on()
    assert os.environ["RAY_AUTH_MODE"] == "disabled"
    assert not token_wanted()
    monkeypatch.setenv("RAY_AUTH_MODE", "TOKEN")
    assert token_wanted()


def test_an_open_cluster_is_left_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = ray_session.import_ray()
    left: list[bool] = []
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **_: None)
    monkeypatch.setattr(ray, "shutdown", lambda: left.append(True))
    monkeypatch.setattr(ray, "get_runtime_context", lambda: type("Context", (), {"gcs_address": "head:6379"}))
    monkeypatch.setattr(ray_session, "_require_answer", lambda where: None)
    monkeypatch.setattr(ray_session, "answers_without_token", lambda address: address == "head:6379")
    with pytest.raises(
        ExecutionError, match=r"'head:6379' asks for no token.*RAY_AUTH_MODE=token.*RAY_AUTH_MODE=disabled"
    ):
        ray_session.connect("head:6379")
    assert left == [True]
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    assert ray_session.connect("head:6379")


def test_a_probe_that_fails_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finiex_ray.execution.ray_auth._PROBE", "raise SystemExit('odd')")
    with pytest.raises(ExecutionError, match="cannot tell whether the Ray cluster asks for a token: odd"):
        answers_without_token("head:6379")
    monkeypatch.setattr("finiex_ray.execution.ray_auth._PROBE", "import time; time.sleep(60)")
    monkeypatch.setattr("finiex_ray.execution.ray_auth._PROBE_S", 0.2)
    with pytest.raises(ExecutionError, match="does not answer"):
        answers_without_token("head:6379")


@pytest.mark.ray
def test_a_ray_started_here_has_no_dashboard_and_a_token(ray_session: None) -> None:
    import ray

    from finiex_ray.execution.ray_session import import_ray

    import_ray()
    address = ray.get_runtime_context().gcs_address
    assert not answers_without_token(address)
    assert not ray._private.worker.global_worker.node.address_info["webui_url"]
