"""Closed-bar values equal TA-Lib's to 1e-9 relative, from the first value that both define."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support import bars_as_ticks, random_ticks, series_of

from finiex_ray.config.models import TypedConfig
from finiex_ray.core.market import BarSeries, freeze
from finiex_ray.core.time import Timeframe
from finiex_ray.workers.registry import create_worker

talib = pytest.importorskip("talib")

FRAME = Timeframe.M1
POINT = 1e-05


def _lean_bars(folder: Path) -> BarSeries:
    """One-minute bars of the Oanda days; the mid in half points is bid + ask in points."""
    days = []
    for path in sorted((folder / "lean/forex/oanda/tick/eurusd").glob("*_quote.zip")):
        with zipfile.ZipFile(path) as archive:
            text = io.BytesIO(archive.read(archive.namelist()[0]))
        day = pd.read_csv(text, header=None, names=["ms", "bid", "ask"])
        midnight = pd.Timestamp(path.name[:8], tz="UTC").value
        points = [(day[side] / POINT).round().astype("int64") for side in ("bid", "ask")]
        days.append(pd.DataFrame({"time": midnight + day["ms"] * 1_000_000, "hp": points[0] + points[1]}))
    ticks = pd.concat(days)
    assert len(ticks) == 532_903  # the last line of each file has no line end
    bars = ticks.groupby(ticks["time"] // FRAME.ns * FRAME.ns)["hp"].agg(["first", "max", "min", "last", "count"])
    return freeze(BarSeries(bars.index.to_numpy(), *(bars[name].to_numpy(dtype=np.int64) for name in bars)))


@pytest.fixture(scope="module", params=["real", "random walk"])
def bars(request: pytest.FixtureRequest) -> BarSeries:
    if request.param == "real":
        return _lean_bars(request.getfixturevalue("shared_data"))
    return series_of(random_ticks(20_000, seed=9), FRAME)


def _ours(bars: BarSeries, config: dict[str, object]) -> list[np.ndarray]:
    typed = TypedConfig.model_validate({"timeframe": "M1", "live": False, "warmup_bars": 10**6, **config})
    return list(create_worker("w", typed).compute(bars_as_ticks(bars, FRAME, closed=True)).values())


def _same(ours: list[np.ndarray], theirs: list[np.ndarray], *, absolute: float = 0.0) -> None:
    for mine, other in zip(ours, theirs, strict=True):
        both = ~np.isnan(other)
        assert both.sum() > 300
        assert not np.isnan(mine[both]).any()
        np.testing.assert_allclose(mine[both], other[both], rtol=1e-9, atol=absolute)


def test_closes(bars: BarSeries) -> None:
    close = bars.close_hp * (POINT / 2)
    rsi = talib.RSI(close, 14)
    (ours,) = _ours(bars, {"type": "rsi"})
    assert np.array_equal(np.isnan(rsi), np.isnan(ours))
    _same([ours], [rsi])
    for kind, theirs in (("sma", talib.SMA(close, 20)), ("ema", talib.EMA(close, 20))):
        (mean,) = _ours(bars, {"type": "moving_average", "kind": kind})
        assert np.array_equal(np.isnan(theirs), np.isnan(mean))
        _same([mean], [theirs])
        _same(_ours(bars, {"type": "envelope", "kind": kind}), [theirs * 1.02, theirs, theirs * 0.98])


def test_bollinger(bars: BarSeries) -> None:
    theirs = talib.BBANDS(bars.close_hp * (POINT / 2), 20, 2.0, 2.0)
    ours = _ours(bars, {"type": "bollinger"})
    assert np.array_equal(np.isnan(theirs[0]), np.isnan(ours[0]))
    _same(ours, list(theirs))


def test_macd(bars: BarSeries) -> None:
    """Differences of means cross zero, where only the rounding of the means (some 1e-16 of the price) is left."""
    theirs = talib.MACD(bars.close_hp * (POINT / 2), 12, 26, 9)
    ours = _ours(bars, {"type": "macd"})
    assert np.array_equal(np.isnan(theirs[1]), np.isnan(ours[1]))
    _same(ours, list(theirs), absolute=2e-14)


def test_ranges(bars: BarSeries) -> None:
    unit = POINT / 2
    high, low, close = bars.high_hp * unit, bars.low_hp * unit, bars.close_hp * unit
    atr = talib.ATR(high, low, close, 14)
    (ours,) = _ours(bars, {"type": "atr"})
    assert np.array_equal(np.isnan(atr), np.isnan(ours))
    _same([ours], [atr])
    theirs = talib.STOCH(high, low, close, 14, 3, 0, 3, 0)
    k, d = _ours(bars, {"type": "stochastic"})
    assert np.array_equal(np.isnan(theirs[0]), np.isnan(k))
    _same([k, d], list(theirs), absolute=1e-9)  # percent; near zero only rounding is left
