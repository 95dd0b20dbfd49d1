"""Slow bars from ticks, written from the rules R13 and R14: whole lists, nothing carried along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Bar(NamedTuple):
    """Prices in half points."""

    start_ns: int
    open: int
    high: int
    low: int
    close: int
    ticks: int


def all_bars(times: Sequence[int], prices: Sequence[int], width_ns: int) -> list[Bar]:
    """A bar for each period that holds a tick, in order; no fillers."""
    starts = sorted({moment - moment % width_ns for moment in times})
    bars = []
    for start in starts:
        inside = [price for moment, price in zip(times, prices, strict=True) if start <= moment < start + width_ns]
        bars.append(Bar(start, inside[0], max(inside), min(inside), inside[-1], len(inside)))
    return bars


class Seen(NamedTuple):
    """What may be seen at one tick."""

    closed: list[Bar]
    forming: Bar


def seen_at(times: Sequence[int], prices: Sequence[int], tick: int, start_ns: int, width_ns: int, warmup: int) -> Seen:
    """Bars at one tick of a scenario that starts at ``start_ns``.

    Args:
        times: Times of all ticks, those before the start too.
        prices: Their bar prices in half points.
        tick: Index of the tick among all ticks.
        start_ns: Start of the scenario.
        width_ns: Length of the timeframe.
        warmup: Bars that ended at or before the start and belong to the history (the last ones).
    """
    bars = all_bars(times[: tick + 1], prices[: tick + 1], width_ns)
    before = sum(bar.start_ns + width_ns <= start_ns for bar in all_bars(times, prices, width_ns))
    return Seen(bars[max(0, before - warmup) : -1], bars[-1])
