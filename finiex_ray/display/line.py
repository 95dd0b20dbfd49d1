"""`ProgressLine`: one line that is renewed in place, on a terminal and in a notebook; a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from finiex_ray.core.text import printable
from finiex_ray.display.numbers import duration

__all__ = ["ProgressLine", "notebook_display"]

_REFRESH_S: Final = 0.2
_PLAIN_S: Final = 5.0


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
    """Shows one line while work is under way, on stderr or in the notebook. A context manager.

    Args:
        quiet: Show nothing.
        console: Where to show it; default: stderr.
        clock: Seconds that never go back.
    """

    def __init__(
        self, *, quiet: bool = False, console: Console | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console or Console(stderr=True)
        self._quiet, self._clock = quiet, clock
        self._began_s = clock()
        self._shown_s = float("-inf")
        self._text = ""
        self._notebook = None if quiet or console is not None else notebook_display()
        self._live: Live | None = None
        if not quiet and self._notebook is None and self._console.is_terminal and not self._console.is_dumb_terminal:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the line was made."""
        return self._clock() - self._began_s

    @property
    def due(self) -> bool:
        """Whether `show` would show something now."""
        pause_s = _REFRESH_S if self._live is not None or self._notebook is not None else _PLAIN_S
        return not self._quiet and self._clock() - self._shown_s >= pause_s

    def show(self, text: str, *, last: bool = False) -> None:
        """Shows a text, unless another one was shown a moment ago; the last text is shown at the end in any case.

        Args:
            text: The text.
            last: Keep it for the end.
        """
        self._text = printable(text)
        if self.due and not last:
            self._shown_s = self._clock()
            self._put()

    def _put(self) -> None:
        text = f"{self._text}  {duration(self.elapsed_s)}"
        if self._notebook is not None:
            self._notebook(text)
        elif self._live is not None:
            self._live.update(Text(text, overflow="ellipsis", no_wrap=True), refresh=True)
        else:
            self._console.print(Text(text), soft_wrap=True)

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
        if not self._quiet and self._text:
            self._text += "" if kind is None else "  interrupted" if kind is KeyboardInterrupt else "  stopped"
            self._live = None
            self._put()
