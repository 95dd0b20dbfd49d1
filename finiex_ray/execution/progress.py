"""`ProgressBoard`: the latest update of each running scenario, from whatever thread or process it came."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from finiex_ray.core.enums import ScenarioStatus
from finiex_ray.engine.result import ProgressUpdate

__all__ = ["ProgressBoard"]

_FINAL = frozenset({ScenarioStatus.COMPLETED.value, ScenarioStatus.FINISHED_WITH_ERROR.value})


class ProgressBoard:
    """Merges updates; safe for threads. Updates may come late or in any order: the final state comes from results."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: dict[int, ProgressUpdate] = {}
        self._finished: set[int] = set()

    def update(self, update: ProgressUpdate) -> None:
        """Takes one update; one of a scenario that has finished, or one older than what is known, is dropped."""
        with self._lock:
            if update.index in self._finished:
                return
            if update.status in _FINAL:
                self._latest.pop(update.index, None)
                return
            known = self._latest.get(update.index)
            if known is None or update.elapsed_s >= known.elapsed_s or update.ticks_done >= known.ticks_done:
                self._latest[update.index] = update

    def update_all(self, updates: Iterable[ProgressUpdate]) -> None:
        """Takes several updates."""
        for update in updates:
            self.update(update)

    def restart(self, index: int) -> None:
        """Forgets what is known of a scenario that begins again from its first tick."""
        with self._lock:
            self._latest.pop(index, None)

    def finish(self, index: int) -> None:
        """The scenario's result is there: whatever comes later does not count."""
        with self._lock:
            self._finished.add(index)
            self._latest.pop(index, None)

    def running(self) -> list[ProgressUpdate]:
        """The latest update of each running scenario, in the order of the set."""
        with self._lock:
            return [self._latest[index] for index in sorted(self._latest)]
