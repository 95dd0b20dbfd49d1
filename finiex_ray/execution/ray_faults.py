"""What Ray's errors mean for a run: whose fault it was, and what to do about it."""

from __future__ import annotations

from enum import Enum

from finiex_ray.engine.result import ErrorInfo

__all__ = ["Fault", "classify", "data_lost", "fault_info"]


class Fault(Enum):
    """What befell a task."""

    CRASH = "crash"  # its process died: the scenario that ran may have killed it
    LOST = "lost"  # its node or its data is gone: no fault of a scenario
    TASK = "task"  # our own code around the scenarios raised
    FATAL = "fatal"  # no task can run


def classify(error: BaseException) -> Fault:
    """Sorts an error that fetching a result raised."""
    from ray import exceptions

    if isinstance(error, exceptions.RayTaskError):
        return Fault.LOST if isinstance(error.cause, exceptions.RayError) else Fault.TASK
    if isinstance(error, exceptions.WorkerCrashedError | exceptions.OutOfMemoryError):
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


def fault_info(error: BaseException, fault: Fault, tries: int) -> ErrorInfo:
    """The error of a scenario that has no more tries."""
    cause = getattr(error, "cause", None) or error
    kind = type(cause).__name__
    after = f"{tries} tries" if tries > 1 else "1 try"
    if fault is Fault.CRASH:
        message = (
            f"the process that ran the scenario died ({after}): it was killed (SIGKILL, or the system was out of memory), "
            "crashed (segmentation fault, abort) or left through os._exit; run the scenario with --executor local to see "
            f"where. Ray says: {_first_lines(error)}"
        )
    elif fault is Fault.LOST:
        message = f"the scenario's node or data was lost ({after}). Ray says: {_first_lines(error)}"
    else:
        message = f"the task failed outside the scenario ({after}): {_first_lines(error)}"
    return ErrorInfo(type=kind, message=message, traceback=str(error) if fault is Fault.TASK else "")


def _first_lines(error: BaseException) -> str:
    return " ".join(str(error).split())[:400]
