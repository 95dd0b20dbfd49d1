"""`RunLock`: one writer a run folder. The system lets go of the lock when its holder ends, however it ends."""

from __future__ import annotations

import os
import socket

from filelock import FileLock, Timeout

from finiex_ray.core.errors import ConfigError, DataError
from finiex_ray.results.run_dir import RunDir
from finiex_ray.results.run_info import read_head

__all__ = ["RunLock", "this_writer"]


def this_writer() -> dict[str, str | int]:
    """Who writes: host and process, for ``run.json`` and for the message of whoever comes second."""
    return {"host": socket.gethostname(), "pid": os.getpid()}


class RunLock:
    """Holds a run folder against a second writer until `release`.

    Args:
        run_dir: The folder.

    Raises:
        ConfigError: If another writer holds it, or the file system has no locks.
    """

    def __init__(self, run_dir: RunDir) -> None:
        self._lock = FileLock(run_dir.lock, timeout=0, thread_local=False)
        try:
            self._lock.acquire()
        except Timeout:
            raise ConfigError(_held(run_dir), source=str(run_dir.path)) from None
        except (NotImplementedError, OSError) as error:
            message = f"cannot be locked for writing ({error}); choose another place with --out"
            raise ConfigError(message, source=str(run_dir.path)) from error

    def release(self) -> None:
        """Lets go; calling it again does nothing."""
        self._lock.release()


def _held(run_dir: RunDir) -> str:
    try:
        writer = read_head(run_dir.info).get("writer", {})
    except DataError:
        writer = {}
    who = f"process {writer.get('pid', '?')} on {writer.get('host', '?')}"
    return f"is being written by {who}; wait until it has ended, or stop it"
