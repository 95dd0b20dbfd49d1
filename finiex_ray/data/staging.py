"""Source files on their way into the catalog: which ones, and their checked ticks by UTC day."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from finiex_ray.core.errors import DataError, ImportRefusedError
from finiex_ray.core.market import TickSegment, content_hash
from finiex_ray.data.catalog_format import SourcePart
from finiex_ray.data.importers.base import Importer, ImportOptions
from finiex_ray.data.segments import concat_segments, split_days

__all__ = ["Staged", "Staging", "find_files", "overlap"]


@dataclass(frozen=True)
class Staged:
    """A part of a source file that waits in the staging folder."""

    part: SourcePart
    path: Path

    def load(self) -> TickSegment:
        """Its ticks."""
        with np.load(self.path) as columns:
            return TickSegment(*(columns[name] for name in TickSegment._fields))


class Staging:
    """Parts of all source files by UTC day, on disk until every file has passed: memory holds one file at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.days: dict[date, list[Staged]] = {}
        self.shas: set[str] = set()
        self.warnings: list[str] = []
        self.ticks = self.dropped = 0

    def add(self, path: Path, sources: Path, importer: Importer, options: ImportOptions) -> None:
        """Reads a file of ``sources``, checks it and stages its ticks.

        Raises:
            ImportRefusedError: If the file is wrong, or its ticks overlap those of another file.
        """
        raw = importer.read(path, options)
        sha256, label = _sha256(path), _label(path, sources)
        if sha256 in self.shas and len(raw.ticks.time_ns):
            raise ImportRefusedError(f"{path}: the same content as another file of this import; leave one out")
        self.shas.add(sha256)
        self.warnings.extend(raw.warnings)
        self.dropped += raw.dropped
        for day, ticks in split_days(raw.ticks):
            first, last = int(ticks.time_ns[0]), int(ticks.time_ns[-1])
            rows, parts = len(ticks.time_ns), self.days.setdefault(day, [])
            part = SourcePart(
                label, sha256, importer.name, raw.tz, options.crossed, rows, first, last, content_hash(ticks)
            )
            for other in parts:
                if overlap(part, other.part):
                    raise ImportRefusedError(
                        f"{path}: its ticks of {day.isoformat()} overlap those of {other.part.name}; import one of them"
                    )
            target = self.folder / f"{day.isoformat()}-{len(parts)}.npz"
            np.savez(target, **ticks._asdict())
            parts.append(Staged(part, target))
            self.ticks += rows

    def parts(self, day: date) -> list[Staged]:
        """The parts of a day, in time order."""
        return sorted(self.days.get(day, ()), key=lambda staged: (staged.part.first_ns, staged.part.last_ns))

    def segments(self) -> Iterator[tuple[date, TickSegment]]:
        """All days in order with their ticks."""
        for day in sorted(self.days):
            yield day, concat_segments([staged.load() for staged in self.parts(day)])


def find_files(sources: Path, importer: Importer, symbol: str) -> tuple[list[Path], list[str]]:
    """The files to read; of a folder, those that name another symbol are left out and told."""
    if sources.is_file():
        stamped = importer.stamped_symbol(sources)
        if stamped is not None and not _same_symbol(stamped, symbol):
            raise ImportRefusedError(f"{sources}: holds {stamped}, not {symbol}; pass --symbol {stamped}")
        return [sources], []
    if not sources.is_dir():
        raise DataError(f"{sources}: no such file or folder")
    found = sorted(
        path for path in sources.rglob("*") if path.is_file() and path.name.lower().endswith(importer.suffixes)
    )
    kept, others = [], set()
    for path in found:
        stamped = importer.stamped_symbol(path)
        if stamped is None or _same_symbol(stamped, symbol):
            kept.append(path)
        else:
            others.add(stamped)
    if not kept:
        hint = f"; those found hold {', '.join(sorted(others))}" if others else ""
        raise DataError(f"{sources}: no {importer.name} file ({', '.join(importer.suffixes)}) of {symbol}{hint}")
    left = len(found) - len(kept)
    return kept, [f"{left} files of other symbols left out: {', '.join(sorted(others))}"] if left else []


def _same_symbol(stamped: str, symbol: str) -> bool:
    """Whether two names differ in case, separators or a broker's suffix only (``EURUSD.r`` is ``EURUSD``)."""
    ours, theirs = ("".join(filter(str.isalnum, name)).upper() for name in (symbol, stamped))
    return ours.startswith(theirs) or theirs.startswith(ours)


def _label(path: Path, sources: Path) -> str:
    return path.name if path == sources else path.relative_to(sources).as_posix()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def overlap(one: SourcePart, other: SourcePart) -> bool:
    """Whether two parts hold the same ticks, or ticks of the same time. Parts may meet in one moment."""
    if one.content_hash == other.content_hash:
        return True
    return one.first_ns < other.last_ns and other.first_ns < one.last_ns
