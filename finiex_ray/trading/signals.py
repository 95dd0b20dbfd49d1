"""Signals: the stretches of a block whose ticks have the same action, as the simulator reads them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from finiex_ray.core.market import IntArray, read_only
from finiex_ray.kernels.signals import SIGNAL, signals_nb

__all__ = ["NO_SIGNALS", "make_signals"]

NO_SIGNALS = read_only(np.empty((0, SIGNAL), np.int64))
_EACH = read_only(np.empty(0, np.int64))


def make_signals(actions: NDArray[np.int8], offsets: IntArray | None = None) -> IntArray:
    """The stretches of neighbouring ticks with the same action, where that is not NONE.

    Args:
        actions: [n] an `Action` each.
        offsets: [n] their ticks within the block, in order; by default each tick of the block in turn.

    Returns:
        [k, SIGNAL] for each stretch the offset of its first tick and the one past its last, its action, and the row of the
        next stretch with another action.
    """
    signals = np.empty((len(actions), SIGNAL), np.int64)
    count = signals_nb(actions, _EACH if offsets is None else offsets, signals)
    return read_only(signals[:count])
