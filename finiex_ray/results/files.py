"""File names that are safe on every file system, and the one place where files are written: whole, or not at all."""

from __future__ import annotations

import errno
import os
import re
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from finiex_ray.core.errors import OutputError

__all__ = [
    "OutFile",
    "appearing",
    "log_names",
    "output_errors",
    "safe_stem",
    "sync_folder",
    "write_atomic",
    "write_file",
]

_BUFFER: Final = 2**20  # bytes

# Every byte of a run, every wait for the disk and every change of a name goes through these: a test lets each of them fail.
os_write = os.write
os_sync = os.fsync
os_rename = os.replace

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


class OutFile:
    """A new file. Without a buffer, what `write` took survives the end of the process.

    Args:
        path: The file; it must not exist.
        buffer: Bytes that may wait in memory.
    """

    def __init__(self, path: Path, buffer: int = 0) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        self.closed = False
        self._size, self._room = 0, buffer
        self._waiting = bytearray()

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Takes all of it."""
        if self.closed:  # the number of the descriptor may be another file's by now
            raise ValueError("write to a closed file")
        size = memoryview(data).nbytes
        self._size += size
        if len(self._waiting) + size > self._room:
            self.flush()
        if size > self._room:
            self._write_out(memoryview(data).cast("B"))
        else:
            self._waiting += data
        return size

    def _write_out(self, rest: memoryview) -> None:
        while rest:
            rest = rest[os_write(self._descriptor, rest) :]

    def tell(self) -> int:
        """Bytes taken."""
        return self._size

    def flush(self) -> None:
        """Writes what waits in memory."""
        waiting, self._waiting = self._waiting, bytearray()
        self._write_out(memoryview(waiting))

    def sync(self) -> None:
        """Waits until everything is on the disk."""
        self.flush()
        os_sync(self._descriptor)

    def close(self) -> None:
        """Closes the file without writing what still waits: `sync` comes first. Calling it again does nothing."""
        if not self.closed:
            self.closed = True
            os.close(self._descriptor)


@contextmanager
def appearing(path: Path) -> Iterator[OutFile]:
    """A file that appears under its name, replacing what was there, when the block ends well, and not at all otherwise.

    Its content is on the disk then; its name is after `sync_folder`.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    stream = OutFile(temporary, _BUFFER)
    try:
        yield stream
        stream.sync()
        stream.close()
        os_rename(temporary, path)
    finally:
        stream.close()
        temporary.unlink(missing_ok=True)


def write_file(path: Path, data: bytes) -> None:
    """Writes a file that can be made again, over what was there; a crash may leave a part of it."""
    path.unlink(missing_ok=True)
    stream = OutFile(path)
    try:
        stream.write(data)
    finally:
        stream.close()


def write_atomic(path: Path, text: str) -> None:
    """Writes a UTF-8 file that is there whole or not at all."""
    with appearing(path) as stream:
        stream.write(text.encode())


def sync_folder(folder: Path) -> None:
    """Waits until the names in a folder are on the disk (where the system can wait for that)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os_sync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def output_errors(folder: Path) -> Iterator[None]:
    """Turns an error of the operating system into one that says what is lost (nothing) and what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        mend = "free some space" if full else "mend the cause"
        raise OutputError(
            f"{folder}: results cannot be written: {reason}. Every result written before is safe; {mend}, then go on with: "
            f"finiex-ray run --resume {folder}"
        ) from error
