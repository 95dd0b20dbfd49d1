"""Every short cut gives the same bytes as the long way: runs, screens, shared batches, each alone and all together."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from builders import make_broker, make_config, make_window, run
from hypothesis import given, settings
from hypothesis import strategies as st
from own_access import OWN
from support import make_blocks, random_ticks

from finiex_ray.config.models import BarPrice, ScenarioConfig
from finiex_ray.core.time import Timeframe
from finiex_ray.engine.assemble import build_strategy
from finiex_ray.engine.batch import run_batch
from finiex_ray.engine.result import ScenarioResult, ScenarioTask
from finiex_ray.engine.screening import Decider, screen_block
from finiex_ray.engine.tick_loop import decide
from finiex_ray.workers.coordinator import WorkerCoordinator

RSI = {"type": "rsi", "timeframe": "M1", "period": 6}
BLOCKS = {"block_ticks": 700}
BANDS: tuple[dict[str, Any], ...] = (
    {"type": "bollinger", "timeframe": "M5", "period": 8, "deviation": 1.2},
    {"type": "envelope", "timeframe": "M5", "period": 6, "deviation": 0.02},
    {"type": "envelope", "timeframe": "M1", "period": 9, "deviation": 0.01, "kind": "ema"},
)


def _config(band: dict[str, Any], logic: str, execution: dict[str, Any], **values: Any) -> ScenarioConfig:
    return make_config(
        workers={"rsi": RSI, "band": band},
        logic={"type": logic, "rsi_buy_threshold": 38, "rsi_sell_threshold": 62, "band_extremes": 0.2, **values},
        execution=execution,
        max_ticks=6_000,
    )


def _bytes(result: ScenarioResult) -> tuple[Any, ...]:
    """Everything that must not depend on the way of computing."""
    assert result.error is None, result.error.traceback
    assert result.loop is not None
    loop = result.loop
    records = (loop.orders, loop.fills, loop.trades, loop.equity)
    return (*(part.tobytes() for part in records), loop.result_hash, dict(loop.statistics), result.log)


@pytest.mark.parametrize("band", BANDS, ids=["bollinger", "sma", "ema"])
@pytest.mark.parametrize("logic", ["aggressive_trend", "simple_consensus"])
def test_runs_and_screens_change_nothing(band: dict[str, Any], logic: str) -> None:
    values = {"sl_points": 40, "tp_points": 70, "trail_points": 25, "on_opposite": "reverse"}
    results = []
    for runs, screen, block in product((True, False), (True, False), (None, 700)):
        execution = {"skip_runs": runs, "screen_prices": screen, "block_ticks": block}
        results.append(_bytes(run(_config(band, logic, execution, **values))))
    assert all(result == results[0] for result in results)
    assert len(results[0][2]) > 0  # there are trades to agree on


def test_runs_change_nothing_for_a_resting_book_and_conversion() -> None:
    orders = [
        {"tick": 5, "action": "buy", "limit_points": 30, "sl_points": 60, "tp_points": 80},
        {"tick": 9, "action": "sell", "stop_points": 40, "trail_points": 35},
        {"tick": 2_000, "action": "buy", "stop_points": 25, "tp_points": 50},
    ]
    for symbol in ("EURUSD", "USDJPY"):
        config = make_config(symbol=symbol, logic={"type": "scripted", "orders": orders}, max_ticks=6_000)
        slow = config.model_copy(update={"execution": config.execution.model_copy(update={"skip_runs": False})})
        assert _bytes(run(config)) == _bytes(run(slow))


def test_runs_change_nothing_for_quotes_and_trailing_stops() -> None:
    logic = {"type": "two_sided_quote", "offset_points": 12, "lifetime_s": 90, "tp_points": 90, "trail_points": 60}
    results = []
    for runs, block in product((True, False), (None, 1, 700)):
        execution = {"skip_runs": runs, "block_ticks": block}
        results.append(_bytes(run(make_config(logic=logic, execution=execution, max_ticks=6_000))))
    assert all(result == results[0] for result in results)
    assert len(results[0][2]) > 0


def _tasks() -> list[ScenarioTask]:
    """Equal workers under other decisions and policies, other workers, and scenarios that cannot share."""
    broker = make_broker()
    configs: list[ScenarioConfig] = []
    for band, logic, stop in product(BANDS[:2], ("aggressive_trend", "simple_consensus"), (0, 30, 55)):
        configs += [_config(band, logic, {}, sl_points=stop, rsi_buy_threshold=buy) for buy in (35, 38)]
    configs.append(make_config(logic={"type": "scripted", "orders": [{"tick": 3, "action": "buy"}]}, max_ticks=6_000))
    configs.append(make_config(logic={"type": "engine_strategies:Zigzag"}, max_ticks=6_000))
    for offset in (3, 9):
        quoting = {"type": "two_sided_quote", "offset_points": offset, "lifetime_s": 30, "trail_points": 25}
        configs.append(make_config(logic=quoting, max_ticks=6_000))
    configs.append(
        make_config(
            workers={"macd": {"type": "macd", "timeframe": "M1"}}, logic={"type": "macd_cross"}, max_ticks=6_000
        )
    )
    seeded = {"broker": "test", "latency": {"kind": "uniform", "ms": 5, "max_ms": 900}}
    for seed in (3, 4):
        configs.append(_config(BANDS[0], "aggressive_trend", {}).model_copy(update={"seed": seed}))
        lagging = ScenarioConfig.model_validate({**configs[-1].model_dump(), "account": seeded})
        configs.append(lagging)
    return [ScenarioTask(number, config, broker, OWN) for number, config in enumerate(configs)]


def _results(tasks: Iterable[ScenarioTask]) -> list[ScenarioResult]:
    tasks = list(tasks)
    longest = make_config(
        workers={
            "a": RSI,
            "b": {"type": "macd", "timeframe": "M1"},
            **{f"band{number}": band for number, band in enumerate(BANDS)},
        },
        max_ticks=6_000,
    )
    return list(run_batch(tasks, make_window(longest), clock=time.perf_counter_ns))


def test_a_shared_batch_gives_what_each_scenario_gives_by_itself() -> None:
    tasks = _tasks()
    shared = _results(tasks)
    assert [result.index for result in shared] == [task.index for task in tasks]
    for task, result in zip(tasks, shared, strict=True):
        assert _bytes(result) == _bytes(run(task.config))
    alone = [
        replace(
            task,
            config=ScenarioConfig.model_validate({**task.config.model_dump(), "execution": {"share_batches": False}}),
        )
        for task in tasks[:6]
    ]
    assert [_bytes(result) for result in _results(alone)] == [_bytes(result) for result in shared[:6]]


@pytest.mark.parametrize("gathered", [1, 2_500])
def test_when_the_accounts_of_a_batch_are_brought_on_changes_nothing(
    gathered: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = [
        replace(
            task, config=task.config.model_copy(update={"execution": task.config.execution.model_copy(update=BLOCKS)})
        )
        for task in _tasks()
    ]
    expected = [_bytes(result) for result in _results(tasks)]
    monkeypatch.setattr("finiex_ray.engine.batch._GATHERED", gathered)
    assert [_bytes(result) for result in _results(tasks)] == expected


def test_a_batch_leaves_nothing_behind() -> None:
    gc.collect()
    gc.disable()  # what holds itself would wait for it, with all records
    try:
        _results(_tasks()[:4])
        left = [each for each in gc.get_objects() if type(each).__module__ == "finiex_ray.engine.batch"]
    finally:
        gc.enable()
    assert left == []


def test_a_strategy_that_raises_fails_by_itself_and_takes_nobody_along() -> None:
    good = _config(BANDS[0], "aggressive_trend", {})
    bad = make_config(
        workers={"rsi": RSI, "band": BANDS[0]}, logic={"type": "engine_strategies:RaisingDecide"}, max_ticks=6_000
    )
    broker = make_broker()
    tasks = [ScenarioTask(number, config, broker, OWN) for number, config in enumerate((good, bad, good))]
    results = _results(tasks)
    assert [result.success for result in results] == [True, False, True]
    assert results[1].error is not None
    assert results[1].error.type == "RuntimeError"
    assert _bytes(results[0])[:-1] == _bytes(run(good))[:-1]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rsi_period=st.integers(2, 9),
    method=st.sampled_from(["wilder", "simple"]),
    band=st.sampled_from(BANDS),
    period=st.integers(2, 7),
    buy=st.floats(0.5, 60),
    gap=st.floats(0, 39),
    extremes=st.floats(-0.6, 0.5),
    logic=st.sampled_from(["aggressive_trend", "simple_consensus"]),
)
def test_a_screen_lets_every_action_through(
    seed: int,
    rsi_period: int,
    method: str,
    band: dict[str, Any],
    period: int,
    buy: float,
    gap: float,
    extremes: float,
    logic: str,
) -> None:
    """Whatever the market, thresholds and indicators: no tick that has an action is screened out."""
    config = make_config(
        workers={"rsi": {**RSI, "period": rsi_period, "method": method}, "band": {**band, "period": period}},
        logic={"type": logic, "rsi_buy_threshold": buy, "rsi_sell_threshold": buy + gap, "band_extremes": extremes},
    )
    workers, made, roles = build_strategy(config, OWN)
    again, _, _ = build_strategy(config, OWN)
    decider = Decider(made, roles)
    screened, plain = WorkerCoordinator(workers), WorkerCoordinator(again)
    ticks = random_ticks(700, seed)
    let_through = 0
    for block in make_blocks(ticks, 100, {Timeframe.M1: 0, Timeframe.M5: 0}, block_ticks=250):
        offsets = screen_block(block, screened, [decider])
        actions = decide(decider, block, plain.compute(block))
        assert offsets is not None
        let_through += len(offsets)
        assert set(np.flatnonzero(actions).tolist()) <= set(offsets.tolist())
    assert let_through <= 700


@pytest.mark.parametrize("price", list(BarPrice))
def test_any_bar_price_is_screened(price: BarPrice) -> None:
    results = []
    for runs, screen in product((True, False), (True, False)):
        config = _config(BANDS[0], "aggressive_trend", {"skip_runs": runs, "screen_prices": screen})
        results.append(_bytes(run(config.model_copy(update={"bar_price": price}))))
    assert all(result == results[0] for result in results)
