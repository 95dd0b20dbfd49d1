"""When a logic is called: on its actions, fills, bars or every tick, at the right tick, for every block size."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from builders import make_config, make_window, rows, run, with_blocks

from finiex_ray.core.enums import ExitReason, Wake
from finiex_ray.engine.result import ScenarioResult

SIZES = (1, 7, 8_192, 10**6)
_LINE = re.compile(r"(\S+) tick (\d+) INFO wake (\d+) action (-?\d+) bid (\S+) time (\d+)")


def _wakes(result: ScenarioResult) -> dict[int, Wake]:
    assert result.success, result.error
    found = (_LINE.fullmatch(line) for line in result.log)
    return {int(match[2]): Wake(int(match[3])) for match in found if match}


def _config(wake: Wake, every: int = 300, **values: Any) -> Any:
    return make_config(
        workers={
            "fast": {"type": "moving_average", "timeframe": "M1", "period": 2},
            "slow": {"type": "moving_average", "timeframe": "M2", "period": 2},
        },
        logic={"type": "engine_strategies:Recorder", "wake": int(wake), "every": every},
        **values,
    )


def _times(config: Any) -> list[int]:
    window = make_window(config)
    *whole, last = (segment.time_ns for segment in window.segments)
    return [int(moment) for moment in np.concatenate([*whole, last[: window.last]])[window.first :]]


@pytest.mark.parametrize("size", SIZES)
def test_bar_wakes_at_the_first_tick_of_each_new_bar(size: int) -> None:
    config = _config(Wake.BAR)
    minutes = [moment // (60 * 10**9) for moment in _times(config)]
    expected = {i: Wake.BAR for i in range(1, len(minutes)) if minutes[i] != minutes[i - 1]}
    assert len(expected) > 20
    assert _wakes(run(with_blocks(config, size))) == expected


@pytest.mark.parametrize("size", SIZES)
def test_bar_wakes_at_the_very_first_tick_when_it_closes_the_bar_that_was_forming(size: int) -> None:
    start = datetime(2025, 9, 23, 12, 0, 59, 999_999, tzinfo=UTC)
    config = _config(Wake.BAR, start=start, max_ticks=50)
    assert _times(config)[0] // (60 * 10**9) == int(start.timestamp()) // 60 + 1
    assert _wakes(run(with_blocks(config, size)))[0] is Wake.BAR


@pytest.mark.parametrize("size", SIZES)
def test_action_wakes_at_each_action(size: int) -> None:
    assert _wakes(run(with_blocks(_config(Wake.ACTION), size))) == dict.fromkeys(range(0, 3_000, 300), Wake.ACTION)


@pytest.mark.parametrize("size", SIZES)
def test_tick_wakes_at_each_tick(size: int) -> None:
    wakes = _wakes(run(with_blocks(_config(Wake.TICK, max_ticks=900), size)))
    assert wakes == dict.fromkeys(range(900), Wake.TICK)


@pytest.mark.parametrize("size", SIZES)
def test_fill_wakes_at_each_fill(size: int) -> None:
    result = run(with_blocks(_config(Wake.FILL | Wake.ACTION), size))
    assert result.loop is not None
    expected = dict.fromkeys(range(0, 3_000, 300), Wake.ACTION)
    ended = [
        int(trade["exit_tick"]) for trade in rows(result.loop.trades) if trade["exit_reason"] != ExitReason.SCENARIO_END
    ]
    for tick in [*(int(order["done_tick"]) for order in rows(result.loop.orders)), *ended]:
        expected[tick] = expected.get(tick, Wake.NONE) | Wake.FILL
    assert len(ended) >= 5
    assert _wakes(result) == expected


@pytest.mark.parametrize("size", SIZES)
def test_reasons_of_one_tick_come_together(size: int) -> None:
    everything = _wakes(run(with_blocks(_config(Wake.FILL | Wake.ACTION | Wake.BAR), size)))
    bars = _wakes(run(with_blocks(_config(Wake.BAR), size)))
    fills = _wakes(run(with_blocks(_config(Wake.FILL | Wake.ACTION), size)))
    assert everything == {tick: bars.get(tick, Wake.NONE) | fills.get(tick, Wake.NONE) for tick in {*bars, *fills}}


# Friday evening to Sunday night of the synthetic market: a weekend, and short pauses around it.
WEEKEND = {"start": datetime(2025, 9, 19, 20, 40, tzinfo=UTC), "end": datetime(2025, 9, 21, 21, 40, tzinfo=UTC)}


def _over_the_weekend(logic: str, wake: Wake = Wake.TICK) -> Any:
    workers = {"fast": {"type": "moving_average", "timeframe": "M1", "period": 2}}
    more = {"wake": int(wake), "every": 10**6} if logic == "Sleeper" else {}
    logic_config = {"type": f"engine_strategies:{logic}", **more}
    return make_config(workers=workers, logic=logic_config, max_ticks=None, **WEEKEND)


def _gaps(times: list[int]) -> dict[int, float]:
    return {i: (b - a) / 10**9 for i, (a, b) in enumerate(pairwise(times), 1) if b - a >= 15 * 10**9}


@pytest.mark.parametrize("size", SIZES)
def test_events_of_the_market_are_told_at_the_tick_that_shows_them(size: int) -> None:
    config = _over_the_weekend("Listener")
    times = _times(config)
    gaps, minutes = _gaps(times), [moment // (60 * 10**9) for moment in times]
    assert len(gaps) > 2
    assert max(gaps.values()) > 40 * 3_600
    expected = []
    for tick in range(1, len(times)):
        if tick in gaps:
            expected.append((tick, f"SESSION_GAP None {gaps[tick]!r}"))
        if minutes[tick] != minutes[tick - 1]:
            expected.append((tick, "BAR_CLOSED M1 0.0"))
    result = run(with_blocks(config, size))
    assert result.success, result.error
    found = [re.fullmatch(r"\S+ tick (\d+) INFO ((?:SESSION_GAP|BAR_CLOSED) .*)", line) for line in result.log]
    assert [(int(match[1]), match[2]) for match in found if match] == expected


@pytest.mark.parametrize("size", SIZES)
def test_gap_wakes_at_the_first_tick_after_it_and_hears_what_it_slept_through(size: int) -> None:
    config = _over_the_weekend("Sleeper", Wake.GAP)
    times = _times(config)
    minutes = [moment // (60 * 10**9) for moment in times]
    result = run(with_blocks(config, size))
    assert result.success, result.error
    found = [re.fullmatch(r"\S+ tick (\d+) INFO wake (\d+) told (.*)", line) for line in result.log]
    told = {int(match[1]): match[3].split() for match in found if match}
    assert {int(match[2]) for match in found if match} == {Wake.GAP}
    assert list(told) == list(_gaps(times))
    before = 0
    for tick, events in told.items():
        bars = [f"BAR_CLOSED@{i}" for i in range(max(before + 1, 1), tick + 1) if minutes[i] != minutes[i - 1]]
        assert sorted(events) == sorted([*bars, f"SESSION_GAP@{tick}"])
        assert [int(event.partition("@")[2]) for event in events] == sorted(int(e.partition("@")[2]) for e in events)
        before = tick


def test_a_policy_is_never_called() -> None:
    result = run(make_config(
        workers={"macd": {"type": "macd", "timeframe": "M1"}}, logic={"type": "macd_cross"}, name="policy",
    ))  # fmt: skip
    assert result.loop is not None
    assert len(result.loop.orders) > 2
    assert result.loop.profile.operations["order_execution"].calls == 0
