"""`ScenarioLogger`: one scenario's log, stamped with simulated time, bounded, part of the result."""

from __future__ import annotations

from collections import deque

from finiex_ray.core.time import format_utc

__all__ = ["ScenarioLogger"]

_HEAD_LINES = 1_000
_TAIL_LINES = 1_000
_LINE_CHARACTERS = 4_000


class ScenarioLogger:
    """Keeps the first and the last lines; what lies between is counted, so a chatty strategy cannot fill the memory.

    A line reads ``<simulated time> tick <index> <LEVEL> <message>``: nothing in it depends on the machine, so equal runs
    have equal logs.
    """

    def __init__(self) -> None:
        self._head: list[str] = []
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._lines = 0
        self._place = "start-up"

    def at(self, tick: int, time_ns: int) -> None:
        """Sets the tick that the next lines speak of."""
        self._place = f"{format_utc(time_ns)} tick {tick}"

    def debug(self, message: str) -> None:
        """Writes a line for whoever debugs."""
        self._write("DEBUG", message)

    def info(self, message: str) -> None:
        """Writes a line about what goes on."""
        self._write("INFO", message)

    def warning(self, message: str) -> None:
        """Writes a line about something odd that does not stop the scenario."""
        self._write("WARNING", message)

    def error(self, message: str) -> None:
        """Writes a line about a failure."""
        self._write("ERROR", message)

    def _write(self, level: str, message: str) -> None:
        for part in str(message).splitlines() or [""]:
            line = f"{self._place} {level} {part[:_LINE_CHARACTERS]}"
            self._lines += 1
            if len(self._head) < _HEAD_LINES:
                self._head.append(line)
            else:
                self._tail.append(line)

    def lines(self) -> tuple[str, ...]:
        """The lines that were kept, in order, with a note where some were dropped."""
        dropped = self._lines - len(self._head) - len(self._tail)
        note = [f"… {dropped} lines dropped …"] if dropped else []
        return (*self._head, *note, *self._tail)
