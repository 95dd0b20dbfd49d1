from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from execution_support import WalkSource

from finiex_ray import run_set
from finiex_ray.config.models import BarPrice
from finiex_ray.core.errors import ConfigError, DataError
from finiex_ray.core.time import Timeframe, to_ns
from finiex_ray.data.synthetic import SyntheticMarket
from finiex_ray.sweep import windows
from finiex_ray.sweep.windows import Window
from finiex_ray.sweep_file import make_window_set

MARKET = SyntheticMarket(7)
WEEKS = {"start": datetime(2025, 9, 1, tzinfo=UTC), "end": datetime(2025, 9, 15, tzinfo=UTC)}


def ticks(window: Window) -> int:
    day, total = window.start.date(), 0
    while day <= window.end.date():
        times = MARKET.load(window.symbol, day).time_ns
        total += int(((times >= to_ns(window.start)) & (times < to_ns(window.end))).sum())
        day += timedelta(days=1)
    return total


def test_lengths_of_time() -> None:
    assert windows.span("30m") == timedelta(minutes=30)
    assert windows.span("2w") == timedelta(weeks=2)
    for wrong in ("0d", "1y", "-1d", "", "1.5h"):
        with pytest.raises(ConfigError):
            windows.span(wrong)


def test_blocks_skip_the_weekend() -> None:
    found = windows.fixed_blocks(MARKET, "EURUSD", "1d", **WEEKS)
    assert [each.start.weekday() for each in found] == [0, 1, 2, 3, 4, 6, 0, 1, 2, 3, 4, 6]
    assert all(each.end - each.start == timedelta(days=1) for each in found)
    assert all(ticks(each) > 0 for each in found)
    busy = windows.fixed_blocks(MARKET, "EURUSD", "1d", min_ticks=20_000, **WEEKS)
    assert [each.start.weekday() for each in busy] == [0, 1, 2, 3, 4] * 2
    hours = windows.fixed_blocks(MARKET, "EURUSD", "4h", **WEEKS)
    assert all(before.end <= after.start for before, after in pairwise(hours))
    assert sum(map(ticks, hours)) == sum(map(ticks, found))  # nothing is lost between them


def test_stretches_are_the_weeks() -> None:
    found = windows.continuous(MARKET, "EURUSD", max_gap="6h", **WEEKS)
    assert len(found) == 3  # a week from its first Monday, a whole one, the Sunday evening of the third
    assert sum(map(ticks, found)) == sum(map(ticks, windows.fixed_blocks(MARKET, "EURUSD", "1d", **WEEKS)))
    assert [each.start.weekday() for each in found] == [0, 6, 6]
    assert [each.end.weekday() for each in found[:2]] == [4, 4]


def test_sessions_follow_daylight_saving() -> None:
    winter = windows.sessions(
        MARKET, "EURUSD", ["london"], start=datetime(2025, 1, 6, tzinfo=UTC), end=datetime(2025, 1, 11, tzinfo=UTC)
    )
    summer = windows.sessions(
        MARKET, "EURUSD", ["london"], start=datetime(2025, 7, 7, tzinfo=UTC), end=datetime(2025, 7, 12, tzinfo=UTC)
    )
    assert {each.start.hour for each in winter} == {8}
    assert {each.start.hour for each in summer} == {7}
    assert len(winter) == len(summer) == 5
    every = windows.sessions(MARKET, "EURUSD", **WEEKS)
    assert {each.name.rsplit("_", 1)[0] for each in every} == {"asia", "london", "new_york"}
    assert all(each.start.weekday() < 5 or each.end.weekday() < 5 for each in every)
    with pytest.raises(ConfigError, match="Did you mean 'london'"):
        windows.sessions(MARKET, "EURUSD", ["londn"])  # type: ignore[list-item]


def test_random_windows_repeat_with_their_seed() -> None:
    found = windows.random_windows(MARKET, "EURUSD", 30, "3h", seed=1, **WEEKS)
    assert found == windows.random_windows(MARKET, "EURUSD", 30, "3h", seed=1, **WEEKS)
    assert found != windows.random_windows(MARKET, "EURUSD", 30, "3h", seed=2, **WEEKS)
    assert len({each.start for each in found}) == 30
    assert all(ticks(each) > 0 and WEEKS["start"] <= each.start and each.end <= WEEKS["end"] for each in found)
    with pytest.raises(ConfigError, match="found room"):
        windows.random_windows(MARKET, "EURUSD", 3, "8w", **WEEKS)


def test_windows_around_gaps() -> None:
    found = windows.around_gaps(MARKET, "EURUSD", before="3h", after="1h", min_gap="12h", **WEEKS)
    assert len(found) == 2
    for each in found:
        day = each.start.date()
        friday = MARKET.load("EURUSD", day).time_ns
        assert day.weekday() == 4
        assert to_ns(each.start) == int(friday[-1]) // 1_000 * 1_000 - 3 * 3_600 * 10**9
        assert each.end.weekday() == 6


def test_volatility_buckets_by_hand() -> None:
    found = windows.by_volatility(MARKET, "EURUSD", "6h", timeframe=Timeframe.M15, **WEEKS)
    plain: dict[datetime, float] = {}
    from finiex_ray.bars.renderer import bars_of_day

    days = [WEEKS["start"].date() + timedelta(days=n) for n in range(14)]
    bars = [
        bars_of_day(MARKET.load("EURUSD", day), Timeframe.M15, BarPrice.MID)
        for day in days
        if MARKET.has_day("EURUSD", day)
    ]
    rows = [row for series in bars for row in zip(*(column.tolist() for column in series), strict=True)]
    for window in found:
        inside = [i for i, row in enumerate(rows) if to_ns(window.start) <= row[0] < to_ns(window.end)]
        ranges = [max(rows[i][2], rows[i - 1][4]) - min(rows[i][3], rows[i - 1][4]) for i in inside[1:]]
        plain[window.start] = np.mean(ranges) / np.mean([rows[i][4] for i in inside[1:]])
    low, high = np.percentile(list(plain.values()), [33, 67])
    for window in found:
        value = plain[window.start]
        assert window.name.split("_")[0] == ("low" if value < low else "mid" if value < high else "high")
    quarters = windows.by_volatility(MARKET, "EURUSD", "1d", buckets=[25, 50, 75], **WEEKS)
    assert {each.name.split("_")[0] for each in quarters} == {"q1", "q2", "q3", "q4"}
    with pytest.raises(ConfigError, match="percentiles"):
        windows.by_volatility(MARKET, "EURUSD", "1d", buckets=[50, 20])


def test_unknown_data_is_told() -> None:
    with pytest.raises(DataError, match="EURUSX"):
        windows.fixed_blocks(MARKET, "EURUSX", "1d", **WEEKS)
    with pytest.raises(ConfigError, match="there is nothing"):
        windows.fixed_blocks(WalkSource(), "EURUSD", "1d", start=datetime(2030, 1, 1, tzinfo=UTC))
    assert windows.fixed_blocks(WalkSource(), "EURUSD", "1w")[0].start.date() == date(2025, 9, 1)


@pytest.mark.parametrize(
    ("kind", "options", "count"),
    [
        ("blocks", {"length": "1d"}, 5),
        ("continuous", {"min_gap": "6h"}, 1),
        ("gaps", {"min_gap": "6h"}, 1),
        ("random", {"length": "2h", "count": 4, "seed": 3}, 4),
        ("sessions", {"names": ["london"]}, 5),
        ("volatility", {"length": "12h"}, 10),
    ],
)
def test_a_window_set_is_an_ordinary_set(kind: str, options: dict, count: int, tmp_path: Path) -> None:
    workers = {
        "rsi_fast": {"type": "rsi", "period": 14, "timeframe": "M5"},
        "band": {"type": "envelope", "period": 20, "deviation": 2.0, "timeframe": "M30"},
    }
    shared = {"symbol": "EURUSD", "workers": workers, "logic": {"type": "aggressive_trend", "lots": 0.25}}
    model = {
        "data": {"catalog": "synthetic", "seed": 7},
        "global": shared,
        "scenarios": [{"name": "x", "start": "2025-09-22T00:00:00Z", "max_ticks": 9}],
    }
    (tmp_path / "model.json").write_text(json.dumps(model), encoding="utf-8")
    end = datetime(2025, 9, 29 if kind == "gaps" else 27, tzinfo=UTC)
    span = {"start": datetime(2025, 9, 22, tzinfo=UTC), "end": end}
    made = make_window_set(kind, tmp_path / "model.json", tmp_path / "made.json", **span, **options)
    assert made == count
    run = run_set(
        tmp_path / "made.json", executor="local", out=tmp_path / "runs", quiet=True, overrides=["max_ticks=2000"]
    )
    assert len(run.scenarios) == made
    assert run.failed.empty
    assert run.config.scenarios[0].logic.params["lots"] == pytest.approx(0.25)
