"""Parts: the results of many scenarios as a folder of Parquet files that appears whole.

Part *n* holds what segment *n* of the journal held. Within a part rows are in the order of the set; of a scenario that is
in more than one part (it was run again) the last part counts.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from finiex_ray.results import files
from finiex_ray.results.entry import Entry, decode_entry, entry_place
from finiex_ray.results.rows import (
    LOG_SCHEMA,
    PROFILE_SCHEMA,
    SCENARIO_SCHEMA,
    log_table,
    profile_table,
    scenario_table,
)
from finiex_ray.results.tables import RECORD_TABLES, record_schema, record_table

__all__ = [
    "TABLES",
    "Tables",
    "entry_tables",
    "order_column",
    "part_folders",
    "publish_part",
    "table_file",
    "table_schema",
]

_MOST_GROUP_ROWS: Final = 2**20
_GROUP_BYTES: Final = 2 * 2**20
_GROUP_ENTRIES: Final = 1_024
_COMPRESSION: Final = "zstd"

Tables = dict[str, Any]  # Arrow tables by the name of the table

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


def entry_tables(payloads: Sequence[bytes], names: Sequence[str]) -> Iterator[Tables]:
    """The rows of some entries in the order of the set, in groups of bounded size; of a scenario with several the last.

    Args:
        payloads: The entries, in the order in which they were written.
        names: The tables that are wanted.
    """
    last = {entry_place(payload): payload for payload in payloads}
    group: list[Entry] = []
    size = 0
    for place in sorted(last):
        group.append(decode_entry(last[place]))
        size += len(last[place])
        if len(group) >= _GROUP_ENTRIES or size >= _GROUP_BYTES:
            yield _group_tables(group, names)
            group, size = [], 0
    if group:
        yield _group_tables(group, names)


def _group_tables(entries: Sequence[Entry], names: Sequence[str]) -> Tables:
    made = ((name, _table(name, entries)) for name in names)
    return {name: table for name, table in made if table is not None}


def _table(name: str, entries: Sequence[Entry]) -> Any:
    """The rows of a few results, or None if there are none."""
    if name == "scenarios":
        return scenario_table([entry.row for entry in entries])
    if name == "logs":
        return log_table([(entry.row, entry.log) for entry in entries])
    if name == "profile":
        profiles = [(entry.row, entry.profile) for entry in entries if entry.profile[0]]
        return profile_table(profiles) if profiles else None
    chunks = [chunk for entry in entries if (chunk := entry.chunk(name)) is not None]
    return record_table(name, chunks) if chunks else None


def publish_part(folder: Path, number: int, groups: Iterable[Tables], names: Sequence[str]) -> None:
    """Writes a part and lets it appear.

    Args:
        folder: Folder of the parts.
        number: Number of the part.
        groups: The rows of the tables, in the order of the set.
        names: The tables that the part has.
    """
    target, temporary = folder / f"{number:06}", folder / f".{number:06}.tmp"
    if temporary.exists():  # of a session that ended here
        shutil.rmtree(temporary)
    temporary.mkdir(parents=True)
    try:
        with ExitStack() as stack:
            writers = {
                name: stack.enter_context(table_file(temporary / f"{name}.parquet", table_schema(name)))
                for name in names
            }
            for group in groups:
                for name, table in group.items():
                    writers[name](table)
        files.sync_folder(temporary)
        files.os_rename(temporary, target)
        files.sync_folder(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


@contextmanager
def table_file(path: Path, schema: Any) -> Iterator[Callable[[Any], None]]:
    """A Parquet file that appears when the block ends well; each table that it is given becomes a row group of its own."""
    with (
        files.appearing(path) as stream,
        pq.ParquetWriter(stream, schema, compression=_COMPRESSION, write_page_checksum=True) as writer,
    ):
        written = False

        def write(table: Any) -> None:
            nonlocal written
            writer.write_table(table.unify_dictionaries(), row_group_size=_MOST_GROUP_ROWS)
            written = True

        yield write
        if not written:
            writer.write_table(schema.empty_table())
