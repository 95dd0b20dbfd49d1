"""The command line: ``finiex-ray``. Nothing but options, exit codes and printing; heavy imports wait for their command.

Exit codes: 0 all completed, 1 some scenario failed, 2 bad input or usage, 130 interrupted.
"""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperGroup

from finiex_ray.cli_check import check_app
from finiex_ray.cli_cluster import logs, plan, status, stop, submit
from finiex_ray.cli_data import data_app, wide_console
from finiex_ray.cli_options import AllowImport, Only, Overrides, SetPath
from finiex_ray.core.errors import FiniexError
from finiex_ray.core.text import printable

__all__ = ["app", "main"]

_FAILED: Final = 1
_BAD_INPUT: Final = 2
_INTERRUPTED: Final = 130
_JSON_KEYS: Final = (
    *("run_id", "run_dir", "executor", "scenarios", "completed", "failed"),
    *("ticks", "wall_s", "ticks_per_s", "result_hash"),
)


class _Group(TyperGroup):
    """Turns errors raised on purpose into a message and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except FiniexError as error:
            _complain("error: ", error, _BAD_INPUT)
        except KeyboardInterrupt as error:
            _complain("interrupted", error, _INTERRUPTED)


def _complain(head: str, error: BaseException, code: int) -> NoReturn:
    lines = [head + printable(str(error), keep="\n"), *(printable(note) for note in getattr(error, "__notes__", ()))]
    typer.secho("\n".join(lines), fg=typer.colors.RED, err=True)
    raise typer.Exit(code)


app = typer.Typer(
    name="finiex-ray",
    cls=_Group,
    help="Runs tick-level trading scenarios, in this process or on Ray.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(check_app, name="check")
app.add_typer(data_app, name="data")
for _command in (plan, submit, status, logs, stop):
    app.command()(_command)


class _Executor(StrEnum):
    AUTO = "auto"
    LOCAL = "local"
    RAY = "ray"


class _Plugins(StrEnum):
    WORKERS = "workers"
    LOGICS = "logics"


@app.command()
def run(
    scenario_set: SetPath,
    executor: Annotated[_Executor, typer.Option(help="Where scenarios run.")] = _Executor.AUTO,
    address: Annotated[str | None, typer.Option(help="An existing Ray cluster.", show_default=False)] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Threads (local) or CPUs (Ray).", show_default=False)] = None,
    only: Only = None,
    overrides: Overrides = None,
    allow_import: AllowImport = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the run folders.")] = Path("runs"),
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop after the first failure.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No live display and no summary.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line on stdout at the end.")] = False,
) -> None:
    """Run a scenario set; results go to a new folder below --out."""
    from finiex_ray.api import run_set

    finished = run_set(
        scenario_set,
        executor=executor.value,
        jobs=jobs,
        address=address,
        only=only or (),
        overrides=overrides or (),
        allow_imports=allow_import or (),
        out=out,
        fail_fast=fail_fast,
        quiet=quiet,
    )
    if not quiet:
        from finiex_ray.report.console import print_summary

        print_summary(finished, wide_console(stderr=as_json))
    info = {**finished.info, "run_dir": str(finished.run_dir.path)}
    if as_json:
        typer.echo(json.dumps({key: info.get(key) for key in _JSON_KEYS}))
    if info["completed"] < info["scenarios"]:
        raise typer.Exit(_FAILED)


@app.command()
def validate(
    scenario_set: SetPath, only: Only = None, overrides: Overrides = None, allow_import: AllowImport = None
) -> None:
    """Check a scenario set against its data, brokers and strategies, without running it."""
    from finiex_ray.api import validate_set

    found = validate_set(scenario_set, only=only or (), overrides=overrides or (), allow_imports=allow_import or ())
    for failed in found.invalid:
        message = failed.error.message if failed.error else ""
        typer.secho(f"{printable(failed.name)}: {printable(message)}", fg=typer.colors.RED, err=True)
    typer.echo(f"{len(found.runnable):,} scenarios valid ({found.ticks:,} ticks), {len(found.invalid):,} invalid")
    if found.invalid:
        raise typer.Exit(_BAD_INPUT)


@app.command("list")
def list_plugins(kind: Annotated[_Plugins, typer.Argument(help="What to list.", show_default=False)]) -> None:
    """List workers or logics with their parameters."""
    from finiex_ray.report.plugins import plugin_table

    wide_console().print(plugin_table(kind.value))


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenario sets."""
    from finiex_ray.config.schema import scenario_set_schema

    typer.echo(json.dumps(scenario_set_schema(), indent=2, ensure_ascii=False))


@app.command()
def version() -> None:
    """Print the versions of finiex_ray and of what it stands on."""
    from finiex_ray.results.run_info import versions

    for name, number in versions().items():
        typer.echo(f"{name} {number or 'not installed'}")


def main() -> None:
    """Entry of ``finiex-ray``: strategies are found in the current folder, as with ``python -m``."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    app()
