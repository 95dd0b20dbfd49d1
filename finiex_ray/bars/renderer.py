"""`BarRenderer`: turns a market window into blocks, with the bars of every timeframe in use (rules R13, R14)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import partial

import numpy as np

from finiex_ray.bars.block import BarBlock, Block, FormingBars
from finiex_ray.bars.window import MarketWindow
from finiex_ray.config.models import BarPrice
from finiex_ray.core.market import BarSeries, IntArray, TickSegment, freeze, read_only
from finiex_ray.core.time import Timeframe
from finiex_ray.kernels.bars import EMPTY, FORMING_FIELDS, forming_nb, render_nb

__all__ = ["BarRenderer", "bar_price_hp", "bars_of_day"]


def bar_price_hp(segment: TickSegment, price: BarPrice, first: int, last: int) -> IntArray:
    """The price that bars are made of, in half points, of the ticks from ``first`` to ``last`` (exclusive)."""
    bid, ask = segment.bid_points[first:last], segment.ask_points[first:last]
    if price is BarPrice.MID:
        return read_only(bid + ask)
    return read_only((bid if price is BarPrice.BID else ask) * 2)


def bars_of_day(segment: TickSegment, timeframe: Timeframe, price: BarPrice) -> BarSeries:
    """All bars of one UTC day, the last one as it stood at the day's last tick (no bar spans two days)."""
    track = _Track(timeframe, None, None)
    ticks = len(segment.time_ns)
    if ticks:
        track.take(segment.time_ns, bar_price_hp(segment, price, 0, ticks))
        track.close_forming()
    return track.closed_bars()


def _empty_series(capacity: int) -> BarSeries:
    return BarSeries(*(np.zeros(capacity, np.int64) for _ in BarSeries._fields))


class _Track:
    """The bars of one timeframe: closed ones in growing columns, and the forming one."""

    def __init__(self, timeframe: Timeframe, warmup: BarSeries | None, bars: int | None) -> None:
        self.timeframe = timeframe
        self.width_ns = timeframe.ns
        self.forming = np.full(FORMING_FIELDS, EMPTY, np.int64)
        kept = BarSeries(*(column[-bars:] for column in warmup)) if warmup is not None and bars else _empty_series(0)
        self.closed = len(kept.start_ns)
        self.columns = BarSeries(*(np.concatenate([column, np.zeros(256, np.int64)]) for column in kept))

    def take(self, time_ns: IntArray, price_hp: IntArray) -> BarBlock:
        """Takes a block's ticks into the bars and shows them as they stood."""
        # A span per period at most, and never more than ticks.
        room = min(len(time_ns), int(time_ns[-1] - time_ns[0]) // self.width_ns + 2)
        if self.closed + room > len(self.columns.start_ns):
            self.columns = BarSeries(*(np.concatenate([c, np.zeros(len(c) + room, np.int64)]) for c in self.columns))
        before = self.forming.copy()
        span_first, span_closed = np.empty(room + 1, np.int64), np.empty(room, np.int64)
        spans, self.closed = render_nb(
            time_ns, price_hp, self.width_ns, self.forming, self.columns, self.closed, span_first, span_closed
        )
        first = read_only(span_first[: spans + 1])
        return BarBlock(
            timeframe=self.timeframe,
            history=self.closed_bars(),
            span_first=first,
            span_closed=read_only(span_closed[:spans]),
            render_forming=partial(_render_forming, time_ns, price_hp, self.width_ns, before, first),
        )

    def close_forming(self) -> None:
        """Closes the forming bar where it stands."""
        for column, value in zip(self.columns, self.forming, strict=True):
            column[self.closed] = value
        self.closed += 1
        self.forming[:] = EMPTY

    def closed_bars(self) -> BarSeries:
        """The closed bars so far, read-only."""
        return freeze(BarSeries(*(column[: self.closed] for column in self.columns)))


def _render_forming(
    time_ns: IntArray, price_hp: IntArray, width_ns: int, before: IntArray, span_first: IntArray
) -> FormingBars:
    opened, high, low = (np.empty(len(time_ns), np.int64) for _ in range(3))
    forming_nb(time_ns, price_hp, width_ns, before, span_first, opened, high, low)
    return FormingBars(read_only(opened), read_only(high), read_only(low))


class BarRenderer:
    """Walks over a window block by block and renders the bars of every timeframe in use.

    Args:
        window: Ticks and warm-up bars.
        warmup_bars: For each timeframe in use, how many of the warm-up bars belong to its history.
        block_ticks: Most ticks of a block. Changes no value of any bar.
    """

    def __init__(self, window: MarketWindow, warmup_bars: Mapping[Timeframe, int], block_ticks: int) -> None:
        self._window = window
        self._block_ticks = block_ticks
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
                prices = bar_price_hp(segment, self._window.bar_price, first, before)
                track.take(segment.time_ns[first:before], prices)

    def spans(self) -> Iterator[tuple[TickSegment, int, int]]:
        """The blocks to come as (segment, first, last); no block spans two segments."""
        segments = self._window.segments
        for number, segment in enumerate(segments):
            first = self._window.first if number == 0 else 0
            end = self._window.last if number == len(segments) - 1 else len(segment.time_ns)
            for start in range(first, end, self._block_ticks):
                yield segment, start, min(start + self._block_ticks, end)

    def render(self, segment: TickSegment, first: int, last: int, first_tick: int) -> Block:
        """Renders the bars of one block; blocks must come in order.

        Args:
            segment: The segment that holds the block.
            first: Offset of the block's first tick in the segment.
            last: Offset past its last tick.
            first_tick: Index of the block's first tick within the scenario.
        """
        time_ns = segment.time_ns[first:last]
        price_hp = bar_price_hp(segment, self._window.bar_price, first, last)
        return Block(
            first_tick=first_tick,
            time_ns=time_ns,
            bid_points=segment.bid_points[first:last],
            ask_points=segment.ask_points[first:last],
            price_hp=price_hp,
            point=float(Decimal(1).scaleb(-self._window.digits)),
            bars={track.timeframe: track.take(time_ns, price_hp) for track in self._tracks},
        )

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

    def blocks(self) -> Iterable[Block]:
        """All blocks of the window, in order."""
        tick = 0
        for segment, first, last in self.spans():
            yield self.render(segment, first, last, tick)
            tick += last - first
