"""From the tree of a file to a ScenarioSet: all problems of the file at once, a scenario's mistakes kept to it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from finiex_ray.config.base import Name
from finiex_ray.config.cascade import merge_scenario
from finiex_ray.config.layout import TOP_KEYS, GlobalSection
from finiex_ray.config.messages import child_path, join_lines, line, lines, shorten
from finiex_ray.config.models import DataConfig, InvalidScenario, ScenarioConfig, ScenarioSet
from finiex_ray.config.overrides import Override, apply_to_scenario, check_workers, put
from finiex_ray.config.resolved import SECTIONS, slim
from finiex_ray.core.errors import ConfigError, suggest

__all__ = ["resolve_set"]

_NAME: TypeAdapter[str] = TypeAdapter(Name)
_MOST_SHARED = 4_096


def resolve_set(
    tree: Mapping[str, Any], source: str, overrides: Sequence[Override] = (), only: Sequence[str] = ()
) -> ScenarioSet:
    """Merges, overrides and validates a scenario set; see `load_scenario_set`.

    Args:
        tree: The file as plain values, as `read_tree` gives it.
        source: Its name in messages.
        overrides: Parsed ``--set`` options, in order.
        only: Names of the scenarios to keep; all where empty.
    """
    problems: list[str] = []
    top = _top(tree, source, overrides, problems)
    name = _set_name(top.get("name"), source, problems)
    data = _data(top["data"], source, problems)
    shared = _global(top["global"], source, problems)
    scenarios = _scenario_list(top.get("scenarios"), source, problems)
    names = _names(scenarios, source, problems)
    if problems:
        raise ConfigError(join_lines(problems))
    check_workers(overrides, _worker_names(shared, scenarios))
    per_scenario = _by_scenario(overrides, names)
    wanted = _wanted(names, only, source)

    found: list[ScenarioConfig | InvalidScenario] = []
    sections = _Sections()
    disabled: set[str] = set()
    for index in wanted:
        scenario = _scenario(index, names[index], scenarios[index], shared, per_scenario, source, sections)
        if isinstance(scenario, InvalidScenario) or scenario.enabled:
            found.append(scenario)
        else:
            disabled.add(names[index])
    if only and disabled:
        text = ", ".join(sorted(disabled))
        raise ConfigError(f'asked for with --only, but it has "enabled": false: {text}', source=source)
    if not found:
        raise ConfigError('every scenario has "enabled": false; nothing to run', source=source, path="scenarios")
    reasons = [reason for each in found if isinstance(each, InvalidScenario) for reason in each.reasons]
    if all(isinstance(each, InvalidScenario) for each in found):
        raise ConfigError(join_lines(reasons))
    return ScenarioSet(name=name, source=source, data=data, scenarios=tuple(found))


def _top(tree: Mapping[str, Any], source: str, overrides: Sequence[Override], problems: list[str]) -> dict[str, Any]:
    """The top keys with their defaults and the overrides of the set itself."""
    top: dict[str, Any] = {"name": Path(source).stem, "data": {}, "global": {}}
    for key, value in tree.items():
        if key in TOP_KEYS:
            top[key] = value
        else:
            message = f"unknown key (got {shorten(value)}).{suggest(key, TOP_KEYS)}"
            problems.append(line(source, child_path("", key), message))
    if isinstance(top["data"], str):
        top["data"] = {"catalog": top["data"]}
    for override in overrides:
        if override.scope == "name":
            top["name"] = override.value
        elif override.scope == "data":
            whole = not override.tokens and isinstance(override.value, str)
            top["data"] = {"catalog": override.value} if whole else put(top["data"], override.tokens, override)
        elif override.scope == "global":
            top["global"] = put(top["global"], override.tokens, override)
    return top


def _set_name(value: Any, source: str, problems: list[str]) -> str:
    try:
        return _NAME.validate_python(value)
    except ValidationError as error:
        problems.extend(lines(error, ScenarioSet, source=source, prefix="name"))
        return ""


def _data(value: Any, source: str, problems: list[str]) -> DataConfig:
    try:
        return DataConfig.model_validate(value)
    except ValidationError as error:
        problems.extend(lines(error, DataConfig, source=source, prefix="data"))
        return DataConfig()


def _global(value: Any, source: str, problems: list[str]) -> Mapping[str, Any]:
    """Validates the section alone, so that its mistakes are told once; a ``type`` may come from the scenarios."""
    try:
        GlobalSection.model_validate(value)
    except ValidationError as error:
        problems.extend(
            lines(error, GlobalSection, source=source, prefix="global", keep=lambda detail: detail["type"] != "missing")
        )
    return value if isinstance(value, Mapping) else {}


def _scenario_list(value: Any, source: str, problems: list[str]) -> list[Any]:
    if isinstance(value, list) and value:
        return value
    if value is None:
        message = "is missing; list at least one scenario"
    elif isinstance(value, list):
        message = "is an empty list; list at least one scenario"
    else:
        message = f"must be a list of scenarios (got {shorten(value)})"
    problems.append(line(source, "scenarios", message))
    return []


def _names(scenarios: Sequence[Any], source: str, problems: list[str]) -> list[str]:
    """A name for each scenario: its own, or ``scenarios[i]`` where it has none that could be used."""
    names: list[str] = []
    first: dict[str, int] = {}
    for index, scenario in enumerate(scenarios):
        name = f"scenarios[{index}]"
        if isinstance(scenario, Mapping) and isinstance(scenario.get("name"), str):
            with contextlib.suppress(ValidationError):  # told with the scenario's other reasons
                name = _NAME.validate_python(scenario["name"])
        if first.setdefault(name, index) != index:
            message = f"the name {shorten(name)} is taken by scenarios[{first[name]}]; names must be unique"
            problems.append(line(source, f"scenarios[{index}].name", message))
        names.append(name)
    return names


def _worker_names(shared: Mapping[str, Any], scenarios: Sequence[Any]) -> set[str]:
    found: set[str] = set()
    for section in (shared, *scenarios):
        if isinstance(section, Mapping) and isinstance(workers := section.get("workers"), Mapping):
            found.update(workers)
    return found


def _by_scenario(overrides: Sequence[Override], names: Sequence[str]) -> dict[int, list[Override]]:
    """Overrides by scenario index; -1 holds those for every scenario."""
    found: dict[int, list[Override]] = {-1: [each for each in overrides if each.scope == "every"]}
    places = {name: index for index, name in enumerate(names)}
    for override in overrides:
        if override.scope != "scenario":
            continue
        target = override.scenario
        if isinstance(target, int) and target >= len(names):
            message = f"the set has {len(names)} scenarios, there is no index {target}"
            raise ConfigError(message, source=override.source, path=f"scenarios[{target}]")
        if isinstance(target, str) and target not in places:
            message = f"no scenario has this name.{suggest(target, names)}"
            raise ConfigError(message, source=override.source, path=f"scenarios[{target}]")
        index = target if isinstance(target, int) else places[str(target)]
        found.setdefault(index, []).append(override)
    return found


def _wanted(names: Sequence[str], only: Sequence[str], source: str) -> list[int]:
    known = set(names)
    unknown = [
        f"{source}: no scenario is named {name!r} (asked for with --only).{suggest(name, names)}"
        for name in only
        if name not in known
    ]
    if unknown:
        raise ConfigError(join_lines(unknown))
    keep = set(only)
    return [index for index, name in enumerate(names) if not keep or name in keep]


def _scenario(
    index: int,
    name: str,
    own: Any,
    shared: Mapping[str, Any],
    overrides: Mapping[int, Sequence[Override]],
    source: str,
    sections: _Sections,
) -> ScenarioConfig | InvalidScenario:
    prefix = f"scenarios[{index}]"
    if not isinstance(own, Mapping):
        message = f"must be an object of keys and values (got {shorten(own)})"
        return InvalidScenario(name=name, reasons=(line(source, prefix, message),))
    merged: Mapping[str, Any] = {**shared, **own}
    try:
        merged = merge_scenario(shared, own)
        for override in (*overrides[-1], *overrides.get(index, ())):
            merged = apply_to_scenario(merged, override)
        values = sections.shared(merged)
        return slim(ScenarioConfig.model_validate(values), values)
    except ConfigError as error:
        place = f"{prefix}.{error.path}" if error.path else prefix
        cause = line(error.source, "", error.reason)
        reasons = [line(source, place, cause)]
    except ValidationError as error:
        reasons = lines(error, ScenarioConfig, source=source, prefix=prefix)
    symbol = merged.get("symbol")
    return InvalidScenario(name=name, symbol=symbol if isinstance(symbol, str) else "", reasons=tuple(reasons))


class _Sections:
    """One validated object for all scenarios whose section holds the same: less work and, in large sets, less memory."""

    def __init__(self) -> None:
        self._adapters = {
            name: TypeAdapter(ScenarioConfig.model_fields[name].rebuild_annotation()) for name in SECTIONS
        }
        self._found: dict[tuple[str, str], Any] = {}

    def shared(self, merged: Mapping[str, Any]) -> dict[str, Any]:
        """The scenario with validated sections, as far as they are valid; the others stay for the whole to refuse."""
        values = dict(merged)
        for name in SECTIONS:
            if name in values or name != "logic":  # which has no default
                with contextlib.suppress(ValidationError):
                    values[name] = self._section(name, values.get(name, {}))
        return values

    def _section(self, name: str, value: Any) -> Any:
        key = (name, repr(value))
        if key not in self._found:
            if len(self._found) >= _MOST_SHARED:
                self._found.clear()
            self._found[key] = self._adapters[name].validate_python(value)
        return self._found[key]
