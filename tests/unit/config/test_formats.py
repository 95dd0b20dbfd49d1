"""JSON and YAML say the same; exact numbers; the resolved form, the hash and the schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from finiex_ray.config.load import load_scenario_set
from finiex_ray.config.models import ScenarioConfig, ScenarioSet
from finiex_ray.config.resolved import config_hash, from_json, to_json
from finiex_ray.config.schema import scenario_set_schema
from finiex_ray.core.errors import ConfigError

QUICKSTART: dict[str, Any] = {
    "name": "quickstart",
    "data": {"catalog": "synthetic"},
    "global": {
        "workers": {
            "rsi_fast": {"type": "rsi", "period": 14, "timeframe": "M5"},
            "envelope_main": {"type": "envelope", "period": 20, "deviation": 2.0, "timeframe": "M30"},
        },
        "logic": {"type": "aggressive_trend", "rsi_buy_threshold": 35, "rsi_sell_threshold": 65, "lots": 0.1},
        "account": {"broker": "mt5_fx", "currency": "USD", "balance": 10000},
        "execution": {"block_ticks": 8192, "parallel_workers": False, "profile": True, "time_limit_s": None},
        "live_stats": {
            "enabled": True,
            "update_interval_sec": 0.3,
            "export_portfolio_stats": False,
            "export_performance_stats": False,
            "export_current_bars": False,
        },
        "seed": 42,
    },
    "scenarios": [
        {"name": "window_07", "symbol": "GBPUSD", "start": "2025-09-25T14:00:00Z", "max_ticks": 20000},
        {
            "name": "day_26",
            "symbol": "EURUSD",
            "start": "2025-09-26T00:00:00Z",
            "end": "2025-09-27T00:00:00Z",
            "logic": {"lots": 0.2},
        },
    ],
}

YAML = """\
name: quickstart
data: {catalog: synthetic}
global:
  workers:
    rsi_fast: {type: rsi, period: 14, timeframe: M5}
    envelope_main:
      type: envelope
      period: 20
      deviation: 2.0
      timeframe: M30
  logic: {type: aggressive_trend, rsi_buy_threshold: 35, rsi_sell_threshold: 65, lots: 0.1}
  account: {broker: mt5_fx, currency: USD, balance: 10000}
  execution: {block_ticks: 8192, parallel_workers: false, profile: true, time_limit_s: null}
  live_stats:
    enabled: true
    update_interval_sec: 0.3
    export_portfolio_stats: false
    export_performance_stats: false
    export_current_bars: false
  seed: 42
scenarios:
- {name: window_07, symbol: GBPUSD, start: 2025-09-25T14:00:00Z, max_ticks: 20000}   # a YAML timestamp
- name: day_26
  symbol: EURUSD
  start: 2025-09-26 02:00:00 +02:00
  end: "2025-09-27T00:00:00Z"
  logic: {lots: 0.2}
"""


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def quickstart(folder: Path) -> ScenarioSet:
    return load_scenario_set(write(folder, "quickstart.json", json.dumps(QUICKSTART)))


def test_yaml_equals_json(tmp_path: Path) -> None:
    from_yaml = load_scenario_set(write(tmp_path, "quickstart.yaml", YAML))
    assert from_yaml.model_copy(update={"source": ""}) == quickstart(tmp_path).model_copy(update={"source": ""})


def test_yaml_scalars(tmp_path: Path) -> None:
    text = (
        "global:\n  symbol: A\n  start: 2025-01-01T00:00:00Z\n  max_ticks: 1\n"
        "  logic: {type: t, a: 1e5, b: -0.50, c: '1e5', d: \"yes\", e: ~, f: True, g: .5, h: ! 7,\n"
        "    i: 2025-01-01, on: =}\n"
        "scenarios: [{name: 7}, {name: '8'}]\n"
    )
    nameless, scenario = load_scenario_set(write(tmp_path, "s.yml", text)).scenarios
    assert nameless.name == "scenarios[0]"
    assert isinstance(scenario, ScenarioConfig)
    assert scenario.logic.params == {
        "a": Decimal(100_000), "b": Decimal("-0.50"), "c": "1e5", "d": "yes", "e": None, "f": True,
        "g": Decimal("0.5"), "h": "7", "i": "2025-01-01", "on": "=",
    }  # fmt: skip


def test_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "set.json"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(QUICKSTART).encode())
    assert load_scenario_set(file).name == "quickstart"


def test_decimals_stay_exact(tmp_path: Path) -> None:
    text = json.dumps(QUICKSTART).replace("10000", "12345678.123456789012345678")
    scenario = load_scenario_set(write(tmp_path, "s.json", text)).scenarios[0]
    assert isinstance(scenario, ScenarioConfig)
    assert scenario.account.balance == Decimal("12345678.123456789012345678")


@pytest.mark.parametrize(
    "written",
    [
        "2025-09-25T16:00:00.000001+0200",
        "2025-09-25t14:00:00.000001z",
        "2025-09-25 14:00:00.000001Z",
        "2025-09-25 16:00:00.000001 +02:00",
        "2025-09-25T16:00:00.000001 +02:00",
    ],
)
def test_offsets_are_the_same_moment(tmp_path: Path, written: str) -> None:
    text = json.dumps(QUICKSTART).replace("2025-09-25T14:00:00Z", written)
    scenario = load_scenario_set(write(tmp_path, "s.json", text)).scenarios[0]
    assert isinstance(scenario, ScenarioConfig)
    assert scenario.start == datetime(2025, 9, 25, 14, 0, 0, 1, tzinfo=UTC)


def test_models_are_frozen(tmp_path: Path) -> None:
    scenario = quickstart(tmp_path).scenarios[0]
    assert isinstance(scenario, ScenarioConfig)
    for target, key in (
        (scenario, "seed"),
        (scenario.account, "balance"),
        (scenario.logic, "type"),
        (scenario.logic, "lots"),
    ):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(target, key, 1)


def test_resolved_round_trip(tmp_path: Path) -> None:
    odd = {
        "name": "odd ünï",
        "symbol": "EURUSD",
        "start": "2025-09-26T00:00:00.123456+05:30",
        "max_ticks": 5,
        "logic": {"type": "t", "list": [1, {"a": 0.10, "b": None}], "text": 'a\n"b"\x01', "big": 2**70, "tiny": 1e-300},
        "account": {"latency": {"kind": "uniform", "ms": 0.1, "max_ms": 0.30000000000000004}},
        "bar_price": "bid",
    }
    rows = [*QUICKSTART["scenarios"], odd, {"name": "bad", "symbol": "X"}]
    found = load_scenario_set(write(tmp_path, "s.json", json.dumps({**QUICKSTART, "scenarios": rows})))
    text = to_json(found)
    assert from_json(text) == found
    assert to_json(from_json(text)) == text
    assert '"start": "2025-09-25T18:30:00.123456Z"' in text
    assert json.loads(text)["scenarios"][2]["logic"]["list"] == [1, {"a": 0.1, "b": None}]
    assert sum(line.startswith('  {"') for line in text.splitlines()) == len(rows)  # one line a scenario


@pytest.mark.parametrize(
    ("text", "part"),
    [("{", "line 1"), ("{}", "'scenarios'"), ("[]", "not a resolved"), ('{"scenarios": [{"reasons": 5}]}', "reasons")],
)
def test_resolved_refused(text: str, part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        from_json(text, "run.json")


def test_resolved_refuses_what_json_cannot_say(tmp_path: Path) -> None:
    found = quickstart(tmp_path)
    for value in (float("nan"), object()):
        logic = found.scenarios[0].logic.model_validate({"type": "t", "x": value})
        broken = found.model_copy(update={"scenarios": (found.scenarios[0].model_copy(update={"logic": logic}),)})
        with pytest.raises(ConfigError, match=r"scenarios\[0\]\.logic\.x"):
            to_json(broken)


def hash_of(folder: Path, content: dict[str, Any]) -> str:
    scenario = load_scenario_set(write(folder, "s.json", json.dumps(content))).scenarios[0]
    assert isinstance(scenario, ScenarioConfig)
    return config_hash(scenario)


def test_hash_is_pinned(tmp_path: Path) -> None:
    """Changes only with the layout itself: a new field of a scenario is a new hash."""
    assert hash_of(tmp_path, QUICKSTART) == "7f2d142d8cd823aa53608859cdb49547dacb6b7e9d2fb6711b4b336701ac230b"


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda s: s.update(name="other"), True),
        (lambda s: s.update(execution={"block_ticks": 1}, live_stats={"enabled": False}), True),
        (lambda s: s.update(start="2025-09-25T16:00:00+02:00"), True),
        (lambda s: s.update(account={"balance": "10000.00"}), True),
        (lambda s: s.update(workers={"rsi_fast": {"period": 14.0}, "envelope_main": {"deviation": 2}}), True),
        (lambda s: s.update(logic={"lots": 0.100}), True),
        (lambda s: s.update(logic={"lots": 0.1000001}), False),
        (lambda s: s.update(logic={"rsi_buy_threshold": 350}), False),
        (lambda s: s.update(logic={"rsi_buy_threshold": -35}), False),
        (lambda s: s.update(logic={"rsi_buy_threshold": "35"}), False),
        (lambda s: s.update(seed=43), False),
        (lambda s: s.update(symbol="EURUSD"), False),
        (lambda s: s.update(max_ticks=20001), False),
        (lambda s: s.update(account={"broker": "ecn_fx"}), False),
        (lambda s: s.update(bar_price="bid"), False),
    ],
)
def test_hash_changes_with_what_decides(tmp_path: Path, change: Callable[[dict[str, Any]], None], same: bool) -> None:
    row = dict(QUICKSTART["scenarios"][0])
    change(row)
    changed = hash_of(tmp_path, {**QUICKSTART, "scenarios": [row]})
    assert (changed == hash_of(tmp_path, QUICKSTART)) is same


def test_hash_ignores_key_order(tmp_path: Path) -> None:
    turned = {**QUICKSTART["global"], "workers": dict(reversed(QUICKSTART["global"]["workers"].items()))}
    assert hash_of(tmp_path, {**QUICKSTART, "global": turned}) == hash_of(tmp_path, QUICKSTART)


def test_schema_structure() -> None:
    schema = scenario_set_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert list(schema["properties"]) == ["name", "data", "global", "scenarios"]
    section = schema["$defs"]["ScenarioSection"]
    assert set(section["properties"]) == set(ScenarioConfig.model_fields)
    assert set(schema["$defs"]["GlobalSection"]["properties"]) == set(ScenarioConfig.model_fields) - {"name"}
    assert section["required"] == ["name"]
    assert all(
        "description" in schema["$defs"]["ScenarioSection"]["properties"][key] for key in ("name", "start", "end")
    )
    json.dumps(schema)


def test_schema_judges_documents() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = scenario_set_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    drops = {
        **QUICKSTART["scenarios"][0],
        "workers": {"rsi_fast": None, "envelope_main": {"period": 5}},
        "max_ticks": None,
    }
    for good in (QUICKSTART, {"data": "synthetic", "scenarios": [drops]}):
        validator.validate(good)
    scenario = QUICKSTART["scenarios"][0]
    for bad in (
        {**QUICKSTART, "scenario": []},
        {"name": "s", "scenarios": []},
        {"scenarios": [{"symbol": "A"}]},
        {"scenarios": [{**scenario, "max_tick": 5}]},
        {"scenarios": [{**scenario, "account": {"balance": -1}}]},
        {"scenarios": [{**scenario, "workers": [1]}]},
        {"global": {"name": "a"}, "scenarios": [scenario]},
    ):
        assert not validator.is_valid(bad), bad
