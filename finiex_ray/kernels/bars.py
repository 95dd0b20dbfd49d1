"""Bars from ticks: spans of ticks with the same forming bar, closed bars, and running highs and lows (rule R13)."""

from __future__ import annotations

from typing import Any

from finiex_ray.kernels.jit import kernel

__all__ = ["EMPTY", "FORMING_FIELDS", "forming_nb", "render_nb"]

FORMING_FIELDS = 6  # start_ns, open, high, low, close (half points), tick count
EMPTY = -(2**62)  # start_ns of a forming bar that does not exist yet


@kernel
def _first_at_nb(time_ns: Any, moment: int, first: int) -> int:
    """Offset of the first tick from ``first`` on at or past ``moment``: doubling steps, then halving ones."""
    n = len(time_ns)
    low, step = first, 1
    while low + step < n and time_ns[low + step] < moment:
        low += step
        step *= 2
    high = min(low + step, n)
    while low < high:
        middle = (low + high) // 2
        if time_ns[middle] < moment:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def render_nb(
    time_ns: Any,
    price_hp: Any,
    width_ns: int,
    forming: Any,
    history: Any,
    closed: int,
    span_first: Any,
    span_closed: Any,
) -> tuple[int, int]:
    """Takes the ticks of one block into the bars of one timeframe.

    Args:
        time_ns: [n] ns, times of the ticks.
        price_hp: [n] half points, bar price of the ticks.
        width_ns: Length of the timeframe in ns.
        forming: [FORMING_FIELDS] the forming bar; changed in place.
        history: `BarSeries` of writable arrays with room for the bars that close; changed in place.
        closed: Bars in ``history`` so far.
        span_first: [spans + 1] receives the first tick of each span, and ``n`` at the end.
        span_closed: [spans] receives the bars closed by then.

    Returns:
        Number of spans, and of closed bars.
    """
    n = len(time_ns)
    i, spans = 0, 0
    while i < n:
        start = time_ns[i] // width_ns * width_ns
        if start != forming[0]:
            if forming[0] != EMPTY:
                history.start_ns[closed] = forming[0]
                history.open_hp[closed] = forming[1]
                history.high_hp[closed] = forming[2]
                history.low_hp[closed] = forming[3]
                history.close_hp[closed] = forming[4]
                history.tick_count[closed] = forming[5]
                closed += 1
            forming[0] = start
            forming[1] = forming[2] = forming[3] = price_hp[i]
            forming[5] = 0
        end = _first_at_nb(time_ns, start + width_ns, i)
        high, low = forming[2], forming[3]
        # A loop over a slice from 0: numba need not look for negative indices, so LLVM makes it a vector loop.
        span = price_hp[i:end]
        for k in range(len(span)):
            high = max(high, span[k])
            low = min(low, span[k])
        forming[2], forming[3] = high, low
        forming[4] = price_hp[end - 1]
        forming[5] += end - i
        span_first[spans] = i
        span_closed[spans] = closed
        spans += 1
        i = end
    span_first[spans] = n
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
