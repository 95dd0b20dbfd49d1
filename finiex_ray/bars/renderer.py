"""`BarRenderer`: turns a market window into blocks, with the bars of every timeframe in use (rules R13, R14)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from finiex_ray.bars.block import NO_EXTREMES, BarBlock, Block, FormingBars, price_columns
from finiex_ray.bars.window import MarketWindow, make_extremes
from finiex_ray.config.models import BarPrice
from finiex_ray.core.market import BarSeries, IntArray, Quotes, TickSegment, read_only
from finiex_ray.core.money import point_of
from finiex_ray.core.time import Timeframe
from finiex_ray.kernels.bars import EMPTY, FORMING_FIELDS, forming_nb, render_nb

__all__ = ["BarRenderer", "bars_of_day"]

_ROOM = 256  # bars that a track has room for at first, besides the warm-up


def bars_of_day(segment: TickSegment, timeframe: Timeframe, price: BarPrice) -> BarSeries:
    """All bars of one UTC day, the last one as it stood at the day's last tick (no bar spans two days)."""
    track = _Track(timeframe, None, None)
    ticks = len(segment.time_ns)
    if ticks:
        track.take(Block(0, _quotes(segment, NO_EXTREMES), 0, ticks, price, 1.0, {}))
        track.close_forming()
    return track.closed_bars()


def _quotes(segment: TickSegment, extremes: IntArray) -> Quotes:
    return Quotes(segment.time_ns, segment.bid_points, segment.ask_points, extremes)


class _Track:
    """The bars of one timeframe: closed ones in growing columns, and the forming one."""

    def __init__(self, timeframe: Timeframe, warmup: BarSeries | None, bars: int | None) -> None:
        self.timeframe = timeframe
        self.width_ns = timeframe.ns
        self.forming = np.full(FORMING_FIELDS, EMPTY, np.int64)
        kept = len(warmup.start_ns[-bars:]) if warmup is not None and bars else 0
        self.closed = kept
        self.columns = np.zeros((len(BarSeries._fields), kept + _ROOM), np.int64)
        if warmup is not None and kept:
            for row, column in zip(self.columns, warmup, strict=True):
                row[:kept] = column[-kept:]

    def take(self, block: Block) -> BarBlock:
        """Takes a block's ticks into the bars and shows them as they stood."""
        quotes, first, last = block.quotes, block.offset, block.offset + block.ticks
        # A span per period at most, and never more than ticks.
        room = min(len(block), int(quotes.time_ns[last - 1] - quotes.time_ns[first]) // self.width_ns + 2)
        if self.closed + room > self.columns.shape[1]:
            columns = np.zeros((len(self.columns), 2 * self.closed + room), np.int64)
            columns[:, : self.closed] = self.columns[:, : self.closed]
            self.columns = columns
        before = self.forming.copy()
        span_first, span_closed = np.empty(room + 1, np.int64), np.empty(room, np.int64)
        spans, self.closed = render_nb(
            quotes.time_ns,
            quotes.extremes,
            *price_columns(quotes, block.bar_price),
            first,
            last,
            self.width_ns,
            self.forming,
            self.columns,
            self.closed,
            span_first,
            span_closed,
        )
        seen = read_only(span_first[: spans + 1])
        return BarBlock(
            timeframe=self.timeframe,
            history=self.closed_bars(),
            span_first=seen,
            span_closed=read_only(span_closed[:spans]),
            render_forming=partial(_render_forming, block, self.width_ns, before, seen),
        )

    def close_forming(self) -> None:
        """Closes the forming bar where it stands."""
        self.columns[:, self.closed] = self.forming
        self.closed += 1
        self.forming[:] = EMPTY

    def closed_bars(self) -> BarSeries:
        """The closed bars so far, read-only."""
        closed = self.columns[:, : self.closed]
        closed.setflags(write=False)
        return BarSeries(*closed)


def _render_forming(block: Block, width_ns: int, before: IntArray, span_first: IntArray) -> FormingBars:
    opened, high, low = (np.empty(len(block), np.int64) for _ in range(3))
    forming_nb(block.time_ns, block.price_hp, width_ns, before, span_first, opened, high, low)
    return FormingBars(read_only(opened), read_only(high), read_only(low))


class BarRenderer:
    """Walks over a window block by block and renders the bars of every timeframe in use.

    Args:
        window: Ticks and warm-up bars.
        warmup_bars: For each timeframe in use, how many of the warm-up bars belong to its history.
        runs: Whether extremes of runs are made and used. Changes no value of any bar.
    """

    def __init__(self, window: MarketWindow, warmup_bars: Mapping[Timeframe, int], *, runs: bool = True) -> None:
        self._window = window
        self._runs = runs
        self._quotes: tuple[int, Quotes] = (-1, Quotes(*(NO_EXTREMES,) * 4))
        self._point = point_of(window.digits)
        self._tracks = [
            _Track(timeframe, window.warmup.get(timeframe), bars) for timeframe, bars in warmup_bars.items()
        ]
        self._prime()

    def _prime(self) -> None:
        """Gives each forming bar the ticks of its period that lie before the start (rule R13)."""
        segment = self._window.segments[0]
        before = int(np.searchsorted(segment.time_ns, self._window.start_ns))
        for track in self._tracks:
            period = self._window.start_ns // track.width_ns * track.width_ns
            first = int(np.searchsorted(segment.time_ns, period))
            if first < before:
                track.take(self._block(0, first, before, 0))

    @property
    def segments(self) -> Sequence[TickSegment]:
        """The segments of the window."""
        return self._window.segments

    def spans(self, block_ticks: int) -> Iterator[tuple[int, int, int]]:
        """The blocks to come as (number of the segment, first, last); no block spans two segments."""
        segments = self._window.segments
        for number, segment in enumerate(segments):
            first = self._window.first if number == 0 else 0
            end = self._window.last if number == len(segments) - 1 else len(segment.time_ns)
            for start in range(first, end, block_ticks):
                yield number, start, min(start + block_ticks, end)

    def render(self, number: int, first: int, last: int, first_tick: int) -> Block:
        """Renders the bars of one block; blocks must come in order.

        Args:
            number: Number of the segment that holds the block.
            first: Offset of the block's first tick in the segment.
            last: Offset past its last tick.
            first_tick: Index of the block's first tick within the scenario.
        """
        bare = self._block(number, first, last, first_tick)
        return replace(bare, bars={track.timeframe: track.take(bare) for track in self._tracks})

    def _block(self, number: int, first: int, last: int, first_tick: int) -> Block:
        """A block without bars."""
        window = self._window
        if number != self._quotes[0]:
            segment, extremes = window.segments[number], NO_EXTREMES
            if self._runs:
                extremes = window.extremes[number] if window.extremes else make_extremes(segment)
            self._quotes = number, _quotes(segment, extremes)
        return Block(first_tick, self._quotes[1], first, last - first, window.bar_price, self._point, {})

    def forming(self) -> dict[Timeframe, tuple[int, int, int, int]]:
        """Open, high, low and close of each forming bar in half points, for the live display."""
        return {
            track.timeframe: (
                int(track.forming[1]),
                int(track.forming[2]),
                int(track.forming[3]),
                int(track.forming[4]),
            )
            for track in self._tracks
            if track.forming[0] != EMPTY
        }

    def blocks(self, block_ticks: int) -> Iterator[Block]:
        """All blocks of the window, in order."""
        tick = 0
        for number, first, last in self.spans(block_ticks):
            yield self.render(number, first, last, tick)
            tick += last - first
