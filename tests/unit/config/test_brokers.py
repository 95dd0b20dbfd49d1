"""Broker files: where names are looked up, what is refused, and the shipped ones."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from finiex_ray.config.load import known_brokers, load_broker
from finiex_ray.core.errors import ConfigError

EURUSD = {"digits": 5, "base": "EUR", "quote": "USD", "contract_size": 100000}
BROKER: dict[str, Any] = {"name": "mine", "symbols": {"EURUSD": EURUSD}}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with ``sets/`` and nothing else, as current folder elsewhere."""
    (tmp_path / "sets").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def put(file: Path, **changes: Any) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**BROKER, **changes}))
    return file


def test_shipped_brokers(project: Path) -> None:
    mt5, _ = load_broker("mt5_fx", project / "sets" / "s.json")
    ecn, _ = load_broker("ecn_fx", project / "sets")
    digits = {"EURUSD": 5, "GBPUSD": 5, "AUDUSD": 5, "USDCHF": 5, "USDCAD": 5, "NZDUSD": 5, "EURGBP": 5}
    digits |= {"USDJPY": 3, "GBPJPY": 3, "XAUUSD": 2, "BTCUSD": 2, "ETHUSD": 2, "LTCUSD": 2}
    for broker in (mt5, ecn):
        assert {name: spec.digits for name, spec in broker.symbols.items()} == digits
        assert all(name == spec.base + spec.quote for name, spec in broker.symbols.items())
        assert broker.leverage == 100
    assert (mt5.commission.kind, mt5.latency.ms) == ("none", 0)
    assert (ecn.commission.kind, ecn.commission.value, ecn.latency.ms) == ("per_lot", Decimal("3.5"), 50)


def test_search_order(project: Path) -> None:
    base = project / "sets" / "s.json"
    own = load_broker("mt5_fx", base)[1]
    assert own.name == "mt5_fx.json"
    for folder in (project / "brokers", project / "sets" / "brokers", project / "here" / "configs" / "brokers"):
        file = put(folder / "mt5_fx.json")
        assert load_broker("mt5_fx", base)[1].samefile(file)


def test_paths(project: Path) -> None:
    base = project / "sets" / "s.json"
    near, cwd = put(project / "sets" / "b" / "x.json"), put(project / "here" / "y.json")
    assert load_broker("b/x.json", base)[1].samefile(near)
    assert load_broker("y.json", base)[1].samefile(cwd)
    assert load_broker(str(cwd), base)[1].samefile(cwd)
    yaml = project / "sets" / "z.yaml"
    yaml.write_text("name: z\nsymbols: {EURUSD: {digits: 5, base: EUR, quote: USD, contract_size: 100000}}\n")
    assert load_broker("z.yaml", base)[0].symbols["EURUSD"].volume_step == Decimal("0.01")


@pytest.mark.parametrize("reference", ["mt5", "..", ".", "", "no/such.json", "a\x00b", "../sets"])
def test_unknown(project: Path, reference: str) -> None:
    with pytest.raises(ConfigError, match=r"there is no broker") as caught:
        load_broker(reference, project / "sets" / "s.json")
    assert "mt5_fx" in str(caught.value)


def test_known_names(project: Path) -> None:
    put(project / "brokers" / "mine.json")
    put(project / "brokers" / "not a name.json")
    assert known_brokers(project / "sets" / "s.json") == ["crypto_spot", "ecn_fx", "mine", "mt5_fx", "netting_fx"]


def symbol(**changes: Any) -> dict[str, Any]:
    return {"symbols": {"EURUSD": {**EURUSD, **changes}}}


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"leverge": 5}, "leverge: unknown key (got 5). Did you mean 'leverage'?"),
        ({"symbols": {}}, "symbols: "),
        ({"symbols": {"EUR/USD": EURUSD}}, "symbols.EUR/USD: must be a letter or digit"),
        ({"account_mode": "hedgin"}, "account_mode: must be 'hedging', 'netting' or 'spot' (got \"hedgin\")"),
        ({"leverage": 0}, "leverage: must be greater than 0 (got 0)"),
        ({"commission": {"value": 3}}, "commission: commission value 3 needs a kind"),
        ({"commission": {"kind": "percent", "value": 101}}, "commission: commission of 101 percent"),
        (symbol(volume_min=0.015), "symbols.EURUSD: volume_min 0.015 is not a multiple of volume_step 0.01"),
        (symbol(volume_max=1.005), "symbols.EURUSD: volume_max 1.005 is not a multiple of volume_step 0.01"),
        (symbol(volume_min=2, volume_max=1), "symbols.EURUSD: volume_max 1 is below volume_min 2"),
        (symbol(volume_step=0), "symbols.EURUSD.volume_step: must be greater than or equal to 1E-10 (got 0)"),
        (symbol(quote="EUR"), "symbols.EURUSD: base and quote are both EUR"),
        (symbol(digits=11), "symbols.EURUSD.digits: must be less than or equal to 10 (got 11)"),
        (symbol(digits="5"), 'symbols.EURUSD.digits: must be an integer (got "5")'),
        (symbol(digit=5), "symbols.EURUSD.digit: unknown key (got 5). Did you mean 'digits'?"),
    ],
)
def test_refused(project: Path, changes: dict[str, Any], part: str) -> None:
    file = put(project / "sets" / "brokers" / "mine.json", **changes)
    with pytest.raises(ConfigError) as caught:
        load_broker("mine", project / "sets" / "s.json")
    assert f"{file}: {part}" in str(caught.value)
