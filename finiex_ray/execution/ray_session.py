"""Starts Ray on this machine, or connects to a running cluster, with the settings that a run depends on."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from finiex_ray.core.errors import ExecutionError

__all__ = ["LOCAL", "NAMESPACE", "connect", "driver_paths", "import_ray", "target"]

LOCAL: Final = "local"
NAMESPACE: Final = "finiex_ray"
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
        ExecutionError: If Ray cannot be started or reached.
    """
    ray = import_ray()
    if ray.is_initialized():
        return False
    where = target(address)
    if where.startswith("ray://"):
        raise ExecutionError(
            f"address '{where}' is one of Ray Client, which cannot stream results; give host:port of the cluster's head "
            "from one of its nodes, or submit the run: ray job submit --working-dir . -- finiex-ray run SET --executor ray"
        )
    settings: dict[str, Any] = {
        "address": where,
        "namespace": NAMESPACE,
        "log_to_driver": False,
        "logging_level": logging.ERROR,
        "job_config": ray.job_config.JobConfig(_py_driver_sys_path=[_PACKAGE_ROOT]),
    }
    surroundings: dict[str, str] = {}
    if where == LOCAL:
        # (Ray turns token authentication on by itself, unless RAY_AUTH_MODE says otherwise.)
        # Task processes inherit it; set through a runtime_env it would cost each of them a slower start.
        surroundings["PYTHONHASHSEED"] = "0"
        # One node, here: a machine that is too busy to answer is no dead one, and Ray would end this process with it.
        surroundings |= {name: os.environ.get(name, value) for name, value in _PATIENCE.items()}
        settings |= {"include_dashboard": False, "num_cpus": jobs}
    try:
        with _environment(surroundings), _own_sigterm():
            _init(ray, settings)
    except Exception as error:
        what = "start Ray on this machine" if where == LOCAL else f"reach the Ray cluster at '{where}'"
        raise ExecutionError(
            f"cannot {what}: {type(error).__name__}: {error}; check --address, or run with --executor local"
        ) from error
    return True


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
