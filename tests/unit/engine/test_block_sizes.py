"""The block size, the profile and the worker threads change not one byte of a result."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from builders import make_config, run, with_blocks

from finiex_ray.engine.result import ScenarioResult

SIZES = (1, 7, 8_192, 10**6)

STRATEGIES: dict[str, dict[str, Any]] = {
    "aggressive_trend": {
        "workers": {"rsi": {"type": "rsi", "timeframe": "M1"}, "band": {"type": "bollinger", "timeframe": "M5"}},
        "logic": {
            "type": "aggressive_trend", "sl_points": 60, "tp_points": 90,
            "rsi_buy_threshold": 40, "rsi_sell_threshold": 60,
        },
    },
    "simple_consensus": {
        "workers": {
            "rsi": {"type": "rsi", "timeframe": "M1", "method": "simple"},
            "band": {"type": "envelope", "timeframe": "M5", "period": 5, "deviation": 0.02},
        },
        "logic": {
            "type": "simple_consensus", "on_opposite": "reverse", "band_extremes": 0.3,
            "rsi_buy_threshold": 45, "rsi_sell_threshold": 55,
        },
    },
    "limit_entry": {
        "workers": {"rsi": {"type": "rsi", "timeframe": "M1"}, "band": {"type": "bollinger", "timeframe": "M5"}},
        "logic": {
            "type": "limit_entry", "band_extremes": 0.4, "rsi_buy_threshold": 48, "rsi_sell_threshold": 52,
            "offset_points": 4, "lifetime_s": 15, "trail_points": 30,
        },
        "account": {"broker": "test", "latency": {"kind": "uniform", "ms": 5, "max_ms": 3_000}},
    },
    "two_sided_quote": {
        "logic": {
            "type": "two_sided_quote", "offset_points": 6, "lifetime_s": 12, "tp_points": 20, "trail_points": 15,
        },
    },
    "macd_cross": {
        "workers": {"macd": {"type": "macd", "timeframe": "M1"}},
        "logic": {"type": "macd_cross", "sl_points": 50},
        "account": {"broker": "test", "latency": {"kind": "uniform", "ms": 5, "max_ms": 3_000}},
    },
    "closed bars": {
        "workers": {
            "rsi": {"type": "rsi", "timeframe": "M1", "live": False, "period": 3},
            "band": {"type": "bollinger", "timeframe": "M1", "live": False, "period": 4},
        },
        "logic": {"type": "aggressive_trend", "rsi_buy_threshold": 45, "rsi_sell_threshold": 55},
    },
    "scripted": {
        "logic": {
            "type": "scripted",
            "orders": [
                {"tick": 0, "action": "buy", "lots": "0.5", "sl_points": 20},
                {"tick": 7, "action": "sell", "tp_points": 15},
                {"tick": 13, "action": "buy", "lots": "0.015"},
                {"tick": 1_500, "action": "close"},
                {"tick": 1_600, "action": "buy"},
                {"tick": 1_601, "action": "close_all"},
                {"tick": 2_999, "action": "buy"},
            ],
        }
    },
    "tick logic": {"logic": {"type": "engine_strategies:Zigzag"}},
    "tick worker": {
        "workers": {"range": {"type": "engine_strategies:Range", "timeframe": "M1"}},
        "logic": {"type": "engine_strategies:ByRange"},
    },
    "wake-ups": {
        "workers": {"rsi": {"type": "rsi", "timeframe": "M1", "period": 2}},
        "logic": {"type": "engine_strategies:Recorder", "wake": 7, "every": 300},
    },
}  # fmt: skip


@cache
def _one_block(strategy: str) -> ScenarioResult:
    return run(with_blocks(make_config(**STRATEGIES[strategy]), 10**6))


def _comparable(result: ScenarioResult) -> tuple[object, ...]:
    loop = result.loop
    assert loop is not None
    return (
        result.status, result.error, result.log, loop.result_hash, loop.ticks, loop.first_ns, loop.last_ns,
        dict(loop.statistics), loop.orders.tobytes(), loop.fills.tobytes(), loop.trades.tobytes(), loop.equity.tobytes(),
    )  # fmt: skip


@pytest.mark.parametrize("block_ticks", SIZES[:-1])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_block_size_changes_nothing(strategy: str, block_ticks: int) -> None:
    expected = _one_block(strategy)
    assert expected.success, expected.error
    assert expected.loop is not None
    assert len(expected.loop.trades) >= 2
    result = run(with_blocks(make_config(**STRATEGIES[strategy]), block_ticks))
    assert _comparable(result) == _comparable(expected)


@pytest.mark.parametrize("strategy", ["aggressive_trend", "tick worker"])
@pytest.mark.parametrize("options", [{"profile": False}, {"parallel_workers": True}, {"time_limit_s": 3_600}])
def test_options_of_execution_change_nothing(strategy: str, options: dict[str, Any]) -> None:
    result = run(make_config(**STRATEGIES[strategy], execution=options))
    assert _comparable(result) == _comparable(_one_block(strategy))
    assert result.loop is not None
    assert bool(result.loop.profile.operations) == options.get("profile", True)


def test_another_seed_changes_random_latency_only() -> None:
    config = make_config(**STRATEGIES["macd_cross"])
    other = run(config.model_copy(update={"seed": 4})).loop
    expected = _one_block("macd_cross").loop
    assert other is not None
    assert expected is not None
    assert other.result_hash != expected.result_hash
    fixed = make_config(**STRATEGIES["aggressive_trend"])
    again = run(fixed.model_copy(update={"seed": 4})).loop
    assert again is not None
    assert replace(_one_block("aggressive_trend")).loop.result_hash == again.result_hash  # type: ignore[union-attr]


def test_a_longer_warm_up_of_another_worker_changes_no_value_of_the_first() -> None:
    logic = {"type": "engine_strategies:BySeen"}
    closes = {"type": "engine_strategies:Closes", "timeframe": "M1"}
    alone = run(make_config(workers={"closes": closes}, logic=logic))
    hungry = {"type": "engine_strategies:Closes", "timeframe": "M1", "warmup_bars": 300}
    both = run(make_config(workers={"other": hungry, "closes": closes}, logic=logic))
    values = [[line for line in result.log if "seen" in line] for result in (alone, both)]
    assert len(values[0]) == 12
    assert values[0] == values[1]


def test_the_log_does_not_depend_on_the_block_size_and_is_in_order_of_ticks() -> None:
    strategy = {
        "workers": {"chatty": {"type": "engine_strategies:ChattyWorker"}},
        "logic": {"type": "engine_strategies:ChattyLogic"},
    }
    logs = [run(with_blocks(make_config(**strategy), size)).log for size in SIZES]
    assert all(log == logs[0] for log in logs)
    spoken = [line.split(" INFO ")[1] for line in logs[0] if " at " in line]
    assert spoken[:4] == ["worker at 0", "logic at 0", "worker at 100", "logic at 100"]
