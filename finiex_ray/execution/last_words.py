"""`last_words`: a process that dies of a fatal signal leaves the traceback of it, for the process that tries again."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

__all__ = ["fatal_signal", "last_words"]

_PREFIX: Final = "finiex_ray-last-words-"
_FATAL: Final = "Fatal Python error: "
_MOST_BYTES: Final = 16_384
_OLD_S: Final = 86_400.0


@contextmanager
def last_words(token: str, index: int) -> Iterator[str]:
    """While the block runs, a segmentation fault, an abort and their like write a traceback into a file of this machine.

    Args:
        token: Tells runs apart.
        index: The scenario.

    Yields:
        What an earlier process left at this scenario, or nothing.
    """
    path = Path(tempfile.gettempdir()) / f"{_PREFIX}{token}-{index}"
    before = ""
    with contextlib.suppress(OSError):
        before = path.read_bytes()[:_MOST_BYTES].decode(errors="replace")
        path.unlink()
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:  # no place for it: the cause of a crash stays unknown, and nothing else
        yield before
        return
    was_enabled = faulthandler.is_enabled()
    try:
        faulthandler.enable(descriptor, all_threads=False)
        yield before
    finally:
        faulthandler.disable()
        if was_enabled:
            with contextlib.suppress(OSError, RuntimeError, ValueError, AttributeError):  # stderr may be anything
                faulthandler.enable(all_threads=False)
        os.close(descriptor)
        path.unlink(missing_ok=True)
        _forget_old()


def _forget_old() -> None:
    """Deletes what processes left whose scenario was never tried again."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < time.time() - _OLD_S:
                path.unlink()


def fatal_signal(words: str) -> str:
    """The fatal error that last words tell of, for example ``Segmentation fault``; nothing if they tell of none."""
    _, found, rest = words.partition(_FATAL)
    return rest.splitlines()[0].strip() if found and rest else ""
