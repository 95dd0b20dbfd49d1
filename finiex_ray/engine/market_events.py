"""What the market tells a logic: closed bars and gaps between sessions, each at the first tick that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter

import numpy as np

from finiex_ray.bars.block import Block
from finiex_ray.core.enums import EventKind, Wake
from finiex_ray.core.time import NS_PER_S, Timeframe
from finiex_ray.trading.views import Event

__all__ = ["MarketEvents"]

_WAKES = {EventKind.BAR_CLOSED: Wake.BAR, EventKind.SESSION_GAP: Wake.GAP}


class MarketEvents:
    """The market events of one scenario, found block by block and handed over wake-up by wake-up.

    Args:
        warmup: Closed bars that each timeframe in use begins with.
        wake_on: What the logic wants to be called for.
        session_gap_s: Simulated seconds without a tick from which on it is a gap.
    """

    def __init__(self, warmup: Mapping[Timeframe, int], wake_on: Wake, session_gap_s: float) -> None:
        self._closed = dict(warmup)
        self._wake_on = wake_on
        self._gap_ns = session_gap_s * NS_PER_S
        self._last_ns: int | None = None
        self._untold: list[Event] = []
        self._told = 0

    def enter(self, block: Block) -> dict[int, Wake]:
        """Looks through a block that is about to be run; returns the offsets at which the logic is to be called, and why."""
        found = sorted([*self._gaps(block), *self._bars(block)], key=attrgetter("tick"))
        self._untold = [*self._untold[self._told :], *found]
        self._told = 0
        wakes: dict[int, Wake] = {}
        for event in found:
            wake = _WAKES[event.kind] & self._wake_on
            if wake:
                offset = event.tick - block.first_tick
                wakes[offset] = wakes.get(offset, Wake.NONE) | wake
        return wakes

    @property
    def ahead(self) -> int | None:
        """The tick of the next event that has not been handed over."""
        return self._untold[self._told].tick if self._told < len(self._untold) else None

    def until(self, tick: int) -> list[Event]:
        """What has happened up to and including a tick and was not handed over before."""
        first = self._told
        while self._told < len(self._untold) and self._untold[self._told].tick <= tick:
            self._told += 1
        return self._untold[first : self._told]

    def _gaps(self, block: Block) -> list[Event]:
        before = block.time_ns[0] if self._last_ns is None else self._last_ns
        pauses = np.diff(block.time_ns, prepend=before)
        self._last_ns = int(block.time_ns[-1])
        return [
            Event(
                EventKind.SESSION_GAP,
                block.first_tick + offset,
                int(block.time_ns[offset]),
                gap_s=int(pauses[offset]) / NS_PER_S,
            )
            for offset in np.flatnonzero(pauses >= self._gap_ns).tolist()
        ]

    def _bars(self, block: Block) -> list[Event]:
        events = []
        for timeframe, bars in block.bars.items():
            closed = np.concatenate([[self._closed[timeframe]], bars.span_closed])
            self._closed[timeframe] = int(bars.span_closed[-1])
            events += [
                Event(EventKind.BAR_CLOSED, block.first_tick + offset, int(block.time_ns[offset]), timeframe=timeframe)
                for offset in bars.span_first[:-1][np.diff(closed) > 0].tolist()
                if offset < len(block)
            ]
        return events
