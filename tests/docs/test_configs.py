"""Every file in configs/ is read, checked and run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from document_blocks import ROOT
from pydantic import BaseModel

from finiex_ray import run_set
from finiex_ray.api import validate_set
from finiex_ray.config.broker import BrokerSpec, SymbolSpec
from finiex_ray.config.costs import (
    CommissionSpec,
    GuardConfig,
    LatencyConfig,
    LeverageTier,
    SessionSpec,
    SlippageConfig,
    SwapSpec,
)
from finiex_ray.config.load import load_broker, load_scenario_set
from finiex_ray.data.catalog import Catalog
from finiex_ray.data.importing import import_ticks
from finiex_ray.data.synthetic import SyntheticMarket
from finiex_ray.sweep_file import run_sweep_file

SETS = sorted((ROOT / "configs" / "scenario_sets").iterdir())
SWEEPS = sorted((ROOT / "configs" / "sweeps").iterdir())
BROKERS = sorted(path for path in (ROOT / "configs" / "brokers").iterdir() if path.suffix != ".md")


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.name)
def test_scenario_set(path: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch) -> None:
    scenario_set = load_scenario_set(path)
    assert scenario_set.name == path.stem
    if scenario_set.data.catalog != "synthetic":
        source = request.getfixturevalue("shared_data") / "lean" / "forex" / "oanda"
        catalog = Catalog(str(tmp_path / scenario_set.data.catalog))
        import_ticks(source, fmt="lean", symbol="EURUSD", digits=5, catalog=catalog)
    monkeypatch.chdir(tmp_path)
    plan = validate_set(path)
    assert (len(plan.runnable), plan.invalid) == (len(scenario_set.scenarios), ())
    run = run_set(path, executor="local", jobs=2, quiet=True)
    assert run.info["completed"] == run.info["scenarios"] == len(scenario_set.scenarios)
    assert run.info["ticks"] == plan.ticks
    assert len(run.trades) > 10


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.name)
def test_sweep(path: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch) -> None:
    real = "eurusd" in path.stem
    if real:
        source = request.getfixturevalue("shared_data") / "lean" / "forex" / "oanda"
        import_ticks(source, fmt="lean", symbol="EURUSD", digits=5, catalog=Catalog(str(tmp_path / "catalogs/eurusd")))
    monkeypatch.chdir(tmp_path)
    found = run_sweep_file(path, executor="local", jobs=2, trials=4 if real else 8, quiet=True)
    assert found.info["failed"] == 0
    assert found.info["set"] == path.stem
    assert len(found.complete) + (found.trials["state"] == "pruned").sum() == len(found.trials) >= 4
    assert len(found.trades) > 10
    assert found.config.name == path.stem


@pytest.mark.parametrize("path", BROKERS, ids=lambda path: path.name)
def test_broker_trades_every_symbol_of_the_synthetic_market(path: Path, tmp_path: Path) -> None:
    broker, found = load_broker(path.stem, tmp_path)
    assert found == path
    assert f"`{path.name}`" in (path.parent / "README.md").read_text(encoding="utf-8")
    symbols = sorted(set(broker.symbols) & set(SyntheticMarket(0).symbols()))
    assert symbols
    orders = [{"tick": 10, "action": "buy", "lots": 0.01}, {"tick": 400, "action": "close_all"}]
    shared = {
        "start": "2025-09-24T08:00:00Z",
        "max_ticks": 500,
        "logic": {"type": "scripted", "orders": orders},
        "account": {"broker": path.stem},
    }
    scenarios = [{"name": symbol, "symbol": symbol} for symbol in symbols]
    own = tmp_path / "set.json"
    own.write_text(json.dumps({"global": shared, "scenarios": scenarios}), encoding="utf-8")
    run = run_set(own, executor="local", out=tmp_path / "runs", quiet=True)
    assert list(run.scenarios["error_message"].dropna()) == []
    assert list(run.scenarios["trades"]) == [1] * len(symbols)


@pytest.mark.parametrize(
    ("title", "model"),
    [
        ("The file", BrokerSpec),
        ("Symbol", SymbolSpec),
        ("Commission", CommissionSpec),
        ("Swap", SwapSpec),
        ("Latency", LatencyConfig),
        ("Slippage", SlippageConfig),
        ("Leverage tiers", LeverageTier),
        ("Sessions", SessionSpec),
        ("Guard", GuardConfig),
    ],
)
def test_every_field_of_a_broker_file_has_its_row(title: str, model: type[BaseModel]) -> None:
    text = (ROOT / "configs" / "brokers" / "README.md").read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    rows = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(model.model_fields)
    for name in named:
        required = model.model_fields[name].is_required()
        (row,) = (
            line for line in section.splitlines() if line.startswith("| `") and f"`{name}`" in line.split(" | ")[0]
        )
        assert row.endswith("required |") == required, name
