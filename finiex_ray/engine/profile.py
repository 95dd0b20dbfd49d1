"""`Profiler`: how long each operation of the tick loop took, at the cost of two clock readings an operation and block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from finiex_ray.engine.result import OperationTime, Profile

__all__ = ["OPERATIONS", "Clock", "Profiler"]

Clock = Callable[[], int]  # ns from any origin, never going back

OPERATIONS = ("trade_simulator", "bar_rendering", "bar_history", "worker_decision", "order_execution", "live_update")


class Profiler:
    """Collects calls and times by operation; switched off it collects nothing."""

    def __init__(self, clock: Clock, enabled: bool) -> None:
        self.clock = clock
        self.enabled = enabled
        self._calls = dict.fromkeys(OPERATIONS, 0)
        self._total_ns = dict.fromkeys(OPERATIONS, 0)
        self._startup_ns: dict[str, int] = {}

    @contextmanager
    def startup(self, part: str) -> Iterator[None]:
        """Measures one part of building a scenario."""
        began = self.clock()
        yield
        self.add_startup(part, self.clock() - began)

    def add_startup(self, part: str, took_ns: int) -> None:
        """Takes a part of the start-up that was measured elsewhere."""
        if self.enabled:
            self._startup_ns[part] = self._startup_ns.get(part, 0) + took_ns

    def lap(self, operation: str, began_ns: int) -> int:
        """Adds the time since ``began_ns`` to an operation; returns the current clock, where the next one begins."""
        if not self.enabled:
            return began_ns
        now = self.clock()
        self._calls[operation] += 1
        self._total_ns[operation] += now - began_ns
        return now

    def shares(self) -> dict[str, float]:
        """Share of each operation in the time measured so far."""
        total = sum(self._total_ns.values())
        return {name: ns / total for name, ns in self._total_ns.items()} if total else {}

    def profile(self, workers: Mapping[str, OperationTime], loop_ns: int) -> Profile:
        """The finished profile."""
        if not self.enabled:
            return Profile(loop_ns=loop_ns)
        operations = {name: OperationTime(self._calls[name], self._total_ns[name]) for name in OPERATIONS}
        return Profile(operations=operations, workers=dict(workers), startup_ns=dict(self._startup_ns), loop_ns=loop_ns)
