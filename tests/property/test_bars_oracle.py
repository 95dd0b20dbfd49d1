"""The bar renderer against the slow one: random days, starts, warm-up, block sizes; what is seen at every tick."""

from __future__ import annotations

import itertools
from datetime import date

import numpy as np
from builders import BLOCK_SIZES, segment_of
from hypothesis import assume, given
from hypothesis import strategies as st
from oracle.bars import Bar, all_bars, seen_at

from finiex_ray.bars.renderer import BarRenderer, bars_of_day
from finiex_ray.bars.window import MarketWindow
from finiex_ray.config.models import BarPrice
from finiex_ray.core.market import BarSeries, TickSegment, freeze
from finiex_ray.core.time import NS_PER_DAY, NS_PER_S, Timeframe, day_start_ns
from finiex_ray.data.segments import empty_segment

DAY0 = day_start_ns(date(2025, 9, 22))
TIMEFRAMES = (Timeframe.S5, Timeframe.M1, Timeframe.H4, Timeframe.D1)
Row = tuple[int, int, int]

gaps = st.one_of(
    st.sampled_from([0, 0, 1, 5 * NS_PER_S, 60 * NS_PER_S]),
    st.integers(0, 20 * NS_PER_S),
    st.integers(0, 20 * 3_600 * NS_PER_S),
)
steps = st.lists(st.tuples(gaps, st.integers(-9, 9), st.integers(0, 6)), min_size=2, max_size=45)


def make_rows(spec: list[tuple[int, int, int]]) -> list[Row]:
    time_ns, bid, found = DAY0, 110_000, []
    for gap, move, spread in spec:
        time_ns, bid = time_ns + gap, bid + move
        found.append((time_ns, bid, bid + spread))
    return found


def price_of(row: Row, kind: BarPrice) -> int:
    return {BarPrice.MID: row[1] + row[2], BarPrice.BID: 2 * row[1], BarPrice.ASK: 2 * row[2]}[kind]


def _day(rows: list[Row], start_ns: int) -> TickSegment:
    inside = [row for row in rows if start_ns <= row[0] < start_ns + NS_PER_DAY]
    return segment_of(inside) if inside else empty_segment()


def _series(bars: list[Bar]) -> BarSeries:
    return freeze(BarSeries(*np.array(bars, np.int64).reshape(-1, 6).T))


def make_window(rows: list[Row], start_ns: int, count: int, price: BarPrice) -> MarketWindow:
    """The window of the ``count`` first ticks at or past the start, with every bar that ended before it."""
    times, prices = [row[0] for row in rows], [price_of(row, price) for row in rows]
    first = sum(moment < start_ns for moment in times)
    taken = rows[first : first + count]
    days = sorted({start_ns - start_ns % NS_PER_DAY, *(row[0] - row[0] % NS_PER_DAY for row in taken)})
    segments = tuple(_day(rows, day) for day in days)
    last_time_ns = taken[-1][0] - taken[-1][0] % NS_PER_DAY
    before_last_day = sum(moment < last_time_ns for moment in times)
    warmup = {
        timeframe: _series(
            [bar for bar in all_bars(times, prices, timeframe.ns) if bar.start_ns + timeframe.ns <= start_ns]
        )
        for timeframe in TIMEFRAMES
    }
    return MarketWindow(
        symbol="EURUSD",
        digits=5,
        bar_price=price,
        start_ns=start_ns,
        segments=segments,
        first=sum(moment < start_ns for moment in segments[0].time_ns.tolist()),
        last=first + len(taken) - before_last_day,
        warmup=warmup,
    )


@given(
    spec=steps,
    at=st.integers(0, 44),
    offset=st.sampled_from([0, 0, 1, -1, NS_PER_S, -NS_PER_S, 30 * NS_PER_S]),
    count=st.integers(1, 45),
    block_ticks=st.sampled_from(BLOCK_SIZES),
    price=st.sampled_from(list(BarPrice)),
    bars=st.integers(1, 4),
)
def test_what_is_seen_at_every_tick(
    spec: list[tuple[int, int, int]], at: int, offset: int, count: int, block_ticks: int, price: BarPrice, bars: int
) -> None:
    rows = make_rows(spec)
    start_ns = max(DAY0, rows[at % len(rows)][0] + offset)
    assume(rows[-1][0] >= start_ns)
    times, prices = [row[0] for row in rows], [price_of(row, price) for row in rows]
    first = sum(moment < start_ns for moment in times)
    window = make_window(rows, start_ns, count, price)
    needs = dict.fromkeys(TIMEFRAMES, bars)
    tick = first
    for block in BarRenderer(window, needs).blocks(block_ticks):
        assert block.first_tick == tick - first
        assert 0 < len(block) <= block_ticks
        assert block.price_hp.tolist() == prices[tick : tick + len(block)]
        for timeframe, found in block.bars.items():
            edges = found.span_first.tolist()
            assert edges[0] == 0
            assert edges[-1] == len(block)
            assert edges == sorted(set(edges))
            history = [Bar(*each) for each in zip(*(column.tolist() for column in found.history), strict=True)]
            for span, (begin, end) in enumerate(itertools.pairwise(edges)):
                for k in range(begin, end):
                    seen = seen_at(times, prices, tick + k, start_ns, timeframe.ns, bars)
                    assert history[: int(found.span_closed[span])] == seen.closed
                    forming = found.forming
                    assert (int(forming.open_hp[k]), int(forming.high_hp[k]), int(forming.low_hp[k])) == seen.forming[
                        1:4
                    ]
        tick += len(block)
    assert tick == min(len(rows), first + count)
    assert window.ticks == tick - first


@given(spec=steps, timeframe=st.sampled_from(TIMEFRAMES), price=st.sampled_from(list(BarPrice)))
def test_bars_of_a_day(spec: list[tuple[int, int, int]], timeframe: Timeframe, price: BarPrice) -> None:
    rows = [row for row in make_rows(spec) if row[0] < DAY0 + NS_PER_DAY]
    assume(rows)
    series = bars_of_day(segment_of(rows), timeframe, price)
    found = [Bar(*each) for each in zip(*(column.tolist() for column in series), strict=True)]
    assert found == all_bars([row[0] for row in rows], [price_of(row, price) for row in rows], timeframe.ns)


def test_an_empty_day_has_no_bars() -> None:
    assert len(bars_of_day(empty_segment(), Timeframe.M5, BarPrice.MID).start_ns) == 0


@given(spec=steps, at=st.integers(1, 44), block_ticks=st.sampled_from(BLOCK_SIZES))
def test_the_start_of_the_scenario_changes_no_bar(spec: list[tuple[int, int, int]], at: int, block_ticks: int) -> None:
    """R13: from a later start on, the same bars are forming and closing."""
    rows = make_rows(spec)
    start_ns = rows[at % len(rows)][0]
    early, late = (make_window(rows, moment, len(rows), BarPrice.MID) for moment in (rows[0][0], start_ns))
    skipped = early.ticks - late.ticks
    needs = {Timeframe.M1: 1}

    def forming(window: MarketWindow) -> list[tuple[int, ...]]:
        blocks = BarRenderer(window, needs).blocks(block_ticks)
        parts = [block.bars[Timeframe.M1].forming for block in blocks]
        columns = (np.concatenate([getattr(part, name) for part in parts]) for name in ("open_hp", "high_hp", "low_hp"))
        return list(zip(*(column.tolist() for column in columns), strict=True))

    assert forming(early)[skipped:] == forming(late)
