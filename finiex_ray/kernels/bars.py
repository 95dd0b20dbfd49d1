"""Bars from ticks: spans of ticks with the same forming bar, closed bars, and running highs and lows (rule R13)."""

from __future__ import annotations

from typing import Any

from finiex_ray.kernels.jit import helper, kernel
from finiex_ray.kernels.runs import RUN, first_at_nb, run_range_nb

__all__ = ["EMPTY", "FORMING_FIELDS", "forming_nb", "render_nb"]

FORMING_FIELDS = 6  # start_ns, open, high, low, close (half points), tick count
EMPTY = -(2**62)  # start_ns of a forming bar that does not exist yet


@helper
def _range_nb(left: Any, right: Any, extremes: Any, column: int, first: int, last: int) -> tuple[int, int]:
    """Lowest and highest bar price of the ticks from ``first`` to ``last``; whole runs are looked up."""
    low = high = left[first] + right[first]
    i = first
    while i < last:
        run = i // RUN
        end = min(run * RUN + RUN, last)
        if end - i == RUN and run < len(extremes):
            run_low, run_high = run_range_nb(extremes, run, column)
            low, high = min(low, run_low), max(high, run_high)
        else:
            # A loop over slices from 0: numba need not look for negative indices, so LLVM makes it a vector loop.
            lefts, rights = left[i:end], right[i:end]
            for k in range(len(lefts)):
                price = lefts[k] + rights[k]
                low = min(low, price)
                high = max(high, price)
        i = end
    return low, high


@kernel
def render_nb(
    time_ns: Any,
    extremes: Any,
    left: Any,
    right: Any,
    column: int,
    first: int,
    last: int,
    width_ns: int,
    forming: Any,
    history: Any,
    closed: int,
    span_first: Any,
    span_closed: Any,
) -> tuple[int, int]:
    """Takes the ticks of one block into the bars of one timeframe.

    Args:
        time_ns: [n] ns, times of the segment's ticks.
        extremes: As for `finiex_ray.kernels.simulation.advance_nb`.
        left: [n] points; the bar price in half points is left + right.
        right: See ``left``.
        column: The first of the bar price's columns in ``extremes``.
        first: Segment offset of the block's first tick.
        last: Segment offset past its last tick.
        width_ns: Length of the timeframe in ns.
        forming: [FORMING_FIELDS] the forming bar; changed in place.
        history: [6, capacity] columns of `BarSeries` with room for the bars that close; changed in place.
        closed: Bars in ``history`` so far.
        span_first: [spans + 1] receives the first tick of each span within the block, and the block's length at the end.
        span_closed: [spans] receives the bars closed by then.

    Returns:
        Number of spans, and of closed bars.
    """
    i, spans = first, 0
    while i < last:
        start = time_ns[i] // width_ns * width_ns
        price = left[i] + right[i]
        if start != forming[0]:
            if forming[0] != EMPTY:
                for field in range(FORMING_FIELDS):
                    history[field, closed] = forming[field]
                closed += 1
            forming[0] = start
            forming[1] = forming[2] = forming[3] = price
            forming[5] = 0
        end = first_at_nb(time_ns, extremes, start + width_ns, i, last)
        low, high = _range_nb(left, right, extremes, column, i, end)
        forming[2], forming[3] = max(forming[2], high), min(forming[3], low)
        forming[4] = left[end - 1] + right[end - 1]
        forming[5] += end - i
        span_first[spans] = i - first
        span_closed[spans] = closed
        spans += 1
        i = end
    span_first[spans] = last - first
    return spans, closed


@kernel
def forming_nb(
    time_ns: Any, price_hp: Any, width_ns: int, before: Any, span_first: Any, open_hp: Any, high_hp: Any, low_hp: Any
) -> None:
    """Open, high and low of the forming bar as it stood at each tick of a block.

    Args:
        time_ns: [n] ns, times of the ticks.
        price_hp: [n] half points, bar price of the ticks.
        width_ns: Length of the timeframe in ns.
        before: [FORMING_FIELDS] the forming bar before the block's first tick.
        span_first: [spans + 1] as `render_nb` gave it.
        open_hp: [n] receives the opens; likewise ``high_hp`` and ``low_hp``.
    """
    for j in range(len(span_first) - 1):
        first, end = span_first[j], span_first[j + 1]
        opened = high = low = price_hp[first]
        if j == 0 and before[0] == time_ns[first] // width_ns * width_ns:
            opened, high, low = before[1], before[2], before[3]
        for k in range(first, end):
            high = max(high, price_hp[k])
            low = min(low, price_hp[k])
            open_hp[k] = opened
            high_hp[k] = high
            low_hp[k] = low
