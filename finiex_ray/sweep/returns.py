"""The table of returns: balance and return of each period of each window of each trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from finiex_ray.core.arrow import numbers, texts
from finiex_ray.core.market import FloatArray, IntArray
from finiex_ray.results.tables import TIME, WORD

__all__ = ["RETURNS_SCHEMA", "Row", "period_returns", "returns_table"]

Row = dict[str, Any]
"""One scenario of a sweep as its journal has it: column to JSON value."""

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


def returns_table(rows: Sequence[Row], periods: Mapping[str, Sequence[int]]) -> Any:
    """The returns of some scenarios, in the order of the rows; None where there are none.

    Args:
        rows: Rows of the sweep's journal.
        periods: Starts of the periods of each window, ns.
    """
    rows = [row for row in rows if row["success"] and "balance_minor" in row]
    if not rows:
        return None
    balances = [np.array(row["balance_minor"], np.int64) for row in rows]
    lengths = [len(each) for each in balances]
    place = numbers(np.repeat(np.arange(len(rows), dtype=np.int32), lengths))
    words = {name: pa.DictionaryArray.from_arrays(place, texts([row[name] for row in rows])) for name in _PLACE}
    scale = np.repeat([float(row["opening_minor"][1]) for row in rows], lengths)
    returns = [period_returns(each, row["opening_minor"][0]) for each, row in zip(balances, rows, strict=True)]
    starts = np.concatenate([np.array(periods[row["window"]], np.int64) for row in rows])
    columns = {
        **words,
        "scenario_index": numbers(np.repeat([row["index"] for row in rows], lengths)),
        "trial": numbers(np.repeat([row["trial"] for row in rows], lengths)),
        "start": numbers(starts, kind=TIME),
        "balance": numbers(np.concatenate(balances) / scale),
        "return": numbers(np.concatenate(returns)),
    }
    return pa.Table.from_arrays([columns[name] for name in RETURNS_SCHEMA.names], schema=RETURNS_SCHEMA)
