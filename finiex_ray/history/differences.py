"""Cell by cell: where the rows of a scenario in a run folder differ from the rows that it gives now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from finiex_ray.results.parts import table_schema

__all__ = ["CellDifference", "table_differences"]

_NOT_COMPARED: Final = frozenset(
    {"execution_time_s", "ticks_per_s", "error_message", "error_traceback", "log", "scenario_key"}
)  # times, texts with paths of one machine, names of files; the key tells of the inputs, and is told apart
_IDS: Final = {"orders": "order_id", "fills": "order_id", "trades": "trade_id"}
_ABSENT: Final = "no such row"


@dataclass(frozen=True)
class CellDifference:
    """One value that is not what it was."""

    scenario: str
    table: str
    row: int | None  # within the scenario's rows, from 0; None for the scenario's own row
    row_id: str  # what the table calls the row, for example "trade_id 3"
    column: str
    saved: str
    recomputed: str

    def sentence(self) -> str:
        """The difference in one line."""
        place = "" if self.row is None else f" row {self.row}" + (f" ({self.row_id})" if self.row_id else "")
        return f"{self.scenario}: {self.table}{place}, {self.column}: saved {self.saved}, recomputed {self.recomputed}"

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def table_differences(scenario: str, name: str, saved: Any, fresh: Any) -> Iterator[CellDifference]:
    """Every cell that differs between two tables of one scenario, by row and then by column.

    Args:
        scenario: Name of the scenario.
        name: Name of the table.
        saved: Its rows in the run folder.
        fresh: Its rows now.
    """
    columns = [field.name for field in table_schema(name) if field.name not in _NOT_COMPARED]
    both = min(saved.num_rows, fresh.num_rows)
    unequal: dict[int, list[str]] = {}
    for column in columns:
        for row in _unequal_rows(saved.column(column)[:both], fresh.column(column)[:both]):
            unequal.setdefault(row, []).append(column)
    single = name == "scenarios"
    for row in sorted(unequal):
        for column in unequal[row]:
            old, new = saved.column(column)[row].as_py(), fresh.column(column)[row].as_py()
            yield CellDifference(
                scenario, name, None if single else row, _row_id(name, fresh, row), column, _text(old), _text(new)
            )
    if saved.num_rows != fresh.num_rows:
        longer, is_saved = (saved, True) if saved.num_rows > fresh.num_rows else (fresh, False)
        for row in range(both, longer.num_rows):
            shown = _row_text(longer, row)
            old, new = (shown, _ABSENT) if is_saved else (_ABSENT, shown)
            yield CellDifference(scenario, name, row, _row_id(name, longer, row), "whole row", old, new)


def _unequal_rows(saved: Any, fresh: Any) -> list[int]:
    """Rows whose values differ; null equals null."""
    left, right = _plain(saved), _plain(fresh)
    if left.equals(right):
        return []
    return [row for row, (old, new) in enumerate(zip(left.to_pylist(), right.to_pylist(), strict=True)) if old != new]


def _plain(column: Any) -> Any:
    """A column as one array, words as text."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return pc.cast(whole, pa.string()) if pa.types.is_dictionary(whole.type) else whole


def _row_id(name: str, table: Any, row: int) -> str:
    column = _IDS.get(name)
    return "" if column is None else f"{column} {table.column(column)[row].as_py()}"


def _row_text(table: Any, row: int) -> str:
    names = [name for name in table.schema.names if not name.startswith("scenario")][:8]
    return "{" + ", ".join(f"{name}={_text(table.column(name)[row].as_py())}" for name in names) + ", …}"


def _text(value: Any) -> str:
    if value is None:
        return "null"
    return str(value) if hasattr(value, "isoformat") else repr(value)
