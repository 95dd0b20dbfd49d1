"""Finds the first place where two arrays or two record tables differ, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from finiex_ray.core.enums import Action
from finiex_ray.core.records import NO_PRICE, Records

__all__ = ["RecordDifference", "action_text", "first_record", "first_unequal", "value_text"]

# Tick and time of a row: the first pair that the table has.
_MOMENTS: Final = (("request_tick", "request_ns"), ("exit_tick", "exit_ns"), ("entry_tick", "entry_ns"))
_DEFAULT_MOMENT: Final = ("tick", "time_ns")
_ABSENT: Final = "no such row"


class RecordDifference(NamedTuple):
    """The first difference of two tables."""

    place: str  # row and field, for example "orders row 3, side"
    tick: int
    time_ns: int
    expected: str
    found: str


def first_unequal(true: NDArray[Any], other: NDArray[Any]) -> int | None:
    """Index of the first value whose bits differ, or None; all NaN count as one value. The arrays are equally long."""
    if true.dtype.kind == "f":
        bits = np.dtype(f"i{true.dtype.itemsize}")
        unequal = (true.view(bits) != other.view(bits)) & ~(np.isnan(true) & np.isnan(other))
    else:
        unequal = true != other
    return int(np.argmax(unequal)) if unequal.any() else None


def first_record(true: Mapping[str, Records], other: Mapping[str, Records]) -> RecordDifference | None:
    """The difference with the earliest tick over all tables, in the order of the tables where ticks are equal."""
    found = [each for name in true if (each := _first_in_table(name, true[name], other[name])) is not None]
    return min(found, key=lambda each: each.tick, default=None)


def _first_in_table(name: str, true: Records, other: Records) -> RecordDifference | None:
    fields = true.dtype.names or ()
    both = min(len(true), len(other))
    firsts = {field: first_unequal(_column(true[:both], field), _column(other[:both], field)) for field in fields}
    row = min((index for index in firsts.values() if index is not None), default=None)
    if row is not None:
        field = next(field for field in fields if firsts[field] == row)
        tick, time_ns = _moment(true[row], field)
        expected, found = value_text(true[row][field]), value_text(other[row][field])
        return RecordDifference(f"{name} row {row}, {field}", tick, time_ns, expected, found)
    if len(true) == len(other):
        return None
    longer, is_true = (true, True) if len(true) > len(other) else (other, False)
    tick, time_ns = _moment(longer[both], "")
    text = _row_text(longer[both])
    return RecordDifference(
        f"{name} row {both}", tick, time_ns, text if is_true else _ABSENT, _ABSENT if is_true else text
    )


def _column(records: Records, field: str) -> NDArray[Any]:
    return np.ascontiguousarray(records[field])


def _moment(row: np.void, field: str) -> tuple[int, int]:
    """Tick and time that a row speaks of; what is decided later about an order counts at its own tick."""
    names = row.dtype.names or ()
    if field and "done_tick" in names and names.index(field) >= names.index("done_tick") and row["done_tick"] >= 0:
        return int(row["done_tick"]), int(row["done_ns"])
    tick, time_ns = next((pair for pair in _MOMENTS if pair[0] in names), _DEFAULT_MOMENT)
    return int(row[tick]), int(row[time_ns])


def _row_text(row: np.void) -> str:
    shown = [f"{name}={value_text(row[name])}" for name in (row.dtype.names or ())[:6]]
    return "{" + ", ".join(shown) + ", …}"


def value_text(value: Any) -> str:
    """A value of a record or an output, with all its digits."""
    plain = value.item() if isinstance(value, np.generic) else value
    return "not set" if isinstance(plain, int) and plain == NO_PRICE else repr(plain)


def action_text(value: Any) -> str:
    """An action by its name."""
    number = int(value)
    return Action(number).name if number in set(Action) else str(number)
