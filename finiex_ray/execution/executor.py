"""The one interface of executors, and the step that all of them share: one scenario on its window."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from typing import ClassVar

from finiex_ray.bars.window import MarketWindow
from finiex_ray.core.errors import TimeLimitError
from finiex_ray.engine.assemble import build_strategy
from finiex_ray.engine.batch import run_batch
from finiex_ray.engine.result import ProgressUpdate, ScenarioResult, ScenarioTask
from finiex_ray.engine.run import failed_result
from finiex_ray.engine.warm_up import warm_process
from finiex_ray.execution.planned import PlannedScenario
from finiex_ray.execution.progress import ProgressBoard
from finiex_ray.execution.stopped import StoppedError
from finiex_ray.execution.time_limit import StuckError, limit_message, time_limit

__all__ = ["Executor", "prepare", "run_on"]


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
    done, alone = 0, False
    while done < len(tasks):
        chunk = tasks[done : done + 1] if alone else _unlimited(tasks[done:])
        limit_s = chunk[0].config.execution.time_limit_s
        stream = run_batch(chunk, window, clock=time.perf_counter_ns, progress=progress, data_ns=data_ns)
        if limit_s is not None:
            prepare(chunk[0])
        try:
            for _ in chunk:
                with time_limit(limit_s):
                    result = next(stream)
                done += 1
                yield result
        except (KeyboardInterrupt, StoppedError, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - the task's edge: also what derives from BaseException is a result
            if len(chunk) > 1:  # which of them raised it is not known
                alone = True
                continue
            stuck = isinstance(error, StuckError)
            reason = TimeLimitError(limit_message(limit_s or 0.0)) if stuck else error
            done += 1
            yield failed_result(chunk[0].index, chunk[0].config.name, chunk[0].config.symbol, reason)


def prepare(task: ScenarioTask) -> None:
    """Does what a process has to do once (kernels, the strategy's modules), so that it is not of a scenario's time."""
    warm_process()
    with suppress(Exception, SystemExit):  # the scenario itself will tell
        build_strategy(task.config, task.access)


def _unlimited(tasks: Sequence[ScenarioTask]) -> Sequence[ScenarioTask]:
    """The first ones, up to one with a time limit; one with a time limit, whose time is its own, by itself."""
    limited = (place for place, task in enumerate(tasks) if task.config.execution.time_limit_s is not None)
    return tasks[: max(1, next(limited, len(tasks)))]
