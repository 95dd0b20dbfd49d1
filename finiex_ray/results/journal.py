"""The journal: every scenario row on disk the moment it comes, so that a crash loses no finished scenario."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from finiex_ray.results.rows import Row

__all__ = ["Journal", "read_journal"]

_SYNC_S: Final = 1.0  # between two calls that wait for the disk


class Journal:
    """Appends rows as JSON lines.

    Args:
        path: The file; it must not exist unless it is to be continued.
        append: Continue a journal; a last line that a crash cut off is dropped.
    """

    def __init__(self, path: Path, *, append: bool = False) -> None:
        if append:
            _drop_cut_line(path)
        self._stream = path.open("a" if append else "x", encoding="utf-8", newline="\n")
        self._synced_s = time.monotonic()

    def add(self, row: Row) -> None:
        """Writes a row through to the operating system, and to the disk at most once a second."""
        self._stream.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
        self._stream.flush()
        now_s = time.monotonic()
        if now_s - self._synced_s >= _SYNC_S:
            os.fsync(self._stream.fileno())
            self._synced_s = now_s

    def close(self) -> None:
        """Waits until everything is on the disk."""
        if not self._stream.closed:
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()


def _drop_cut_line(path: Path) -> None:
    with path.open("rb+") as stream:
        end = stream.seek(0, os.SEEK_END)
        while end > 0:
            begin = max(0, end - 65_536)
            stream.seek(begin)
            found = stream.read(end - begin).rfind(b"\n")
            if found >= 0:
                end = begin + found + 1
                break
            end = begin
        stream.truncate(end)


def read_journal(path: Path) -> Iterator[Row]:
    """The rows of a journal; a last line that was cut off by a crash is left out."""
    with path.open(encoding="utf-8", newline="\n") as stream:
        for line in stream:
            if line.endswith("\n"):
                yield json.loads(line)
