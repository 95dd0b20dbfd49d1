"""Our fills of the peers' strategy beside those of a plain loop over the same ticks (`plain_loop`), one by one.

`tests/bench/parity_nautilus.py` does the same with NautilusTrader, which needs an interpreter of its own.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from bench.parity_nautilus import Fill, Quotes, compare
from builders import make_config, run, synthetic_day
from plain_loop import MINUTE_NS, plain_loop

TICKS = 60_000
MONDAY = date(2025, 9, 22)

# Minutes and period of the RSI, minutes and period of the band, stop loss and take profit.
PEERS = ((5, 14), (30, 20), 500, 1_000)
QUICK = ((5, 6), (15, 20), 100, 150)
TIGHT = ((1, 14), (5, 20), 40, 60)


def _rows(symbol: str, day: date) -> list[tuple[int, int, int]]:
    ticks = synthetic_day(symbol, day)
    return list(zip(ticks.time_ns.tolist(), ticks.bid_points.tolist(), ticks.ask_points.tolist(), strict=True))


def _config(symbol: str, variant: tuple[Any, ...], rsi_bars: int) -> Any:
    (rsi_minutes, rsi_period), (band_minutes, band_period), sl_points, tp_points = variant
    return make_config(
        symbol=symbol,
        start=f"{MONDAY + timedelta(days=1)}T00:00:00Z",
        max_ticks=TICKS,
        workers={
            "rsi": {"type": "rsi", "period": rsi_period, "timeframe": f"M{rsi_minutes}", "warmup_bars": rsi_bars},
            "band": {"type": "bollinger", "period": band_period, "timeframe": f"M{band_minutes}"},
        },
        logic={
            "type": "simple_consensus",
            "lots": "0.1",
            "on_opposite": "reverse",
            "sl_points": sl_points,
            "tp_points": tp_points,
        },
        account={"broker": "test", "balance": 1_000_000, "conversion_rates": {"GBP": "1.27"}},
    )


@pytest.mark.parametrize(
    ("symbol", "variant", "least"),
    [("EURUSD", PEERS, 2), ("EURUSD", QUICK, 10), ("EURUSD", TIGHT, 15), ("EURGBP", TIGHT, 10)],
)
def test_each_fill_is_that_of_the_plain_loop(symbol: str, variant: tuple[Any, ...], least: int) -> None:
    rsi, band, sl_points, tp_points = variant
    before = _rows(symbol, MONDAY)
    ticks = [row for days in (1, 2) for row in _rows(symbol, MONDAY + timedelta(days=days))][:TICKS]
    expected = plain_loop(before, ticks, rsi=rsi, band=band, sl_points=sl_points, tp_points=tp_points)
    rsi_bars = len({time_ns // (rsi[0] * MINUTE_NS) for time_ns, _, _ in before})  # both averages begin with Monday

    loop = run(_config(symbol, variant, rsi_bars)).loop

    assert loop is not None
    fills = zip(*(loop.fills[name].tolist() for name in ("tick", "side", "price_points")), strict=True)
    assert list(fills) == [tuple(fill) for fill in expected]
    assert len(loop.trades) >= least
    assert set(loop.fills["volume_steps"].tolist()) == {10}


ENTRY = Fill(0, 1, 1_000, 10, "entry")
QUOTES = Quotes(np.array([990, 1_040, 1_050]), np.array([1_000, 1_050, 1_060]))  # the bid passes a profit of 30


@pytest.mark.parametrize(
    ("tick", "ours", "theirs", "rule"),
    [
        (1, ("take_profit", 1_030), ("take_profit", 1_040), "R6"),
        (2, ("close_order", 1_050), ("take_profit", 1_030), "R7"),
        (2, ("take_profit", 1_030), ("take_profit", 1_050), None),  # not the tick after the entry
        (1, ("take_profit", 1_031), ("take_profit", 1_040), None),  # not at the level
        (1, ("take_profit", 1_030), ("take_profit", 1_041), None),  # not at the quote
        (2, ("close_order", 1_050), ("close_order", 1_030), None),
        (1, ("stop_loss", 1_039), ("stop_loss", 1_040), None),
    ],
)
def test_a_difference_is_explained_by_its_rule_only(
    tick: int, ours: tuple[str, int], theirs: tuple[str, int], rule: str | None
) -> None:
    mine, other = (Fill(tick, -1, price, 10, kind) for kind, price in (ours, theirs))

    found = compare([ENTRY, mine], [ENTRY, other], 30, QUOTES)

    assert found.equal == 1
    assert dict(found.explained) == ({rule: 1} if rule else {})
    assert found.unexplained == ([] if rule else [(mine, other)])


def test_a_take_profit_that_the_quote_has_not_reached_is_not_explained() -> None:
    mine, other = (Fill(2, -1, price, 10, kind) for kind, price in (("close_order", 1_050), ("take_profit", 1_060)))

    assert compare([ENTRY, mine], [ENTRY, other], 60, QUOTES).unexplained == [(mine, other)]


@pytest.mark.parametrize("field", ["tick", "side", "price", "units"])
def test_each_compared_field_counts(field: str) -> None:
    other = ENTRY._replace(**{field: getattr(ENTRY, field) + 1})

    assert compare([ENTRY], [other], 30, QUOTES).unexplained == [(ENTRY, other)]


def test_a_fill_without_a_counterpart_is_not_explained() -> None:
    assert compare([ENTRY], [], 30, QUOTES).unexplained == [(ENTRY, None)]
    assert compare([], [ENTRY], 30, QUOTES).unexplained == [(None, ENTRY)]
