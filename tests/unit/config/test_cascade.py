"""How `global` values and ``--set`` reach a scenario, one test a rule."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from finiex_ray.config.cascade import MERGE_DEPTH, merge_scenario
from finiex_ray.config.load import load_scenario_set
from finiex_ray.config.models import InvalidScenario, ScenarioConfig

GLOBAL: dict[str, Any] = {
    "symbol": "EURUSD",
    "start": "2025-09-25T14:00:00Z",
    "max_ticks": 1000,
    "workers": {
        "rsi_fast": {"type": "rsi", "period": 14, "timeframe": "M5"},
        "band": {"type": "envelope", "period": 20, "levels": [1, 2]},
    },
    "logic": {"type": "aggressive_trend", "lots": 0.1, "min_confidence": 0.5},
    "account": {
        "balance": 5000,
        "latency": {"kind": "uniform", "ms": 5, "max_ms": 9},
        "conversion_rates": {"GBP": 1.2},
    },
    "execution": {"block_ticks": 16, "profile": False},
    "live_stats": {"enabled": False, "update_interval_sec": 2},
    "seed": 42,
}


def resolve(tmp_path: Path, own: dict[str, Any], overrides: list[str] | None = None, **top: Any) -> ScenarioConfig:
    file = tmp_path / "set.json"
    other = {"name": "other", "workers": {"extra": {"type": "atr"}}}
    file.write_text(json.dumps({"name": "s", "global": GLOBAL, "scenarios": [{"name": "a", **own}, other], **top}))
    scenario = load_scenario_set(file, overrides or []).scenarios[0]
    assert isinstance(scenario, ScenarioConfig), scenario
    return scenario


def workers(scenario: ScenarioConfig) -> dict[str, dict[str, Any]]:
    return {name: {"type": worker.type, **worker.params} for name, worker in scenario.workers.items()}


def test_table_names_real_sections() -> None:
    assert set(MERGE_DEPTH) <= set(ScenarioConfig.model_fields)


def test_nothing_own(tmp_path: Path) -> None:
    scenario = resolve(tmp_path, {})
    assert workers(scenario) == GLOBAL["workers"]
    assert (scenario.symbol, scenario.max_ticks, scenario.seed) == ("EURUSD", 1000, 42)
    assert scenario.account.latency is not None
    assert scenario.account.latency.max_ms == 9


def test_worker_parameter_over_global(tmp_path: Path) -> None:
    found = workers(resolve(tmp_path, {"workers": {"rsi_fast": {"period": 7}}}))
    assert found["rsi_fast"] == {"type": "rsi", "period": 7, "timeframe": "M5"}
    assert found["band"] == GLOBAL["workers"]["band"]


def test_worker_same_type_merges(tmp_path: Path) -> None:
    found = workers(resolve(tmp_path, {"workers": {"rsi_fast": {"type": "rsi", "period": 7}}}))
    assert found["rsi_fast"]["timeframe"] == "M5"


def test_worker_other_type_replaces(tmp_path: Path) -> None:
    found = workers(resolve(tmp_path, {"workers": {"rsi_fast": {"type": "atr", "period": 7}}}))
    assert found["rsi_fast"] == {"type": "atr", "period": 7}


def test_worker_null_drops(tmp_path: Path) -> None:
    assert list(workers(resolve(tmp_path, {"workers": {"band": None}}))) == ["rsi_fast"]


def test_worker_added(tmp_path: Path) -> None:
    found = workers(resolve(tmp_path, {"workers": {"slow": {"type": "rsi", "period": 50}}}))
    assert list(found) == ["rsi_fast", "band", "slow"]


def test_parameter_list_replaced(tmp_path: Path) -> None:
    assert workers(resolve(tmp_path, {"workers": {"band": {"levels": [3]}}}))["band"]["levels"] == [3]


def test_logic_parameter_over_global(tmp_path: Path) -> None:
    logic = resolve(tmp_path, {"logic": {"lots": 0.2}}).logic
    assert (logic.type, logic.params) == (
        "aggressive_trend",
        {"lots": Decimal("0.2"), "min_confidence": Decimal("0.5")},
    )


def test_logic_other_type_replaces(tmp_path: Path) -> None:
    logic = resolve(tmp_path, {"logic": {"type": "macd_cross", "lots": 1}}).logic
    assert (logic.type, logic.params) == ("macd_cross", {"lots": 1})


def test_account_by_key_inner_replaced(tmp_path: Path) -> None:
    own = {"account": {"leverage": 30, "latency": {"ms": 1}, "conversion_rates": {"JPY": 0.0067}}}
    account = resolve(tmp_path, own).account
    assert (account.balance, account.leverage) == (5000, 30)
    assert account.latency is not None
    assert (account.latency.kind, account.latency.max_ms) == ("fixed", None)
    assert account.conversion_rates == {"JPY": Decimal("0.0067")}


def test_execution_and_live_stats_by_key(tmp_path: Path) -> None:
    scenario = resolve(tmp_path, {"execution": {"profile": True}, "live_stats": {"enabled": True}})
    assert (scenario.execution.block_ticks, scenario.execution.profile) == (16, True)
    assert (scenario.live_stats.update_interval_sec, scenario.live_stats.enabled) == (2, True)


def test_rest_replaced_and_null_unsets(tmp_path: Path) -> None:
    scenario = resolve(tmp_path, {"max_ticks": None, "end": "2025-09-26T00:00:00+02:00", "seed": 1, "symbol": "XAUUSD"})
    assert (scenario.max_ticks, scenario.seed, scenario.symbol) == (None, 1, "XAUUSD")


def test_merge_changes_neither_side() -> None:
    before = json.dumps(GLOBAL)
    own = {"workers": {"rsi_fast": {"period": 7}}, "account": {"balance": 1}}
    merged = merge_scenario(GLOBAL, own)
    merged["workers"]["rsi_fast"]["period"] = 99
    assert json.dumps(GLOBAL) == before
    assert own["workers"]["rsi_fast"] == {"period": 7}


@pytest.mark.parametrize(
    ("override", "read", "expected"),
    [
        ("workers.rsi_fast.period=7", lambda s: s.workers["rsi_fast"].params["period"], 7),
        ("logic.lots=0.25", lambda s: s.logic.params["lots"], Decimal("0.25")),
        ("logic.mode=fast", lambda s: s.logic.params["mode"], "fast"),
        ("logic.note=", lambda s: s.logic.params["note"], ""),
        ("logic.expr=a=b", lambda s: s.logic.params["expr"], "a=b"),
        ('logic.mode="7"', lambda s: s.logic.params["mode"], "7"),
        (
            "logic.type=simple_consensus",
            lambda s: (s.logic.type, s.logic.params["lots"]),
            ("simple_consensus", Decimal("0.3")),
        ),
        ('logic={"type": "x"}', lambda s: s.logic.params, {}),
        ("workers.band.levels[1]=5", lambda s: s.workers["band"].params["levels"], [1, 5]),
        ("workers.band=null", lambda s: list(s.workers), ["rsi_fast"]),
        ('workers.new={"type": "atr"}', lambda s: s.workers["new"].type, "atr"),
        ("workers.extra.period=3", lambda s: list(s.workers), ["rsi_fast", "band"]),
        ("account.latency.max_ms=11", lambda s: s.account.latency.max_ms, 11),
        ("account.latency=null", lambda s: s.account.latency, None),
        ("account.conversion_rates.JPY=0.5", lambda s: set(s.account.conversion_rates), {"GBP", "JPY"}),
        ("start=2025-09-25T15:00:00Z", lambda s: s.start.hour, 15),
        ("global.seed=5", lambda s: s.seed, 5),
        ("global.logic.lots=9", lambda s: s.logic.params["lots"], Decimal("0.3")),
        ("scenarios[0].max_ticks=100", lambda s: s.max_ticks, 100),
        ("scenarios[a].max_ticks=100", lambda s: s.max_ticks, 100),
        ('scenarios["a"].max_ticks=100', lambda s: s.max_ticks, 100),
        ("scenarios[other].max_ticks=100", lambda s: s.max_ticks, 1000),
        ('workers["rsi_fast"].period=8', lambda s: s.workers["rsi_fast"].params["period"], 8),
    ],
)
def test_override(tmp_path: Path, override: str, read: Any, expected: Any) -> None:
    assert read(resolve(tmp_path, {"logic": {"lots": 0.3}}, [override])) == expected


def test_override_of_the_set(tmp_path: Path) -> None:
    file = tmp_path / "set.json"
    file.write_text(json.dumps({"data": "ticks", "global": GLOBAL, "scenarios": [{"name": "a"}]}))
    plain = load_scenario_set(file)
    assert (plain.name, plain.data.catalog, plain.data.seed) == ("set", "ticks", 0)
    found = load_scenario_set(file, ["name=7", "data.seed=3"])
    assert (found.name, found.data.catalog, found.data.seed) == ("7", "ticks", 3)
    assert load_scenario_set(file, ["data=other"]).data.catalog == "other"


def test_last_override_wins_and_named_beats_unnamed(tmp_path: Path) -> None:
    assert resolve(tmp_path, {}, ["seed=1", "seed=2"]).seed == 2
    assert resolve(tmp_path, {}, ["scenarios[a].seed=1", "seed=2"]).seed == 1


def test_override_that_cannot_be_in_one_scenario(tmp_path: Path) -> None:
    file = tmp_path / "set.json"
    own = [{"name": "a", "workers": {"band": {"levels": [1]}}}, {"name": "b"}]
    file.write_text(json.dumps({"global": GLOBAL, "scenarios": own}))
    first, second = load_scenario_set(file, ["workers.band.levels[1]=5"]).scenarios
    assert isinstance(first, InvalidScenario)
    assert first.reasons == (
        f"{file}: scenarios[0]: --set workers.band.levels[1]=5: the list has 1 items, there is no index 1",
    )
    assert isinstance(second, ScenarioConfig)
