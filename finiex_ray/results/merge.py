"""Puts parts together: each table in the order of the set, a bounded piece at a time, the same bytes whatever the parts were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from finiex_ray.core.arrow import filled_column, numbers, recoded, to_numbers
from finiex_ray.core.errors import DataError
from finiex_ray.core.market import IntArray
from finiex_ray.results.parts import TABLES, entry_tables, order_column, table_schema

__all__ = ["EntriesPart", "FolderPart", "Part", "owners", "pieces"]

_PIECE_CELLS: Final = 2**18
_PIECE_ROWS: Final = 2**15


class Part(Protocol):
    """A source of rows in the order of the set, in groups that can be read one by one."""

    def indexes(self, name: str) -> Iterator[IntArray]:
        """Places in the set of the rows of each group of a table, in the order of the groups."""
        ...

    def group(self, name: str, number: int) -> Any:
        """One group of a table.

        Raises:
            DataError: If it is damaged.
        """
        ...


class FolderPart:
    """A published part, or a folder with the tables of a finished run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, name: str) -> Path:
        """File of a table."""
        return self._folder / f"{name}.parquet"

    def indexes(self, name: str) -> Iterator[IntArray]:
        """See `Part`."""
        with self._open(name) as file:
            for number in range(file.num_row_groups):
                yield to_numbers(self._read(file, name, number, [order_column(name)]).column(0))

    def group(self, name: str, number: int) -> Any:
        """See `Part`."""
        with self._open(name) as file:
            return self._read(file, name, number, None)

    def whole(self, name: str) -> Any:
        """A table at once.

        Raises:
            DataError: If it is missing or damaged.
        """
        with self._open(name) as file:
            groups = [self._read(file, name, number, None) for number in range(file.num_row_groups)]
            return pa.concat_tables(groups) if groups else file.schema_arrow.empty_table()

    def _open(self, name: str) -> Any:
        path = self.path(name)
        try:
            return pq.ParquetFile(path, page_checksum_verification=True)
        except FileNotFoundError as error:
            raise DataError(f"{path}: missing; was the run folder copied whole?") from error
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{path}: damaged or unreadable ({error})") from error

    def _read(self, file: Any, name: str, number: int, columns: list[str] | None) -> Any:
        try:
            return file.read_row_group(number, columns=columns)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{self.path(name)}: damaged or unreadable ({error})") from error


class EntriesPart:
    """Results that are in the journal only.

    Args:
        payloads: Their entries, in the order in which they were written.
    """

    def __init__(self, payloads: Sequence[bytes]) -> None:
        self._groups = list(entry_tables(payloads, TABLES))

    def indexes(self, name: str) -> Iterator[IntArray]:
        """See `Part`."""
        for group in self._groups:
            if name in group:
                yield to_numbers(group[name].column(order_column(name)))

    def group(self, name: str, number: int) -> Any:
        """See `Part`."""
        return [group[name] for group in self._groups if name in group][number]


def owners(parts: Sequence[Part], scenarios: int) -> IntArray:
    """For each scenario of a set the part that counts: the last one that has its row; -1 where none has."""
    found = np.full(scenarios, -1, np.int64)
    for number, part in enumerate(parts):
        for indexes in part.indexes("scenarios"):
            found[indexes] = number
    return found


def pieces(name: str, parts: Sequence[Part], owner: IntArray) -> Iterator[Any]:
    """The rows of a table in the order of the set, in pieces that depend on the rows alone.

    Args:
        name: The table.
        parts: All parts, the oldest first.
        owner: What `owners` gives.

    Raises:
        DataError: If a part is damaged.
    """
    counts = np.zeros(len(owner) + 1, np.int64)
    spans: list[tuple[int, int, int, int]] = []  # part, group, first and last place in the set
    for number, part in enumerate(parts):
        for group, indexes in enumerate(part.indexes(name)):
            if len(indexes):
                spans.append((number, group, int(indexes.min()), int(indexes.max())))
                counts += np.bincount(indexes[owner[indexes] == number], minlength=len(counts))
    read = _Reader(name, parts, owner)
    for first, last in _ranges(counts, min(_PIECE_ROWS, _PIECE_CELLS // len(table_schema(name)))):
        chosen = [(part, group) for part, group, low, high in spans if low < last and high >= first]
        yield _in_order(name, read(chosen, first, last))


def _ranges(counts: IntArray, rows: int) -> Iterator[tuple[int, int]]:
    """Half-open ranges of scenarios with some ``rows`` rows each; a scenario is never cut."""
    ends = np.cumsum(counts)
    first = 0
    while first < len(counts) and ends[-1] > (ends[first - 1] if first else 0):
        before = ends[first - 1] if first else 0
        last = int(np.searchsorted(ends, before + rows)) + 1
        yield first, min(last, len(counts))
        first = last


class _Reader:
    """Reads groups, and keeps those that the next range may need again."""

    def __init__(self, name: str, parts: Sequence[Part], owner: IntArray) -> None:
        self._name, self._parts, self._owner = name, parts, owner
        self._kept: dict[tuple[int, int], Any] = {}

    def __call__(self, chosen: Sequence[tuple[int, int]], first: int, last: int) -> list[Any]:
        self._kept = {key: self._kept.get(key) or self._load(*key) for key in chosen}
        found = []
        for (part, _), table in self._kept.items():
            indexes = to_numbers(table.column(order_column(self._name)))
            mask = (indexes >= first) & (indexes < last) & (self._owner[indexes] == part)
            if mask.any():
                found.append(table if mask.all() else table.filter(filled_column(mask, pa.bool_())))
        return found

    def _load(self, part: int, group: int) -> Any:
        return self._parts[part].group(self._name, group)


def _in_order(name: str, tables: Iterable[Any]) -> Any:
    table = pa.concat_tables(tables)
    keys = to_numbers(table.column(order_column(name)))
    if not (keys[1:] >= keys[:-1]).all():
        table = table.unify_dictionaries().take(numbers(keys.argsort(kind="stable")))
    # Dictionaries are made here, anew: their order tells nothing of the parts.
    schema = table_schema(name)
    columns = [
        recoded(column) if pa.types.is_dictionary(field.type) else column
        for column, field in zip(table.columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=schema)
