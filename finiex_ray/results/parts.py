"""Parts: the results of many scenarios as a folder of Parquet files that appears whole.

Part *n* holds what segment *n* of the journal held. Within a part rows are in the order of the set; of a scenario that is
in more than one part (it was run again) the last part counts.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from finiex_ray.results import files
from finiex_ray.results.entry import Entry
from finiex_ray.results.rows import (
    LOG_SCHEMA,
    PROFILE_SCHEMA,
    SCENARIO_SCHEMA,
    log_table,
    profile_table,
    scenario_table,
)
from finiex_ray.results.tables import RECORD_TABLES, record_schema, record_table

__all__ = ["TABLES", "entry_tables", "order_column", "part_folders", "publish_part", "table_schema", "write_table"]

_MOST_GROUP_ROWS: Final = 2**20
_GROUP_ROWS: Final = 65_536
_GROUP_ENTRIES: Final = 1_024
_BUFFER: Final = 2**20  # bytes
_COMPRESSION: Final = "zstd"

TABLES: Final = ("scenarios", "profile", "logs", *RECORD_TABLES)
"""All tables of a run; ``logs`` is there only where logs are packed."""


def table_schema(name: str) -> Any:
    """Arrow schema of a table."""
    fixed = {"scenarios": SCENARIO_SCHEMA, "profile": PROFILE_SCHEMA, "logs": LOG_SCHEMA}
    return fixed[name] if name in fixed else record_schema(name)


def order_column(name: str) -> str:
    """The column that holds the scenario's place in the set."""
    return "index" if name == "scenarios" else "scenario_index"


def part_folders(folder: Path) -> dict[int, Path]:
    """The published parts in a folder, by number."""
    found = (path for path in folder.iterdir() if path.name.isdecimal()) if folder.is_dir() else iter(())
    return {int(path.name): path for path in sorted(found)}


def entry_tables(name: str, entries: Iterable[Entry]) -> Iterator[Any]:
    """The rows of some results in one table, as tables of bounded size.

    Args:
        name: The table.
        entries: The results, in the order of the set.
    """
    group: list[Entry] = []
    rows = 0
    for entry in entries:
        group.append(entry)
        rows += len(entry.records.get(name, ()))
        if rows >= _GROUP_ROWS or len(group) >= _GROUP_ENTRIES:
            yield from _table(name, group)
            group, rows = [], 0
    if group:
        yield from _table(name, group)


def _table(name: str, entries: Sequence[Entry]) -> Iterator[Any]:
    """The rows of a few results, if there are any."""
    if name == "scenarios":
        yield scenario_table([entry.row for entry in entries])
    elif name == "logs":
        yield log_table([(entry.row, entry.log) for entry in entries])
    elif name == "profile":
        profiles = [(entry.row, entry.profile) for entry in entries if entry.profile]
        if profiles:
            yield profile_table(profiles)
    else:
        chunks = [chunk for entry in entries if (chunk := entry.chunk(name)) is not None]
        if chunks:
            yield record_table(name, chunks)


def publish_part(folder: Path, number: int, tables: Callable[[str], Iterable[Any]], names: Sequence[str]) -> Path:
    """Writes a part and lets it appear.

    Args:
        folder: Folder of the parts.
        number: Number of the part.
        tables: Gives the rows of a table, in the order of the set.
        names: The tables that the part has.

    Returns:
        The folder of the part.
    """
    target, temporary = folder / f"{number:06}", folder / f".{number:06}.tmp"
    if temporary.exists():  # of a session that ended here
        shutil.rmtree(temporary)
    temporary.mkdir(parents=True)
    try:
        for name in names:
            write_table(temporary / f"{name}.parquet", table_schema(name), tables(name))
        files.sync_folder(temporary)
        files.os_rename(temporary, target)
        files.sync_folder(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return target


def write_table(path: Path, schema: Any, tables: Iterable[Any]) -> None:
    """Writes a Parquet file that appears when it is whole; each table that is given becomes a row group of its own."""
    with files.appearing(path) as stream:
        buffered = pa.BufferedOutputStream(pa.PythonFile(stream, "w"), _BUFFER)
        with pq.ParquetWriter(buffered, schema, compression=_COMPRESSION, write_page_checksum=True) as writer:
            written = False
            for table in tables:
                writer.write_table(table.unify_dictionaries(), row_group_size=_MOST_GROUP_ROWS)
                written = True
            if not written:
                writer.write_table(schema.empty_table())
        buffered.flush()
