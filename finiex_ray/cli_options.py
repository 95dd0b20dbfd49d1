"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["AllowImport", "Only", "Overrides", "SetPath"]

SetPath = Annotated[Path, typer.Argument(metavar="SET", help="Scenario set, JSON or YAML.", show_default=False)]
Only = Annotated[list[str] | None, typer.Option("--only", metavar="NAME", help="This scenario alone; may be repeated.")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="P=V", help="Set a value, e.g. logic.lots=0.2; may be repeated.")
]
AllowImport = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        envvar="FINIEX_RAY_ALLOW_IMPORT",
        help="A module or package whose strategies the set may name, or . for those of this folder; may be repeated.",
    ),
]
