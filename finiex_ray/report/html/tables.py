"""Tables as pages carry them: columns of plain values, formatted, sorted and filtered by the page's script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

__all__ = ["Column", "DataTable", "make_table", "order_columns", "plain", "price_digits", "trade_columns"]

_DECIMALS: Final = 10
_NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True)
class Column:
    """A column of a page's table.

    Args:
        key: Name of the column in the run's table; what filters and CSV files call it.
        label: Its heading.
        kind: ``text``, ``count``, ``number``, ``signed`` (shown with sign and colour), ``time``, ``duration`` or ``status``.
        title: What it means, shown on hover.
        decimals: Digits after the point.
    """

    key: str
    label: str
    kind: str = "text"
    title: str = ""
    decimals: int = 2

    def as_json(self) -> dict[str, Any]:
        """The column for the script."""
        return {name: getattr(self, name) for name in ("key", "label", "kind", "title", "decimals")}


@dataclass(frozen=True)
class DataTable:
    """A table: its columns, and for each a list of values.

    Args:
        name: Identifier in the page, and name of its CSV file.
        caption: What a screen reader says of it.
        columns: Its columns.
        values: A list for each column; times in ms since 1970 UTC.
        links: Link of each row, on its first column; empty: none.
    """

    name: str
    caption: str
    columns: Sequence[Column]
    values: Sequence[list[Any]]
    links: Sequence[str | None] = field(default=())

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.values[0]) if self.values else 0

    def as_json(self) -> dict[str, Any]:
        """The table for the script."""
        columns = [column.as_json() for column in self.columns]
        return {"name": self.name, "columns": columns, "values": self.values, "links": self.links}


def plain(values: pd.Series[Any]) -> list[Any]:
    """A column as JSON values: missing ones are None, times are ms since 1970 UTC, floats lose the noise of division."""
    missing = values.isna().to_numpy()
    found: list[Any]
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        found = (values.astype("int64") / _NS_PER_MS).round().tolist()
        found = [int(value) for value in found]
    elif pd.api.types.is_float_dtype(values.dtype):
        found = [value if np.isfinite(value) else None for value in values.round(_DECIMALS).tolist()]
    else:
        found = values.tolist()
    return [None if absent else value for value, absent in zip(found, missing, strict=True)]


def make_table(
    name: str, caption: str, frame: pd.DataFrame, columns: Sequence[Column], links: Sequence[str | None] = ()
) -> DataTable:
    """The table of a frame; columns that hold no value at all are left out, but for the first."""
    shown = [
        column for place, column in enumerate(columns) if not place or frame.empty or frame[column.key].notna().any()
    ]
    return DataTable(name, caption, shown, [plain(frame[column.key]) for column in shown], links)


def price_digits(prices: Mapping[str, Any] | pd.DataFrame, most: int = 8) -> int:
    """Decimals that the prices of some records need."""
    columns = ("entry_price", "exit_price", "limit", "stop", "sl", "tp", "fill_price")
    found = [np.asarray(prices[name], dtype=float) for name in columns if name in prices]
    values = np.concatenate(found) if found else np.empty(0)
    values = values[np.isfinite(values)]
    for digits in range(most):
        if np.allclose(np.round(values, digits), values, rtol=0, atol=10.0 ** -(most + 1)):
            return digits
    return most


def trade_columns(currency: str, digits: int) -> list[Column]:
    """Columns of the trade table."""
    return [
        Column("trade_id", "#", "count", "Number of the trade, in closing order"),
        Column("side", "side"),
        Column("lots", "lots", "number"),
        Column("entry_time", "entry", "time", "Time of the entry fill, UTC"),
        Column("entry_price", "entry price", "number", decimals=digits),
        Column("exit_time", "exit", "time", "Time of the exit fill, UTC"),
        Column("exit_price", "exit price", "number", decimals=digits),
        Column("exit_reason", "reason", title="Why the position was closed"),
        Column("held_s", "held", "duration", "Time between entry and exit"),
        Column("sl", "SL", "number", "Stop loss at the exit", digits),
        Column("tp", "TP", "number", "Take profit at the exit", digits),
        Column("mae", "MAE", "number", "Maximum adverse excursion: largest move against the trade, price", digits),
        Column("mfe", "MFE", "number", "Maximum favourable excursion: largest move for the trade, price", digits),
        Column("gross", "gross", "signed", f"Profit before costs, {currency}"),
        Column("commission", "comm.", "signed", f"Commission, {currency}"),
        Column("swap", "swap", "signed", f"Swap, {currency}"),
        Column("net", "net", "signed", f"Gross + commission + swap, {currency}"),
        Column("balance", "balance", "number", f"Balance after the trade, {currency}"),
        Column("magic", "magic", "count", "Number that the strategy gave the order"),
    ]


def order_columns(digits: int) -> list[Column]:
    """Columns of the order list."""
    return [
        Column("order_id", "#", "count", "Number of the order, in request order"),
        Column("type", "type"),
        Column("side", "side"),
        Column("state", "state"),
        Column("reason", "reason", title="Why the broker refused it"),
        Column("lots", "lots", "number"),
        Column("filled_lots", "filled", "number", "Lots that were filled"),
        Column("request_time", "requested", "time", "Time of the tick at which it was requested, UTC"),
        Column("arrival_time", "arrived", "time", "Request time plus latency, UTC"),
        Column("done_time", "done", "time", "Time at which it was filled, refused, cancelled or expired, UTC"),
        Column("limit", "limit", "number", decimals=digits),
        Column("stop", "stop", "number", decimals=digits),
        Column("fill_price", "fill price", "number", decimals=digits),
        Column("sl", "SL", "number", decimals=digits),
        Column("tp", "TP", "number", decimals=digits),
        Column("position_id", "position", "count"),
        Column("target_id", "target", "count", "The order that a change or cancel speaks of"),
        Column("oco_id", "OCO", "count", "The order that is cancelled when this one fills"),
        Column("magic", "magic", "count"),
        Column("comment", "comment"),
    ]
