"""A block: a run of consecutive ticks of one scenario, with the bars as they stood at each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from finiex_ray.config.models import BarPrice
from finiex_ray.core.market import BarSeries, FloatArray, IntArray, Quotes, read_only
from finiex_ray.core.time import Timeframe
from finiex_ray.kernels.runs import ASK_EXTREMES, BID_EXTREMES, EXTREMES, MID_EXTREMES

__all__ = ["NO_EXTREMES", "BarBlock", "Block", "FormingBars", "price_columns"]

NO_EXTREMES = read_only(np.empty((0, EXTREMES), np.int64))


@dataclass(frozen=True)
class FormingBars:
    """The forming bar of one timeframe as it stood at each tick of a block (its close is the tick's own price)."""

    open_hp: IntArray  # [n] half points
    high_hp: IntArray  # [n] half points
    low_hp: IntArray  # [n] half points


@dataclass(frozen=True)
class BarBlock:
    """One timeframe's bars around the ticks of a block.

    Ticks are grouped into *spans*: within a span the same bar is forming. Span ``j`` covers the block's ticks
    ``span_first[j]`` to ``span_first[j + 1]`` (exclusive), and ``span_closed[j]`` bars of ``history`` had closed by then.
    A worker reads no bar of ``history`` at or past ``span_closed[j]`` while it computes for span ``j``: later bars closed
    later in the block.
    """

    timeframe: Timeframe
    history: BarSeries  # closed bars, warm-up bars first, up to the end of the block
    span_first: IntArray  # [k + 1] tick offsets within the block; the last one is the block's length
    span_closed: IntArray  # [k] closed bars during the span
    render_forming: Callable[[], FormingBars]

    @cached_property
    def forming(self) -> FormingBars:
        """Open, high and low of the forming bar at each tick; rendered when first asked for."""
        return self.render_forming()

    def head(self, ticks: int) -> BarBlock:
        """The bars around the block's first ``ticks`` ticks."""
        spans = int(np.searchsorted(self.span_first[:-1], ticks))
        first = np.append(self.span_first[:spans], ticks)
        forming = self.forming
        return replace(
            self,
            span_first=read_only(first),
            span_closed=self.span_closed[:spans],
            render_forming=lambda: FormingBars(
                forming.open_hp[:ticks], forming.high_hp[:ticks], forming.low_hp[:ticks]
            ),
        )

    def at(self, offsets: IntArray) -> BarBlock:
        """The bars around the ticks at some offsets; spans without any are left out."""
        first = np.searchsorted(offsets, self.span_first)
        kept = first[1:] > first[:-1]
        return replace(
            self,
            span_first=read_only(np.append(first[:-1][kept], len(offsets))),
            span_closed=read_only(self.span_closed[kept]),
            render_forming=partial(_forming_at, self, offsets),
        )

    def without_first(self, bars: int) -> BarBlock:
        """The same bars without the ``bars`` oldest ones."""
        if bars == 0:
            return self
        history = BarSeries(*(column[bars:] for column in self.history))
        return replace(self, history=history, span_closed=read_only(self.span_closed - bars))


def _forming_at(bars: BarBlock, offsets: IntArray) -> FormingBars:
    forming = bars.forming
    return FormingBars(
        read_only(forming.open_hp[offsets]), read_only(forming.high_hp[offsets]), read_only(forming.low_hp[offsets])
    )


@dataclass(frozen=True)
class Block:
    """Consecutive ticks of one scenario. All arrays have one entry a tick and are read-only."""

    first_tick: int  # index of the first tick within the scenario
    quotes: Quotes  # columns of the segment that holds the block
    offset: int  # offset of the first tick in the segment
    ticks: int
    bar_price: BarPrice
    point: float  # price of one point, for example 1e-05
    bars: Mapping[Timeframe, BarBlock]

    def __len__(self) -> int:
        return self.ticks

    @cached_property
    def time_ns(self) -> IntArray:
        """[n] ns, UTC."""
        return self.quotes.time_ns[self.offset : self.offset + self.ticks]

    @cached_property
    def bid_points(self) -> IntArray:
        """[n] points."""
        return self.quotes.bid_points[self.offset : self.offset + self.ticks]

    @cached_property
    def ask_points(self) -> IntArray:
        """[n] points."""
        return self.quotes.ask_points[self.offset : self.offset + self.ticks]

    @cached_property
    def price_hp(self) -> IntArray:
        """[n] half points, of the price that bars are made of (mid unless configured otherwise)."""
        left, right, _ = price_columns(self.quotes, self.bar_price)
        part = slice(self.offset, self.offset + self.ticks)
        return read_only(left[part] + right[part])

    @property
    def half_point(self) -> float:
        """Price of one half point: ``price = half_points * half_point``."""
        return self.point / 2.0

    @cached_property
    def price(self) -> FloatArray:
        """The bar price at each tick, in units of the quote currency."""
        return read_only(self.price_hp * np.float64(self.half_point))

    def head(self, ticks: int) -> Block:
        """The first ``ticks`` ticks of this block, for a run that ends inside it."""
        return replace(self, ticks=ticks, bars={timeframe: bars.head(ticks) for timeframe, bars in self.bars.items()})

    def without_first(self, bars: Mapping[Timeframe, int]) -> Block:
        """The same block with the oldest bars of each timeframe left out: what a worker with a shorter warm-up sees."""
        kept = {timeframe: each.without_first(bars.get(timeframe, 0)) for timeframe, each in self.bars.items()}
        return replace(self, bars=kept)

    def at(self, offsets: IntArray) -> Block:
        """The ticks at some offsets alone, in order of time, with the bars as they stood."""
        places = offsets + self.offset
        time_ns, bid, ask = (read_only(column[places]) for column in self.quotes[:3])
        return replace(
            self,
            quotes=Quotes(time_ns, bid, ask, NO_EXTREMES),
            offset=0,
            ticks=len(offsets),
            bars={timeframe: bars.at(offsets) for timeframe, bars in self.bars.items()},
        )


def price_columns(quotes: Quotes, price: BarPrice) -> tuple[IntArray, IntArray, int]:
    """Two columns whose sum is the bar price in half points, and the first of its two columns in ``extremes``."""
    bid, ask = quotes.bid_points, quotes.ask_points
    return {
        BarPrice.MID: (bid, ask, MID_EXTREMES),
        BarPrice.BID: (bid, bid, BID_EXTREMES),
        BarPrice.ASK: (ask, ask, ASK_EXTREMES),
    }[price]
