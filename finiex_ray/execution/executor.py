"""The one interface of executors, and the step that all of them share: one scenario on its window."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from typing import ClassVar

from finiex_ray.bars.window import MarketWindow
from finiex_ray.core.errors import TimeLimitError
from finiex_ray.engine.result import ProgressUpdate, ScenarioResult, ScenarioTask
from finiex_ray.engine.run import failed_result, run_scenario
from finiex_ray.execution.planned import PlannedScenario
from finiex_ray.execution.progress import ProgressBoard
from finiex_ray.execution.time_limit import StuckError, limit_message, time_limit

__all__ = ["Executor", "StoppedError", "run_on"]


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


class StoppedError(BaseException):
    """Thrown into a running scenario, through its progress callback, when the run is cancelled."""


def run_on(
    task: ScenarioTask,
    window: MarketWindow,
    progress: Callable[[ProgressUpdate], None] | None,
    *,
    data_ns: int = 0,
) -> ScenarioResult:
    """Runs one scenario on its window; every failure is a result.

    Args:
        task: The scenario.
        window: Its market data.
        progress: Receives live updates.
        data_ns: Time that fetching the window took.

    Raises:
        KeyboardInterrupt: If the user interrupts.
        StoppedError: If the progress callback raised it.
    """
    limit_s = task.config.execution.time_limit_s
    try:
        with time_limit(limit_s):
            return run_scenario(task, window, clock=time.perf_counter_ns, progress=progress, data_ns=data_ns)
    except (KeyboardInterrupt, StoppedError):
        raise
    except StuckError:
        error = TimeLimitError(limit_message(limit_s or 0.0))
        return failed_result(task.index, task.config.name, task.config.symbol, error)
    except BaseException as error:  # noqa: BLE001 - the task's edge: also what derives from BaseException is a result
        return failed_result(task.index, task.config.name, task.config.symbol, error)
