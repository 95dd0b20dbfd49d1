"""`convert_broker`: a broker file of the predecessor as one of ours."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from pydantic import ValidationError

from finiex_ray.config.broker import BrokerSpec, SymbolSpec
from finiex_ray.config.messages import lines
from finiex_ray.convert.notes import Notes, rest
from finiex_ray.core.errors import ConfigError

__all__ = ["convert_broker"]

_DAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")  # MT5 counts from Sunday
_SWAPS: Final = {
    "points": "points",
    "money": "money",
    "currency_deposit": "money",
    "percent": "percent",
    "interest_current": "percent",
}
_PER_LOT: Final = ("commission_per_lot", "per_lot", "commission")
_NOTHING: Final = "has no equivalent; it is left out"


def convert_broker(old: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    """Gives a broker file in our layout, which our models have validated.

    Args:
        old: The old file as plain values.
        notes: Takes what could not be taken over.

    Raises:
        ConfigError: If no symbol of it can be used.
    """
    for key, value in rest(old, {"broker_info", "fee_structure", "symbols"}).items():
        notes.add("", key, value, _NOTHING)
    found = _info(old.get("broker_info") or {}, notes)
    commission = _commission(old.get("fee_structure") or {}, notes)
    if commission:
        found["commission"] = commission
    found["symbols"] = {}
    symbols = old.get("symbols")
    if not isinstance(symbols, Mapping):
        raise ConfigError("must be an object of symbols", path="symbols")
    for name, values in rest(symbols, set()).items():
        symbol = _symbol(name, values, notes)
        if symbol is not None:
            found["symbols"][name] = symbol
    try:
        BrokerSpec.model_validate(found)
    except ValidationError as error:
        raise ConfigError(f"the result would not be valid: {'; '.join(lines(error, BrokerSpec))}") from None
    return found


def _info(old: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    known = {"company", "server", "name", "leverage", "margin_mode", "hedging_allowed"}
    known |= {"stopout_mode", "stopout_level", "margin_call_level"}
    for key, value in rest(old, known).items():
        notes.add("broker_info", key, value, _NOTHING)
    titles = [str(old[key]) for key in ("company", "server") if old.get(key)]
    found: dict[str, Any] = {"name": ", ".join(titles) or str(old.get("name") or "converted")}
    if old.get("name") and titles:
        notes.add("broker_info", "name", old["name"], f"the broker is called {found['name']!r} here")
    found["account_mode"] = _mode(old, notes)
    if old.get("leverage") is not None:
        found["leverage"] = old["leverage"]
    levels = {"stopout_level": "stop_out_percent", "margin_call_level": "margin_call_percent"}
    percent = old.get("stopout_mode", "percent") == "percent"
    for key, ours in levels.items():
        if old.get(key) and percent:
            found[ours] = old[key]
        elif old.get(key):
            notes.add(
                "broker_info",
                key,
                old[key],
                f"is in {old['stopout_mode']!r}; only percent is known here, so it is left out",
            )
    return found


def _mode(old: Mapping[str, Any], notes: Notes) -> str:
    mode, hedging, leverage = str(old.get("margin_mode", "")), old.get("hedging_allowed"), old.get("leverage")
    if "hedging" in mode or (not mode and hedging is True):
        return "hedging"
    if "netting" in mode or mode == "exchange":
        return "netting"
    shown = {"margin_mode": old.get("margin_mode"), "hedging_allowed": hedging, "leverage": leverage}
    chosen = "spot" if leverage == 1 else "netting"
    notes.add("", "broker_info", shown, f"says no account mode; taken as '{chosen}' (spot where the leverage is 1)")
    return chosen


def _commission(old: Mapping[str, Any], notes: Notes) -> dict[str, Any] | None:
    model = str(old.get("model", "spread" if not old else ""))
    known = {"model"}
    found: dict[str, Any] | None = None
    per_lot = next((key for key in _PER_LOT if old.get(key) is not None), None)
    if model == "maker_taker" and old.get("taker_fee") is not None:
        known |= {"maker_fee", "taker_fee"}
        found = {"kind": "percent", "value": old["taker_fee"]}
        if old.get("maker_fee") is not None:
            found["maker"] = old["maker_fee"]
        if old.get("fee_currency") == "quote":
            known.add("fee_currency")
    elif model != "spread" and per_lot is not None:
        known.add(per_lot)
        found = {"kind": "per_lot", "value": old[per_lot]}
        notes.add("fee_structure", per_lot, old[per_lot], "is taken as per lot and side, in account currency")
    elif model != "spread":
        notes.add("fee_structure", "model", model, "has no equivalent; there is no commission in the result")
    for key, value in rest(old, known).items():
        notes.add("fee_structure", key, value, _NOTHING)
    return found


_SAME: Final = ("digits", "contract_size", "volume_min", "volume_max", "volume_step", "leverage")
_RENAMED: Final = {
    "base_currency": "base",
    "quote_currency": "quote",
    "stops_level": "stops_level_points",
    "freeze_level": "freeze_level_points",
}
_SWAP_KEYS: Final = {"swap_mode", "swap_long", "swap_short", "swap_rollover3days"}


def _symbol(name: str, old: Mapping[str, Any], notes: Notes) -> dict[str, Any] | None:
    place = f"symbols.{name}"
    found = {key: old[key] for key in _SAME if key in old}
    found |= {ours: old[key] for key, ours in _RENAMED.items() if key in old}
    swap = _swap(old, notes, place)
    if swap:
        found["swap"] = swap
    known = {*_SAME, *_RENAMED, *_SWAP_KEYS}
    digits = old.get("digits")
    for key in ("tick_size", "point"):
        if key in old and isinstance(digits, int) and Decimal(str(old[key])) == Decimal(1).scaleb(-digits):
            known.add(key)
    if old.get("margin_currency", old.get("base_currency")) == old.get("base_currency"):
        known.add("margin_currency")
    if old.get("trade_allowed") is True:
        known.add("trade_allowed")
    for key, value in rest(old, known).items():
        notes.add(place, key, value, _NOTHING)
    try:
        SymbolSpec.model_validate(found)
    except ValidationError as error:
        for line in lines(error, SymbolSpec):
            notes.add("", place, found, f"the symbol is left out: {line}")
        return None
    return found


def _swap(old: Mapping[str, Any], notes: Notes, place: str) -> dict[str, Any] | None:
    mode = str(old.get("swap_mode", "none"))
    amounts = {"long": old.get("swap_long") or 0, "short": old.get("swap_short") or 0}
    if mode in ("none", "disabled") or not any(amounts.values()):
        return None
    if mode not in _SWAPS:
        notes.add(
            place, "swap_mode", mode, f"has no equivalent; swap {amounts['long']} / {amounts['short']} is left out"
        )
        return None
    found: dict[str, Any] = {"kind": _SWAPS[mode], **amounts}
    day = old.get("swap_rollover3days")
    if isinstance(day, int) and 1 <= day <= 5:
        found["triple_day"] = _DAYS[day]
    elif day is not None:
        found["triple_day"] = None
        notes.add(place, "swap_rollover3days", day, "is no day from Monday to Friday; no rollover counts three times")
    return found
