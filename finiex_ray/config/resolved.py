"""A resolved ScenarioSet as text and back, without loss; and the hash of what decides a scenario's result.

Numbers that are Decimals in memory stand as JSON numbers with all their digits, times in UTC with ``Z``, keys in the
order of the models (workers and parameters in the order of the file). Numbers with a point are read as Decimals. A
section that several scenarios share stands once, under ``shared``, and its number stands in its place.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter, ValidationError

from finiex_ray.config.messages import child_path, join_lines, lines
from finiex_ray.config.models import DataConfig, InvalidScenario, ScenarioConfig, ScenarioSet
from finiex_ray.core.errors import ConfigError

__all__ = ["SECTIONS", "ConfigHashes", "config_hash", "from_json", "json_lines", "slim", "to_json"]

SECTIONS: Final = ("workers", "logic", "account", "execution", "live_stats")
"""The fields of a scenario that hold further fields; `resolve_set` makes one object for all scenarios with equal ones."""

_NO_EFFECT: Final = frozenset({"name", "enabled", "execution", "live_stats"})
_FIELDS: Final = tuple(ScenarioConfig.model_fields)
_ADAPTERS: Final[dict[str, TypeAdapter[Any]]] = {
    name: TypeAdapter(ScenarioConfig.model_fields[name].rebuild_annotation()) for name in SECTIONS
}


def to_json(scenario_set: ScenarioSet) -> str:
    """Writes a resolved set, one scenario a line; equal sets give equal text.

    Raises:
        ConfigError: If a parameter holds a value that JSON cannot say (NaN, or an object of another kind).
    """
    return "".join(json_lines(scenario_set))


def json_lines(scenario_set: ScenarioSet) -> Iterator[str]:
    """The lines of `to_json`, one after the other: the text of a large set need never be in memory whole."""
    rows = scenario_set.scenarios
    uses = Counter(
        _identity(getattr(each, name)) for each in rows if isinstance(each, ScenarioConfig) for name in SECTIONS
    )
    shared: dict[str, dict[Hashable, int]] = {name: {} for name in SECTIONS}
    yield "{\n"
    head = {"name": scenario_set.name, "source": scenario_set.source, "data": scenario_set.data.model_dump()}
    for name, value in head.items():
        yield f'"{name}": {_write(value, name)},\n'
    texts: dict[str, list[str]] = {name: [] for name in SECTIONS}
    for index, each in enumerate(rows):
        for name in SECTIONS if isinstance(each, ScenarioConfig) else ():
            section = getattr(each, name)
            key = _identity(section)
            if uses[key] > 1 and key not in shared[name]:
                shared[name][key] = len(shared[name])
                texts[name].append(_write(_plain(section), f"scenarios[{index}].{name}"))
    inner = ",\n".join(f'  "{name}": [{", ".join(found)}]' for name, found in texts.items() if found)
    yield f'"shared": {{\n{inner}\n}},\n' if inner else '"shared": {},\n'
    yield '"scenarios": [\n'
    for index, each in enumerate(rows):
        end = ",\n" if index + 1 < len(rows) else "\n"
        yield "  " + _row_text(each, f"scenarios[{index}]", shared) + end
    yield "]\n}\n"


def _row_text(row: ScenarioConfig | InvalidScenario, path: str, shared: Mapping[str, Mapping[Hashable, int]]) -> str:
    if isinstance(row, InvalidScenario):
        return _write(row.model_dump(), path)
    parts = []
    for name in _FIELDS:
        value = getattr(row, name)
        number = shared[name].get(_identity(value)) if name in shared else None
        text = str(number) if number is not None else _write(_plain(value), f"{path}.{name}")
        parts.append(f'"{name}": {text}')
    return "{" + ", ".join(parts) + "}"


def _identity(section: Any) -> Hashable:
    """Equal for two sections exactly when they are the same objects."""
    if isinstance(section, BaseModel):
        return id(section)
    return tuple((name, id(each)) for name, each in section.items())


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return value


def from_json(text: str, source: str = "resolved scenario set") -> ScenarioSet:
    """Reads what `to_json` wrote: equal to the set that was written, and as much of it shared.

    Args:
        text: The JSON text.
        source: Its name in messages.

    Raises:
        ConfigError: If the text is no JSON, or not of this layout.
    """
    try:
        tree = json.loads(text, parse_float=Decimal)
        shared = {
            name: [_ADAPTERS[name].validate_python(each) for each in found]
            for name, found in tree.get("shared", {}).items()
        }
        found = tuple(
            InvalidScenario.model_validate(row)
            if "reasons" in row
            else slim(ScenarioConfig.model_validate(values := _with_shared(row, shared)), values)
            for row in tree["scenarios"]
        )
        data = DataConfig.model_validate(tree["data"])
        return ScenarioSet(name=tree["name"], source=tree["source"], data=data, scenarios=found)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ConfigError(f"is not valid JSON: {error.msg} at {place}", source=source) from None
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ConfigError(f"is not a resolved scenario set: {error} is missing or misplaced", source=source) from None
    except ValidationError as error:
        raise ConfigError(join_lines(lines(error, ScenarioConfig, source=source))) from None


def _with_shared(row: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: shared[name][value] if name in SECTIONS and isinstance(value, int) else value
        for name, value in row.items()
    }


def slim(scenario: ScenarioConfig, values: Mapping[str, Any]) -> ScenarioConfig:
    """The same scenario in a third of the memory, which counts in a set of 100,000.

    It holds the very workers that it was made from, and not a copy; instances that get their fields one by one share
    the table of names.

    Args:
        scenario: A scenario that was just made.
        values: What it was made from, with validated sections.
    """
    made = ScenarioConfig.__new__(ScenarioConfig)
    for name, value in scenario.__dict__.items():
        object.__setattr__(made, name, values[name] if name == "workers" and values.get(name) == value else value)
    fields_set = _fields_set(frozenset(scenario.__pydantic_fields_set__))
    for name, state in (("fields_set", fields_set), ("extra", None), ("private", None)):
        object.__setattr__(made, f"__pydantic_{name}__", state)
    return made


@cache
def _fields_set(names: frozenset[str]) -> set[str]:
    return set(names)


def config_hash(scenario: ScenarioConfig) -> str:
    """SHA-256 (hex) of all that decides a scenario's result: not its name, execution or live updates.

    Equal values give equal hashes, however they were written: 2, 2.0 and 2.00; times in any zone; keys in any order.
    """
    return ConfigHashes()(scenario)


class ConfigHashes:
    """`config_hash` for many scenarios: what they share is looked at once."""

    def __init__(self) -> None:
        self._texts: dict[Hashable, tuple[Any, str]] = {}  # with the section itself, so that its identity stays taken

    def __call__(self, scenario: ScenarioConfig) -> str:
        """The hash of one scenario."""
        parts = (f'"{name}": {self._text(name, getattr(scenario, name))}' for name in _DECIDING)
        return hashlib.sha256(("{" + ", ".join(parts) + "}").encode()).hexdigest()

    def _text(self, name: str, value: Any) -> str:
        if name not in SECTIONS:
            return _write(value, name, canonical=True)
        key = _identity(value)
        if key not in self._texts:
            if len(self._texts) >= _MOST_TEXTS:
                self._texts.clear()
            self._texts[key] = (value, _write(_plain(value), name, canonical=True))
        return self._texts[key][1]


_DECIDING: Final = tuple(sorted(set(_FIELDS) - _NO_EFFECT))
_MOST_TEXTS: Final = 4_096


def _write(value: Any, path: str, canonical: bool = False) -> str:
    """JSON text of a value; canonical: keys sorted, numbers in one form only."""
    if isinstance(value, Enum):
        return _write(value.value, path, canonical)
    if isinstance(value, str):
        return str(_quoted(value))
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, int | float | Decimal):
        if isinstance(value, int):
            value = int(value)
        elif not math.isfinite(value):
            raise ConfigError(f"{value} is no finite number", path=path)
        return _canonical_number(value) if canonical else str(value)
    if isinstance(value, datetime):
        return f'"{value.astimezone(UTC).isoformat().replace("+00:00", "Z")}"'
    if isinstance(value, Mapping):
        items = sorted(value.items()) if canonical else value.items()
        return "{" + ", ".join(f"{_quoted(k)}: {_write(v, child_path(path, k), canonical)}" for k, v in items) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_write(item, f"{path}[{i}]", canonical) for i, item in enumerate(value)) + "]"
    raise ConfigError(
        f"a {type(value).__name__} cannot stand in a configuration: use text, numbers, lists, objects", path=path
    )


_WORDS: Final = {None: "null", True: "true", False: "false"}
_quoted: Final = json.JSONEncoder(ensure_ascii=False).encode


def _canonical_number(value: float | Decimal) -> str:
    """Sign, digits without trailing zeros, exponent: one text for each number."""
    if type(value) is int and value > 0:  # the same, sooner
        digits_of = str(value)
        return f"{digits_of.rstrip('0')}e{len(digits_of) - len(digits_of.rstrip('0'))}"
    sign, digits, exponent = Decimal(str(value)).as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    if not text:
        return "0"
    kept = text.rstrip("0")
    return f"{'-' * sign}{kept}e{int(exponent) + len(text) - len(kept)}"
