"""The fused loop over a whole sweep, on two processes that stay warm: what a sweep of ours is held against."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Self

from bench.peers import FusedLoop
from bench.support import Cost

_loop: FusedLoop | None = None


def _load(ticks: int, kind: str) -> None:
    global _loop
    _loop = FusedLoop(ticks, kind)
    _loop.run()


def _run(calls: Sequence[tuple[int, float]]) -> tuple[float, int]:
    assert _loop is not None
    cpu = time.process_time()
    trades = sum(_loop.run(*call) for call in calls)
    return time.process_time() - cpu, trades


class FusedPool:
    """Processes that hold the ticks and the compiled loop; use it as a context.

    Args:
        ticks: See `FusedLoop`.
        calls: RSI period and stop loss in pips of each scenario.
        processes: How many.
        kind: ``eager``, ``lazy`` or ``thresh``.
    """

    def __init__(self, ticks: int, calls: Sequence[tuple[int, float]], processes: int, kind: str = "eager") -> None:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(processes, context, _load, (ticks, kind))
        self._parts = [calls[first::processes] for first in range(processes)]
        self.trades = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def run(self) -> Cost:
        """Runs every scenario once; wall time, and CPU time of the loops alone."""
        wall = time.perf_counter()
        done = list(self._pool.map(_run, self._parts))
        self.trades = sum(trades for _, trades in done)
        return Cost(sum(cpu for cpu, _ in done), time.perf_counter() - wall)
