"""From what a user calls something to names that Python and a file system take."""

from __future__ import annotations

import keyword
import re
import sys
from typing import Final

from finiex_ray.core.errors import ConfigError

__all__ = ["class_name", "module_name", "package_name"]

_SNAKE: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
_TAKEN: Final = frozenset({"finiex_ray", "test", "tests", "conftest", "configs", "runs", "catalogs"})


def module_name(name: str) -> str:
    """A module name as the user gave it.

    Raises:
        ConfigError: If it is no plain lower-case Python name, or one that is taken.
    """
    if not _SNAKE.fullmatch(name) or keyword.iskeyword(name) or keyword.issoftkeyword(name):
        hint = _snake(name)
        tip = f", for example {hint}" if _SNAKE.fullmatch(hint) and not keyword.iskeyword(hint) else ""
        message = f"{name!r} is no name for a module: lower-case letters, digits and '_', no Python keyword{tip}"
        raise ConfigError(message, source="NAME")
    if name in _TAKEN or name in sys.stdlib_module_names:
        raise ConfigError(f"{name!r} is the name of a module of Python or of this tool; choose another", source="NAME")
    return name


def class_name(module: str) -> str:
    """``my_channel`` as ``MyChannel``."""
    return "".join(part.capitalize() for part in module.split("_") if part)


def package_name(folder: str) -> str:
    """A package name made from the name of a project folder: ``My strategies 2`` becomes ``my_strategies_2``.

    Raises:
        ConfigError: If none can be made of it.
    """
    made = _snake(folder)
    if made in _TAKEN or made in sys.stdlib_module_names or keyword.iskeyword(made):
        made = f"{made}_strategies"
    if not _SNAKE.fullmatch(made):
        message = f"no package can be named after {folder!r}; choose a folder name that begins with a letter"
        raise ConfigError(message, source="DIR")
    return made


def _snake(name: str) -> str:
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
