"""`SavedRows`: the rows of one scenario after the other from the tables of a run, without holding a whole table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from finiex_ray.results.parts import order_column, table_schema
from finiex_ray.results.reader import RunData

__all__ = ["SavedRows"]


class SavedRows:
    """Walks through one table; ask for scenarios in the order of the set.

    Args:
        run: The run.
        name: Name of the table.
    """

    def __init__(self, run: RunData, name: str) -> None:
        self._name = name
        self._pieces: Iterator[Any] = run.tables(name)
        self._piece: Any = None
        self._last = -1  # greatest place in the set of the piece

    def __call__(self, index: int) -> Any:
        """The rows of the scenario at this place in the set; none where it has none.

        Raises:
            DataError: If the file is damaged.
        """
        found = []
        while True:
            if self._piece is not None:
                places = self._piece.column(order_column(self._name)).to_numpy()
                first, last = np.searchsorted(places, [index, index + 1])
                if last > first:
                    found.append(self._piece.slice(first, last - first))
                if self._last > index:
                    break
            piece = next(self._pieces, None)
            if piece is None:
                break
            if piece.num_rows:
                self._piece = piece
                self._last = int(piece.column(order_column(self._name))[-1].as_py())
        return pa.concat_tables(found) if found else table_schema(self._name).empty_table()
