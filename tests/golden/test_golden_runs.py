"""Small runs on the synthetic market whose statistics and hash are pinned in ``golden_runs.json``.

A run that differs is either a bug or a wanted change of results. For a wanted one, renew the pins with

    FINIEX_RENEW_GOLDEN=1 python -m pytest tests/golden

look at the difference of the file, and say in CHANGELOG.md why results changed.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from builders import make_config, make_window, synthetic_day
from golden_runs import RUNS, GoldenRun
from own_access import OWN
from shown import shown

from finiex_ray.bars.window import MarketWindow
from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.models import ScenarioConfig
from finiex_ray.core.enums import ExitReason, FillKind, OrderState, OrderType, RejectReason
from finiex_ray.core.market import content_hash
from finiex_ray.engine.result import ScenarioResult, ScenarioTask
from finiex_ray.engine.run import run_scenario

ROOT = Path(__file__).resolve().parent.parent.parent
PINS = Path(__file__).with_name("golden_runs.json")
RENEW = os.environ.get("FINIEX_RENEW_GOLDEN") == "1"


def _broker(name: str, golden: GoldenRun, symbol: str) -> BrokerSpec:
    tree = json.loads((ROOT / "configs" / "brokers" / f"{name}.json").read_text(encoding="utf-8"))
    tree["symbols"][symbol] |= golden.symbol
    return BrokerSpec.model_validate({**tree, **golden.broker})


def _window(config: ScenarioConfig, conversion: str) -> MarketWindow:
    window = make_window(config)
    if not conversion:
        return window
    days = range(len(window.segments))
    return replace(
        window,
        conversion=tuple(synthetic_day(conversion, config.start.date() + timedelta(days=day)) for day in days),
    )


@cache
def _outcome(name: str) -> tuple[ScenarioConfig, ScenarioResult, frozenset[str]]:
    golden = RUNS[name]
    config = make_config(**{"account": {"broker": "mt5_fx"}, **golden.config})
    broker = _broker(config.account.broker, golden, config.symbol)
    window = _window(config, golden.conversion)
    result = run_scenario(ScenarioTask(0, config, broker, OWN), window, clock=time.perf_counter_ns)
    assert result.success, result.error
    return config, result, shown(config, broker, window, result)


def _pinned() -> dict[str, Any]:
    pins: dict[str, Any] = json.loads(PINS.read_text(encoding="utf-8")) if PINS.exists() else {}
    return pins


@pytest.mark.parametrize("name", RUNS)
def test_golden_run(name: str) -> None:
    config, result, _ = _outcome(name)
    assert result.loop is not None
    seen = {
        "market": content_hash(synthetic_day(config.symbol, config.start.date())),
        "ticks": result.loop.ticks,
        "result_hash": result.loop.result_hash,
        "statistics": dict(result.loop.statistics),
    }
    if RENEW:
        pins = {key: pin for key, pin in {**_pinned(), name: seen}.items() if key in RUNS}
        PINS.write_text(json.dumps(pins, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    assert seen == _pinned().get(name), "see the head of this file for how to renew the pins"


@pytest.mark.parametrize("name", RUNS)
def test_a_golden_run_does_what_it_is_there_for(name: str) -> None:
    _, result, words = _outcome(name)
    assert sorted(RUNS[name].shows - words) == []
    assert result.loop is not None
    assert result.loop.statistics["trades"] >= 2  # type: ignore[operator]


def test_the_golden_runs_show_everything() -> None:
    words = {word for name in RUNS for word in _outcome(name)[2] & RUNS[name].shows}
    instructions = (OrderType.MODIFY_ORDER, OrderType.MODIFY_POSITION, OrderType.CANCEL)
    everything = {
        *(f"{each.name.lower()} {'done' if each in instructions else 'filled'}" for each in OrderType),
        *(f"exit {each.name.lower()}" for each in ExitReason),
        *(f"reason {each.name.lower()}" for each in RejectReason if each is not RejectReason.NONE),
        *(f"account {mode}" for mode in ("hedging", "netting", "spot")),
        *(f"latency {kind}" for kind in ("fixed", "uniform", "lognormal")),
        *(f"slippage {kind}" for kind in ("fixed", "uniform", "by_spread")),
        *(f"commission {kind}" for kind in ("per_lot", "percent")),
        *(f"swap {kind}" for kind in ("points", "percent", "money")),
        f"fill {FillKind.SWAP.name.lower()}",
        f"limit {OrderState.EXPIRED.name.lower()}",
        *("filled in part", "closed in part", "trailing stop moved", "margin call", "converted by gbpusd"),
    }
    assert sorted(everything - words) == []


def test_no_pin_is_left_over() -> None:
    assert set(_pinned()) == set(RUNS)
