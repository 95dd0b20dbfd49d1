"""What the JSON and the YAML reader share: numbers, and places in the tree where a value was refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from finiex_ray.config.messages import child_path, line
from finiex_ray.core.errors import ConfigError

__all__ = ["INTEGER", "MAX_DEPTH", "NUMBER", "TOO_DEEP", "Flaw", "in_range", "number", "refuse", "too_deep"]

INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)")
NUMBER: Final = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
MAX_DEPTH: Final = 64  # levels of objects and lists
TOO_DEEP: Final = f"is nested too deeply (more than {MAX_DEPTH} levels)"
_MAX_DIGITS: Final = 400  # of a number's text; below the interpreter's own bound for integers
_MAX_EXPONENT: Final = 308  # of a float


class Flaw:
    """Stands in the tree where a value was refused, so that its path is known once the tree is whole.

    Attributes:
        reason: What is wrong.
        key: The key below this place that is meant; None: the place itself.
        rest: The value that would stand here, looked through for further flaws.
    """

    def __init__(self, reason: str, key: str | None = None, rest: Any = None) -> None:
        self.reason, self.key, self.rest = reason, key, rest


def number(text: str) -> int | Decimal:
    """The exact value of a decimal number's text."""
    return int(text) if INTEGER.fullmatch(text) else Decimal(text)


def in_range(text: str) -> bool:
    """Whether a number's text is short enough, and the number one that a float could hold."""
    if len(text) > _MAX_DIGITS:
        return False
    value = number(text)
    return isinstance(value, int) or not value or abs(value.adjusted()) <= _MAX_EXPONENT


def too_deep(tree: Any) -> bool:
    """Whether objects and lists are nested more than 64 levels; later steps recurse into them."""
    level = [tree]
    for _ in range(MAX_DEPTH + 1):
        level = [item for value in level for item in _children(value)]
        if not level:
            return False
    return True


def _children(value: Any) -> Iterable[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (item for item in inner if isinstance(item, dict | list))


def refuse(tree: Any, source: str) -> ConfigError:
    """One error with a line for each flaw in the tree."""
    found: list[str] = []

    def walk(value: Any, path: str) -> None:
        if isinstance(value, Flaw):
            place = path if value.key is None else child_path(path, value.key)
            found.append(line(source, place, value.reason))
            value = value.rest
        if isinstance(value, dict):
            for key, item in value.items():
                walk(item, child_path(path, key))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                walk(item, f"{path}[{index}]")

    walk(tree, "")
    return ConfigError("\n".join(found))
