"""The command line around runs: ``finiex-ray init``, ``new``, ``convert``, ``doctor`` and ``completion``.

Exit codes: 0 done (``doctor``: nothing fails), 1 ``doctor`` found something that fails, 2 bad input.
"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from finiex_ray.cli_options import AsJson, RunsFolder
from finiex_ray.core.errors import ConfigError
from finiex_ray.core.text import printable

__all__ = ["completion", "convert", "doctor", "init", "new"]

_PROGRAM: Final = "finiex-ray"
_FAILS: Final = 1
_COLOURS: Final = {"ok": typer.colors.GREEN, "warn": typer.colors.YELLOW, "fail": typer.colors.RED}


class _Kind(StrEnum):
    WORKER = "worker"
    LOGIC = "logic"


class _Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.", show_default=False)],
) -> None:
    """Make a project: a scenario set, a worker, a logic and a test, which run as they are."""
    from finiex_ray.project.create import create_project, project_package

    for path in create_project(folder):
        typer.echo(printable(str(path)))
    typer.echo(
        f"next: cd {printable(str(folder))} && finiex-ray run configs/first.json --allow-import {project_package(folder)}",
        err=True,
    )


def new(
    kind: Annotated[_Kind, typer.Argument(help="What to make.", show_default=False)],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Module name, as in my_channel.", show_default=False)],
    folder: Annotated[Path, typer.Option("--project", metavar="DIR", help="Folder of the project.")] = Path(),
) -> None:
    """Add a worker or a logic to a project, from a template that works."""
    from finiex_ray.project.create import ModuleKind, create_module

    path, type_name = create_module(ModuleKind(kind.value), name, folder)
    typer.echo(printable(str(path)))
    typer.echo(f'name it in a scenario set as "type": "{type_name}"', err=True)


def convert(
    source: Annotated[Path, typer.Argument(metavar="OLD", help="Scenario set or broker file.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="NEW", help="A new file; default: stdout.", show_default=False)
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="CATALOG", help="Catalog that the set reads.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Convert a scenario set or a broker file of the predecessor into one of ours.

    What has no equivalent is listed on stderr, with its place, its value, and why. With --json one object says the same.
    """
    from finiex_ray.convert.files import convert_file

    converted = convert_file(source, data)
    if out is not None:
        try:
            with out.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(converted.text())
        except FileExistsError:
            raise ConfigError("is there already; name a new file", source=str(out)) from None
        except OSError as error:
            raise ConfigError(f"cannot be written ({error.strerror})", source=str(out)) from error
    for note in converted.notes:
        typer.secho(printable(note.sentence()), fg=typer.colors.YELLOW, err=True)
    typer.echo(f"{converted.kind}; {len(converted.notes)} things to look at", err=True)
    if as_json:
        told = {"kind": converted.kind, "out": None if out is None else str(out)}
        notes = [note._asdict() for note in converted.notes]
        typer.echo(json.dumps({**told, "notes": notes, "result": json.loads(converted.text())}))
    elif out is None:
        typer.echo(converted.text(), nl=False)


def doctor(
    ray: Annotated[bool, typer.Option("--ray/--no-ray", help="Start Ray too (some seconds).")] = True,
    catalog: Annotated[
        list[str] | None, typer.Option("--catalog", metavar="DIR", help="Look at this catalog; may be repeated.")
    ] = None,
    runs: RunsFolder = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Look whether this machine has what runs need, with the mend for what it lacks; exit code 1 if something fails."""
    from finiex_ray.doctor.examine import examine

    found = []
    for each in examine(runs, catalog or [], ray=ray):
        found.append(each)
        if not as_json:
            typer.secho(f"{each.verdict.value:<5}", fg=_COLOURS[each.verdict.value], nl=False)
            typer.echo(f"{each.name:<14} {printable(each.found)}")
            if each.mend:
                typer.echo(f"{'':<20}→ {printable(each.mend)}")
    failed = sum(each.verdict.value == "fail" for each in found)
    if as_json:
        typer.echo(json.dumps({"failed": failed, "findings": [each._asdict() for each in found]}))
    if failed:
        raise typer.Exit(_FAILS)


def completion(shell: Annotated[_Shell, typer.Argument(help="Your shell.", show_default=False)]) -> None:
    """Print a script that completes commands, options and run names when TAB is pressed."""
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    variable = f"_{_PROGRAM}_COMPLETE".replace("-", "_").upper()
    names = {"prog_name": _PROGRAM, "complete_var": variable, "shell": shell.value}
    typer.echo(get_completion_script(**names))
