"""SIGTERM ends a command as Ctrl-C does, so that an operator's or a scheduler's stop keeps what was finished."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

__all__ = ["terminable", "was_terminated"]

_told: set[int] = set()  # what passes through other code may come out as another exception


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt within the block."""
    _told.clear()

    def terminate(number: int, _: object) -> NoReturn:
        _told.add(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def was_terminated() -> bool:
    """Whether SIGTERM came while the last such block ran."""
    return signal.SIGTERM in _told
