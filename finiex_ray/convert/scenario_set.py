"""`convert_set`: a scenario set of the predecessor as one of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from finiex_ray.config.models import InvalidScenario
from finiex_ray.config.resolve import resolve_set
from finiex_ray.convert.account import BROKERS, convert_account, convert_execution
from finiex_ray.convert.notes import Notes, rest
from finiex_ray.convert.strategy import Tell, convert_strategy
from finiex_ray.core.errors import ConfigError

__all__ = ["convert_set"]

_SECTIONS: Final = ("strategy_config", "trade_simulator_config", "execution_config", "order_guard")
_WHOLE: Final = ("balances",)  # a scenario's own replaces the global one, keys and all
_ZONE: Final = re.compile(r"([Zz]|[+-]\d\d:?\d\d)$")
_BAD_NAME: Final = re.compile(r"[\x00-\x1f\x7f/\\]|^[=+\-@]")
_MANY: Final = "one set reads one catalog; import the ticks of all of them into it"


def convert_set(old: Mapping[str, Any], stem: str, notes: Notes, catalog: str | None = None) -> dict[str, Any]:
    """Gives a scenario set in our layout, which our models have validated.

    Args:
        old: The old file as plain values.
        stem: Name of the set where the file has none.
        notes: Takes what could not be taken over.
        catalog: The catalog with its ticks; default: ``catalogs/`` and the name of the broker type.

    Raises:
        ConfigError: If the file has no scenarios, or the result cannot be used at all.
    """
    scenarios = old.get("scenarios")
    if not isinstance(scenarios, list) or not all(isinstance(each, dict) for each in scenarios):
        raise ConfigError("must be a list of objects", path="scenarios")
    for key, value in rest(old, {"scenario_set_name", "name", "global", "scenarios"}).items():
        notes.add("", key, value, "has no equivalent; it is left out")
    shared = old.get("global") or {}
    brokers = [str(each["data_broker_type"]) for each in scenarios if "data_broker_type" in each]
    kinds = list(dict.fromkeys(brokers))
    name = str(old.get("scenario_set_name") or old.get("name") or stem)
    found: dict[str, Any] = {"name": _clean(name)}
    found["data"] = {"catalog": catalog or _catalog(kinds, notes)}
    found["global"] = base = _sections(shared, notes, "global")
    for key, value in rest(shared, set(_SECTIONS)).items():
        notes.add("global", key, value, "has no equivalent; it is left out")
    if len(kinds) == 1 and len(brokers) == len(scenarios):
        base["account"] = {**_broker(kinds[0], notes, "scenarios[0]"), **base.get("account", {})}
    names: set[str] = set()
    found["scenarios"] = []
    for index, each in enumerate(scenarios):
        place = f"scenarios[{index}]"
        own = _window(each, notes, place, names)
        merged = {key: _merged(shared.get(key) or {}, each.get(key) or {}) for key in _SECTIONS}
        if any(each.get(key) for key in _SECTIONS):
            own |= _over(base, _sections(merged, notes, place))
        if len(kinds) > 1 and "data_broker_type" in each:
            own["account"] = {**_broker(str(each["data_broker_type"]), notes, place), **own.get("account", {})}
        found["scenarios"].append(own)
    _validate(found, notes)
    return found


def _tell(notes: Notes, place: str, section: str) -> Tell:
    def tell(path: str, value: Any, why: str) -> None:
        whole = f"{section}.{path}" if path else section
        if place != "global" and notes.knows(whole, value, why):
            return  # said of the global section
        notes.add(place, whole, value, why)

    return tell


def _sections(old: Mapping[str, Any], notes: Notes, place: str) -> dict[str, Any]:
    """Our sections for the predecessor's."""
    found: dict[str, Any] = {}
    if old.get("strategy_config"):
        found |= convert_strategy(old["strategy_config"], _tell(notes, place, "strategy_config"))
    found |= convert_account(
        old.get("trade_simulator_config") or {},
        old.get("order_guard") or {},
        _tell(notes, place, "trade_simulator_config"),
        _tell(notes, place, "order_guard"),
    )
    return found | convert_execution(old.get("execution_config") or {}, _tell(notes, place, "execution_config"))


def _merged(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A scenario's section over the global one, key by key, as the predecessor does it."""
    found = dict(shared)
    for key, value in own.items():
        both = isinstance(value, Mapping) and isinstance(found.get(key), Mapping) and key not in _WHOLE
        found[key] = _merged(found[key], value) if both else value
    return found


def _over(base: Mapping[str, Any], whole: Mapping[str, Any]) -> dict[str, Any]:
    """What a scenario has to say itself, so that our cascade gives ``whole`` over ``base``."""
    own: dict[str, Any] = {}
    for section, values in whole.items():
        before = base.get(section)
        if values == before:
            continue
        if not isinstance(values, dict) or not isinstance(before, dict):
            own[section] = values
        elif section == "workers":
            own[section] = {
                name: _typed_over(before.get(name), each) for name, each in values.items() if before.get(name) != each
            }
            own[section] |= dict.fromkeys(before.keys() - values.keys())
        elif section == "logic":
            own[section] = _typed_over(before, values)
        else:
            own[section] = {key: value for key, value in values.items() if before.get(key) != value}
    return {section: values for section, values in own.items() if values != {}}


def _typed_over(before: Mapping[str, Any] | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """A worker or logic over the global one of its name: whole where the type is another."""
    if before is None or before["type"] != values["type"]:
        return dict(values)
    return {key: value for key, value in values.items() if before.get(key) != value}


def _window(old: Mapping[str, Any], notes: Notes, place: str, names: set[str]) -> dict[str, Any]:
    name = unique = _clean(str(old.get("name") or place))
    count = 1
    while unique in names:
        count += 1
        unique = f"{name}_{count}"
    names.add(unique)
    if unique != old.get("name"):
        notes.add(place, "name", old.get("name"), f"became {unique!r}: names are unique, and hold no slash")
    own: dict[str, Any] = {"name": unique}
    if "symbol" in old:
        own["symbol"] = old["symbol"]
    for key, ours in (("start_date", "start"), ("end_date", "end")):
        moment = old.get(key)
        if moment is not None:
            own[ours] = _moment(str(moment), notes, place, key)
    if old.get("max_ticks") is not None:
        own["max_ticks"] = old["max_ticks"]
    if old.get("enabled") is False:
        own["enabled"] = False
    known = {"name", "symbol", "start_date", "end_date", "max_ticks", "enabled", "data_broker_type", *_SECTIONS}
    for key, value in rest(old, known).items():
        notes.add(place, key, value, "has no equivalent; it is left out")
    return own


def _moment(text: str, notes: Notes, place: str, key: str) -> str:
    whole = f"{text}T00:00:00" if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text
    if _ZONE.search(whole):
        return whole
    notes.add(place, key, text, "has no time zone; it is taken as UTC")
    return f"{whole}Z"


def _broker(kind: str, notes: Notes, place: str) -> dict[str, Any]:
    if kind in BROKERS:
        why = (
            f"became broker '{BROKERS[kind]}', with typical costs; for its own convert the old broker file, and name it"
        )
        notes.add(place, "data_broker_type", kind, why)
        return {"broker": BROKERS[kind]}
    notes.add(place, "data_broker_type", kind, "has no equivalent; name a broker file as account.broker")
    return {}


def _catalog(kinds: list[str], notes: Notes) -> str:
    name = "_and_".join(_clean(kind) for kind in kinds) or "old"
    if len(kinds) > 1:
        notes.add("", "scenarios[*].data_broker_type", kinds, _MANY)
    why = f"ticks are read from a catalog; fill it: finiex-ray data import FOLDER --format collector … --catalog catalogs/{name}"
    notes.add("", "scenarios[*].data_broker_type", kinds, why)
    return f"catalogs/{name}"


def _clean(name: str) -> str:
    return _BAD_NAME.sub("_", name)[:200] or "_"


def _validate(found: Mapping[str, Any], notes: Notes) -> None:
    """Holds the result against our models; a scenario that is wrong in itself is a note."""
    try:
        resolved = resolve_set({**found, "scenarios": [{**each, "enabled": True} for each in found["scenarios"]]}, "")
    except ConfigError as error:
        raise ConfigError(f"the result would not be valid: {error}") from error
    for each in resolved.scenarios:
        if isinstance(each, InvalidScenario):
            for reason in each.reasons:
                notes.add("", f"scenario {each.name!r}", "", f"would be refused: {reason}")
