"""``finiex-ray report``, and the report at the end of ``finiex-ray run``."""

from __future__ import annotations

import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finiex_ray.cli_options import AllowImport
from finiex_ray.core.errors import FiniexError
from finiex_ray.core.text import printable

if TYPE_CHECKING:
    from finiex_ray.results.reader import RunData

__all__ = ["report", "report_at_the_end"]


def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Folder or id of a run, or latest.")] = "latest",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of the report.  [default: report in the run's folder]", show_default=False
        ),
    ] = None,
    runs: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the run folders.")] = Path("runs"),
    scenario: Annotated[
        list[str] | None,
        typer.Option("--scenario", metavar="NAME", help="A page for this scenario; may be repeated."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="A page for every scenario.")] = False,
    allow_import: AllowImport = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Write a run's results as web pages: one for the run, one for each of its scenarios."""
    from finiex_ray.api import report_run

    if every and scenario:
        raise typer.BadParameter("does not go with --scenario", param_hint="--all")
    first = report_run(run, out=out, scenarios=scenario or (), every=every, allow_imports=allow_import or (), root=runs)
    typer.echo(str(first))
    if show:
        webbrowser.open(first.absolute().as_uri())


def report_at_the_end(run: RunData, allow_imports: Sequence[str]) -> Path | None:
    """Writes the report of a run that has just finished; what goes wrong is told and changes nothing else."""
    from finiex_ray.api import report_run

    try:
        return report_run(run, allow_imports=allow_imports)
    except Exception as error:  # noqa: BLE001 - the run is done, and what it gave must stay
        text = str(error) if isinstance(error, FiniexError) else f"{error!r}; see: finiex-ray report {run.run_dir.path}"
        typer.secho(f"no report: {printable(text)}", fg=typer.colors.YELLOW, err=True)
        return None
