"""Runs: the extremes of each 128 ticks of a segment, so that a span in which nothing can happen is passed over run by run."""

from __future__ import annotations

from typing import Any

from finiex_ray.kernels.jit import helper, inlined, kernel

__all__ = [
    "ASK_EXTREMES",
    "BID_EXTREMES",
    "EXTREMES",
    "MID_EXTREMES",
    "RUN",
    "extremes_nb",
    "first_at_nb",
    "run_range_nb",
]

RUN = 128  # ticks
EXTREMES = (
    7  # columns: lowest and highest bid, lowest and highest ask, lowest and highest bid + ask; time of the first tick
)
BID_EXTREMES, ASK_EXTREMES, MID_EXTREMES = 0, 2, 4  # the first of two columns
RUN_TIME = 6


@kernel
def extremes_nb(time_ns: Any, bid: Any, ask: Any, out: Any) -> None:
    """Fills ``out`` [whole runs, EXTREMES] with the extremes of each whole run of `RUN` ticks, points, and its time, ns."""
    for run in range(len(out)):
        # Slices from 0: numba need not look for negative indices, so LLVM makes vector loops of them.
        bids, asks = bid[run * RUN : run * RUN + RUN], ask[run * RUN : run * RUN + RUN]
        low_bid = high_bid = bids[0]
        low_ask = high_ask = asks[0]
        low_sum = high_sum = bids[0] + asks[0]
        for k in range(RUN):
            low_bid, high_bid = min(low_bid, bids[k]), max(high_bid, bids[k])
            low_ask, high_ask = min(low_ask, asks[k]), max(high_ask, asks[k])
            both = bids[k] + asks[k]
            low_sum, high_sum = min(low_sum, both), max(high_sum, both)
        out[run, 0], out[run, 1] = low_bid, high_bid
        out[run, 2], out[run, 3] = low_ask, high_ask
        out[run, 4], out[run, 5] = low_sum, high_sum
        out[run, 6] = time_ns[run * RUN]


@inlined
def run_range_nb(extremes: Any, run: int, column: int) -> tuple[int, int]:
    """Lowest and highest bar price of a run, half points: those of bid + ask, or those of one side times two."""
    if column == MID_EXTREMES:
        return extremes[run, column], extremes[run, column + 1]
    return 2 * extremes[run, column], 2 * extremes[run, column + 1]


@helper
def first_at_nb(time_ns: Any, extremes: Any, moment_ns: int, first: int, last: int) -> int:
    """Offset of the first tick from ``first`` to ``last`` at or past ``moment_ns``, or ``last``.

    The times of the runs lie close together: the run is found there, by doubling steps and then halving ones, and only then
    the tick, whose neighbours are far apart in memory.
    """
    low, step = first // RUN, 1
    runs = min(len(extremes), (last + RUN - 1) // RUN)
    while low + step < runs and extremes[low + step, RUN_TIME] < moment_ns:
        low += step
        step *= 2
    high = min(low + step, runs)
    while low + 1 < high:
        middle = (low + high) // 2
        if extremes[middle, RUN_TIME] < moment_ns:
            low = middle
        else:
            high = middle
    begin = max(first, low * RUN)
    end = last if high >= len(extremes) else min(last, high * RUN)
    while begin < end:
        middle = (begin + end) // 2
        if time_ns[middle] < moment_ns:
            begin = middle + 1
        else:
            end = middle
    return begin
