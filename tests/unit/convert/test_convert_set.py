from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from finiex_ray.config.load import load_scenario_set
from finiex_ray.config.models import ScenarioConfig
from finiex_ray.convert.files import convert_file
from finiex_ray.core.errors import ConfigError

OLD: dict[str, Any] = {
    "version": "1.0",
    "scenario_set_name": "EURUSD_windows",
    "created": "2025-10-12T08:41:31",
    "global": {
        "data_mode": "realistic",
        "strategy_config": {
            "decision_logic_type": "CORE/aggressive_trend",
            "worker_instances": {"rsi_fast": "CORE/rsi", "envelope_main": "CORE/envelope"},
            "workers": {
                "rsi_fast": {"periods": {"M5": 14}},
                "envelope_main": {"periods": {"M30": 20}, "deviation": 2.0},
            },
            "decision_logic_config": {"rsi_oversold": 35, "rsi_overbought": 65, "lot_size": 0.2, "min_confidence": 0.0},
        },
        "trade_simulator_config": {
            "balances": {"EUR": 5000},
            "seeds": {"inbound_latency_seed": 42, "market_execution_seed": 123},
        },
        "execution_config": {"parallel_workers": True, "adaptive_parallelization": True},
    },
    "scenarios": [
        {
            "name": "window_01",
            "symbol": "EURUSD",
            "data_broker_type": "mt5",
            "start_date": "2025-09-23T08:00:00+00:00",
            "end_date": "2025-09-23T12:00:00+00:00",
            "max_ticks": 9000,
            "data_mode": "realistic",
            "enabled": True,
            "strategy_config": {},
            "execution_config": {},
            "trade_simulator_config": {},
        },
        {
            "name": "window_02",
            "symbol": "EURUSD",
            "data_broker_type": "mt5",
            "start_date": "2025-09-24T08:00:00",
            "end_date": "2025-09-24T12:00:00+00:00",
            "max_ticks": None,
            "enabled": False,
            "data_mode": "realistic",
            "strategy_config": {
                "workers": {"rsi_fast": {"periods": {"M5": 21}}},
                "decision_logic_config": {"lot_size": 0.5},
            },
            "execution_config": {"parallel_workers": False},
            "trade_simulator_config": {"balances": {"USD": 800}, "seeds": {"inbound_latency_seed": 7}},
        },
    ],
}


def convert(tmp_path, tree: dict[str, Any]):
    path = tmp_path / "old.json"
    path.write_text(json.dumps(tree), encoding="utf-8")
    return convert_file(path)


def notes(converted) -> dict[str, str]:
    return {note.path: note.why for note in converted.notes}


def loaded(tmp_path, converted) -> dict[str, ScenarioConfig]:
    """The converted set as our loader reads it, disabled scenarios too."""
    tree = json.loads(converted.text())
    for each in tree["scenarios"]:
        each.pop("enabled", None)
    path = tmp_path / "new.json"
    path.write_text(json.dumps(tree), encoding="utf-8")
    found = load_scenario_set(path)
    assert all(isinstance(each, ScenarioConfig) for each in found.scenarios), found.scenarios
    return {each.name: each for each in found.scenarios}


def test_the_layout_of_the_issue(tmp_path) -> None:
    converted = convert(tmp_path, OLD)
    assert converted.kind == "scenario set"
    tree = json.loads(converted.text())
    assert tree["name"] == "EURUSD_windows"
    assert tree["data"] == {"catalog": "catalogs/mt5"}
    assert tree["global"] == {
        "workers": {
            "rsi_fast": {"type": "rsi", "period": 14, "timeframe": "M5"},
            "envelope_main": {"type": "envelope", "deviation": 2.0, "period": 20, "timeframe": "M30"},
        },
        "logic": {
            "type": "aggressive_trend",
            "rsi_buy_threshold": 35,
            "rsi_sell_threshold": 65,
            "lots": 0.2,
            "min_confidence": 0.0,
        },
        "account": {"broker": "mt5_fx", "currency": "EUR", "balance": 5000},
        "seed": 42,
        "execution": {"parallel_workers": True},
    }
    assert tree["scenarios"][0] == {
        "name": "window_01",
        "symbol": "EURUSD",
        "start": "2025-09-23T08:00:00+00:00",
        "end": "2025-09-23T12:00:00+00:00",
        "max_ticks": 9000,
    }
    assert tree["scenarios"][1] == {
        "name": "window_02",
        "symbol": "EURUSD",
        "start": "2025-09-24T08:00:00Z",
        "end": "2025-09-24T12:00:00+00:00",
        "enabled": False,
        "workers": {"rsi_fast": {"period": 21}},
        "logic": {"lots": 0.5},
        "account": {"currency": "USD", "balance": 800},
        "seed": 7,
        "execution": {"parallel_workers": False},
    }


def test_the_result_resolves_to_what_the_old_file_meant(tmp_path) -> None:
    found = loaded(tmp_path, convert(tmp_path, OLD))
    first, second = found["window_01"], found["window_02"]
    assert first.workers["rsi_fast"].params == {"period": 14, "timeframe": "M5"}
    assert second.workers["rsi_fast"].params == {"period": 21, "timeframe": "M5"}
    assert second.workers["envelope_main"].params["period"] == 20
    assert (float(first.logic.params["lots"]), float(second.logic.params["lots"])) == (0.2, 0.5)
    assert (first.account.currency, int(second.account.balance), second.seed) == ("EUR", 800, 7)
    assert second.account.broker == "mt5_fx"


def test_everything_without_an_equivalent_is_listed_once(tmp_path) -> None:
    converted = convert(tmp_path, OLD)
    assert set(notes(converted)) == {
        "version",
        "created",
        "global.data_mode",
        "global.trade_simulator_config.seeds.market_execution_seed",
        "global.execution_config.adaptive_parallelization",
        "scenarios[0].data_broker_type",
        "scenarios[*].data_broker_type",
        "scenarios[1].start_date",
    }
    (mode,) = [note for note in converted.notes if note.path == "global.data_mode"]
    assert mode.times == 3
    assert mode.sentence() == 'global.data_mode: "realistic" (3 times): has no equivalent; it is left out'


def test_several_periods_become_several_workers(tmp_path) -> None:
    old = copy.deepcopy(OLD)
    old["scenarios"][1]["strategy_config"]["workers"]["rsi_fast"]["periods"] = {"M30": 20}
    converted = convert(tmp_path, old)
    found = loaded(tmp_path, converted)
    assert list(found["window_01"].workers) == ["rsi_fast", "envelope_main"]
    assert {name: each.params.get("period") for name, each in found["window_02"].workers.items()} == {
        "envelope_main": 20,
        "rsi_fast_M5": 14,
        "rsi_fast_M30": 20,
    }
    assert (
        "it became rsi_fast_M5, rsi_fast_M30"
        in notes(converted)["scenarios[1].strategy_config.workers.rsi_fast.periods"]
    )


def test_unknown_types_and_parameters_are_kept_by_name_and_listed(tmp_path) -> None:
    old = copy.deepcopy(OLD)
    strategy = old["global"]["strategy_config"]
    strategy["decision_logic_type"] = "USER/My_Logic"
    strategy["worker_instances"]["obv"] = "CORE/obv"
    strategy["worker_instances"]["macd_main"] = "CORE/macd"
    strategy["workers"] |= {
        "obv": {"periods": {"M5": 20}},
        "macd_main": {"periods": {"M5": 26}, "fast_period": 12, "slow_period": 26, "signal_period": 9},
        "ghost": {"periods": {"M1": 5}},
    }
    strategy["workers"]["rsi_fast"]["colour"] = "red"
    converted = convert(tmp_path, old)
    found = loaded(tmp_path, converted)["window_01"]
    assert found.logic.type == "my_logic"
    assert found.workers["obv"].type == "obv"
    assert found.workers["macd_main"].params == {"fast": 12, "slow": 26, "signal": 9, "timeframe": "M5"}
    listed = notes(converted)
    base = "global.strategy_config"
    assert "there is no logic 'my_logic'" in listed[f"{base}.decision_logic_type"]
    assert "there is no worker 'obv'" in listed[f"{base}.worker_instances.obv"]
    assert "no period of its own" in listed[f"{base}.workers.macd_main.periods.M5"]
    assert "no type for it" in listed[f"{base}.workers.ghost"]
    assert "no equivalent in 'rsi'" in listed[f"{base}.workers.rsi_fast.colour"]
    assert "ghost" not in found.workers
    assert "colour" not in found.workers["rsi_fast"].params


def test_what_is_doubtful_is_said(tmp_path) -> None:
    old = copy.deepcopy(OLD)
    strategy = old["global"]["strategy_config"]
    strategy["workers"]["envelope_main"]["deviation"] = 0.02
    strategy["decision_logic_config"] |= {
        "envelope_lower_threshold": 0.3,
        "envelope_upper_threshold": 0.7,
        "new_key": 1,
    }
    old["global"]["trade_simulator_config"] = {"initial_balance": 1000, "account_currency": "auto"}
    old["global"]["order_guard"] = {"cooldown_seconds": 60.0, "max_consecutive_rejections": 2, "_comment": "x"}
    converted = convert(tmp_path, old)
    listed = notes(converted)
    base = "global.strategy_config"
    assert "0.02 for 2 %" in listed[f"{base}.workers.envelope_main.deviation"]
    assert "no equivalent in 'aggressive_trend'" in listed[f"{base}.decision_logic_config.new_key"]
    assert "USD is the default" in listed["global.trade_simulator_config.currency"]
    found = loaded(tmp_path, converted)["window_01"]
    assert float(found.logic.params["band_extremes"]) == 0.3
    assert found.account.guard is not None
    assert (found.account.guard.rejections, found.account.guard.cool_down_s) == (2, 60)
    strategy["decision_logic_config"]["envelope_upper_threshold"] = 0.8
    assert "one threshold for both sides" in notes(convert(tmp_path, old))[f"{base}.decision_logic_config"]


def test_wrong_scenarios_are_listed_and_names_mended(tmp_path) -> None:
    old = copy.deepcopy(OLD)
    old["scenarios"].append({**old["scenarios"][0], "name": "window_01", "end_date": "2025-09-01T00:00:00+00:00"})
    old["scenarios"][0]["name"] = "a/b"
    converted = convert(tmp_path, old)
    assert [each["name"] for each in converted.tree["scenarios"]] == ["a_b", "window_02", "window_01"]
    assert "became 'a_b'" in notes(converted)["scenarios[0].name"]
    assert "is not after start" in notes(converted)["scenario 'window_01'"]


def test_several_broker_types_are_said_of_each_scenario(tmp_path) -> None:
    old = copy.deepcopy(OLD)
    old["scenarios"][1] |= {"data_broker_type": "kraken_spot", "symbol": "BTCUSD"}
    converted = convert(tmp_path, old)
    assert converted.tree["data"] == {"catalog": "catalogs/mt5_and_kraken_spot"}
    found = loaded(tmp_path, converted)
    assert [each.account.broker for each in found.values()] == ["mt5_fx", "crypto_spot"]


def test_the_oldest_layout_names_workers_by_type(tmp_path) -> None:
    old = copy.deepcopy(OLD)
    strategy = old["global"]["strategy_config"]
    del strategy["worker_instances"]
    strategy["worker_types"] = ["CORE/rsi"]
    strategy["workers"] = {"CORE/rsi": {"period": 9, "timeframe": "M5"}}
    old["scenarios"] = old["scenarios"][:1]
    found = loaded(tmp_path, convert(tmp_path, old))["window_01"]
    assert found.workers["rsi"].params == {"period": 9, "timeframe": "M5"}


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"x": 1}, "is neither a scenario set"),
        ({"scenarios": "x"}, "must be a list of objects"),
        ({"scenarios": []}, "the result would not be valid"),
        ({"global": {"logic": {"type": "x"}}, "scenarios": []}, "is a scenario set of finiex_ray already"),
        ({"global": [], "scenarios": [{"strategy_config": 3}]}, "another layout than expected"),
    ],
)
def test_other_files_are_refused(tmp_path, tree, words) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        convert(tmp_path, tree)
    assert "old.json" in str(caught.value)
