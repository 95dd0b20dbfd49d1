from __future__ import annotations

import json
from decimal import Decimal

import pytest

from finiex_ray.config.load import load_broker
from finiex_ray.convert.files import convert_file
from finiex_ray.core.errors import ConfigError

EURUSD = {
    "description": "Euro vs US Dollar",
    "base_currency": "EUR",
    "quote_currency": "USD",
    "margin_currency": "EUR",
    "trade_allowed": True,
    "volume_min": 0.01,
    "volume_max": 100,
    "volume_step": 0.01,
    "contract_size": 100000,
    "tick_size": 0.00001,
    "digits": 5,
    "swap_mode": "points",
    "swap_long": -7.85,
    "swap_short": 3.8,
    "swap_rollover3days": 3,
    "stops_level": 2,
    "freeze_level": 1,
}
FOREX = {
    "_comment": "static",
    "export_info": {"symbols_total": 956},
    "broker_info": {
        "company": "A Broker",
        "server": "A-Demo",
        "name": "demo_account",
        "trade_mode": "demo",
        "leverage": 500,
        "margin_mode": "retail_hedging",
        "stopout_mode": "percent",
        "stopout_level": 20,
        "margin_call_level": 50,
        "hedging_allowed": True,
    },
    "fee_structure": {"model": "spread"},
    "trading_permissions": {"trade_allowed": True},
    "symbols": {"EURUSD": EURUSD},
}
SPOT = {
    "broker_info": {"company": "An Exchange", "leverage": 1, "hedging_allowed": False},
    "fee_structure": {"model": "maker_taker", "maker_fee": 0.16, "taker_fee": 0.26, "fee_currency": "quote"},
    "symbols": {
        "BTCUSD": {
            "base_currency": "BTC",
            "quote_currency": "USD",
            "volume_min": 5e-05,
            "volume_max": 10000.0,
            "volume_step": 1e-08,
            "contract_size": 1.0,
            "tick_size": 0.1,
            "digits": 1,
            "spread_float": False,
        }
    },
}


def convert(tmp_path, tree):
    path = tmp_path / "old.json"
    path.write_text(json.dumps(tree), encoding="utf-8")
    converted = convert_file(path)
    (tmp_path / "new.json").write_text(converted.text(), encoding="utf-8")
    return load_broker("new.json", tmp_path)[0], {note.path: note.why for note in converted.notes}


def test_a_forex_broker(tmp_path) -> None:
    broker, notes = convert(tmp_path, FOREX)
    assert (broker.name, broker.account_mode, broker.leverage) == ("A Broker, A-Demo", "hedging", 500)
    assert (broker.stop_out_percent, broker.margin_call_percent, broker.commission.kind) == (20, 50, "none")
    symbol = broker.symbols["EURUSD"]
    assert (symbol.digits, symbol.base, symbol.quote, symbol.contract_size) == (5, "EUR", "USD", 100_000)
    assert (symbol.swap.kind, symbol.swap.long, symbol.swap.short) == ("points", Decimal("-7.85"), Decimal("3.8"))
    assert symbol.swap.triple_day == "wednesday"
    assert (symbol.stops_level_points, symbol.freeze_level_points) == (2, 1)
    assert set(notes) == {
        "export_info",
        "trading_permissions",
        "broker_info.trade_mode",
        "broker_info.name",
        "symbols.EURUSD.description",
    }


def test_a_spot_exchange(tmp_path) -> None:
    broker, notes = convert(tmp_path, SPOT)
    assert (broker.account_mode, broker.commission.kind) == ("spot", "percent")
    assert (broker.commission.value, broker.commission.maker) == (Decimal("0.26"), Decimal("0.16"))
    symbol = broker.symbols["BTCUSD"]
    assert (symbol.volume_min, symbol.volume_step) == (Decimal("0.00005"), Decimal("0.00000001"))
    assert "taken as 'spot'" in notes["broker_info"]
    assert set(notes) == {"broker_info", "symbols.BTCUSD.spread_float"}


def test_what_differs_is_listed(tmp_path) -> None:
    tree = json.loads(json.dumps(FOREX))
    tree["broker_info"] |= {"stopout_mode": "money", "margin_mode": "retail_netting"}
    tree["fee_structure"] = {"model": "ecn", "commission_per_lot": 3.5, "rebate": 1}
    odd = {"tick_size": 0.00005, "swap_mode": "margin", "trade_allowed": False}
    days = {"swap_mode": "money", "swap_rollover3days": 6}
    tree["symbols"] |= {"ODD": {**EURUSD, **odd}, "DAYS": {**EURUSD, **days}, "BAD": {"digits": 5}}
    broker, notes = convert(tmp_path, tree)
    assert (broker.account_mode, broker.stop_out_percent) == ("netting", None)
    assert (broker.commission.kind, broker.commission.value) == ("per_lot", Decimal("3.5"))
    assert broker.symbols["DAYS"].swap.triple_day is None
    assert set(broker.symbols) == {"EURUSD", "ODD", "DAYS"}
    for path in (
        "broker_info.stopout_level",
        "fee_structure.rebate",
        "fee_structure.commission_per_lot",
        "symbols.ODD.tick_size",
        "symbols.ODD.swap_mode",
        "symbols.ODD.trade_allowed",
        "symbols.DAYS.swap_rollover3days",
        "symbols.BAD",
    ):
        assert path in notes


def test_a_broker_without_a_usable_symbol_is_refused(tmp_path) -> None:
    with pytest.raises(ConfigError, match="the result would not be valid"):
        convert(tmp_path, {"broker_info": {}, "symbols": {"X": {}}})
    with pytest.raises(ConfigError, match="must be an object of symbols"):
        convert(tmp_path, {"broker_info": {}})
