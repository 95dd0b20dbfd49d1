"""Runs: the extremes of each 128 ticks of a segment, so that a span in which nothing can happen is passed over run by run."""

from __future__ import annotations

from typing import Any

from finiex_ray.kernels.jit import kernel

__all__ = ["EXTREMES", "RUN", "extremes_nb"]

RUN = 128  # ticks
EXTREMES = 6  # columns: lowest and highest bid, lowest and highest ask, lowest and highest bid + ask


@kernel
def extremes_nb(bid: Any, ask: Any, out: Any) -> None:
    """Fills ``out`` [whole runs, EXTREMES] with the extremes of each whole run of `RUN` ticks, points."""
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
