"""`convert_file`: looks what an old file is, and converts it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from finiex_ray.config.parse import read_tree
from finiex_ray.convert.broker import convert_broker
from finiex_ray.convert.notes import Note, Notes
from finiex_ray.convert.scenario_set import convert_set
from finiex_ray.core.errors import ConfigError

__all__ = ["Converted", "convert_file"]


@dataclass(frozen=True)
class Converted:
    """A file in our layout, and what could not be taken over."""

    kind: str  # "scenario set" or "broker"
    tree: dict[str, Any]
    notes: tuple[Note, ...]

    def text(self) -> str:
        """The file as JSON."""
        return json.dumps(self.tree, indent=2, ensure_ascii=False, default=_number) + "\n"


def convert_file(path: Path, catalog: str | None = None) -> Converted:
    """Converts a scenario set or a broker file of the predecessor.

    Args:
        path: The old file.
        catalog: The catalog that the converted set reads.

    Raises:
        ConfigError: If it cannot be read, is neither of the two, or cannot be converted at all.
    """
    tree = read_tree(path)
    notes = Notes()
    try:
        if "broker_info" in tree or "fee_structure" in tree:
            return Converted("broker", convert_broker(tree, notes), tuple(notes.all()))
        shared = tree.get("global")
        if isinstance(shared, dict) and {"logic", "workers"} & shared.keys():
            raise ConfigError("is a scenario set of finiex_ray already: nothing to convert")
        if "scenarios" in tree:
            return Converted("scenario set", convert_set(tree, path.stem, notes, catalog), tuple(notes.all()))
    except ConfigError as error:
        raise ConfigError(error.reason, source=str(path), path=error.path) from error
    except (AttributeError, TypeError, ValueError) as error:
        raise ConfigError(f"a section has another layout than expected ({error})", source=str(path)) from error
    message = "is neither a scenario set ('scenarios') nor a broker file ('broker_info') of the predecessor"
    raise ConfigError(message, source=str(path))


def _number(value: Any) -> int | float:
    if not isinstance(value, Decimal):
        raise TypeError(f"a {type(value).__name__} cannot stand in a JSON file")
    return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else float(value)
