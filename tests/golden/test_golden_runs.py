"""Small runs on the synthetic market whose statistics and hash are pinned in ``golden_runs.json``.

A run that differs is either a bug or a wanted change of results. For a wanted one, renew the pins with

    FINIEX_RENEW_GOLDEN=1 python -m pytest tests/golden

look at the difference of the file, and say in CHANGELOG.md why results changed.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from builders import make_config, run, synthetic_day

from finiex_ray.config.broker import BrokerSpec
from finiex_ray.core.market import content_hash

ROOT = Path(__file__).resolve().parent.parent.parent
PINS = Path(__file__).with_name("golden_runs.json")
RENEW = os.environ.get("FINIEX_RENEW_GOLDEN") == "1"

_BANDS = {"rsi": {"type": "rsi", "timeframe": "M1"}, "band": {"type": "bollinger", "timeframe": "M5"}}
_EAGER = {"rsi_buy_threshold": 40, "rsi_sell_threshold": 60}

RUNS: dict[str, dict[str, Any]] = {
    "eurusd_trend": {
        "workers": _BANDS,
        "logic": {"type": "aggressive_trend", "sl_points": 60, "tp_points": 90, **_EAGER},
    },
    "usdjpy_own_quotes": {
        "symbol": "USDJPY",
        "workers": _BANDS,
        "logic": {"type": "aggressive_trend", "sl_points": 80, "on_opposite": "reverse", **_EAGER},
        "account": {"broker": "mt5_fx", "latency": {"kind": "uniform", "ms": 20, "max_ms": 900}},
    },
    "eurgbp_stated_rate_ecn": {
        "symbol": "EURGBP",
        "workers": {"macd": {"type": "macd", "timeframe": "M1"}},
        "logic": {"type": "macd_cross", "sl_points": 40, "lots": "0.3"},
        "account": {"broker": "ecn_fx", "conversion_rates": {"GBP": "1.2731"}, "slippage_points": 1},
    },
    "btcusd_percent_commission": {
        "symbol": "BTCUSD",
        "start": datetime(2025, 9, 20, 23, 50, tzinfo=UTC),  # a weekend, over midnight
        "max_ticks": 5_000,
        "workers": {"rsi": {"type": "rsi", "timeframe": "M1"}, "band": {"type": "envelope", "timeframe": "M5", "deviation": 0.1}},
        "logic": {"type": "simple_consensus", "lots": "0.05", "band_extremes": 0.3, **_EAGER},
        "account": {"broker": "ecn_fx", "balance": 50_000},
    },
    "jpy_account": {
        "symbol": "USDJPY",
        "workers": _BANDS,
        "logic": {"type": "aggressive_trend", "tp_points": 50, **_EAGER},
        "account": {"broker": "ecn_fx", "currency": "JPY", "balance": 1_500_000, "commission_per_lot": 350},
    },
    "over_a_weekend": {
        "symbol": "GBPUSD",
        "start": datetime(2025, 9, 19, 19, tzinfo=UTC),
        "end": datetime(2025, 9, 21, 22, tzinfo=UTC),
        "max_ticks": None,
        "workers": {"rsi": {"type": "rsi", "timeframe": "M5", "live": False}, "band": {"type": "bollinger", "timeframe": "M15"}},
        "logic": {"type": "aggressive_trend", "rsi_buy_threshold": 45, "rsi_sell_threshold": 55},
    },
    "scripted_hedge_to_no_margin": {
        "max_ticks": 400,
        "logic": {
            "type": "scripted",
            "orders": [
                {"tick": 3, "action": "buy", "lots": "0.5", "sl_points": 12},
                {"tick": 3, "action": "sell", "lots": "0.5", "tp_points": 9},
                {"tick": 20, "action": "buy", "lots": "90"},
                {"tick": 21, "action": "buy", "lots": "0.005"},
                {"tick": 300, "action": "close_all"},
                {"tick": 310, "action": "sell", "lots": "1"},
                {"tick": 399, "action": "buy", "lots": "1"},
            ],
        },
    },
}  # fmt: skip


def _broker(name: str) -> BrokerSpec:
    return BrokerSpec.model_validate_json((ROOT / "configs" / "brokers" / f"{name}.json").read_text())


def _pinned() -> dict[str, Any]:
    pins: dict[str, Any] = json.loads(PINS.read_text()) if PINS.exists() else {}
    return pins


@pytest.mark.parametrize("name", RUNS)
def test_golden_run(name: str) -> None:
    config = make_config(**{"account": {"broker": "mt5_fx"}, **RUNS[name]})
    result = run(config, broker=_broker(config.account.broker))
    assert result.success, result.error
    assert result.loop is not None
    seen = {
        "market": content_hash(synthetic_day(config.symbol, config.start.date())),
        "ticks": result.loop.ticks,
        "result_hash": result.loop.result_hash,
        "statistics": dict(result.loop.statistics),
    }
    if RENEW:
        PINS.write_text(json.dumps({**_pinned(), name: seen}, indent=2, sort_keys=True) + "\n")
    assert seen == _pinned().get(name), "see the head of this file for how to renew the pins"
    assert result.loop.statistics["trades"] >= 2  # type: ignore[operator]


def test_no_pin_is_left_over() -> None:
    assert set(_pinned()) == set(RUNS)
