"""Bars from ticks: spans of ticks with the same forming bar, closed bars, and running highs and lows (rule R13)."""

from __future__ import annotations

from typing import Any

from finiex_ray.kernels.jit import helper, kernel
from finiex_ray.kernels.runs import RUN

__all__ = ["EMPTY", "FORMING_FIELDS", "forming_nb", "render_nb"]

FORMING_FIELDS = 6  # start_ns, open, high, low, close (half points), tick count
EMPTY = -(2**62)  # start_ns of a forming bar that does not exist yet


@helper
def _first_at_nb(time_ns: Any, moment: int, first: int, last: int) -> int:
    """Offset of the first tick from ``first`` to ``last`` at or past ``moment``: doubling steps, then halving ones."""
    low, step = first, 1
    while low + step < last and time_ns[low + step] < moment:
        low += step
        step *= 2
    high = min(low + step, last)
    while low < high:
        middle = (low + high) // 2
        if time_ns[middle] < moment:
            low = middle + 1
        else:
            high = middle
    return low


@helper
def _range_nb(
    bid: Any, ask: Any, extremes: Any, bid_weight: int, ask_weight: int, first: int, last: int
) -> tuple[int, int]:
    """Lowest and highest bar price of the ticks from ``first`` to ``last``; whole runs are looked up."""
    low = high = bid_weight * bid[first] + ask_weight * ask[first]
    # Of the columns of a run: those of bid + ask, or those of the one side times two.
    column = 4 if bid_weight == ask_weight else 0 if ask_weight == 0 else 2
    scale = 1 if column == 4 else 2
    i = first
    while i < last:
        run = i // RUN
        end = min(run * RUN + RUN, last)
        if end - i == RUN and run < len(extremes):
            low, high = min(low, scale * extremes[run, column]), max(high, scale * extremes[run, column + 1])
        else:
            # A loop over slices from 0: numba need not look for negative indices, so LLVM makes it a vector loop.
            bids, asks = bid[i:end], ask[i:end]
            for k in range(len(bids)):
                price = bid_weight * bids[k] + ask_weight * asks[k]
                low, high = min(low, price), max(high, price)
        i = end
    return low, high


@kernel
def render_nb(
    time_ns: Any,
    bid: Any,
    ask: Any,
    extremes: Any,
    bid_weight: int,
    ask_weight: int,
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
        time_ns: [n] ns, times of the segment's ticks; likewise ``bid`` and ``ask`` in points.
        extremes: As for `finiex_ray.kernels.simulation.advance_nb`.
        bid_weight: The bar price in half points is bid_weight · bid + ask_weight · ask.
        ask_weight: See ``bid_weight``.
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
        price = bid_weight * bid[i] + ask_weight * ask[i]
        if start != forming[0]:
            if forming[0] != EMPTY:
                for field in range(FORMING_FIELDS):
                    history[field, closed] = forming[field]
                closed += 1
            forming[0] = start
            forming[1] = forming[2] = forming[3] = price
            forming[5] = 0
        end = _first_at_nb(time_ns, start + width_ns, i, last)
        low, high = _range_nb(bid, ask, extremes, bid_weight, ask_weight, i, end)
        forming[2], forming[3] = max(forming[2], high), min(forming[3], low)
        forming[4] = bid_weight * bid[end - 1] + ask_weight * ask[end - 1]
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
