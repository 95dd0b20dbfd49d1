"""Where the resolved configurations of two runs differ: path, value there, value here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from finiex_ray.config.messages import child_path
from finiex_ray.config.models import InvalidScenario, ScenarioConfig, ScenarioSet
from finiex_ray.config.resolved import SECTIONS

__all__ = ["ConfigDifference", "config_differences"]

_ABSENT: Final = "not set"
Scenario = ScenarioConfig | InvalidScenario


class ConfigDifference(NamedTuple):
    """One value, with the scenarios that have this very difference."""

    path: str
    a: str
    b: str
    scenarios: tuple[str, ...]  # none for a value of the whole set


def config_differences(a: ScenarioSet, b: ScenarioSet) -> list[ConfigDifference]:
    """Compares two resolved sets, scenario by scenario (by name); equal differences of many scenarios are one.

    Args:
        a: One set.
        b: The other.
    """
    found: dict[tuple[str, str, str], list[str]] = {}
    for head in ("name", "data"):
        for difference in _differences(head, getattr(a, head), getattr(b, head)):
            found[difference] = []
    others = {each.name: each for each in b.scenarios}
    for scenario in a.scenarios:
        other = others.get(scenario.name)
        if other is not None:
            for difference in _scenario_differences(scenario, other):
                found.setdefault(difference, []).append(scenario.name)
    return [ConfigDifference(*key, tuple(names)) for key, names in found.items()]


def _scenario_differences(a: Scenario, b: Scenario) -> Iterator[tuple[str, str, str]]:
    if a == b:
        return
    if type(a) is not type(b):
        yield "valid", str(isinstance(a, ScenarioConfig)).lower(), str(isinstance(b, ScenarioConfig)).lower()
        return
    for name in type(a).model_fields:
        left, right = getattr(a, name), getattr(b, name)
        if name in SECTIONS and (left is right or left == right):
            continue
        yield from _differences(name, left, right)


def _differences(path: str, a: Any, b: Any) -> Iterator[tuple[str, str, str]]:
    left, right = _flat(path, a), _flat(path, b)
    for key in [*left, *(key for key in right if key not in left)]:
        if key not in left or key not in right or left[key] != right[key]:
            yield key, _leaf(left, key), _leaf(right, key)


def _leaf(values: Mapping[str, Any], key: str) -> str:
    return _text(values[key]) if key in values else _ABSENT


def _flat(path: str, value: Any) -> dict[str, Any]:
    """Path to value; a list counts as one value, as it is replaced whole."""
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if isinstance(value, Mapping) and value:
        return {
            key: leaf for name, each in value.items() for key, leaf in _flat(child_path(path, str(name)), each).items()
        }
    return {path: value}


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value.value if isinstance(value, Enum) else value)
