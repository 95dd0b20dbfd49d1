"""What Ray's errors mean for a run: whose fault it was, and what to do about it."""

from __future__ import annotations

from collections import Counter
from enum import Enum
from typing import Final

from finiex_ray.core.errors import TimeLimitError
from finiex_ray.engine.result import ErrorInfo
from finiex_ray.execution.last_words import fatal_signal
from finiex_ray.execution.time_limit import limit_message

__all__ = ["Fault", "Suspects", "Verdict", "classify", "data_lost", "fault_info", "store_full"]


class Fault(Enum):
    """What befell a task."""

    CRASH = "crash"  # its process died: the scenario that ran may have killed it
    MEMORY = "memory"  # its node ran out of memory: the scenario that ran may have used it up, or another one
    TIME = "time"  # the driver ended it, as a scenario did not come back
    LOST = "lost"  # its node or its data is gone: no fault of a scenario
    TASK = "task"  # our own code around the scenarios raised
    FATAL = "fatal"  # no task can run


def classify(error: BaseException) -> Fault:
    """Sorts an error that fetching a result raised."""
    from ray import exceptions

    if isinstance(error, exceptions.RayTaskError):
        return Fault.LOST if isinstance(error.cause, exceptions.RayError) else Fault.TASK
    if isinstance(error, exceptions.OutOfMemoryError):
        return Fault.MEMORY
    if isinstance(error, exceptions.WorkerCrashedError):
        return Fault.CRASH
    fatal = (
        exceptions.LocalRayletDiedError,
        exceptions.RuntimeEnvSetupError,
        exceptions.TaskUnschedulableError,
        exceptions.AuthenticationError,
    )
    return Fault.FATAL if isinstance(error, fatal) else Fault.LOST


def data_lost(error: BaseException) -> bool:
    """Whether something that lay in the object store is gone, or does not come, so that it has to be put again."""
    from ray import exceptions

    return isinstance(getattr(error, "cause", None) or error, exceptions.ObjectLostError | exceptions.GetTimeoutError)


def store_full(error: BaseException) -> bool:
    """Whether the object store has no room left, in memory or on disk."""
    from ray import exceptions

    return isinstance(error, exceptions.ObjectStoreFullError | exceptions.OutOfDiskError)


class Verdict(Enum):
    """What happens to a scenario at which a task has ended."""

    AGAIN = "again"  # with the others
    ALONE = "alone"  # when nothing else runs, so that nothing else can be the cause
    FAIL = "fail"


class Suspects:
    """Remembers at which scenarios processes have ended, and judges them.

    A process can also be killed from outside, or by the memory that another scenario uses: a scenario is given up only
    when it has ended its process each time, at last with nothing beside it. A fatal signal that Python itself has written
    down (a segmentation fault, an abort) proves more than a death without a word: then the second time is the last.
    """

    def __init__(self) -> None:
        self._times: Counter[tuple[int, Fault]] = Counter()
        self._words: dict[int, str] = {}

    def heard(self, index: int, last_words: str) -> None:
        """Takes what a process left that died at this scenario."""
        if last_words:
            self._words[index] = last_words

    def judge(self, index: int, fault: Fault) -> Verdict:
        """Counts one more fault of a scenario."""
        self._times[index, fault] += 1
        times = self._times[index, fault]
        proven = fault is Fault.CRASH and fatal_signal(self._words.get(index, ""))
        if times >= (_PROVEN_TRIES if proven else _TRIES[fault]):
            return Verdict.FAIL
        return Verdict.ALONE if times >= _ALONE_AFTER.get(fault, times + 1) else Verdict.AGAIN

    def info(self, index: int, fault: Fault, error: BaseException, limit_s: float | None) -> ErrorInfo:
        """The error of a scenario that is given up."""
        return fault_info(error, fault, self._times[index, fault], self._words.get(index, ""), limit_s)


_PROVEN_TRIES: Final = 2
_TRIES: Final = {Fault.CRASH: 5, Fault.MEMORY: 3, Fault.TIME: 1, Fault.LOST: 4, Fault.TASK: 1}
_ALONE_AFTER: Final = {Fault.CRASH: 2, Fault.MEMORY: 1}


def fault_info(
    error: BaseException, fault: Fault, tries: int, last_words: str = "", limit_s: float | None = None
) -> ErrorInfo:
    """The error of a scenario that has no more tries."""
    cause = getattr(error, "cause", None) or error
    kind = type(cause).__name__
    after = f"{tries} tries" if tries > 1 else "1 try"
    signal = fatal_signal(last_words)
    if fault is Fault.TIME:
        message = (
            f"{limit_message(limit_s or 0.0)}. Nothing in Python could stop it (a loop in compiled code, or one that catches "
            "every exception), so its process was ended"
        )
        return ErrorInfo(type=TimeLimitError.__name__, message=message)
    if fault is Fault.CRASH and signal:
        message = (
            f"the process that ran the scenario died ({after}): {signal}, in compiled code that the strategy calls (its own "
            "kernels, an extension module); the traceback shows the Python lines that led there"
        )
        return ErrorInfo(type=kind, message=message, traceback=last_words)
    if fault is Fault.CRASH:
        message = (
            f"the process that ran the scenario died ({after}): it was killed (SIGKILL, or the system was out of memory), "
            "crashed (segmentation fault, abort) or left through os._exit; run the scenario with --executor local to see "
            f"where. Ray says: {_first_lines(error)}"
        )
    elif fault is Fault.MEMORY:
        message = (
            f"the node ran out of memory, with nothing beside this scenario ({after}): it needs more than the node has. Give "
            "it a shorter window, let the strategy keep less (values of all ticks?), or use a node with more memory. Ray "
            f"says: {_first_lines(error)}"
        )
    elif fault is Fault.LOST:
        message = f"the scenario's node or data was lost ({after}). Ray says: {_first_lines(error)}"
    else:
        message = f"the task failed outside the scenario ({after}): {_first_lines(error)}"
    return ErrorInfo(type=kind, message=message, traceback=str(error) if fault is Fault.TASK else "")


def _first_lines(error: BaseException) -> str:
    return " ".join(str(error).split())[:400]
