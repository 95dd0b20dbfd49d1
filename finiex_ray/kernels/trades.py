"""Sums over closed trades, for the statistics of a scenario: one pass instead of an array operation for each."""

from __future__ import annotations

import math
from typing import Any

from finiex_ray.core.market import FloatArray
from finiex_ray.core.records import ORDER_COLUMNS as O
from finiex_ray.core.records import TRADE_COLUMNS as T
from finiex_ray.kernels import codes
from finiex_ray.kernels.jit import kernel

__all__ = ["SUMS", "sum_trades_nb"]

REJECTED = codes.REJECTED
# Columns of the result.
WINS, LOSSES, WON, LOST, MEAN, SPREAD, DOWNSIDE, HELD_NS, MARKET_NS, LONGEST_NS, SOUND, REFUSED = range(12)
SUMS = 12


@kernel
def sum_trades_nb(trades: Any, by_entry: Any, orders: Any, opening_minor: int, out: FloatArray) -> None:
    """Sums over trades and orders; amounts in minor units, times in ns.

    Args:
        trades: [n, trade] `TRADE_DTYPE` as words, in closing order.
        by_entry: [n] rows of the trades in the order of their entries.
        orders: [m, order] `ORDER_DTYPE` as words.
        opening_minor: Balance before the first trade.
        out: [SUMS] receives: trades with a net above and below 0; the sums of their nets, both positive; mean, standard
            deviation (n - 1) and root mean square below 0 of the returns net / balance before; the time in trades, the
            time with a position, the longest trade; 1 where no balance was zero or less before a trade; orders that were
            rejected.
    """
    n = len(trades)
    out[:] = 0.0
    before, total, low, sound = float(opening_minor), 0.0, 0.0, 1.0
    for k in range(n):
        net = float(trades[k, T.net_minor])
        held = trades[k, T.exit_ns] - trades[k, T.entry_ns]
        if net > 0.0:
            out[WINS] += 1.0
            out[WON] += net
        elif net < 0.0:
            out[LOSSES] += 1.0
            out[LOST] -= net
        out[HELD_NS] += held
        out[LONGEST_NS] = max(out[LONGEST_NS], held)
        if before <= 0.0:
            sound = 0.0
        share = net / before
        total += share
        low += min(share, 0.0) ** 2
        before = float(trades[k, T.balance_minor])
    out[SOUND] = sound
    if n > 0:
        out[MEAN] = total / n
        out[DOWNSIDE] = math.sqrt(low / n)
    if n > 1:
        before, squares = float(opening_minor), 0.0
        for k in range(n):
            squares += (trades[k, T.net_minor] / before - out[MEAN]) ** 2
            before = float(trades[k, T.balance_minor])
        out[SPREAD] = math.sqrt(squares / (n - 1))
    reached, covered = 0, 0
    for k in range(n):  # each trade adds the part of its life that no earlier one covers
        begin, end = trades[by_entry[k], T.entry_ns], trades[by_entry[k], T.exit_ns]
        if k > 0:
            begin = max(begin, reached)
        covered += max(end - begin, 0)
        reached = max(reached, end)
    out[MARKET_NS] = covered
    for k in range(len(orders)):
        if orders[k, O.state] == REJECTED:
            out[REFUSED] += 1.0
