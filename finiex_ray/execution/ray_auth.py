"""Token authentication of Ray: on unless the user turned it off, and its token readable by the user alone.

Whoever reaches the ports of a Ray without a token can run code there; its processes listen on every interface. The one
switch is Ray's own: ``RAY_AUTH_MODE=disabled`` means that a Ray without a token is wanted.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Final

from finiex_ray.core.errors import ExecutionError

__all__ = ["MODE", "NO_TOKEN_HINT", "answers_without_token", "ensure_token", "refuse_open", "token_wanted", "turn_on"]

MODE: Final = "RAY_AUTH_MODE"
NO_TOKEN_HINT: Final = "give its token with RAY_AUTH_TOKEN_PATH=FILE (or RAY_AUTH_TOKEN)"
_TOKEN: Final = "RAY_AUTH_TOKEN"
_PATH: Final = "RAY_AUTH_TOKEN_PATH"
_PRIVATE: Final = 0o600
_OTHERS: Final = 0o077
_PROBE_S: Final = 30.0
_OPEN, _CLOSED = 10, 11  # exit codes that nothing else has
# In a process of its own: Ray reads its mode once.
_PROBE: Final = f"""
import sys
from ray._raylet import GcsClient
from ray.exceptions import AuthenticationError
try:
    GcsClient(address=sys.argv[1]).internal_kv_get(b"finiex_ray", namespace=None, timeout=10)
except AuthenticationError:
    sys.exit({_CLOSED})
sys.exit({_OPEN})
"""


def token_wanted() -> bool:
    """Whether Ray is to be used with a token only."""
    return os.environ.get(MODE, "token").lower() == "token"


def turn_on() -> None:
    """Chooses the token mode, where the user chose none. Call it before Ray is imported; later it may be too late."""
    os.environ.setdefault(MODE, "token")
    raylet = sys.modules.get("ray._raylet")
    if raylet is not None and token_wanted():
        raylet.Config.initialize("")  # Ray was imported before, and has read the environment


def ensure_token() -> None:
    """Makes sure that a Ray that is started here finds a token, in a file that nobody else can read.

    Raises:
        ExecutionError: If the file can neither be made nor be made private.
    """
    if not token_wanted() or os.environ.get(_TOKEN):
        return
    path = Path(os.environ.get(_PATH) or Path.home() / ".ray" / "auth_token")
    try:
        if path.exists() and path.stat().st_size:
            if path.stat().st_mode & _OTHERS:
                path.chmod(_PRIVATE)
            return
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE), "w") as stream:
            os.fchmod(stream.fileno(), _PRIVATE)
            stream.write(secrets.token_hex(32))
    except OSError as error:
        raise ExecutionError(
            f"cannot keep Ray's token private in {path} ({error.strerror}); name another file with {_PATH}, "
            f"or start Ray without one: {MODE}=disabled"
        ) from error


def refuse_open(what: str) -> ExecutionError:
    """The error for a cluster that asks for no token."""
    return ExecutionError(
        f"{what} asks for no token: whoever reaches its ports can run code on it and read its data. Start it with "
        f"{MODE}=token and a token file (docs/cluster.md), or set {MODE}=disabled to use it all the same"
    )


def answers_without_token(gcs_address: str) -> bool:
    """Whether a cluster lets in a client that has no token.

    Args:
        gcs_address: ``host:port`` of the cluster's head.

    Raises:
        ExecutionError: If that cannot be found out.
    """
    environment = {key: value for key, value in os.environ.items() if key not in (_TOKEN, _PATH)}
    # Without a home no token is found by chance either.
    environment |= {MODE: "disabled", "HOME": os.devnull}
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE, gcs_address],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PROBE_S,
        )
    except subprocess.TimeoutExpired as error:
        raise ExecutionError(f"the Ray cluster at '{gcs_address}' does not answer within {_PROBE_S:.0f} s") from error
    if done.returncode not in (_OPEN, _CLOSED):
        raise ExecutionError(f"cannot tell whether the Ray cluster asks for a token: {done.stderr.strip()[-400:]}")
    return done.returncode == _OPEN
