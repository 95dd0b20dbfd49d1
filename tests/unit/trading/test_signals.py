"""Signals: the stretches of equal actions are the actions."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from finiex_ray.trading.signals import make_signals


@given(st.lists(st.sampled_from([-1, 0, 1, 2]), max_size=60), st.data())
def test_stretches_hold_every_action_and_name_the_next_other_one(actions: list[int], data: st.DataObject) -> None:
    count = len(actions)
    places = st.lists(st.integers(0, 80), unique=True, min_size=count, max_size=count).map(sorted)
    offsets = data.draw(st.one_of(st.none(), places))
    ticks = range(count) if offsets is None else offsets
    signals = make_signals(np.array(actions, np.int8), None if offsets is None else np.array(offsets, np.int64))
    held = {tick: action for first, past, action, _ in signals.tolist() for tick in range(first, past)}
    assert held == {tick: action for tick, action in zip(ticks, actions, strict=True) if action != 0}
    for row, (_, past, action, turn) in enumerate(signals.tolist()):
        others = [later for later in range(row + 1, len(signals)) if signals[later, 2] != action]
        assert turn == (others[0] if others else len(signals))
        if row + 1 < len(signals):  # stretches are as long as they can be
            assert past < signals[row + 1, 0] or action != signals[row + 1, 2]
