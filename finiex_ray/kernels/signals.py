"""Signals from actions: the stretches of ticks that have the same one, and where the next other one is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from finiex_ray.core.market import IntArray
from finiex_ray.kernels.jit import kernel

__all__ = ["ACTION", "FIRST", "PAST", "SIGNAL", "TURN", "signals_nb"]

FIRST, PAST, ACTION, TURN = range(4)  # columns
SIGNAL = 4


@kernel
def signals_nb(actions: NDArray[np.int8], offsets: IntArray, out: IntArray) -> int:
    """Writes a row of `make_signals` for each stretch of equal actions other than NONE; returns how many.

    Args:
        actions: [n] an `Action` each.
        offsets: [n] their ticks within the block, or [0]: each tick in turn.
        out: [n, SIGNAL] receives the rows.
    """
    n, count, i = len(actions), 0, 0
    each = len(offsets) == 0
    while i < n:
        action, end = actions[i], i + 1
        first = i if each else offsets[i]
        while end < n and actions[end] == action and (each or offsets[end] == first + end - i):
            end += 1
        if action != 0:
            out[count, FIRST], out[count, PAST], out[count, ACTION] = first, first + end - i, action
            count += 1
        i = end
    turn = count
    for row in range(count - 1, -1, -1):
        if row < count - 1 and out[row, ACTION] != out[row + 1, ACTION]:
            turn = row + 1
        out[row, TURN] = turn
    return count
