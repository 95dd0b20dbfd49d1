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
from plain_loop import plain_loop

from finiex_ray.core.enums import ExitReason
from finiex_ray.core.time import to_ns

TICKS = 60_000
MONDAY = date(2025, 9, 22)

# Minutes and period of the RSI, minutes and period of the band, stop loss and take profit.
PEERS = ((5, 14), (30, 20), 500, 1_000)
QUICK = ((5, 6), (15, 20), 100, 150)
TIGHT = ((1, 14), (5, 20), 40, 60)


def _rows(symbol: str, day: date) -> list[tuple[int, int, int]]:
    ticks = synthetic_day(symbol, day)
    return list(zip(ticks.time_ns.tolist(), ticks.bid_points.tolist(), ticks.ask_points.tolist(), strict=True))


def _config(symbol: str, variant: tuple[Any, ...], ticks: int) -> Any:
    (rsi_minutes, rsi_period), (band_minutes, band_period), sl_points, tp_points = variant
    return make_config(
        symbol=symbol,
        start=f"{MONDAY + timedelta(days=1)}T00:00:00Z",
        max_ticks=ticks,
        workers={
            # All bars since Monday's first, so that both begin the average with the same changes.
            "rsi": {"type": "rsi", "period": rsi_period, "timeframe": f"M{rsi_minutes}", "warmup_bars": 10 * rsi_period},
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
    [("EURUSD", PEERS, 2), ("EURUSD", QUICK, 20), ("EURUSD", TIGHT, 40), ("EURGBP", TIGHT, 20)],
)
def test_each_fill_is_that_of_the_plain_loop(symbol: str, variant: tuple[Any, ...], least: int) -> None:
    config = _config(symbol, variant, TICKS)
    (rsi_minutes, rsi_period), _, sl_points, tp_points = variant
    before = _rows(symbol, MONDAY)
    after = [row for days in (1, 2) for row in _rows(symbol, MONDAY + timedelta(days=days))][:TICKS]
    expected = plain_loop(before, after, rsi=variant[0], band=variant[1], sl_points=sl_points, tp_points=tp_points)

    loop = run(config).loop

    assert loop is not None
    fills = zip(*(loop.fills[name].tolist() for name in ("tick", "side", "price_points")), strict=True)
    assert list(fills) == [tuple(fill) for fill in expected]
    assert len(loop.trades) >= least
    assert set(loop.fills["volume_steps"].tolist()) == {10}
