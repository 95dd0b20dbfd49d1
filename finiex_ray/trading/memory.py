"""`AccountMemory`: one simulated account as one block of memory, which the kernels read as words and Python as records."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Final

import numpy as np

from finiex_ray.core.market import FloatArray, IntArray
from finiex_ray.core.records import (
    ACCOUNT_DTYPE,
    EQUITY_DTYPE,
    EVENT_DTYPE,
    FILL_DTYPE,
    LEDGER_COLUMNS,
    LEDGER_DTYPE,
    ORDER_DTYPE,
    POSITION_DTYPE,
    TABLES_DTYPE,
    TRADE_DTYPE,
    Records,
)

__all__ = ["AccountMemory"]

_LEDGER_WORDS: Final = LEDGER_DTYPE.itemsize // 8
_PLACES: Final[int] = LEDGER_COLUMNS.orders_at  # the ledger ends with the places of the tables
_RECORDS: Final = {
    "orders": ORDER_DTYPE,
    "fills": FILL_DTYPE,
    "positions": POSITION_DTYPE,
    "trades": TRADE_DTYPE,
    "events": EVENT_DTYPE,
    "curve": EQUITY_DTYPE,
    "draft": ORDER_DTYPE,
}
_WORDS: Final = {"queue": 1, "book": 1, "draws": 4, "rollovers": 2, "sessions": 2, "tiers": 2}
# Words of a row of each table, in the order of the ledger.
_WIDTHS: Final = {
    table: _WORDS[table] if table in _WORDS else _RECORDS[table].itemsize // 8
    for table in (name.removesuffix("_at") for name in (TABLES_DTYPE.names or ())[::2])
}
# Rows to begin with; all tables that can grow do so together, and memory that is not touched costs nothing.
_GROWING: Final = {
    "orders": 64,
    "fills": 128,
    "positions": 16,
    "trades": 64,
    "events": 256,
    "queue": 64,
    "book": 64,
    "draws": 64,
}
_APPENDED: Final = {"orders", "fills", "trades", "events"}  # nothing lies behind the rows that are counted
_LEAST_SPARE, _MOST_SPARE = 2**17, 2**23  # words: 1 MiB, 64 MiB
_USED: Final = {
    "queue": "pending",
    "book": "resting",
}  # fields of the ledger that count the rows, where not of the table's name


def _rows(words: IntArray, place: int, count: int, dtype: np.dtype[np.void]) -> Records:
    """Records that lie in the memory; like ``view``, which takes ten times as long."""
    return np.ndarray(max(count, 0), dtype, words, place * 8)


class _Spare(threading.local):
    """Memory, all zero, that the account before has left in this thread.

    New memory comes from the system page by page, which for an account with thousands of orders takes as long as its trading.
    """

    block = np.zeros(0, np.int64)

    @property
    def words(self) -> int:
        return len(self.block)

    def take(self, words: int) -> IntArray:
        """At least so many words; small ones come quicker from the system."""
        if not _LEAST_SPARE <= words <= len(self.block):
            return np.zeros(words, np.int64)
        taken, self.block = self.block, np.zeros(0, np.int64)
        return taken

    def give(self, block: IntArray) -> None:
        """Keeps the larger one."""
        if len(block) > len(self.block):
            self.block = block


_SPARE: Final = _Spare()


class AccountMemory:
    """The ledger (`LEDGER_DTYPE`) and behind it one table after the other.

    Args:
        fixed: Contents of the tables that do not grow: [rows, words], or a number of rows to leave empty.

    Attributes:
        ints: [words] the whole memory as integers.
        reals: [words] the same memory as floats.
        ledger: The ledger's fields.
        account: Those of the account itself (`ACCOUNT_DTYPE`), with which it begins.
    """

    def __init__(self, fixed: Mapping[str, IntArray | int]) -> None:
        counts = {table: held if isinstance(held, int) else len(held) for table, held in fixed.items()}
        self._lay({table: counts.get(table) or _GROWING.get(table, 0) for table in _WIDTHS})
        for table, held in fixed.items():
            if not isinstance(held, int):
                self._words(table)[:] = held

    def _lay(self, rows: Mapping[str, int]) -> None:
        """Makes room for tables of these sizes, and writes down in the ledger where each lies."""
        self._rows, self._places, places = rows, {}, []
        end = _LEDGER_WORDS
        for table, width in _WIDTHS.items():
            self._places[table] = end
            places += [end, rows[table]]
            end += rows[table] * width
        self._block = _SPARE.take(end)
        self._read(self._block[:end])
        self.ints[_PLACES : _PLACES + len(places)] = places

    def _read(self, words: IntArray) -> None:
        self.ints = words
        self.reals: FloatArray = words.view(np.float64)
        self.ledger: np.void = _rows(words, 0, 1, LEDGER_DTYPE)[0]
        self.account: np.void = _rows(words, 0, 1, ACCOUNT_DTYPE)[0]

    def _words(self, table: str) -> IntArray:
        """The words of a table, [rows, words of a row]."""
        place, rows, width = self._places[table], self._rows[table], _WIDTHS[table]
        return self.ints[place : place + rows * width].reshape(rows, width)

    def rows(self, table: str) -> int:
        """Rows that a table has room for."""
        return self._rows[table]

    def indices(self, table: str, count: int) -> list[int]:
        """The first rows of a table of single words."""
        place = self._places[table]
        held: list[int] = self.ints[place : place + count].tolist()
        return held

    def records(self, table: str, last: int, first: int = 0) -> Records:
        """Rows of a table as records; they change as the account does, until it grows."""
        return _rows(self.ints, self._places[table] + first * _WIDTHS[table], last - first, _RECORDS[table])

    def copy(self) -> AccountMemory:
        """The same account once more, which then goes its own way."""
        twin = AccountMemory.__new__(AccountMemory)
        twin._rows, twin._places = self._rows, self._places
        twin._block = self.ints.copy()
        twin._read(twin._block)
        return twin

    def write_draws(self, first: int, draws: IntArray) -> None:
        """Writes the draws of requests from ``first`` on."""
        self._words("draws")[first : first + len(draws)] = draws

    def grow(self, times: int) -> None:
        """Makes every table that can grow at least so many times as long; what they hold stays."""
        growing = sum(self._rows[table] * _WIDTHS[table] for table in _GROWING)
        times = max(times, (_SPARE.words - len(self.ints)) // growing + 1)
        held = {table: self._words(table)[: self._used(table)] for table in _WIDTHS}
        ledger = self.ints[:_PLACES]
        self._lay({table: times * rows if table in _GROWING else rows for table, rows in self._rows.items()})
        self.ints[:_PLACES] = ledger
        for table, words in held.items():
            self._words(table)[: len(words)] = words

    @property
    def large(self) -> bool:
        """Whether the next account of this thread should have this memory."""
        return _LEAST_SPARE <= len(self._block) <= _MOST_SPARE

    def release(self) -> None:
        """Leaves the memory to the next account; nothing that was read of it holds any more."""
        if not self.large:
            return
        used = {table: self._used(table) if table in _APPENDED else self._rows[table] for table in _WIDTHS}
        for table, rows in used.items():
            self._words(table)[:rows] = 0
        self.ints[:_LEDGER_WORDS] = 0
        _SPARE.give(self._block)
        self._block = np.zeros(_LEDGER_WORDS, np.int64)
        self._read(self._block)

    def _used(self, table: str) -> int:
        """Rows of a table that hold something."""
        if table in _GROWING and table != "draws":
            return int(self.ledger[_USED.get(table, table)])
        return self._rows[table]
