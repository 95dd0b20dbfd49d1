"""Starts Ray on this machine, or connects to a running cluster, with the settings that a run depends on."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from finiex_ray.core.errors import ExecutionError
from finiex_ray.execution.ray_auth import (
    MODE,
    NO_TOKEN_HINT,
    answers_without_token,
    ensure_token,
    refuse_open,
    token_wanted,
    turn_on,
)

__all__ = ["LOCAL", "NAMESPACE", "cluster_cpus", "connect", "driver_paths", "import_ray", "target"]

LOCAL: Final = "local"
NAMESPACE: Final = "finiex_ray"
_ANSWER_S: Final = 20.0  # for a head far away
_PACKAGE_ROOT: Final = str(Path(__file__).resolve().parents[2])
_PATIENCE: Final = {"RAY_health_check_failure_threshold": "60"}
# Read when Ray is imported. Without keepalive a cut network keeps tasks pending for minutes.
_BEFORE_IMPORT: Final = {
    "RAY_grpc_client_keepalive_time_ms": "10000",
    "RAY_grpc_client_keepalive_timeout_ms": "5000",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else Ray warns about its own next default
}


def import_ray() -> Any:
    """The ``ray`` module.

    Raises:
        ExecutionError: If it is not installed.
    """
    for name, value in _BEFORE_IMPORT.items():
        os.environ.setdefault(name, value)
    turn_on()
    try:
        import ray
    except ImportError as error:
        raise ExecutionError(f"cannot import ray ({error}); install it, or run with --executor local") from error
    return ray


def driver_paths() -> tuple[str, ...]:
    """The folders of this process's import path, absolute: strategies named by import path are found in them."""
    paths = (str(Path(entry).absolute()) for entry in [*sys.path, _PACKAGE_ROOT])
    return tuple(dict.fromkeys(paths))


def target(address: str | None) -> str:
    """The address that `connect` uses: the one given, else ``RAY_ADDRESS``, else ``local``."""
    return address or os.environ.get("RAY_ADDRESS") or LOCAL


def connect(address: str | None = None, jobs: int | None = None) -> bool:
    """Makes sure that this process is connected to Ray; a connection that exists already is used as it is.

    Args:
        address: ``auto`` or ``host:port`` of a running cluster; ``local`` starts one here whatever ``RAY_ADDRESS`` says;
            None takes ``RAY_ADDRESS``, and starts one here where that is not set.
        jobs: CPUs of a Ray that is started here; default: all of them.

    Returns:
        True if the connection was made here, so that the caller has to end it.

    Raises:
        ExecutionError: If Ray cannot be started or reached, or if the cluster asks for no token and the user has not
            said that it need not (see `finiex_ray.execution.ray_auth`).
    """
    where = target(address)
    if where.startswith("ray://"):
        raise ExecutionError(
            f"address '{where}' is one of Ray Client, which cannot stream results; give host:port of the cluster's head "
            "from one of its nodes, or submit the run: finiex-ray submit SET --address http://host:8265"
        )
    ray = import_ray()
    if ray.is_initialized():
        return False
    settings: dict[str, Any] = {
        "address": where,
        "namespace": NAMESPACE,
        "log_to_driver": False,
        "logging_level": logging.ERROR,
        "job_config": ray.job_config.JobConfig(_py_driver_sys_path=[_PACKAGE_ROOT]),
    }
    surroundings: dict[str, str] = {}
    _require_answer(where)
    if where == LOCAL:
        ensure_token()
        # Task processes inherit it; set through a runtime_env it would cost each of them a slower start.
        surroundings["PYTHONHASHSEED"] = "0"
        # One node, here: a machine that is too busy to answer is no dead one, and Ray would end this process with it.
        surroundings |= {name: os.environ.get(name, value) for name, value in _PATIENCE.items()}
        settings |= {"include_dashboard": False, "num_cpus": jobs}
    try:
        with _environment(surroundings), _own_sigterm():
            _init(ray, settings)
        if where != LOCAL and token_wanted():
            _leave_if_open(ray, where)
    except ExecutionError:
        raise
    except ray.exceptions.AuthenticationError as error:
        raise ExecutionError(
            f"the Ray cluster at '{where}' refuses this token, or there is none here; {NO_TOKEN_HINT}, or set "
            f"{MODE}=disabled for a cluster that has none"
        ) from error
    except Exception as error:
        what = "start Ray on this machine" if where == LOCAL else f"reach the Ray cluster at '{where}'"
        raise ExecutionError(
            f"cannot {what}: {type(error).__name__}: {error}; check --address and the token, or run with --executor local"
        ) from error
    return True


def _leave_if_open(ray: Any, where: str) -> None:
    """Ends a connection that has just been made, if the cluster asks for no token.

    Raises:
        ExecutionError: If so, or if it cannot be found out.
    """
    try:
        if answers_without_token(ray.get_runtime_context().gcs_address):
            raise refuse_open(f"the Ray cluster at '{where}'")
    except ExecutionError:
        ray.shutdown()
        raise


def _init(ray: Any, settings: Mapping[str, Any]) -> None:
    """Starts or connects; on a busy machine Ray's own processes may miss its limit of 30 s the first time."""
    try:
        ray.init(**settings)
    except Exception as error:
        if "timed out during startup" not in str(error):
            raise
        ray.shutdown()
        ray.init(**settings)


@contextmanager
def _own_sigterm() -> Iterator[None]:
    """Keeps the handler that was set for SIGTERM: Ray sets one of its own, which ends the process at once."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if callable(before) and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def cluster_cpus(address: str | None = None) -> int:
    """CPUs of a running cluster, as they are now; of this machine where no cluster is named.

    Raises:
        ExecutionError: If the cluster cannot be reached.
    """
    if target(address) == LOCAL:
        return os.cpu_count() or 1
    made_here = connect(address)
    try:
        return max(1, int(import_ray().cluster_resources().get("CPU", 1)))
    finally:
        if made_here:
            import_ray().shutdown()


def _require_answer(where: str) -> None:
    """Asks a cluster's head for a connection first: Ray itself waits for one without end.

    Raises:
        ExecutionError: If nothing listens at ``host:port``.
    """
    host, _, port = where.rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER_S).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise ExecutionError(
            f"cannot reach the Ray cluster at '{where}': {error}; check --address, or run with --executor local"
        ) from error


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
