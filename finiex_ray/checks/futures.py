"""Other futures for a window: the ticks up to a moment as they were, and after it something very different, or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from finiex_ray.bars.window import MarketWindow
from finiex_ray.core.market import IntArray, TickSegment, freeze
from finiex_ray.core.time import NS_PER_DAY, NS_PER_MS
from finiex_ray.data.segments import concat_segments, take

__all__ = ["cut_after", "scrambled_after"]

_LEAST_JUMP, _JUMP_SHARE = 100, 50  # points; a fiftieth of the price
_LEAST_STEP, _STEP_SHARE = 5, 4_000


class _Place(NamedTuple):
    segment: int
    offset: int  # within the segment


def _locate(window: MarketWindow, tick: int) -> _Place:
    """Where a tick of the scenario is."""
    offset = window.first + tick
    for number, segment in enumerate(window.segments[:-1]):
        if offset < len(segment.time_ns):
            return _Place(number, offset)
        offset -= len(segment.time_ns)
    return _Place(len(window.segments) - 1, offset)


def cut_after(window: MarketWindow, tick: int) -> MarketWindow:
    """The window as it would be if the data ended with ``tick``; what lies behind is not even in memory."""
    number, offset = _locate(window, tick)
    kept = take(window.segments[number], np.arange(offset + 1))  # a copy: a view would lead to the rest
    return replace(window, segments=(*window.segments[:number], freeze(kept)), last=offset + 1, extremes=())


def scrambled_after(
    window: MarketWindow, tick: int, past: int, rng: np.random.Generator, *, upwards: bool
) -> MarketWindow:
    """The window with another future after ``tick``: other times, prices, spreads and volumes.

    Every later price lies above (or below) the last true one by a jump that no quiet market makes, so that a strategy
    that asks only where the price goes from here gets another answer in one of the two.

    Args:
        window: The true window; warm-up bars and the ticks before the start stay.
        tick: Index of the last true tick within the scenario.
        past: Where the new window ends: index past its last tick, in the segment (UTC day) of ``tick``.
        rng: Draws the future.
        upwards: Whether it lies above the last true price, and in haste, or below it, and slow.
    """
    number, offset = _locate(window, tick)
    segment = window.segments[number]
    kept, count = offset + 1, len(segment.time_ns) - offset - 1
    bid = _walk(int(segment.bid_points[offset]), count, rng, upwards=upwards)
    spread = rng.integers(0, 20 + 10 * max(1, int(np.median(segment.ask_points - segment.bid_points))), count)
    times = _times(segment.time_ns, offset, rng, hasty=upwards)
    volume = np.asarray(rng.integers(1, 1_000, count) * 0.5, dtype=np.float64)
    true = take(segment, slice(0, kept))
    scrambled = concat_segments([true, TickSegment(times, bid, bid + spread, volume)])
    return replace(window, segments=(*window.segments[:number], scrambled), last=offset + past - tick, extremes=())


def _walk(last: int, count: int, rng: np.random.Generator, *, upwards: bool) -> IntArray:
    """Prices that jump away from ``last``, wander wildly and never come back."""
    jump = max(_LEAST_JUMP, abs(last) // _JUMP_SHARE)
    step = max(_LEAST_STEP, abs(last) // _STEP_SHARE)
    width = 20 * jump
    far = np.cumsum(rng.integers(-step, step + 1, count)) % (2 * width)
    away = jump + width - np.abs(far - width)
    # Downwards a price that is above zero stays there: it loses at most half of itself.
    if not upwards and last > 0:
        return np.asarray(np.maximum(1, last - jump - (last - jump) * away // (2 * (width + jump))), dtype=np.int64)
    return np.asarray(last + away if upwards else last - away, dtype=np.int64)


def _times(time_ns: IntArray, offset: int, rng: np.random.Generator, *, hasty: bool) -> IntArray:
    """Later times: the true gaps in another order, stretched or squeezed, inside the UTC day."""
    gaps = rng.permutation(np.diff(time_ns[offset:]))
    gaps = gaps // 4 if hasty else gaps * 3
    gaps += rng.integers(0, 50, len(gaps)) * NS_PER_MS
    last = int(time_ns[offset])
    day_end = (last // NS_PER_DAY + 1) * NS_PER_DAY
    return np.asarray(np.minimum(last + np.cumsum(gaps), day_end - 1), dtype=np.int64)
