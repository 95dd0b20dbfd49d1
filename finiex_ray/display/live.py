"""`LiveDisplay`: a row for each running scenario and the totals; one renewed line in a notebook, plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from finiex_ray.core.text import printable
from finiex_ray.display.line import Rhythm, moving_picture, notebook_display, renewable
from finiex_ray.display.pace import Pace
from finiex_ray.display.screen import screen, totals_line
from finiex_ray.engine.result import ProgressUpdate, ScenarioResult

if TYPE_CHECKING:  # the display loads no executor
    from finiex_ray.execution.coordinator import Totals

__all__ = ["LiveDisplay"]

_MOST_FAILURE_LINES: Final = 20


class LiveDisplay:
    """Shows a run under way, on stderr, so that stdout stays clean.

    Use it as a context manager; `update` and `finished` may be called as often as one likes, and from different threads.
    Only `update` and the end write: a terminal that is slow, or stopped, holds up whoever calls `update`, and nothing else.
    Colours and the moving table appear on a terminal only; ``NO_COLOR`` is honoured.

    Args:
        console: Where to show it; default: stderr.
        clock: Seconds that never go back.
    """

    def __init__(self, *, console: Console | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console or Console(stderr=True)
        self._notebook = None if console is not None else notebook_display()
        self._live: Live | None = None
        if self._notebook is None and renewable(self._console, given=console is not None):
            self._live = moving_picture(self._console)
        self._rhythm = Rhythm(clock, moving=self._live is not None)
        self._pace = Pace()
        self._lock = threading.Lock()
        self._waiting: deque[Text] = deque()  # lines that are still to be written
        self._failures: Counter[str] = Counter()
        self._last_failure = ""

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
        self._write_lines()

    def update(self, updates: Sequence[ProgressUpdate], totals: Totals) -> None:
        """Shows how far a run is, unless that was shown a moment ago.

        Args:
            updates: The latest update of each running scenario.
            totals: Counts of the whole run.
        """
        self._write_lines()
        if not self._rhythm.due:
            return
        with self._rhythm.painting():
            pace = self._pace.text(totals.ticks, totals.ticks_total, totals.elapsed_s)
            if self._live is not None:
                with self._lock:
                    failures, last = Counter(self._failures), self._last_failure
                size = self._console.size
                self._live.update(
                    screen(updates, totals, pace, failures, last, (size.width, size.height)), refresh=True
                )
            elif self._notebook is not None:
                self._notebook(totals_line(totals, pace).plain)
            else:
                self._console.print(totals_line(totals, pace), soft_wrap=True)

    def note(self, text: str) -> None:
        """Shows a line, with the next update at the latest."""
        self._later(Text(printable(text)))

    def finished(self, result: ScenarioResult) -> None:
        """Tells of a scenario that failed, with the next update; of the first ones only, as the summary lists them all."""
        if result.success or result.error is None:
            return
        place = "" if result.error.tick_index is None else f" at tick {result.error.tick_index:,}"
        text = f"{result.name}: {result.error.type}{place}: {result.error.message}"
        with self._lock:
            self._failures[result.error.type] += 1
            self._last_failure = text
            number = self._failures.total()
        if number <= _MOST_FAILURE_LINES:
            self._later(Text(printable(f"failed: {text}"), style="red"))
        elif number == _MOST_FAILURE_LINES + 1:
            self._later(Text("further failures are in the summary", style="red"))

    def _later(self, line: Text) -> None:
        self._waiting.append(line)

    def _write_lines(self) -> None:
        while self._waiting:
            self._console.print(self._waiting.popleft(), soft_wrap=True)
