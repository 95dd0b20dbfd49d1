"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["AllowImport", "AsJson", "Only", "Overrides", "RunName", "RunsFolder", "SetPath", "tell_first_run"]

SetPath = Annotated[Path, typer.Argument(metavar="SET", help="Scenario set, JSON or YAML.", show_default=False)]
Only = Annotated[list[str] | None, typer.Option("--only", metavar="NAME", help="This scenario alone; may be repeated.")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="P=V", help="Set a value, e.g. logic.lots=0.2; may be repeated.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON line on stdout.")]


def _run_names(incomplete: str) -> list[str]:
    """For shell completion: the runs below the current folder."""
    folders = Path("runs").glob("*/run.json")
    return sorted(name for name in (folder.parent.name for folder in folders) if name.startswith(incomplete))


RunName = Annotated[
    str,
    typer.Argument(metavar="RUN", help="A run: its folder, its id, or latest.", autocompletion=_run_names),
]
RunsFolder = Annotated[Path, typer.Option("--runs", metavar="DIR", help="Folder of the run folders.")]
AllowImport = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        envvar="FINIEX_RAY_ALLOW_IMPORT",
        help="A module or package whose strategies the set may name, or . for those of this folder; may be repeated.",
    ),
]


def tell_first_run() -> None:
    """Says that compiling comes first, on a machine that has not compiled the kernels yet."""
    from finiex_ray.kernels.jit import compiled_before

    if not compiled_before():
        typer.echo(
            "The first run on a machine compiles the engine, which takes about 20 s; later ones start at once.",
            err=True,
        )
