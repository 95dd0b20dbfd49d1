"""`ScenarioLogger`: one scenario's log, stamped with simulated time, bounded, part of the result."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import merge
from typing import NamedTuple

from finiex_ray.core.time import format_utc

__all__ = ["ScenarioLogger", "shortened"]

_HALF_LINES = 1_000
_HALF_CHARACTERS = 128 * 1024
_LINE_CHARACTERS = 4_000
_MOST_CHARACTERS = 64 * 1024


def shortened(text: str, most: int = _MOST_CHARACTERS) -> str:
    """A text of at most so many characters and a note: beginning and end of a longer one."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters dropped …\n{text[-half:]}"


class _Line(NamedTuple):
    tick: int  # -1: before the first tick
    text: str


class _LineBuffer:
    """Keeps the first and the last lines; what lies between is counted, so a chatty strategy cannot fill the memory.

    Each half holds at most 1,000 lines and 128 KiB, a line at most 4,000 characters.
    """

    def __init__(self) -> None:
        self._head: list[_Line] = []
        self._head_characters = 0
        self._head_full = False
        self._tail: deque[_Line] = deque()
        self._tail_characters = 0
        self._lines = 0
        self._tick = -1
        self._time_ns = 0
        self._place: Callable[[], tuple[int, int]] | None = None

    def at(self, tick: int, time_ns: int) -> None:
        """Sets the tick that the next lines speak of."""
        self._tick, self._time_ns = tick, time_ns

    def follow(self, place: Callable[[], tuple[int, int]] | None) -> None:
        """Sets what is asked for tick and time when a line is written, in place of ``at`` for each tick."""
        self._place = place

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
        if self._place is not None:
            self.at(*self._place())
        place = "start-up" if self._tick < 0 else f"{format_utc(self._time_ns)} tick {self._tick}"
        message = str(message)
        one_line = len(message) <= _LINE_CHARACTERS and message.isprintable()
        for part in [message] if one_line else shortened(message).splitlines() or [""]:
            self._keep(_Line(self._tick, f"{place} {level} {part[:_LINE_CHARACTERS]}"))

    def _keep(self, line: _Line) -> None:
        self._lines += 1
        if not self._head_full:
            self._head.append(line)
            self._head_characters += len(line.text)
            self._head_full = len(self._head) >= _HALF_LINES or self._head_characters >= _HALF_CHARACTERS
            return
        self._tail.append(line)
        self._tail_characters += len(line.text)
        while len(self._tail) > _HALF_LINES or self._tail_characters > _HALF_CHARACTERS:
            self._tail_characters -= len(self._tail.popleft().text)

    def kept(self) -> list[_Line]:
        """The lines that were kept, in order, with a note where some were dropped."""
        dropped = self._lines - len(self._head) - len(self._tail)
        note = [_Line(self._tail[0].tick, f"… {dropped} lines dropped …")] if dropped else []
        return [*self._head, *note, *self._tail]


class ScenarioLogger(_LineBuffer):
    """The log of one scenario.

    A line reads ``<simulated time> tick <index> <LEVEL> <message>``: nothing in it depends on the machine, so equal runs
    have equal logs. Workers run a whole block ahead of the account, so their lines have a buffer of their own and are put
    in by tick at the end: a log, too, does not depend on the block size.

    Attributes:
        workers: The log that workers write to.
    """

    def __init__(self) -> None:
        super().__init__()
        self.workers = _LineBuffer()

    def lines(self) -> tuple[str, ...]:
        """All lines that were kept, in order of their ticks; of one tick, those of workers first."""
        workers, own = self.workers.kept(), self.kept()
        lines = merge(workers, own, key=lambda line: line.tick) if workers else own
        return tuple([line.text for line in lines])
