"""The renderer gives, for every block size, exactly the blocks that the plain-Python maker gives."""

from __future__ import annotations

import pytest
from support import make_blocks, random_ticks, series_of

from finiex_ray.bars.renderer import BarRenderer
from finiex_ray.bars.window import MarketWindow
from finiex_ray.config.models import BarPrice
from finiex_ray.core.market import BarSeries, TickSegment
from finiex_ray.core.time import Timeframe

NEEDS = {Timeframe.S5: 40, Timeframe.S30: 10, Timeframe.M1: 3}


def _ended_by(ticks: TickSegment, first: int, timeframe: Timeframe) -> BarSeries:
    bars = series_of(TickSegment(*(column[:first] for column in ticks)), timeframe)
    ended = bars.start_ns + timeframe.ns <= ticks.time_ns[first]
    return BarSeries(*(column[ended] for column in bars))


@pytest.mark.parametrize("block_ticks", [1, 7, 100, 10**6])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_renderer_equals_the_oracle(block_ticks: int, seed: int) -> None:
    ticks, first = random_ticks(800, seed), 500
    while ticks.time_ns[first] == ticks.time_ns[first - 1]:  # a window begins at a time, not between equal ones
        first += 1
    warmup = {timeframe: _ended_by(ticks, first, timeframe) for timeframe in NEEDS}
    start_ns, count = int(ticks.time_ns[first]), len(ticks.time_ns)
    window = MarketWindow("EURUSD", 5, BarPrice.MID, start_ns, (ticks,), first, count, warmup)
    expected = make_blocks(ticks, first, NEEDS, block_ticks)
    rendered = list(BarRenderer(window, NEEDS).blocks(block_ticks))
    assert [block.first_tick for block in rendered] == [block.first_tick for block in expected]
    for mine, oracle in zip(rendered, expected, strict=True):
        assert mine.price_hp.tolist() == oracle.price_hp.tolist()
        for timeframe in NEEDS:
            bars, twin = mine.bars[timeframe], oracle.bars[timeframe]
            assert bars.span_first.tolist() == twin.span_first.tolist()
            assert bars.span_closed.tolist() == twin.span_closed.tolist()
            assert [column.tolist() for column in bars.history] == [column.tolist() for column in twin.history]
            for name in ("open_hp", "high_hp", "low_hp"):
                assert getattr(bars.forming, name).tolist() == getattr(twin.forming, name).tolist()
