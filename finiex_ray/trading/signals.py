"""Signals: the ticks of a block that have an action, as the simulator reads them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from finiex_ray.core.market import IntArray, read_only

__all__ = ["NO_SIGNALS", "make_signals"]

NO_SIGNALS = read_only(np.empty((0, 3), np.int64))


def make_signals(actions: NDArray[np.int8], offsets: IntArray | None = None) -> IntArray:
    """The ticks whose action is not NONE.

    Args:
        actions: [n] an `Action` each.
        offsets: [n] their ticks within the block, in order; by default each tick of the block in turn.

    Returns:
        [k, 3] for each signal its tick's offset, its action, and the row of the next signal with another action.
    """
    rows = np.flatnonzero(actions != 0)
    if not len(rows):
        return NO_SIGNALS
    signals = np.empty((len(rows), 3), np.int64)
    signals[:, 0] = rows if offsets is None else offsets[rows]
    signals[:, 1] = chosen = actions[rows]
    turns = np.append(np.flatnonzero(chosen[1:] != chosen[:-1]) + 1, len(rows))
    signals[:, 2] = np.repeat(turns, np.diff(turns, prepend=0))
    return read_only(signals)
