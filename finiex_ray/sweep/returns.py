"""The table of returns: balance and return of each period of each window of each trial."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from finiex_ray.core.market import FloatArray, IntArray
from finiex_ray.results.rows import Row
from finiex_ray.results.tables import TIME, WORD

__all__ = ["RETURNS_SCHEMA", "period_returns", "return_tables", "write_tables"]

_GROUP_SCENARIOS: Final = 1_024
_PLACE: Final = ("fold", "sample", "window")

RETURNS_SCHEMA: Final = pa.schema(
    [
        pa.field("scenario_index", pa.int64(), False),
        pa.field("fold", WORD, False),
        pa.field("sample", WORD, False),  # in: searched on; out: a fold's out-of-sample windows
        pa.field("trial", pa.int64(), False),
        pa.field("window", WORD, False),
        pa.field("start", TIME, False),  # of the period
        pa.field("balance", pa.float64(), False),  # at the end of the period, account currency
        pa.field("return", pa.float64(), False),  # of the period: change of the balance / balance before
    ]
)


def period_returns(balance_minor: IntArray, opening_minor: int) -> FloatArray:
    """Return of each period: change of the balance / balance before; a balance that was lost returns nothing more."""
    before = np.concatenate([[opening_minor], balance_minor[:-1]]).astype(np.float64)
    change = balance_minor - before
    return np.divide(change, before, out=np.zeros_like(change), where=before > 0)


def return_tables(rows: Iterable[Row], periods: Mapping[str, Sequence[int]]) -> Iterator[Any]:
    """The table in parts of bounded size, in the order of the rows.

    Args:
        rows: Rows of the sweep's journal.
        periods: Starts of the periods of each window, ns.
    """
    group: list[Row] = []
    for row in rows:
        if row["success"] and "balance_minor" in row:
            group.append(row)
        if len(group) >= _GROUP_SCENARIOS:
            yield _table(group, periods)
            group = []
    if group:
        yield _table(group, periods)


def _table(rows: Sequence[Row], periods: Mapping[str, Sequence[int]]) -> Any:
    balances = [np.array(row["balance_minor"], np.int64) for row in rows]
    lengths = [len(each) for each in balances]
    place = np.repeat(np.arange(len(rows), dtype=np.int32), lengths)
    words = {
        name: pa.DictionaryArray.from_arrays(place, pa.array([row[name] for row in rows], pa.string()))
        for name in _PLACE
    }
    scale = np.repeat([float(row["opening_minor"][1]) for row in rows], lengths)
    returns = [period_returns(each, row["opening_minor"][0]) for each, row in zip(balances, rows, strict=True)]
    starts = np.concatenate([np.array(periods[row["window"]], np.int64) for row in rows])
    columns = {
        **words,
        "scenario_index": pa.array(np.repeat([row["index"] for row in rows], lengths)),
        "trial": pa.array(np.repeat([row["trial"] for row in rows], lengths)),
        "start": pa.array(starts).cast(TIME),
        "balance": pa.array(np.concatenate(balances) / scale),
        "return": pa.array(np.concatenate(returns)),
    }
    return pa.Table.from_arrays([columns[name] for name in RETURNS_SCHEMA.names], schema=RETURNS_SCHEMA)


def write_tables(path: Path, schema: Any, tables: Iterable[Any]) -> None:
    """Writes a Parquet file that appears when it is whole."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with pq.ParquetWriter(temporary, schema, compression="zstd", write_page_checksum=True) as writer:
            for table in tables:
                writer.write_table(table.unify_dictionaries())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
