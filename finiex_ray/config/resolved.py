"""A resolved ScenarioSet as text and back, without loss; and the hash of what decides a scenario's result.

Numbers that are Decimals in memory stand as JSON numbers with all their digits, times in UTC with ``Z``, keys in the
order of the models (workers and parameters in the order of the file). Numbers with a
point are read as Decimals.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from pydantic import ValidationError

from finiex_ray.config.messages import child_path, join_lines, lines
from finiex_ray.config.models import DataConfig, InvalidScenario, ScenarioConfig, ScenarioSet
from finiex_ray.core.errors import ConfigError

__all__ = ["config_hash", "from_json", "to_json"]

_NO_EFFECT: Final = frozenset({"name", "enabled", "execution", "live_stats"})


def to_json(scenario_set: ScenarioSet) -> str:
    """Writes a resolved set, one scenario a line; equal sets give equal text.

    Raises:
        ConfigError: If a parameter holds a value that JSON cannot say (NaN, or an object of another kind).
    """
    head = {"name": scenario_set.name, "source": scenario_set.source, "data": scenario_set.data.model_dump()}
    parts = [f'"{key}": {_write(value, key)}' for key, value in head.items()]
    rows = ",\n".join(
        "  " + _write(each.model_dump(), f"scenarios[{index}]") for index, each in enumerate(scenario_set.scenarios)
    )
    return "{\n" + "".join(f"{part},\n" for part in parts) + f'"scenarios": [\n{rows}\n]\n}}\n'


def from_json(text: str, source: str = "resolved scenario set") -> ScenarioSet:
    """Reads what `to_json` wrote: equal to the set that was written.

    Args:
        text: The JSON text.
        source: Its name in messages.

    Raises:
        ConfigError: If the text is no JSON, or not of this layout.
    """
    try:
        tree = json.loads(text, parse_float=Decimal)
        found = tuple(
            (InvalidScenario if "reasons" in row else ScenarioConfig).model_validate(row) for row in tree["scenarios"]
        )
        data = DataConfig.model_validate(tree["data"])
        return ScenarioSet(name=tree["name"], source=tree["source"], data=data, scenarios=found)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ConfigError(f"is not valid JSON: {error.msg} at {place}", source=source) from None
    except (KeyError, TypeError) as error:
        raise ConfigError(f"is not a resolved scenario set: {error} is missing or misplaced", source=source) from None
    except ValidationError as error:
        raise ConfigError(join_lines(lines(error, ScenarioConfig, source=source))) from None


def config_hash(scenario: ScenarioConfig) -> str:
    """SHA-256 (hex) of all that decides a scenario's result: not its name, execution or live updates.

    Equal values give equal hashes, however they were written: 2, 2.0 and 2.00; times in any zone; keys in any order.
    """
    content = {key: value for key, value in scenario.model_dump().items() if key not in _NO_EFFECT}
    return hashlib.sha256(_write(content, "", canonical=True).encode()).hexdigest()


def _write(value: Any, path: str, canonical: bool = False) -> str:
    """JSON text of a value; canonical: keys sorted, numbers in one form only."""
    if isinstance(value, Enum):
        return _write(value.value, path, canonical)
    if value is None or isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
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
        inner = (f"{json.dumps(k, ensure_ascii=False)}: {_write(v, child_path(path, k), canonical)}" for k, v in items)
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_write(item, f"{path}[{i}]", canonical) for i, item in enumerate(value)) + "]"
    raise ConfigError(
        f"a {type(value).__name__} cannot stand in a configuration: use text, numbers, lists, objects", path=path
    )


def _canonical_number(value: float | Decimal) -> str:
    """Sign, digits without trailing zeros, exponent: one text for each number."""
    sign, digits, exponent = Decimal(str(value)).as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    if not text:
        return "0"
    kept = text.rstrip("0")
    return f"{'-' * sign}{kept}e{int(exponent) + len(text) - len(kept)}"
