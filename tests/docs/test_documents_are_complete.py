"""The documents name every key, column, option, worker and logic that there is."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
import typer.main
from document_blocks import ALL, ROOT
from pydantic import BaseModel

from finiex_ray.cli import app
from finiex_ray.config.cascade import MERGE_DEPTH
from finiex_ray.config.costs import GuardConfig, LatencyConfig, SlippageConfig
from finiex_ray.config.layout import TOP_KEYS
from finiex_ray.config.models import AccountConfig, DataConfig, ExecutionConfig, LiveStatsConfig, ScenarioConfig
from finiex_ray.core.enums import EventKind
from finiex_ray.data.importing import IMPORTERS
from finiex_ray.decisions.registry import logic_types
from finiex_ray.results.rows import PROFILE_SCHEMA, SCENARIO_SCHEMA
from finiex_ray.results.tables import RECORD_TABLES
from finiex_ray.sweep.config import SearchConfig, SweepConfig, WalkForwardConfig
from finiex_ray.sweep.measures import MEASURES
from finiex_ray.sweep.returns import RETURNS_SCHEMA
from finiex_ray.sweep.store import scenario_schema, trial_schema
from finiex_ray.trading.api import TradingApi
from finiex_ray.workers.registry import worker_types

DOCS = ROOT / "docs"
SWEEPS = (DOCS / "sweeps.md").read_text(encoding="utf-8")


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(name: str, title: str) -> str:
    text, level = page(name), title.split(" ")[0]
    start = text.index(f"\n{title}\n")
    end = text.find(f"\n{level} ", start + 2)
    return text[start:end]


def missing(names: set[str], text: str) -> list[str]:
    return sorted(name for name in names if f"`{name}`" not in text)


def full_set() -> dict[str, Any]:
    (body,) = (block.body for block in ALL if block.value == "full.json")
    tree = json.loads(body)
    merged: dict[str, object] = dict(tree["global"])
    for scenario in tree["scenarios"]:
        merged = {**scenario, **merged}
    assert set(tree) == set(TOP_KEYS)
    return {"data": tree["data"], "scenario": merged}


def test_the_full_set_has_every_key() -> None:
    tree = full_set()
    scenario = tree["scenario"]
    models: list[tuple[type[BaseModel], Any]] = [
        (DataConfig, tree["data"]),
        (ScenarioConfig, scenario),
        (AccountConfig, scenario["account"]),
        (ExecutionConfig, scenario["execution"]),
        (LiveStatsConfig, scenario["live_stats"]),
        (LatencyConfig, scenario["account"]["latency"]),
        (SlippageConfig, scenario["account"]["slippage"]),
        (GuardConfig, scenario["account"]["guard"]),
    ]
    for model, values in models:
        assert set(values) == set(model.model_fields), model.__name__


def test_keys_are_explained() -> None:
    names = set(TOP_KEYS)
    for model in (DataConfig, ScenarioConfig, AccountConfig, ExecutionConfig, LiveStatsConfig):
        names |= set(model.model_fields)
    for model in (LatencyConfig, SlippageConfig, GuardConfig):
        names |= set(model.model_fields)
    assert missing(names, page("reference/scenario-sets.md")) == []


def test_the_merge_rule_names_every_section() -> None:
    text = section("reference/scenario-sets.md", "## How `global` reaches a scenario")
    assert missing({*MERGE_DEPTH, *(set(ScenarioConfig.model_fields) - {"name"})}, text) == []


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({field.name for field in SCENARIO_SCHEMA}, id="scenarios"),
        pytest.param({field.name for field in PROFILE_SCHEMA}, id="profile"),
        *(pytest.param({column.name for column in table}, id=name) for name, table in RECORD_TABLES.items()),
    ],
)
def test_columns_are_explained(columns: set[str]) -> None:
    assert missing(columns, page("reference/results.md")) == []


def test_workers_and_logics_are_listed_with_their_outputs() -> None:
    text = page("reference/workers-and-logics.md")
    outputs = {output for worker in worker_types().values() for output in worker.outputs}
    assert missing({*worker_types(), *logic_types(), *outputs}, text) == []


def test_everything_of_the_trading_api_is_named() -> None:
    text = page("reference/trading.md")
    engines = {"at", "calm", "follow", "news"}  # what the engine calls
    names = {name for name in vars(TradingApi) if not name.startswith("_")} - engines
    arguments = {name for call in names for name in _keywords(getattr(TradingApi, call))}
    assert {"buy", "modify_order", "events", "free_margin"} <= names
    assert sorted(name for name in names if f"`{name}" not in text and f" `{name}(" not in text) == []
    assert sorted(name for name in arguments if f"{name}=" not in text) == []
    assert missing({event.name for event in EventKind}, text) == []


def _keywords(call: Any) -> list[str]:
    if isinstance(call, property):
        return []
    return [name for name, each in inspect.signature(call).parameters.items() if each.kind is each.KEYWORD_ONLY]


def test_options_are_named() -> None:
    command: Any = typer.main.get_command(app)
    groups = [command.commands, *(each.commands for each in command.commands.values() if hasattr(each, "commands"))]
    options = {
        option
        for commands in groups
        for each in commands.values()
        for parameter in each.params
        for option in (*parameter.opts, *parameter.secondary_opts)
        if option.startswith("--") and option != "--help"
    }
    assert {"--executor", "--crossed", "--probes", "--no-ray"} <= options
    written = "".join(path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md"))
    assert sorted(option for option in options if option not in written) == []


def test_the_sweep_file_has_every_key_and_every_key_is_explained() -> None:
    (body,) = (block.body for block in ALL if block.value == "my_sweep.json")
    tree = json.loads(body)
    assert set(tree) == set(SweepConfig.model_fields)
    assert set(tree["search"]) == set(SearchConfig.model_fields)
    names = {*SweepConfig.model_fields, *SearchConfig.model_fields, *WalkForwardConfig.model_fields, *MEASURES}
    assert missing(names, SWEEPS) == []
    tables = [
        scenario_schema(()).names[:4],
        list(trial_schema({}, ()).names),
        RETURNS_SCHEMA.names,
    ]
    assert missing({name for names in tables for name in names}, SWEEPS) == []


def test_formats_are_listed() -> None:
    assert missing(set(IMPORTERS), page("reference/market-data.md")) == []
