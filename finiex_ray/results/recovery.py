"""What an earlier session left in a run folder, whether it finished, was interrupted or was killed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from finiex_ray.results import files
from finiex_ray.results.journal import read_segment, segment_files
from finiex_ray.results.merge import EntriesPart, FolderPart, Part
from finiex_ray.results.parts import part_folders
from finiex_ray.results.run_dir import RunDir

__all__ = ["Done", "Found", "done_rows", "look_at"]


class Done(NamedTuple):
    """What the run folder says of a scenario that has a result."""

    name: str
    key: str | None  # hash of everything that the result depends on
    success: bool
    error_type: str | None
    result_hash: str | None
    ticks: int


@dataclass(frozen=True)
class Found:
    """The results in a run folder; those of a new run are none."""

    finished: bool = False  # the tables are there
    folders: tuple[Path, ...] = ()  # of the parts, or of the tables
    segments: dict[int, list[bytes]] = field(default_factory=dict)  # results that are in no part yet
    last_number: int = 0  # of parts and segments
    damaged: int = 0  # bytes of the journal that could not be read

    def parts(self) -> list[Part]:
        """Everything, the oldest first."""
        return [*map(FolderPart, self.folders), *map(EntriesPart, self.segments.values())]

    def begin(self, run_dir: RunDir, tables: Sequence[str]) -> Iterator[tuple[int, list[bytes]]]:
        """Makes the folder ready for another session.

        Yields:
            Number and entries of each part that has to be published; the segment of it is deleted afterwards.
        """
        if self.finished:
            _tables_to_part(run_dir, tables)
            return
        for number, path in segment_files(run_dir.journal).items():
            if number in self.segments:
                yield number, self.segments[number]
            path.unlink(missing_ok=True)


def look_at(run_dir: RunDir, *, finished: bool) -> Found:
    """Reads what there is, and changes nothing; also while another process writes.

    Args:
        run_dir: The run.
        finished: Whether ``run.json`` says so: then the tables hold everything.

    Raises:
        DataError: If the journal is of another format.
    """
    if finished:
        return Found(finished=True, folders=(run_dir.path,), last_number=_FROM_TABLES)
    segments: dict[int, list[bytes]] = {}
    damaged = 0
    for number, path in segment_files(run_dir.journal).items():
        try:
            segment = read_segment(path)
        except FileNotFoundError:  # its part has just appeared
            continue
        segments[number] = segment.payloads
        damaged += segment.damaged
    parts = part_folders(run_dir.parts)  # after the segments: what has left there is here
    numbers = (*parts, *segments, 0)
    waiting = {number: payloads for number, payloads in segments.items() if number not in parts}
    return Found(False, tuple(parts.values()), waiting, max(numbers), damaged)


_FROM_TABLES: Final = 1


def _tables_to_part(run_dir: RunDir, tables: Sequence[str]) -> None:
    """The tables of a finished run become its first part, so that it can go on."""
    for leftover in (run_dir.journal, run_dir.parts):
        shutil.rmtree(leftover, ignore_errors=True)
    target, temporary = run_dir.parts / f"{_FROM_TABLES:06}", run_dir.parts / ".tables.tmp"
    temporary.mkdir(parents=True)
    for name in tables:
        source, copy = run_dir.table(name), temporary / f"{name}.parquet"
        try:
            os.link(source, copy)  # tables are replaced, never changed
        except OSError:
            shutil.copyfile(source, copy)
    files.sync_folder(temporary)
    files.os_rename(temporary, target)
    files.sync_folder(run_dir.parts)


def done_rows(found: Found) -> dict[int, Done]:
    """What is known of each scenario that has a result, by its place in the set."""
    known: dict[int, Done] = {}
    for part in found.parts():
        for number, indexes in enumerate(part.indexes("scenarios")):
            table = part.group("scenarios", number).select(_COLUMNS)
            columns = (column.to_pylist() for column in table.columns)
            for index, *values in zip(indexes.tolist(), *columns, strict=True):
                known[index] = Done(*values)
    return known


_COLUMNS: Final = ["name", "scenario_key", "success", "error_type", "result_hash", "ticks"]
