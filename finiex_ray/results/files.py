"""File names that are safe on every file system, and files that are there whole or not at all."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Final

__all__ = ["log_names", "safe_stem", "write_atomic"]

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST: Final = 100  # characters; leaves room for a suffix below the 255 bytes that file systems allow
_RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
)


def safe_stem(name: str) -> str:
    """A file name without ending that can be no path, no hidden file and no device, made from any text."""
    stem = _UNSAFE.sub("_", name).strip("._-")[:_LONGEST].rstrip("._") or "scenario"
    return f"_{stem}" if stem.split(".")[0].lower() in _RESERVED else stem


def log_names(names: Iterable[str]) -> list[str]:
    """A log file name for each scenario of a set, by its place.

    The names differ also where case is not told apart; a name that is taken gets its place in the set as a suffix, so
    the result depends on the set alone and not on the order in which scenarios finish.
    """
    taken: set[str] = set()
    found = []
    for index, name in enumerate(names):
        stem = safe_stem(name)
        unique = stem
        while unique.lower() in taken:
            unique = f"{stem}-{index}" if unique == stem else f"{unique}_"
        taken.add(unique.lower())
        found.append(f"{unique}.log")
    return found


def write_atomic(path: Path, text: str) -> None:
    """Writes a UTF-8 file under a temporary name and moves it into place."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
