"""The command line of earlier runs: ``finiex-ray runs list|show|compare|export|delete``, ``replay`` and ``verify``.

Exit codes: 0 the same (or done), 1 a difference, or nothing deleted; 2 bad input, or something that cannot be checked here.
"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from finiex_ray.cli_data import wide_console
from finiex_ray.cli_options import AllowImport, AsJson, RunName, RunsFolder
from finiex_ray.core.text import printable

if TYPE_CHECKING:
    from finiex_ray.core.access import PluginAccess
    from finiex_ray.results.reader import RunData

__all__ = ["replay", "runs_app", "verify"]

_DEFAULT: Final = Path("runs")
_NOT_DONE: Final = 1

runs_app = typer.Typer(help="List, show, compare, export and delete earlier runs.", no_args_is_help=True)


class _Format(StrEnum):
    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


_Data = Annotated[
    str | None,
    typer.Option("--data", metavar="CATALOG", help="Where the same ticks are now.", show_default=False),
]


@runs_app.command("list")
def list_(runs: RunsFolder = _DEFAULT, as_json: AsJson = False) -> None:
    """List runs, newest first.

    States: complete, failed (some scenario failed), partial (interrupted or killed; can be resumed), running, damaged.
    """
    from finiex_ray.history.listing import list_runs
    from finiex_ray.history.show import print_runs

    found = list_runs(runs)
    if as_json:
        typer.echo(json.dumps([run.as_json() for run in found]))
    elif found:
        print_runs(found, wide_console())
    else:
        typer.echo(f"no runs in {runs}; finiex-ray run SET makes one", err=True)


@runs_app.command()
def show(run: RunName = "latest", runs: RunsFolder = _DEFAULT, as_json: AsJson = False) -> None:
    """Show what a run is, and its summary."""
    from finiex_ray.history.listing import run_facts
    from finiex_ray.history.show import print_facts
    from finiex_ray.report.console import print_summary

    opened = _open(run, runs)
    facts = run_facts(opened)
    if as_json:
        typer.echo(json.dumps({**opened.info, **facts.as_json()}))
        return
    console = wide_console()
    print_facts(facts, opened.info, console)
    print_summary(opened, console)


@runs_app.command()
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A run: its folder, its id, or latest.", show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", help="Another run.", show_default=False)],
    runs: RunsFolder = _DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Compare the configuration and the results of two runs, scenario by scenario (by name).

    Exit code 0: both are the same (versions of packages do not count); 1: something differs, as with diff; 2: bad input.
    """
    from finiex_ray.history.compare import compare_runs
    from finiex_ray.history.show import print_comparison

    found = compare_runs(_open(a, runs), _open(b, runs))
    if as_json:
        typer.echo(json.dumps(found.as_json()))
    else:
        print_comparison(found, wide_console())
    _leave(found.exit_code)


@runs_app.command()
def export(
    run: RunName,
    fmt: Annotated[_Format, typer.Option("--format", help="json: one object a line.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A new folder for the tables.", show_default=False)],
    table: Annotated[list[str] | None, typer.Option("--table", help="This table alone; may be repeated.")] = None,
    runs: RunsFolder = _DEFAULT,
) -> None:
    """Write the tables of a run into a folder, as CSV, Parquet or JSON."""
    from finiex_ray.history.export import ExportFormat, export_run

    for path in export_run(_open(run, runs), ExportFormat(fmt.value), out, table or ()):
        typer.echo(printable(str(path)))


@runs_app.command()
def delete(
    run: RunName,
    runs: RunsFolder = _DEFAULT,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a run of the folder of runs; asks first, and leaves runs alone that a process writes."""
    from finiex_ray.history.delete import check_deletable, delete_run
    from finiex_ray.results.run_dir import find_run_dir

    run_dir = find_run_dir(run, runs)
    check_deletable(run_dir, runs)
    if not yes:
        try:
            yes = typer.confirm(f"delete {run_dir.path} with all its results?")
        except typer.Abort:
            typer.echo(err=True)
    if not yes:
        typer.echo("nothing was deleted (--yes deletes without a question)", err=True)
        raise typer.Exit(_NOT_DONE)
    delete_run(run_dir, runs)
    typer.echo(f"deleted {run_dir.path}")


def replay(
    run: RunName,
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="Name of the scenario.", show_default=False)],
    pdb: Annotated[bool, typer.Option("--pdb", help="Stop in the debugger where the strategy fails.")] = False,
    data: _Data = None,
    allow_import: AllowImport = None,
    runs: RunsFolder = _DEFAULT,
    log: Annotated[bool, typer.Option("--log", help="Print the log of the scenario.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run one scenario of an earlier run again, in this process, and say whether the result is the same.

    Configuration and brokers are those that the run saved, wherever it ran; ticks come from the catalog that it names, or
    from --data. Exit code 0: the same, also the same failure; 1: not, and every difference is named; 2: it cannot run here.
    """
    from finiex_ray.history.postmortem import post_mortem
    from finiex_ray.history.replay import replay_scenario
    from finiex_ray.history.show import print_replay

    found = replay_scenario(
        _open(run, runs), scenario, data=data, access=_access(allow_import), on_error=post_mortem if pdb else None
    )
    if log:
        for line in found.log:
            typer.echo(printable(line, keep="\n\t"))
    print_replay(found, wide_console(stderr=as_json))
    if as_json:
        typer.echo(json.dumps(found.as_json()))
    _leave(found.exit_code)


def verify(
    run: RunName = "latest",
    scenarios: Annotated[
        list[str] | None,
        typer.Option("--scenarios", metavar="N|NAME", help="So many, spread over the set, or this one; repeatable."),
    ] = None,
    data: _Data = None,
    allow_import: AllowImport = None,
    jobs: Annotated[int, typer.Option(min=1, help="Threads.")] = 1,
    runs: RunsFolder = _DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Run the scenarios of an earlier run again, and hold every saved row against what comes out.

    First every page of the tables and every frame of the journal is read against its checksum. Exit code 0: all is as
    saved; 1: a cell differs or a file is damaged, and it is named; 2: some scenario cannot be checked here. How far it is
    stands on stderr.
    """
    from finiex_ray.display.line import ProgressLine
    from finiex_ray.display.pace import Pace
    from finiex_ray.history.show import print_verification, verify_parts
    from finiex_ray.history.verify import VerifyProgress, verify_run

    opened, pace = _open(run, runs), Pace()
    with ProgressLine(keep=False) as line:

        def show(progress: VerifyProgress) -> None:
            if line.due:
                line.show(*verify_parts(progress, pace, line.elapsed_s))

        found = verify_run(opened, scenarios or (), data=data, access=_access(allow_import), jobs=jobs, progress=show)
    print_verification(found, wide_console(stderr=as_json))
    if as_json:
        typer.echo(json.dumps(found.as_json()))
    _leave(found.exit_code)


def _open(run: str, root: Path) -> RunData:
    from finiex_ray.results.reader import open_run

    return open_run(run, root)


def _access(names: list[str] | None) -> PluginAccess:
    from finiex_ray.config.imports import allowed_imports

    return allowed_imports(names or (), Path.cwd())


def _leave(code: int) -> Any:
    if code:
        raise typer.Exit(code)
