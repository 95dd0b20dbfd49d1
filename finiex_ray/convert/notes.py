"""`Notes`: what a conversion could not take over as it stands: where, what, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from finiex_ray.config.messages import shorten

__all__ = ["Note", "Notes", "is_comment", "rest"]


class Note(NamedTuple):
    """One thing that somebody should look at."""

    path: str  # in the old file
    value: str
    why: str
    times: int = 1  # how often the very same thing stands in the file; ``path`` is the first

    def sentence(self) -> str:
        """The note in one line."""
        times = f" ({self.times} times)" if self.times > 1 else ""
        return f"{self.path}: {self.value}{times}: {self.why}"


class Notes:
    """Collects notes; the same thing in many scenarios is one note."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], Note] = {}

    def add(self, place: str, path: str, value: Any, why: str) -> None:
        """Notes something.

        Args:
            place: The section that repeats, for example ``scenarios[3]``; "" for none.
            path: Where below it.
            value: What stands there.
            why: Why it is told, and what to do about it.
        """
        key = (path, shorten(value), why)
        before = self._found.get(key)
        if before is None:
            whole = f"{place}.{path}" if place and path else place or path
            self._found[key] = Note(whole, shorten(value), why)
        else:
            self._found[key] = before._replace(times=before.times + 1)

    def knows(self, path: str, value: Any, why: str) -> bool:
        """Whether this very thing has been noted."""
        return (path, shorten(value), why) in self._found

    def all(self) -> list[Note]:
        """All notes, in the order in which they came."""
        return list(self._found.values())


def is_comment(key: str) -> bool:
    """Whether a key of the predecessor's files is a remark for people (``_comment`` and the like)."""
    return key.startswith("_")


def rest(values: Mapping[str, Any], known: set[str]) -> dict[str, Any]:
    """What stands in a section beside the known keys and remarks."""
    return {key: value for key, value in values.items() if key not in known and not is_comment(key)}
