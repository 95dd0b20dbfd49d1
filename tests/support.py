"""A slow, plain-Python maker of blocks (rules R13, R14): oracle of the bar renderer, market of the worker tests."""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from finiex_ray.bars.block import NO_EXTREMES, BarBlock, Block, FormingBars
from finiex_ray.config.models import BarPrice
from finiex_ray.core.market import BarSeries, Quotes, TickSegment, freeze, read_only
from finiex_ray.core.time import NS_PER_DAY, NS_PER_S, Timeframe

POINT = 1e-05


def segment(rows: list[tuple[int, int, int]]) -> TickSegment:
    """A segment from (time_ns, bid_points, ask_points)."""
    times, bids, asks = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    return freeze(TickSegment(times, bids, asks, np.zeros(len(rows))))


def random_ticks(count: int, seed: int = 1, *, mean_gap_s: float = 2.0, step_points: int = 12) -> TickSegment:
    """A seeded random walk: uneven times with repeats and long gaps, flat stretches, spreads from 0 to 9 points."""
    draw = random.Random(seed)
    time_ns, bid, rows = 19_000 * NS_PER_DAY + 5 * NS_PER_S, 138_710, []
    for number in range(count):
        gap = draw.choice((0.0, 1.0, 1.0, 2.0)) * mean_gap_s
        time_ns += int((gap if draw.random() > 0.01 else 200 * mean_gap_s) * NS_PER_S * draw.random())
        if number % 400 > 60:  # the first 60 of each 400 ticks do not move
            bid += draw.randint(-step_points, step_points)
        rows.append((time_ns, bid, bid + draw.randint(0, 9)))
    return segment(rows)


def make_bars(time_ns: list[int], price_hp: list[int], width_ns: int) -> list[list[int]]:
    """Bars as [start, open, high, low, close, count]; the last one is the forming one."""
    bars: list[list[int]] = []
    for moment, price in zip(time_ns, price_hp, strict=True):
        start = moment - moment % width_ns
        if not bars or bars[-1][0] != start:
            bars.append([start, price, price, price, price, 0])
        bar = bars[-1]
        bar[2], bar[3], bar[4], bar[5] = max(bar[2], price), min(bar[3], price), price, bar[5] + 1
    return bars


def make_blocks(
    ticks: TickSegment, start: int, warmup: Mapping[Timeframe, int], block_ticks: int, point: float = POINT
) -> list[Block]:
    """Blocks of the scenario that begins at tick ``start``; the ticks before it give warm-up and forming bars.

    Args:
        ticks: All ticks, those before the scenario too.
        start: Index of the scenario's first tick.
        warmup: Closed bars to give, by timeframe.
        block_ticks: Most ticks of a block.
        point: Price of one point.
    """
    total = len(ticks.time_ns)
    return [
        _block(ticks, start, first, min(first + block_ticks, total), warmup, point)
        for first in range(start, total, block_ticks)
    ]


def _block(
    ticks: TickSegment, start: int, first: int, last: int, warmup: Mapping[Timeframe, int], point: float
) -> Block:
    price_hp = ticks.bid_points + ticks.ask_points
    return Block(
        first_tick=first - start,
        quotes=Quotes(*map(read_only, ticks[:3]), NO_EXTREMES),
        offset=first,
        ticks=last - first,
        bar_price=BarPrice.MID,
        point=point,
        bars={
            timeframe: _bar_block(ticks.time_ns.tolist(), price_hp.tolist(), start, first, last, timeframe, bars)
            for timeframe, bars in warmup.items()
        },
    )


def _bar_block(
    time_ns: list[int], price_hp: list[int], start: int, first: int, last: int, timeframe: Timeframe, bars: int
) -> BarBlock:
    width = timeframe.ns
    ended = sum(
        bar[0] + width <= time_ns[start] for bar in make_bars(time_ns[: start + 1], price_hp[: start + 1], width)
    )
    if ended < bars:
        raise ValueError(f"only {ended} bars of {timeframe} ended before the start, {bars} were asked for")
    skip = ended - bars
    span_first, span_closed, forming = [], [], []
    all_bars = make_bars(time_ns[:first], price_hp[:first], width) if first else []
    for i in range(first, last):
        period = time_ns[i] - time_ns[i] % width
        if not all_bars or all_bars[-1][0] != period:
            all_bars.append([period, price_hp[i], price_hp[i], price_hp[i], price_hp[i], 0])
        bar = all_bars[-1]
        bar[2:] = [max(bar[2], price_hp[i]), min(bar[3], price_hp[i]), price_hp[i], bar[5] + 1]
        forming.append(bar[1:4])
        closed = len(all_bars) - 1 - skip
        if not span_closed or span_closed[-1] != closed:
            span_first.append(i - first)
            span_closed.append(closed)
    columns = np.array(all_bars[skip:-1], dtype=np.int64).reshape(-1, 6).T
    opened, high, low = np.array(forming, dtype=np.int64).T
    return BarBlock(
        timeframe=timeframe,
        history=freeze(BarSeries(*columns)),
        span_first=read_only(np.array([*span_first, last - first], dtype=np.int64)),
        span_closed=read_only(np.array(span_closed, dtype=np.int64)),
        render_forming=lambda: FormingBars(read_only(opened), read_only(high), read_only(low)),
    )


def bars_as_ticks(bars: BarSeries, timeframe: Timeframe, *, closed: bool, point: float = POINT) -> Block:
    """A block with a tick for each bar, which is the bar's last: it speaks for the bar as it closes.

    Args:
        bars: The bars.
        timeframe: Their timeframe.
        closed: True: the bar itself has closed (as for the first tick after it). False: it is forming.
        point: Price of one point.
    """
    count = len(bars.start_ns)
    price = read_only(bars.close_hp)
    block = BarBlock(
        timeframe=timeframe,
        history=bars,
        span_first=read_only(np.arange(count + 1)),
        span_closed=read_only(np.arange(count) + int(closed)),
        render_forming=lambda: FormingBars(bars.open_hp, bars.high_hp, bars.low_hp),
    )
    low = read_only(price // 2)  # bid and ask whose sum is the close
    quotes = Quotes(bars.start_ns, low, read_only(price - low), NO_EXTREMES)
    return Block(0, quotes, 0, count, BarPrice.MID, point, {timeframe: block})


def series_of(ticks: TickSegment, timeframe: Timeframe) -> BarSeries:
    """All bars of the ticks, the last one as it stands."""
    prices = (ticks.bid_points + ticks.ask_points).tolist()
    bars = make_bars(ticks.time_ns.tolist(), prices, timeframe.ns)
    return freeze(BarSeries(*np.array(bars, dtype=np.int64).T))


def scramble_after(ticks: TickSegment, keep: int, seed: int = 5) -> TickSegment:
    """The same first ``keep`` ticks, then another future: other times, other prices."""
    other = random_ticks(len(ticks.time_ns) - keep, seed, step_points=90)
    shift = int(ticks.time_ns[keep - 1]) - int(other.time_ns[0]) + NS_PER_S
    columns = [
        np.concatenate([mine[:keep], theirs + (shift if name == "time_ns" else 0)])
        for name, mine, theirs in zip(ticks._fields, ticks, other, strict=True)
    ]
    assert all(a <= b for a, b in pairwise(columns[0].tolist()))
    return freeze(TickSegment(*columns))
