"""`export_run`: the tables of a run as CSV, Parquet or JSON lines, in one folder, a bounded piece at a time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from finiex_ray.core.errors import ConfigError, suggest
from finiex_ray.results.files import OutFile, appearing
from finiex_ray.results.parts import TABLES, table_schema
from finiex_ray.results.reader import RunData

__all__ = ["ExportFormat", "export_run"]

_TABLES: Final = tuple(name for name in TABLES if name != "logs")


class ExportFormat(StrEnum):
    """What a table is written as."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"  # one object a line


def export_run(run: RunData, fmt: ExportFormat, out: Path, tables: Sequence[str] = ()) -> list[Path]:
    """Writes tables of a run into a folder, beside its ``run.json``.

    Times are ISO 8601 with nanoseconds in CSV and JSON; what has no value is empty (CSV) or null.

    Args:
        run: The run; also one that is not finished.
        fmt: The format; JSON has an object a line.
        out: The folder; made where it is missing, refused where it holds something.
        tables: Names of tables; all where empty.

    Returns:
        The files.

    Raises:
        ConfigError: If a table is unknown, or the folder is not empty.
        DataError: If a table is damaged.
    """
    for name in tables:
        if name not in _TABLES:
            raise ConfigError(f"there is no table {name!r}.{suggest(name, _TABLES)}", source="--table")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError("is there already and not empty; name another folder with --out", source=str(out))
    written = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in tables or _TABLES:
            path = out / f"{name}.{fmt.value}"
            with appearing(path) as stream, _WRITERS[fmt](stream, table_schema(name)) as write:
                for piece in run.tables(name):
                    write(piece)
            written.append(path)
        shutil.copyfile(run.run_dir.info, out / run.run_dir.info.name)
    except OSError as error:
        message = f"cannot be written ({error.strerror or error}); choose another place with --out"
        raise ConfigError(message, source=str(out)) from error
    return [*written, out / run.run_dir.info.name]


@contextmanager
def _csv(stream: OutFile, schema: Any) -> Iterator[Callable[[Any], None]]:
    stream.write((",".join(schema.names) + "\n").encode())

    def write(table: Any) -> None:
        stream.write(
            _plain(table)
            .to_pandas(integer_object_nulls=True)
            .to_csv(index=False, header=False, lineterminator="\n")
            .encode()
        )

    yield write


@contextmanager
def _json(stream: OutFile, _schema: Any) -> Iterator[Callable[[Any], None]]:
    def write(table: Any) -> None:
        rows = zip(*(column.to_pylist() for column in _plain(table).columns), strict=True)
        names = table.schema.names
        for row in rows:
            stream.write((json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n").encode())

    yield write


@contextmanager
def _parquet(stream: OutFile, schema: Any) -> Iterator[Callable[[Any], None]]:
    with pq.ParquetWriter(stream, schema, compression="zstd", write_page_checksum=True) as writer:

        def write(table: Any) -> None:
            writer.write_table(table.unify_dictionaries())

        yield write


def _plain(table: Any) -> Any:
    """The table with times as ISO 8601 texts with all their digits, and words as texts."""
    columns = {}
    for field in table.schema:
        column = table.column(field.name)
        if pa.types.is_timestamp(field.type):
            column = pc.strftime(column, format="%Y-%m-%dT%H:%M:%SZ")
        elif pa.types.is_dictionary(field.type):
            column = column.cast(pa.string())
        columns[field.name] = column
    return pa.table(columns)


_WRITERS: Final = {ExportFormat.CSV: _csv, ExportFormat.JSON: _json, ExportFormat.PARQUET: _parquet}
