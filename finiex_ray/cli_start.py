"""What makes the program start quickly: garbage is seldom looked for, and commands that nobody named are left out."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Sequence
from copy import copy
from typing import Final

import typer

from finiex_ray.cli_examples import command_paths

__all__ = ["collect_seldom", "named_alone"]

_MANY_OBJECTS: Final = 50_000
_SMALL: Final = ("schema", "version")  # commands without options


def collect_seldom() -> None:
    """Looks for garbage after some ten thousand new objects, not after each 700, and not at the end of the process.

    Imports make some hundred thousand objects, all of them to stay; the system takes everything back at the end.
    Each of both took a tenth of a short run.
    """
    gc.set_threshold(_MANY_OBJECTS)
    atexit.register(gc.freeze)


def named_alone(app: typer.Typer, arguments: Sequence[str]) -> typer.Typer:
    """The application with the named command alone, if there is one: typer gets all thirty ready to run one.

    Args:
        app: The application.
        arguments: What the user gave it.
    """
    named = arguments[0] if arguments else ""
    groups = [group for group in app.registered_groups if group.name == named]
    commands = {path: command for path, command in command_paths(app) if path == named or path in _SMALL}
    if not groups and named not in commands:
        return app
    alone = copy(app)
    # Of a single command typer would make a program without commands.
    alone.registered_groups, alone.registered_commands = groups, list(commands.values())
    return alone
