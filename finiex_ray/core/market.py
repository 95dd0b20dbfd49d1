"""Columns of market data: what lies in the object store and what kernels read. Plain numpy, so it is never copied."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["BarSeries", "FloatArray", "IntArray", "Quotes", "TickSegment", "content_hash", "freeze", "read_only"]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


class TickSegment(NamedTuple):
    """Quotes of one symbol and one UTC day, in time order; equal times keep the order of the source (rule R1)."""

    time_ns: IntArray  # [n] ns since the epoch, UTC, not decreasing
    bid_points: IntArray  # [n] points (10^-digits of the symbol)
    ask_points: IntArray  # [n] points
    volume: FloatArray  # [n] lots or units as the source reports them; 0 where it reports none


class BarSeries(NamedTuple):
    """Bars of one symbol and timeframe, in time order. Prices are half points, so that a mid is an exact integer."""

    start_ns: IntArray  # [n] ns, UTC-aligned; a bar covers [start, start + timeframe) (rule R13)
    open_hp: IntArray  # [n] half points: bid + ask for mid prices, twice the price for bid or ask prices
    high_hp: IntArray  # [n] half points
    low_hp: IntArray  # [n] half points
    close_hp: IntArray  # [n] half points
    tick_count: IntArray  # [n] ticks in the bar

    def __reduce__(self) -> tuple[Any, tuple[IntArray]]:
        """Travels as one array: six take six times as long, and thousands of scenarios bring their warm-up bars along."""
        return _unpacked, (np.stack(self),)


class Quotes(NamedTuple):
    """What kernels read of a segment, and the extremes of its runs (`finiex_ray.kernels.runs`)."""

    time_ns: IntArray  # [n]
    bid_points: IntArray  # [n]
    ask_points: IntArray  # [n]
    extremes: IntArray  # [whole runs, EXTREMES]; [0, EXTREMES]: not known, every tick is looked at


def _unpacked(columns: IntArray) -> BarSeries:
    columns.setflags(write=False)
    return BarSeries(*columns)


_Scalar = TypeVar("_Scalar", bound=np.generic)
_Columns = TypeVar("_Columns", TickSegment, BarSeries)


def read_only(array: NDArray[_Scalar]) -> NDArray[_Scalar]:
    """A contiguous view of ``array`` that refuses writes: what the object store returns, also in local mode."""
    view = np.ascontiguousarray(array).view()
    view.setflags(write=False)
    return view


def freeze(columns: _Columns) -> _Columns:
    """The same columns, contiguous and read-only."""
    frozen: list[Any] = [read_only(column) for column in columns]
    return type(columns)(*frozen)


def content_hash(columns: TickSegment | BarSeries) -> str:
    """SHA-256 over names, lengths and little-endian bytes of all columns: equal content, equal hash."""
    digest = hashlib.sha256()
    for name, column in zip(columns._fields, columns, strict=True):
        digest.update(f"{name}:{column.dtype.str}:{len(column)};".encode())
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()
