"""Signals from actions: the ticks that have one, and where the next other one is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from finiex_ray.core.market import IntArray
from finiex_ray.kernels.jit import kernel

__all__ = ["signals_nb"]


@kernel
def signals_nb(actions: NDArray[np.int8], offsets: IntArray, out: IntArray) -> int:
    """Writes a row of `make_signals` for each action that is not NONE; returns how many.

    Args:
        actions: [n] an `Action` each.
        offsets: [n] their ticks within the block, or [0]: each tick in turn.
        out: [n, 3] receives the rows.
    """
    count = 0
    for i in range(len(actions)):
        if actions[i] != 0:
            out[count, 0] = offsets[i] if len(offsets) > 0 else i
            out[count, 1] = actions[i]
            count += 1
    turn = count
    for row in range(count - 1, -1, -1):
        if row < count - 1 and out[row, 1] != out[row + 1, 1]:
            turn = row + 1
        out[row, 2] = turn
    return count
