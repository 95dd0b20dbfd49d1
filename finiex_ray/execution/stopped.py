"""What ends a running scenario from outside, through a call that it makes: neither its failure nor its result."""

from __future__ import annotations

__all__ = ["DataLostError", "StoppedError"]


class StoppedError(BaseException):
    """Thrown into a running scenario, through its progress callback, when the run is cancelled."""


class DataLostError(StoppedError):
    """Ticks that were there when the scenario began are gone; ``__cause__`` says what happened."""
