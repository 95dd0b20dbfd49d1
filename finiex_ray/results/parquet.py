"""Parquet files that grow by bounded row groups and appear under their name only when they are whole."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from finiex_ray.results.rows import Row
from finiex_ray.results.tables import Chunk, record_schema, record_table

__all__ = ["RecordFile", "RowFile"]

_GROUP_ROWS: Final = 65_536
_GROUP_CHUNKS: Final = 1_024  # many tiny results must not pin many buffers


class _ParquetFile(ABC):
    """A Parquet file under a temporary name until `close`."""

    def __init__(self, path: Path, schema: Any, sort_by: str | None = None) -> None:
        self._path, self._schema, self._sort_by = path, schema, sort_by
        self._temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
        self._writer: Any = None

    @property
    def names(self) -> list[str]:
        """The columns."""
        return list(self._schema.names)

    def _write(self, table: Any) -> None:
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._temporary, self._schema, compression="zstd", write_page_checksum=True)
        self._writer.write_table(table.unify_dictionaries())

    @abstractmethod
    def _flush(self) -> None:
        """Writes what memory holds."""

    def close(self) -> None:
        """Writes the rest and lets the file appear."""
        self._flush()
        if self._writer is None:
            self._write(self._schema.empty_table())
        self._writer.close()
        if self._sort_by is not None:
            self._sort(self._sort_by)
        self._temporary.replace(self._path)

    def _sort(self, column: str) -> None:
        table = pq.read_table(self._temporary, schema=self._schema)
        keys = table.column(column).to_numpy()
        if not (keys[1:] >= keys[:-1]).all():
            self._writer = None
            self._write(table.take(keys.argsort(kind="stable")))
            self._writer.close()

    def discard(self) -> None:
        """Drops what was written; after `close` it does nothing."""
        if self._writer is not None:
            self._writer.close()
        self._temporary.unlink(missing_ok=True)


class RecordFile(_ParquetFile):
    """Records of many scenarios; memory holds at most one row group.

    Args:
        path: Where the file appears.
        name: The table, a key of `RECORD_TABLES`.
    """

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(path, record_schema(name))
        self._name = name
        self._chunks: list[Chunk] = []
        self._rows = 0

    def add(self, chunk: Chunk) -> None:
        """Takes the records of a scenario."""
        if not len(chunk.records):
            return
        self._chunks.append(chunk)
        self._rows += len(chunk.records)
        if self._rows >= _GROUP_ROWS or len(self._chunks) >= _GROUP_CHUNKS:
            self._flush()

    def _flush(self) -> None:
        if self._chunks:
            self._write(record_table(self._name, self._chunks))
        self._chunks, self._rows = [], 0


class RowFile(_ParquetFile):
    """Rows given as mappings, sorted by one column when the file appears.

    Args:
        path: Where the file appears.
        schema: Its Arrow schema.
        sort_by: The column that orders the rows; rows with equal values keep the order in which they came.
        group_rows: Rows held in memory at most.
    """

    def __init__(self, path: Path, schema: Any, sort_by: str | None = None, group_rows: int = 4_096) -> None:
        super().__init__(path, schema, sort_by)
        self._group_rows = group_rows
        self._rows: list[Row] = []

    def add(self, row: Row) -> None:
        """Takes a row."""
        self._rows.append(row)
        if len(self._rows) >= self._group_rows:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._write(pa.Table.from_pylist(self._rows, schema=self._schema))
        self._rows = []
