"""The command line: ``finiex-ray``. Nothing but options, exit codes and printing; heavy imports wait for their command.

Exit codes: 0 all completed, 1 some scenario failed or something differs, 2 bad input or usage, 3 a run under way could not
go on and can be resumed, 130 interrupted (Ctrl-C), 143 terminated (SIGTERM). docs/commands.md has them for each command.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperGroup

from finiex_ray.cli_check import check_app
from finiex_ray.cli_cluster import logs, plan, status, stop, submit
from finiex_ray.cli_data import data_app, wide_console
from finiex_ray.cli_examples import add_examples
from finiex_ray.cli_options import AllowImport, Only, Overrides, SetPath, tell_first_run
from finiex_ray.cli_project import completion, convert, doctor, init, new
from finiex_ray.cli_report import report, report_at_the_end
from finiex_ray.cli_runs import replay, runs_app, verify
from finiex_ray.cli_signals import terminable, was_terminated
from finiex_ray.cli_start import collect_seldom, named_alone
from finiex_ray.cli_sweep import sweep, windows
from finiex_ray.core.errors import FiniexError, RunStoppedError
from finiex_ray.core.text import printable

if TYPE_CHECKING:
    from finiex_ray.results.reader import RunData

__all__ = ["app", "main"]

_PROGRAM: Final = "finiex-ray"
_COMPLETE: Final = "_FINIEX_RAY_COMPLETE"
_FAILED: Final = 1
_BAD_INPUT: Final = 2
_STOPPED: Final = 3
_INTERRUPTED: Final = 130
_TERMINATED: Final = 143
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
            _complain("error: ", error, _STOPPED if isinstance(error, RunStoppedError) else _BAD_INPUT)
        except KeyboardInterrupt as error:
            terminated = was_terminated()
            head = "terminated" if terminated else "interrupted"
            _complain(f"{head}. " if str(error) else head, error, _TERMINATED if terminated else _INTERRUPTED)


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
app.add_typer(runs_app, name="runs")
for _command in (
    *(sweep, windows, plan, report, submit, status, logs, stop),
    *(replay, verify, init, new, convert, doctor, completion),
):
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
    scenario_set: Annotated[
        Path | None, typer.Argument(metavar="[SET]", help="Scenario set, JSON or YAML.", show_default=False)
    ] = None,
    executor: Annotated[
        _Executor | None, typer.Option(help="Where scenarios run.  [default: auto]", show_default=False)
    ] = None,
    address: Annotated[str | None, typer.Option(help="An existing Ray cluster.", show_default=False)] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Threads (local) or CPUs (Ray).", show_default=False)] = None,
    only: Only = None,
    overrides: Overrides = None,
    allow_import: AllowImport = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the run folders.")] = Path("runs"),
    run_id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Name of the run folder; an unfinished run of it goes on.", show_default=False),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="RUN", help="Go on with this run (folder, id or latest), without SET.", show_default=False
        ),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="With --resume: run failed scenarios once more.")
    ] = False,
    reuse: Annotated[bool, typer.Option("--reuse", help="Take results of equal scenarios from runs in --out.")] = False,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop after the first failure.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No live display and no summary.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line on stdout at the end.")] = False,
    with_report: Annotated[
        bool,
        typer.Option(
            "--report/--no-report", envvar="FINIEX_RAY_REPORT", help="Write web pages into the run's folder at the end."
        ),
    ] = True,
) -> None:
    """Run a scenario set, or go on with a run; results go to a folder below --out."""
    from finiex_ray.api import RunInterruptedError, resume_run, run_set

    _check_usage(scenario_set, resume, {"--only": only, "--set": overrides, "--run-id": run_id, "--reuse": reuse})
    if retry_failed and resume is None:
        raise typer.BadParameter("goes with --resume RUN", param_hint="--retry-failed")
    shared: dict[str, Any] = {"jobs": jobs, "address": address, "out": out, "fail_fast": fail_fast, "quiet": quiet}
    shared["allow_imports"] = allow_import or ()
    if not quiet:
        tell_first_run()
    try:
        with terminable():
            if resume is not None:
                finished = resume_run(
                    resume, executor=None if executor is None else executor.value, retry_failed=retry_failed, **shared
                )
            elif scenario_set is not None:
                finished = run_set(
                    scenario_set,
                    executor=(executor or _Executor.AUTO).value,
                    only=only or (),
                    overrides=overrides or (),
                    run_id=run_id,
                    reuse=reuse,
                    **shared,
                )
    except RunInterruptedError as error:
        _report(error.run, quiet=quiet, as_json=as_json)
        raise
    pages = report_at_the_end(finished, allow_import or ()) if with_report else None
    _report(finished, quiet=quiet, as_json=as_json, pages=pages)
    if finished.info["completed"] < finished.info["scenarios"]:
        raise typer.Exit(_FAILED)


def _check_usage(scenario_set: Path | None, resume: str | None, of_a_new_run: Mapping[str, object]) -> None:
    if resume is None:
        if scenario_set is None:
            raise typer.BadParameter("give a scenario set, or --resume RUN", param_hint="SET")
        return
    wrong = ["SET"] if scenario_set is not None else [name for name, value in of_a_new_run.items() if value]
    if wrong:
        raise typer.BadParameter("does not go with --resume: the run has its own set and values", param_hint=wrong[0])


def _report(finished: RunData, *, quiet: bool, as_json: bool, pages: Path | None = None) -> None:
    """The summary, and the JSON line; of an interrupted run as far as it got."""
    if not quiet:
        from finiex_ray.report.console import print_summary

        print_summary(finished, wide_console(stderr=as_json), report=pages)
    if as_json:
        info = {**finished.info, "run_dir": str(finished.run_dir.path)}
        typer.echo(json.dumps({key: info.get(key) for key in _JSON_KEYS}))


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


add_examples(app)


def main() -> None:
    """Entry of ``finiex-ray``: strategies are found in the current folder, as with ``python -m``."""
    collect_seldom()
    asked = named_alone(app, sys.argv[1:])
    if _COMPLETE in os.environ:  # a shell asks what could come next
        from typer.completion import completion_init  # type: ignore[attr-defined]

        completion_init()
        asked = app
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    asked(prog_name=_PROGRAM, color=False if os.environ.get("NO_COLOR") else None)
