"""The table of workers or logics with their parameters."""

from __future__ import annotations

from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from finiex_ray.core.plugins import ParamInfo
from finiex_ray.decisions import registry as decisions
from finiex_ray.workers import registry as workers

__all__ = ["plugin_table"]


def plugin_table(kind: Literal["workers", "logics"]) -> Table:
    """A row for each parameter; a parameter without default is required."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in (kind[:-1], "parameter", "type", "default"):
        table.add_column(name, no_wrap=True)
    table.add_column("description", overflow="fold")
    for name, params in _described(kind):
        for number, param in enumerate(params or [ParamInfo("", "", "", "no parameters")]):
            default = Text(param.default) if param.default or not param.name else Text("required", style="yellow")
            first = Text(name if number == 0 else "", style="bold")
            table.add_row(first, Text(param.name), Text(param.type), default, Text(param.description))
        table.add_section()
    return table


def _described(kind: Literal["workers", "logics"]) -> list[tuple[str, list[ParamInfo]]]:
    if kind == "workers":
        return [(name, workers.describe(found)) for name, found in workers.worker_types().items()]
    return [(name, decisions.describe(found)) for name, found in decisions.logic_types().items()]
