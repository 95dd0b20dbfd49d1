"""`time_limit`: stops a scenario whose Python code does not come back, from another thread of the same process.

The tick loop looks at the clock itself, between blocks and wake-ups; this is for code that runs on between two looks. It
raises `TimeLimitError` in the scenario's thread, which Python does at its next bytecode: a loop in compiled code is out of
reach, and has to be ended with its process (on Ray the driver does so). An import, a compilation or a call of Ray is never
cut off: a process would be left with half a module, and fail every scenario after this one.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from finiex_ray.core.errors import TimeLimitError

__all__ = ["StuckError", "limit_message", "time_limit"]

_GRACE_S: Final = 0.25  # the tick loop's own look, which knows the tick, comes first
_AGAIN_S: Final = 0.5  # between two tries: code may swallow an exception
_POLITE_TRIES: Final = 3
_LOOK_S: Final = 0.02  # between two looks at a thread that must not be cut off where it is
_NEVER_CUT: Final = frozenset({"importlib", "llvmlite", "numba", "ray", "zipimport"})


def limit_message(limit_s: float) -> str:
    """The message of a scenario whose strategy did not come back in time."""
    return (
        f"time limit of {limit_s:g} s reached inside the strategy's code, which did not come back (an endless loop?); "
        "raise execution.time_limit_s or shorten the window"
    )


class OvertimeError(TimeLimitError):
    """A `TimeLimitError` as it can be thrown into another thread: it brings its own message."""


class StuckError(BaseException):
    """The same for code that swallows every ``Exception``."""


@contextmanager
def time_limit(limit_s: float | None) -> Iterator[None]:
    """Raises in this thread when the block takes longer than a limit.

    Args:
        limit_s: Seconds; None for no limit.

    Raises:
        TimeLimitError: Inside the block, at the next bytecode after the limit.
        StuckError: The same, after the block has swallowed several of them.
    """
    if limit_s is None:
        yield
        return
    watch = _Watch(limit_s)
    watch.start()
    try:
        yield
    finally:
        watch.end()


class _Watch(threading.Thread):
    """Waits for the limit, then throws until the block has ended."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(name="time limit", daemon=True)
        self._limit_s = limit_s
        self._target = threading.get_ident()
        self._ended = threading.Event()
        self._lock = threading.Lock()

    def run(self) -> None:
        wait_s, tries = self._limit_s + _GRACE_S, 0
        while not self._ended.wait(wait_s):
            with self._lock:
                if self._ended.is_set():
                    return
                if not _may_be_cut(sys._current_frames().get(self._target)):
                    wait_s = _LOOK_S
                    continue
                tries += 1
                _throw(self._target, _overtime(self._limit_s) if tries <= _POLITE_TRIES else StuckError)
            wait_s = _AGAIN_S

    def end(self) -> None:
        """After it nothing more is thrown, and what has not landed yet does not land."""
        with self._lock:
            self._ended.set()
            _throw(self._target, None)


def _may_be_cut(frame: FrameType | None) -> bool:
    """Whether nothing on the stack up to the limited block would be left half done."""
    while frame is not None and frame.f_globals.get("__name__") != "finiex_ray.execution.executor":
        if str(frame.f_globals.get("__name__", "")).partition(".")[0] in _NEVER_CUT:
            return False
        frame = frame.f_back
    return True


def _overtime(limit_s: float) -> type[OvertimeError]:
    """An exception class that needs no arguments: Python makes the instance where it lands."""
    message = limit_message(limit_s)
    return type(TimeLimitError.__name__, (OvertimeError,), {"__init__": lambda self: Exception.__init__(self, message)})


def _throw(thread: int, error: type[BaseException] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), None if error is None else ctypes.py_object(error)
    )
