"""What strategy code may say into its scenario's log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = ["SILENT", "PlacedLog", "StrategyLog"]


class StrategyLog(Protocol):
    """Four levels of lines; each is stamped with the simulated time and the tick."""

    def at(self, tick: int, time_ns: int) -> None:
        """Sets the tick that the next lines speak of; the engine calls it."""

    def debug(self, message: str) -> None:
        """Writes a line for whoever debugs."""

    def info(self, message: str) -> None:
        """Writes a line about what goes on."""

    def warning(self, message: str) -> None:
        """Writes a line about something odd that does not stop the scenario."""

    def error(self, message: str) -> None:
        """Writes a line about a failure."""


class _SilentLog:
    """Drops every line: what a worker or a logic has until the engine gives it its scenario's log."""

    def at(self, tick: int, time_ns: int) -> None:
        """Does nothing."""

    def debug(self, message: str) -> None:
        """Drops a line."""

    info = warning = error = debug


SILENT: StrategyLog = _SilentLog()


class PlacedLog:
    """A log that asks for tick and time when a line is written, so that none need be told tick by tick.

    Args:
        log: Receives the lines.
        place: Gives the index of the current tick, and its time.
    """

    def __init__(self, log: StrategyLog, place: Callable[[], tuple[int, int]]) -> None:
        self._log, self._place = log, place

    def at(self, tick: int, time_ns: int) -> None:
        """Does nothing: the place is asked for."""

    def debug(self, message: str) -> None:
        """Writes a line for whoever debugs."""
        self._here().debug(message)

    def info(self, message: str) -> None:
        """Writes a line about what goes on."""
        self._here().info(message)

    def warning(self, message: str) -> None:
        """Writes a line about something odd that does not stop the scenario."""
        self._here().warning(message)

    def error(self, message: str) -> None:
        """Writes a line about a failure."""
        self._here().error(message)

    def _here(self) -> StrategyLog:
        self._log.at(*self._place())
        return self._log
