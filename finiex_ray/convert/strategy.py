"""The predecessor's ``strategy_config``: worker instances, their periods and parameters, and the decision logic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import BaseModel

from finiex_ray.convert.notes import is_comment, rest
from finiex_ray.core.errors import ConfigError
from finiex_ray.core.plugins import PluginKind, check_params
from finiex_ray.core.time import Timeframe
from finiex_ray.decisions.registry import LOGICS, logic_type
from finiex_ray.workers.registry import WORKERS, worker_type

__all__ = ["Tell", "convert_strategy"]

Tell = Callable[[str, Any, str], None]  # path below the section, value, why

_NAMESPACE: Final = "CORE/"
_WORKER_TYPES: Final = {"sma": "moving_average"}
_WORKER_PARAMS: Final[dict[str, dict[str, str]]] = {
    "macd": {"fast_period": "fast", "slow_period": "slow", "signal_period": "signal"},
    "stochastic": {"period": "k_period"},
}
_LOGIC_PARAMS: Final = {
    "rsi_oversold": "rsi_buy_threshold",
    "rsi_overbought": "rsi_sell_threshold",
    "lot_size": "lots",
}
_LOWER, _UPPER = "envelope_lower_threshold", "envelope_upper_threshold"
_SHARE: Final = 0.2  # a deviation below it is hardly meant as percent
_NO_PARAM: Final = "has no equivalent in '{}'; it is left out"


def convert_strategy(old: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """Gives our ``workers`` and ``logic`` for a ``strategy_config``.

    Args:
        old: The section, global values merged with a scenario's own.
        tell: Takes what could not be taken over.
    """
    known = {"decision_logic_type", "worker_instances", "worker_types", "workers", "decision_logic_config"}
    for key, value in rest(old, known).items():
        tell(key, value, "has no equivalent; it is left out")
    found: dict[str, Any] = {"workers": _workers(old, tell)}
    if "decision_logic_type" in old:
        found["logic"] = _logic(str(old["decision_logic_type"]), old.get("decision_logic_config") or {}, tell)
    else:
        tell("decision_logic_type", None, "is missing; a scenario needs a logic: add it")
    return found


def _workers(old: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    instances: dict[str, str] = dict(old.get("worker_instances") or {})
    sections: dict[str, Any] = dict(old.get("workers") or {})
    for name in old.get("worker_types") or ():  # the oldest layout: a worker is called by its type
        instances[name.rpartition("/")[2]] = name
        if name in sections:
            sections[name.rpartition("/")[2]] = sections.pop(name)
    workers: dict[str, Any] = {}
    for name, reference in instances.items():
        if not is_comment(name):
            workers |= _worker(name, str(reference), sections.pop(name, None) or {}, tell)
    for name, values in rest(sections, set()).items():
        tell(f"workers.{name}", values, "worker_instances names no type for it; it is left out")
    return workers


def _type(kind: PluginKind, reference: str, path: str, aliases: Mapping[str, str], tell: Tell) -> tuple[str, bool]:
    """Our name of a type, and whether there is such a one."""
    name = reference.rpartition("/")[2].lower()
    name = aliases.get(name, name)
    if reference.startswith(_NAMESPACE) and name in kind.builtin:
        return name, True
    tell(
        path,
        reference,
        f"there is no {kind.noun} '{name}' here; write one of your own (finiex-ray new {kind.noun} {name}) and name it as "
        f"'module:Class' where the result says '{name}'",
    )
    return name, False


def _worker(name: str, reference: str, old: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """One worker; one for each timeframe where it has several periods."""
    place = f"workers.{name}"
    kind, known = _type(WORKERS, reference, f"worker_instances.{name}", _WORKER_TYPES, tell)
    fields = set(worker_type(kind).Params.model_fields) if known else None
    params: dict[str, Any] = {"type": kind}
    for key, value in rest(old, {"periods"}).items():
        ours = _WORKER_PARAMS.get(kind, {}).get(key, key)
        if fields is None or ours in fields:
            params[ours] = value
        else:
            tell(f"{place}.{key}", value, _NO_PARAM.format(kind))
    if kind in ("envelope", "bollinger") and 0 < float(params.get("deviation", 1)) < _SHARE:
        tell(
            f"{place}.deviation",
            params["deviation"],
            "is taken as it stands, in percent of the average; if it meant a share (0.02 for 2 %), write it times 100"
            if kind == "envelope"
            else "is taken as it stands, in standard deviations; it is unusually small",
        )
    periods = dict(rest(old.get("periods") or {}, set()))
    if len(periods) > 1:
        names = ", ".join(f"{name}_{timeframe}" for timeframe in periods)
        tell(
            f"{place}.periods",
            periods,
            f"a worker reads one timeframe here; it became {names}: say in logic.inputs which is meant",
        )
    made: dict[str, Any] = {}
    for timeframe, period in periods.items() or [(None, None)]:
        made[name if len(periods) < 2 else f"{name}_{timeframe}"] = _on(params, timeframe, period, fields, place, tell)
    if known:
        for each in made.values():
            _check(worker_type(kind).Params, each, place, tell)
    return made


def _on(
    params: Mapping[str, Any], timeframe: str | None, period: Any, fields: set[str] | None, place: str, tell: Tell
) -> dict[str, Any]:
    """The parameters with a timeframe and its period."""
    found = dict(params)
    if timeframe is None:
        return found
    ours = _WORKER_PARAMS.get(str(params["type"]), {}).get("period", "period")
    if fields is None or ours in fields:
        found.setdefault(ours, period)
    else:
        tell(
            f"{place}.periods.{timeframe}",
            period,
            f"'{params['type']}' has no period of its own; only the timeframe is kept",
        )
    if timeframe in {each.value for each in Timeframe}:
        found.setdefault("timeframe", timeframe)
    else:
        tell(f"{place}.periods.{timeframe}", period, "there is no such timeframe here; the worker's default is used")
    return found


def _logic(reference: str, old: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    kind, known = _type(LOGICS, reference, "decision_logic_type", {}, tell)
    fields = set(logic_type(kind).Params.model_fields) if known else None
    params: dict[str, Any] = {"type": kind}
    for key, value in rest(old, {_LOWER, _UPPER}).items():
        ours = _LOGIC_PARAMS.get(key, key) if known else key
        if fields is None or ours in fields:
            params[ours] = value
        else:
            tell(f"decision_logic_config.{key}", value, _NO_PARAM.format(kind))
    lower, upper = old.get(_LOWER), old.get(_UPPER)
    if lower is not None or upper is not None:
        if fields is None:
            params |= {key: old[key] for key in (_LOWER, _UPPER) if key in old}
        elif "band_extremes" in fields and lower is not None and upper is not None and lower + upper == 1:
            params["band_extremes"] = lower
        else:
            shown = {_LOWER: lower, _UPPER: upper}
            why = f"'{kind}' has one threshold for both sides (band_extremes); these two are left out"
            tell("decision_logic_config", shown, why)
    if known:
        _check(logic_type(kind).Params, params, "decision_logic_config", tell)
    return params


def _check(model: type[BaseModel], typed: Mapping[str, Any], place: str, tell: Tell) -> None:
    params = {key: value for key, value in typed.items() if key != "type"}
    try:
        check_params(model, params, owner=str(typed["type"]))
    except ConfigError as error:
        tell(place, params, f"is taken over, but wrong here: {error.reason}")
