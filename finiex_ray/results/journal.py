"""The journal: every result on disk the moment it comes, in segments of checksummed frames.

A segment is a file of frames: a header (magic, epoch, length, CRC-32 of epoch, length and payload), then the payload.
The first frame says whose segment it is, each other one holds an `Entry`. A segment whose results have appeared as a
part (see `parts`) is deleted. What a crash tore off at the end, or what a disk has spoilt, is left out when it is read.
"""

from __future__ import annotations

import json
import struct
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from finiex_ray.core.errors import DataError
from finiex_ray.results.files import OutFile, sync_folder

__all__ = ["Segment", "SegmentWriter", "read_segment", "segment_files"]

FORMAT: Final = 1
_MAGIC: Final = b"\xf1nX\x01"
_FRAME: Final = struct.Struct("<4sIII")  # magic, epoch, length of the payload, checksum
_HEAD: Final = b"head"  # no entry begins so: it would be the length of a row of 1.7 GB
_SUFFIX: Final = ".journal"
_SYNC_S: Final = 1.0  # between two calls that wait for the disk


def segment_files(folder: Path) -> dict[int, Path]:
    """The segments in a folder, by number."""
    found = (path for path in folder.glob(f"*{_SUFFIX}") if path.stem.isdecimal())
    return {int(path.stem): path for path in sorted(found)}


class SegmentWriter:
    """Appends frames to a new segment.

    Args:
        folder: Folder of the segments.
        number: Number of the segment.
        epoch: Number of the session that writes: each opening of a run for writing is one more.
        head: What the first frame says: JSON values.
    """

    def __init__(self, folder: Path, number: int, epoch: int, head: Mapping[str, Any]) -> None:
        self.path = folder / f"{number:06}{_SUFFIX}"
        self.number = number
        self._epoch = epoch
        self._stream = OutFile(self.path)
        self._synced_s = time.monotonic()
        self.append(_HEAD + json.dumps({"format": FORMAT, "segment": number, "epoch": epoch, **head}).encode())
        sync_folder(folder)

    def append(self, payload: bytes) -> None:
        """Writes a frame through to the operating system, and to the disk at most once a second."""
        self._stream.write(_header(self._epoch, payload) + payload)
        now_s = time.monotonic()
        if now_s - self._synced_s >= _SYNC_S:
            self._stream.sync()
            self._synced_s = now_s

    def sync(self) -> None:
        """Waits until everything is on the disk."""
        self._stream.sync()

    def close(self) -> None:
        """Closes the file as it is."""
        self._stream.close()

    def delete(self) -> None:
        """Closes and deletes the segment: its results are elsewhere."""
        self.close()
        self.path.unlink(missing_ok=True)


def _header(epoch: int, payload: bytes) -> bytes:
    return _FRAME.pack(_MAGIC, epoch, len(payload), _checksum(epoch, payload))


def _checksum(epoch: int, payload: bytes | memoryview) -> int:
    return zlib.crc32(payload, zlib.crc32(struct.pack("<II", epoch, len(payload))))


@dataclass
class Segment:
    """What a segment holds."""

    head: Mapping[str, Any]
    payloads: list[bytes] = field(default_factory=list)
    damaged: int = 0  # bytes that belong to no whole frame

    @property
    def epoch(self) -> int:
        """The session that wrote it; 0 where not even its first frame was written whole."""
        return int(self.head.get("epoch", 0))


def read_segment(path: Path) -> Segment:
    """Reads the whole frames of a segment; bytes between and after them are counted, not believed.

    Raises:
        DataError: If it was written in another format.
    """
    data = path.read_bytes()
    frames = list(_frames(data))
    size = sum(len(payload) + _FRAME.size for payload in frames)
    head: dict[str, Any] = {}
    if frames and frames[0].startswith(_HEAD):
        head = json.loads(frames.pop(0)[len(_HEAD) :])
    if head.get("format", FORMAT) != FORMAT:
        raise DataError(f"{path}: has format {head['format']}, this version of finiex_ray reads {FORMAT}")
    return Segment(head, frames, len(data) - size)


def _frames(data: bytes) -> Iterator[bytes]:
    at = data.find(_MAGIC)
    while at >= 0 and at + _FRAME.size <= len(data):
        _, epoch, length, checksum = _FRAME.unpack_from(data, at)
        end = at + _FRAME.size + length
        payload = data[at + _FRAME.size : end]
        if len(payload) == length and _checksum(epoch, payload) == checksum:
            yield payload
            at = data.find(_MAGIC, end)
        else:
            at = data.find(_MAGIC, at + 1)
