"""The dense workload as one loop over ticks, which knows nothing of the engine: the limit when compiled, an oracle when not.

While flat, a buy limit order rests ``offset`` points below the bid and a sell limit order as far above the ask, of which one
cancels the other, for ``lifetime_ns``; then they are quoted anew. A position leaves by a trailing stop ``trail`` points behind
the best quote, or by a take profit ``target`` points from its fill. Orders arrive at the tick after the one that caused them.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from bench.support import BenchTrade

COLUMNS = len(BenchTrade._fields)


def dense_loop(
    time_ns: Any, bid: Any, ask: Any, offset: int, lifetime_ns: int, trail: int, target: int, out: Any
) -> int:
    """Trades every tick in turn; returns the number of trades, whose rows (`BenchTrade`) stand in ``out``.

    Args:
        time_ns: [n] ns; likewise ``bid`` and ``ask`` in points.
        offset: Distance of the limit orders from the quote, points.
        lifetime_ns: How long they rest.
        trail: Distance of the trailing stop, points.
        target: Distance of the take profit, points.
        out: [most trades, 5] int64.
    """
    last = len(time_ns) - 1
    trades = 0
    sent = resting = False
    buy = sell = side = entry = entry_tick = stop = goal = 0
    expires = 0
    for i in range(last + 1):
        b, a, closed, price = bid[i], ask[i], False, 0
        filled = 0
        if resting and time_ns[i] >= expires:
            resting, closed = False, True
        if sent:
            sent = False
            if time_ns[i] >= expires:
                closed = True
            elif a <= buy:
                filled, price = 1, a
            elif b >= sell:
                filled, price = -1, b
            else:
                resting = True
        elif resting:
            if a <= buy:
                filled, price = 1, buy
            elif b >= sell:
                filled, price = -1, sell
        if filled != 0:
            resting = False
            side, entry, entry_tick = filled, price, i
            stop = (b if side > 0 else a) - side * trail
            goal = entry + side * target
        elif side != 0:
            quote = b if side > 0 else a
            if (quote - stop) * side <= 0:
                closed, price = True, quote
            elif (quote - goal) * side >= 0:
                closed, price = True, goal
            else:
                level = quote - side * trail
                if (level - stop) * side > 0:
                    stop = level
        if side != 0 and (closed or i == last):
            if not closed:
                price = b if side > 0 else a
            out[trades, 0], out[trades, 1], out[trades, 2] = entry_tick, i, side
            out[trades, 3], out[trades, 4] = entry, price
            trades += 1
            side = 0
        if closed or i == 0:
            sent, expires = True, time_ns[i] + lifetime_ns
            buy, sell = b - offset, a + offset
    return trades


dense_loop_nb = numba.njit(error_model="numpy")(dense_loop)


def run_dense(loop: Any, ticks: Any, offset: int, lifetime_ns: int, trail: int, target: int) -> list[BenchTrade]:
    """The trades of a loop (compiled or not) on a tick segment."""
    out = np.empty((len(ticks.time_ns), COLUMNS), np.int64)
    found = loop(ticks.time_ns, ticks.bid_points, ticks.ask_points, offset, lifetime_ns, trail, target, out)
    return [BenchTrade(*row) for row in out[:found].tolist()]
