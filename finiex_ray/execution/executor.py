"""The one interface of executors, and the step that all of them share: one scenario on its window."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import ClassVar

from finiex_ray.bars.window import MarketWindow
from finiex_ray.engine.batch import run_batch
from finiex_ray.engine.result import ProgressUpdate, ScenarioResult, ScenarioTask
from finiex_ray.engine.run import failed_result
from finiex_ray.execution.planned import PlannedScenario
from finiex_ray.execution.progress import ProgressBoard
from finiex_ray.execution.stopped import StoppedError

__all__ = ["Executor", "run_on"]


class Executor(ABC):
    """Runs planned scenarios. How it does so changes no result.

    An executor serves one run: call ``run`` once, then ``close``.

    Attributes:
        name: What stands in the summary of a run.
        board: Updates of the scenarios that run now.
    """

    name: ClassVar[str]

    def __init__(self) -> None:
        self.board = ProgressBoard()

    @abstractmethod
    def run(self, planned: Sequence[PlannedScenario]) -> Generator[ScenarioResult, None, None]:
        """Yields exactly one result for each scenario, as they complete, in any order.

        A scenario's failure is its result. Closing the iterator cancels what still runs.

        Raises:
            ExecutionError: If the executor itself cannot go on.
        """

    def progress(self) -> list[ProgressUpdate]:
        """The latest update of each running scenario; never waits. Call it from any thread."""
        return self.board.running()

    @abstractmethod
    def close(self) -> None:
        """Lets go of processes, threads and data. May be called more than once."""


def run_on(
    tasks: Sequence[ScenarioTask],
    window: MarketWindow,
    progress: Callable[[ProgressUpdate], None] | None,
    *,
    data_ns: int = 0,
) -> Iterator[ScenarioResult]:
    """Runs scenarios on their common window; a result for each, in order, and every failure is a result.

    Args:
        tasks: The scenarios.
        window: Their market data.
        progress: Receives live updates.
        data_ns: Time that fetching the window took.

    Raises:
        KeyboardInterrupt: If the user interrupts.
        StoppedError: If the progress callback raised it.
    """
    done = 0
    while done < len(tasks):
        try:
            for result in run_batch(
                tasks[done:], window, clock=time.perf_counter_ns, progress=progress, data_ns=data_ns
            ):
                done += 1
                yield result
        except (KeyboardInterrupt, StoppedError, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - the task's edge: also what derives from BaseException is a result
            task = tasks[done]
            done += 1
            yield failed_result(task.index, task.config.name, task.config.symbol, error)
