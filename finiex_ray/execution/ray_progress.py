"""Live updates across processes: `ProgressActor` keeps the latest ones, tasks send, the driver polls. All of it may be lost."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from finiex_ray.core.enums import ScenarioStatus
from finiex_ray.core.memory import own_memory
from finiex_ray.engine.result import ProgressUpdate
from finiex_ray.execution.progress import ProgressBoard

__all__ = ["ProgressActor", "ProgressPoller", "ProgressSender", "start_progress_actor"]

_MAX_PENDING: Final = 100
_SEND_GAP_S: Final = 0.05  # of one process: a call costs up to 0.5 ms, and short scenarios would make thousands
_POLL_GAP_S: Final = 0.2
_RUNNING: Final = ScenarioStatus.RUNNING.value


class ProgressActor:
    """The latest update of each scenario since the last poll. An actor of its own process; its death touches no result."""

    def __init__(self) -> None:
        self._latest: dict[int, ProgressUpdate] = {}

    def update(self, update: ProgressUpdate) -> None:
        """Takes one update."""
        self._latest[update.index] = update

    def drain(self) -> list[ProgressUpdate]:
        """Gives what has changed since the last call, and forgets it."""
        updates = list(self._latest.values())
        self._latest.clear()
        return updates


def start_progress_actor() -> Any:
    """Starts the actor; returns its handle at once."""
    import ray

    options = {"num_cpus": 0, "max_restarts": -1, "max_pending_calls": _MAX_PENDING}
    return ray.remote(**options)(ProgressActor).remote()


class ProgressSender:
    """Sends updates from a task, never waits, and drops what does not fit.

    Args:
        actor: Handle of the progress actor.
        clock: Seconds, not going back.
    """

    def __init__(self, actor: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._actor = actor
        self._clock = clock
        self._next_send = float("-inf")
        self._process = f"{socket.gethostname()}-{os.getpid()}"

    def __call__(self, update: ProgressUpdate) -> None:
        """Sends an update, unless one was sent a moment ago; start and end are known from the results anyway."""
        import ray

        now = self._clock()
        if update.status != _RUNNING or now < self._next_send:
            return
        self._next_send = now + _SEND_GAP_S
        try:
            self._actor.update.remote(replace(update, process=self._process, memory_bytes=own_memory()))
        except ray.exceptions.RayError:
            return  # too many calls pending, or the actor is gone: an update is not worth waiting for


class ProgressPoller:
    """Fetches updates on the driver without waiting.

    Args:
        actor: Handle of the progress actor, or None for no updates.
        board: Receives the updates.
        clock: Seconds, not going back.
    """

    def __init__(self, actor: Any, board: ProgressBoard, clock: Callable[[], float] = time.monotonic) -> None:
        self._actor, self._board, self._clock = actor, board, clock
        self._asked: Any = None
        self._next_poll = float("-inf")

    def poll(self) -> None:
        """Takes an answer that is there, and asks again when it is time."""
        if self._actor is None:
            return
        import ray

        try:
            if self._asked is not None and ray.wait([self._asked], timeout=0)[0]:
                answer, self._asked = self._asked, None
                self._board.update_all(ray.get(answer, timeout=1.0))
            if self._asked is None and self._clock() >= self._next_poll:
                self._next_poll = self._clock() + _POLL_GAP_S
                self._asked = self._actor.drain.remote()
        except ray.exceptions.RayError:
            self._asked = None  # the actor died or restarts: a later poll finds it, or nothing is shown
