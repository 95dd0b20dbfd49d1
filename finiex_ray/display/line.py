"""`ProgressLine`: a line or two, renewed in place on a terminal and in a notebook; a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from finiex_ray.core.text import printable

__all__ = ["ProgressLine", "Rhythm", "moving_picture", "notebook_display", "renewable"]

_MOVING_S: Final = 0.1
_PLAIN_S: Final = 2.0
_MOST_PLAIN_S: Final = 60.0
_PLAIN_SHARE: Final = 0.05  # of the time since the beginning between two plain lines
_PAINT_SHARE: Final = 0.01  # of the time that may go into showing
_MOST_PAUSE_S: Final = 5.0


def renewable(console: Console, *, given: bool = False) -> bool:
    """Whether lines can be renewed in place: on a terminal, and not where one is only pretended for the colours (CI).

    Args:
        console: The console.
        given: Whether somebody chose it, and it is believed.
    """
    isatty = getattr(console.file, "isatty", None)
    real = given or (isatty is not None and isatty())
    return real and console.is_terminal and not console.is_dumb_terminal


def moving_picture(console: Console) -> Live:
    """A picture that is renewed in place; what is printed meanwhile stands above it, unless stdout goes elsewhere."""
    isatty = getattr(sys.stdout, "isatty", None)
    to_terminal = isatty is not None and bool(isatty())
    return Live(console=console, auto_refresh=False, transient=True, redirect_stdout=to_terminal)


class Rhythm:
    """When to show something again: as often as costs little, on a terminal; in a log less often the longer it takes.

    Args:
        clock: Seconds that never go back.
        moving: Whether what is shown is renewed in place.
        at_once: Whether the first picture may come at once.
    """

    def __init__(self, clock: Callable[[], float], *, moving: bool, at_once: bool = False) -> None:
        self._clock, self._moving = clock, moving
        self.began_s = clock()
        self._shown_s = float("-inf") if at_once else self.began_s
        self._took_s = 0.0

    @property
    def due(self) -> bool:
        """Whether it is time."""
        now_s = self._clock()
        if self._moving:
            pause_s = max(_MOVING_S, min(_MOST_PAUSE_S, self._took_s / _PAINT_SHARE))
        else:
            pause_s = max(_PLAIN_S, min(_MOST_PLAIN_S, _PLAIN_SHARE * (now_s - self.began_s)))
        return now_s - self._shown_s >= pause_s

    @contextmanager
    def painting(self) -> Iterator[None]:
        """What is shown meanwhile is timed: a slow terminal is written to less often."""
        began_s = self._clock()
        yield
        self._shown_s = self._clock()
        self._took_s = self._shown_s - began_s


def notebook_display() -> Callable[[str], None] | None:
    """A function that shows a text in one place of a notebook's output; None outside of a notebook."""
    shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if type(shell).__name__ != "ZMQInteractiveShell":
        return None
    from IPython.display import DisplayHandle

    handle: Any = DisplayHandle()
    shown = False

    def show(text: str) -> None:
        nonlocal shown
        bundle = {"text/plain": text}
        handle.update(bundle, raw=True) if shown else handle.display(bundle, raw=True)
        shown = True

    return show


class ProgressLine:
    """Shows a line or two while work is under way, on stderr or in the notebook. A context manager.

    Args:
        quiet: Show nothing.
        keep: Leave the last text there at the end.
        console: Where to show it; default: stderr.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        keep: bool = True,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console or Console(stderr=True)
        self._quiet, self._keep, self._clock = quiet, keep, clock
        self._parts: list[str] = []
        self._notebook = None if quiet or console is not None else notebook_display()
        self._live: Live | None = None
        if not quiet and self._notebook is None and renewable(self._console, given=console is not None):
            self._live = moving_picture(self._console)
        self._rhythm = Rhythm(clock, moving=self._live is not None, at_once=self._live is not None)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the line was made."""
        return self._clock() - self._rhythm.began_s

    @property
    def due(self) -> bool:
        """Whether `show` would show something now."""
        return not self._quiet and self._rhythm.due

    def show(self, *parts: str, last: bool = False) -> None:
        """Shows a text, unless another one was shown a moment ago; the last text is shown at the end where it is kept.

        Args:
            *parts: The text: on a terminal a line each, elsewhere one line.
            last: Keep it for the end.
        """
        self._parts = [printable(part) for part in parts if part]
        if self.due and not last:
            with self._rhythm.painting():
                self._put()

    def _put(self) -> None:
        if self._live is not None:
            lines = [Text(part, overflow="ellipsis", no_wrap=True) for part in self._parts]
            self._live.update(Group(*lines), refresh=True)
        elif self._notebook is not None:
            self._notebook("  ".join(self._parts))
        else:
            self._console.print(Text("  ".join(self._parts)), soft_wrap=True)

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
        if not self._quiet and self._parts and self._keep:
            if kind is not None:
                self._parts.append("interrupted" if kind is KeyboardInterrupt else "stopped")
            self._live = None
            self._put()
