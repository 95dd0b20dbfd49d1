"""Windows of years, day by day: a sequence of segments that holds two of them at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, overload

from finiex_ray.bars.window import MarketWindow
from finiex_ray.core.market import TickSegment

__all__ = ["STREAM_TICKS", "TICK_BYTES", "SegmentStream", "StreamedWindow", "is_long", "make_window"]

TICK_BYTES: Final = 32
STREAM_TICKS: Final = 8_000_000  # a longer window is streamed: a scenario holds 256 MB of ticks at most
_KEPT: Final = 2  # the day that is run, and the one before it, of which blocks may still speak

Load = Callable[[], TickSegment]


class SegmentStream(Sequence[TickSegment]):
    """Segments that are loaded when they are asked for; walk over them in order.

    Args:
        loads: For each segment what loads it.
    """

    def __init__(self, loads: Sequence[Load]) -> None:
        self._loads = loads
        self._kept: OrderedDict[int, TickSegment] = OrderedDict()

    def __len__(self) -> int:
        return len(self._loads)

    @overload
    def __getitem__(self, index: int) -> TickSegment: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[TickSegment]: ...

    def __getitem__(self, index: int | slice) -> TickSegment | Sequence[TickSegment]:
        if isinstance(index, slice):
            return SegmentStream(self._loads[index])
        place = range(len(self._loads))[index]
        if place not in self._kept:
            while len(self._kept) >= _KEPT:
                self._kept.popitem(last=False)
            self._kept[place] = self._loads[place]()
        return self._kept[place]


@dataclass(frozen=True)
class StreamedWindow(MarketWindow):
    """A window whose number of ticks is known without loading them."""

    total: int = 0

    @cached_property
    def ticks(self) -> int:
        """Ticks of the scenario."""
        return self.total


def is_long(ticks: int) -> bool:
    """Whether a window of so many ticks is streamed."""
    return ticks > STREAM_TICKS


def make_window(
    ticks: int, segments: Sequence[Load], conversion: Sequence[Load], *, stream: bool, **fields: Any
) -> MarketWindow:
    """A window whose segments are loaded now, or as they are needed.

    Args:
        ticks: Ticks of the scenario.
        stream: Load each segment when it is needed.
        segments: What loads each segment.
        conversion: What loads each segment of the conversion pair.
        **fields: The other fields of a `MarketWindow`.
    """
    if stream:
        return StreamedWindow(
            segments=SegmentStream(segments), conversion=SegmentStream(conversion), total=ticks, **fields
        )
    loaded, rates = (tuple(load() for load in loads) for loads in (segments, conversion))
    return MarketWindow(segments=loaded, conversion=rates, **fields)
