"""`RateReader`: the conversion pair's quotes as they were known at each tick of a scenario (rule R10)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from finiex_ray.core.market import IntArray, TickSegment, read_only

__all__ = ["RateReader"]

_NONE = read_only(np.empty((0, 2), np.int64))


class RateReader:
    """Looks up the latest quote of the pair at or before given times.

    Args:
        segments: Ticks of the conversion pair in order of time, from before the scenario's first tick on; none where no
            conversion is needed.
    """

    def __init__(self, segments: Sequence[TickSegment]) -> None:
        # Two at a time: there may be years of them.
        self._rest = (segment for segment in segments if len(segment.time_ns))
        self._current, self._next = next(self._rest, None), next(self._rest, None)

    def at(self, time_ns: IntArray) -> IntArray:
        """Bid and ask of the pair in its points at each time, [n, 2]; [0, 2] without a pair. Calls come in order of time."""
        if self._current is None:
            return _NONE
        rates = np.empty((len(time_ns), 2), np.int64)
        done = 0
        while done < len(time_ns):
            segment = self._current
            end = len(time_ns)
            if self._next is not None:
                end = int(np.searchsorted(time_ns, self._next.time_ns[0]))
            if end > done:
                # A time before the pair's first quote takes that quote; the plan sees to it that there is none.
                place = np.maximum(np.searchsorted(segment.time_ns, time_ns[done:end], side="right") - 1, 0)
                rates[done:end, 0], rates[done:end, 1] = segment.bid_points[place], segment.ask_points[place]
                done = end
            if done < len(time_ns) and self._next is not None:
                self._current, self._next = self._next, next(self._rest, None)
        return read_only(rates)
