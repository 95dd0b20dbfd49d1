"""`post_mortem`: the debugger, at the line of the user's own code that a failure came from."""

from __future__ import annotations

import pdb
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import IO, Final

__all__ = ["frames_below_own_code", "post_mortem"]

_PACKAGE: Final = Path(__file__).resolve().parent.parent
_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
_LIBRARY: Final = Path(traceback.__file__).resolve().parent  # of the standard library


def post_mortem(error: BaseException, output: IO[str] | None = None, commands: IO[str] | None = None) -> None:
    """Prints the traceback of a failure and opens pdb there; comes back when the user leaves it.

    The debugger stands in the innermost frame of code that is neither this package's nor an installed one's; ``down`` leads
    into the library that raised, where it was one.

    Args:
        error: The failure.
        output: Where the debugger writes; default: stdout.
        commands: Where it reads; default: stdin.
    """
    out = output or sys.stdout
    out.write("".join(traceback.format_exception(error)))
    debugger = pdb.Pdb(stdin=commands, stdout=output)
    if commands is not None:
        debugger.use_rawinput = False
    below = frames_below_own_code(error.__traceback__)
    if below:
        debugger.rcLines.append(f"up {below}")
    debugger.reset()
    debugger.interaction(None, error.__traceback__)


def frames_below_own_code(trace: TracebackType | None) -> int:
    """How many frames lie below the innermost one of the user's own code; 0 where there is none of it."""
    files = [Path(frame.f_code.co_filename) for frame, _ in traceback.walk_tb(trace)]
    for below, path in enumerate(reversed(files)):
        if _is_own(path):
            return below
    return 0


def _is_own(path: Path) -> bool:
    if not path.is_absolute() or _INSTALLED.intersection(path.parts):
        return False
    return not (path.is_relative_to(_PACKAGE) or path.is_relative_to(_LIBRARY))
