"""Runs all workers of a scenario on a block, checks what they return and measures them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from finiex_ray.bars.block import Block
from finiex_ray.bars.tick import TickFailure
from finiex_ray.core.errors import StrategyContractError
from finiex_ray.core.market import FloatArray
from finiex_ray.core.time import Timeframe
from finiex_ray.workers.base import Outputs, Worker

__all__ = ["WorkerCoordinator", "WorkerTiming"]


class WorkerTiming(NamedTuple):
    """How often a worker was called, and for how long in all."""

    calls: int
    total_ns: int


class _Answer(NamedTuple):
    outputs: dict[str, FloatArray]
    failure: TickFailure | None
    elapsed_ns: int


class WorkerCoordinator:
    """The workers of one scenario.

    Args:
        workers: Worker name to worker; outputs come in this order.
        history: Bars by timeframe that the blocks' histories begin with (their warm-up); a worker that asked for fewer
            sees only its own, so that one worker's needs change no value of another. None: all see all.
        parallel: Runs the workers of a block in threads (compiled ones release the GIL); the results are the same.
        clock: A clock in nanoseconds, for ``timings``; None measures nothing.
    """

    def __init__(
        self,
        workers: Mapping[str, Worker],
        *,
        history: Mapping[Timeframe, int] | None = None,
        parallel: bool = False,
        clock: Callable[[], int] | None = None,
    ) -> None:
        self.workers = dict(workers)
        self.timings = {name: WorkerTiming(0, 0) for name in self.workers}
        self._clock = clock
        self.history = history or {}
        threads = len(self.workers) if parallel else 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="worker") if threads > 1 else None

    @property
    def history(self) -> Mapping[Timeframe, int]:
        """Bars by timeframe that the blocks' histories begin with."""
        return self._history

    @history.setter
    def history(self, bars: Mapping[Timeframe, int]) -> None:
        self._history = bars
        self._surplus = {name: _surplus(worker, bars) for name, worker in self.workers.items()}

    def close(self) -> None:
        """Ends the threads; no call follows."""
        if self._pool is not None:
            self._pool.shutdown()

    def histories(self, block: Block) -> dict[str, Block]:
        """The block as each worker sees it: with the history that it asked for."""
        return {name: block.without_first(bars) if bars else block for name, bars in self._surplus.items()}

    def compute(self, block: Block, views: Mapping[str, Block] | None = None) -> dict[str, Outputs]:
        """Computes all outputs of all workers for a block.

        Args:
            block: The block.
            views: What `histories` gave for it, where the caller has it already.

        Raises:
            StrategyContractError: If a worker returns something else than float64 arrays with one value a tick.
            TickFailure: If a tick-style worker raised; its ``outputs`` are those of all workers, cut to that tick.
                Where several raised, the earliest tick counts, then the order of the workers.
        """
        seen = self.histories(block) if views is None else views
        if self._pool is None:
            answers = {name: self._ask(name, seen[name]) for name in self.workers}
        else:
            tasks = {name: self._pool.submit(self._ask, name, seen[name]) for name in self.workers}
            answers = {name: task.result() for name, task in tasks.items()}
        for name, answer in answers.items():
            calls, total_ns = self.timings[name]
            self.timings[name] = WorkerTiming(calls + 1, total_ns + answer.elapsed_ns)
        failures = [answer.failure for answer in answers.values() if answer.failure is not None]
        if failures:
            first = min(failures, key=lambda failure: failure.tick)
            ticks = first.tick - block.first_tick
            cut = {
                name: {output: values[:ticks] for output, values in answer.outputs.items()}
                for name, answer in answers.items()
            }
            raise TickFailure(first.tick, cut) from first.__cause__
        return {name: answer.outputs for name, answer in answers.items()}

    def _ask(self, name: str, block: Block) -> _Answer:
        worker, failure = self.workers[name], None
        began = self._clock() if self._clock else 0
        try:
            outputs: Any = worker.compute(block)
        except TickFailure as caught:
            failure, outputs = caught, caught.outputs
        elapsed_ns = self._clock() - began if self._clock else 0
        ticks = len(block) if failure is None else failure.tick - block.first_tick
        return _Answer(_checked(name, worker.outputs, outputs, ticks), failure, elapsed_ns)


def _surplus(worker: Worker, history: Mapping[Timeframe, int]) -> dict[Timeframe, int]:
    """Bars of each timeframe that other workers asked for beyond what this one did."""
    return {tf: history[tf] - bars for tf, bars in worker.warmup().items() if history.get(tf, bars) > bars}


def _checked(name: str, declared: tuple[str, ...], outputs: Any, ticks: int) -> dict[str, FloatArray]:
    if not isinstance(outputs, Mapping):
        raise StrategyContractError(f"worker '{name}' returned {type(outputs).__name__}; expected a mapping of arrays")
    checked = {}
    for output in declared:
        values = outputs.get(output)
        if values is None:
            found = ", ".join(map(str, outputs)) or "nothing"
            raise StrategyContractError(f"worker '{name}' returned no output '{output}' (it returned: {found})")
        if not isinstance(values, np.ndarray) or values.dtype != np.float64 or values.shape != (ticks,):
            seen = f"{values.dtype} {values.shape}" if isinstance(values, np.ndarray) else type(values).__name__
            raise StrategyContractError(
                f"worker '{name}' output '{output}' is {seen}; expected a float64 array of shape ({ticks},)"
            )
        checked[output] = np.ascontiguousarray(values)
    return checked
