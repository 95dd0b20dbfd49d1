"""`LocalExecutor`: runs scenarios in this process, so that breakpoints work and tracebacks are the original ones."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import chain, groupby
from typing import ClassVar

from finiex_ray.core.errors import DataError, ExecutionError
from finiex_ray.engine.result import ProgressUpdate, ScenarioResult
from finiex_ray.engine.run import failed_result
from finiex_ray.execution.batches import make_batches
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.executor import Executor, run_on
from finiex_ray.execution.planned import PlannedScenario
from finiex_ray.execution.stopped import StoppedError

__all__ = ["LocalExecutor"]

_AHEAD = 2  # batches submitted for each thread: the next one is there when one ends, and a cancel has little to undo


def _index(result: ScenarioResult) -> int:
    return result.index


class LocalExecutor(Executor):
    """Runs scenarios without any other process.

    Args:
        cache: Market data, as the plan left it.
        jobs: Threads; 1 runs in the calling thread. Kernels release the GIL, so threads run in parallel.
    """

    name: ClassVar[str] = "local"

    def __init__(self, cache: SegmentCache, jobs: int = 1) -> None:
        super().__init__()
        if jobs < 1:
            raise ExecutionError(f"jobs is {jobs}; it must be 1 or more")
        self._cache = cache
        self._jobs = jobs
        self._stopped = False

    def run(self, planned: Sequence[PlannedScenario]) -> Generator[ScenarioResult, None, None]:
        """Yields results as they complete; with one job in the order given. See `Executor.run`."""
        jobs = min(self._jobs, len(planned))
        if jobs > 1:
            yield from self._run_threads(planned, jobs)
        else:
            for batch in make_batches(planned, jobs):
                for result in self._run_batch(batch):
                    self.board.finish(result.index)
                    yield result

    def close(self) -> None:
        """Stops threads that still run at their next live update."""
        self._stopped = True

    def _run_batch(self, batch: Sequence[PlannedScenario]) -> Iterator[ScenarioResult]:
        for _, group in groupby(batch, key=lambda scenario: scenario.window_key):
            scenarios = list(group)
            began = time.perf_counter_ns()
            try:
                window = scenarios[0].window(self._cache)
            except DataError as error:
                for each in scenarios:
                    yield failed_result(each.task.index, each.task.config.name, each.symbol, error)
                continue
            tasks = [each.task for each in scenarios]
            yield from run_on(tasks, window, self._progress, data_ns=time.perf_counter_ns() - began)

    def _run_all(self, batch: Sequence[PlannedScenario]) -> list[ScenarioResult]:
        return list(self._run_batch(batch))

    def _progress(self, update: ProgressUpdate) -> None:
        if self._stopped:
            raise StoppedError
        self.board.update(update)

    def _run_threads(self, planned: Sequence[PlannedScenario], jobs: int) -> Iterator[ScenarioResult]:
        waiting = make_batches(planned, jobs)
        running: set[Future[list[ScenarioResult]]] = set()
        pool = ThreadPoolExecutor(jobs, thread_name_prefix="scenario")
        try:
            while True:
                while len(running) < jobs * _AHEAD and (batch := next(waiting, None)) is not None:
                    running.add(pool.submit(self._run_all, batch))
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for result in sorted(chain.from_iterable(future.result() for future in done), key=_index):
                    self.board.finish(result.index)
                    yield result
        except BaseException:
            # Interrupted, or closed by the caller: what runs ends at its next live update.
            self._stopped = True
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
