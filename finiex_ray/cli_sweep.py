"""The command line of parameter studies: ``finiex-ray sweep`` and ``finiex-ray windows``.

Exit codes: 0 done, 1 some scenario failed, 2 bad input, 130 interrupted, 143 terminated.
"""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from finiex_ray.cli_data import wide_console
from finiex_ray.cli_options import AllowImport, Overrides
from finiex_ray.cli_signals import terminable
from finiex_ray.core.text import printable

if TYPE_CHECKING:
    from rich.console import Console

    from finiex_ray.sweep.results import SweepData

__all__ = ["sweep", "windows"]

_FAILED: Final = 1
_BEST_ROWS: Final = 10


class _Executor(StrEnum):
    AUTO = "auto"
    LOCAL = "local"
    RAY = "ray"


class _Kind(StrEnum):
    BLOCKS = "blocks"
    CONTINUOUS = "continuous"
    GAPS = "gaps"
    RANDOM = "random"
    SESSIONS = "sessions"
    VOLATILITY = "volatility"


def sweep(
    sweep_file: Annotated[Path, typer.Argument(metavar="SWEEP", help="Sweep file, JSON or YAML.", show_default=False)],
    executor: Annotated[_Executor, typer.Option(help="Where scenarios run.")] = _Executor.AUTO,
    address: Annotated[str | None, typer.Option(help="An existing Ray cluster.", show_default=False)] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Threads (local) or CPUs (Ray).", show_default=False)] = None,
    overrides: Overrides = None,
    allow_import: AllowImport = None,
    trials: Annotated[int | None, typer.Option(min=1, help="Trials, over the file's.", show_default=False)] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the run folders.")] = Path("runs"),
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="Go on with an interrupted sweep: its id, its folder, or latest.")
    ] = None,
    report: Annotated[bool, typer.Option("--report", help="Write its report into the run folder.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line on stdout at the end.")] = False,
) -> None:
    """Search a parameter space, or walk forward through windows; results go to a new folder below --out."""
    from finiex_ray.api import report_run
    from finiex_ray.sweep_file import run_sweep_file

    with terminable():
        finished = run_sweep_file(
            sweep_file,
            executor=executor.value,
            address=address,
            jobs=jobs,
            overrides=overrides or (),
            allow_imports=allow_import or (),
            trials=trials,
            out=out,
            resume=resume,
            quiet=quiet,
        )
    info = finished.info
    if not quiet:
        _print(finished, wide_console(stderr=as_json))
    if report:
        first_page = report_run(finished, allow_imports=allow_import or ())
        if not quiet:
            typer.echo(f"Report:  {printable(str(first_page))}", err=as_json)
    if as_json:
        keys = ("run_id", "executor", "trials", "scenarios", "completed", "failed", "ticks", "wall_s", "best")
        typer.echo(json.dumps({"run_dir": str(finished.run_dir.path), **{key: info.get(key) for key in keys}}))
    if info["failed"]:
        raise typer.Exit(_FAILED)


def _print(finished: SweepData, console: Console) -> None:
    from finiex_ray.sweep.console import print_sweep

    print_sweep(finished, console, _BEST_ROWS)


def windows(
    kind: Annotated[_Kind, typer.Argument(help="Which windows to make.", show_default=False)],
    scenario_set: Annotated[
        Path, typer.Argument(metavar="SET", help="A set file: its data, its global values.", show_default=False)
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The new set file (JSON).", show_default=False)
    ],
    symbol: Annotated[
        str | None, typer.Option(help="Default: that of the set's first scenario.", show_default=False)
    ] = None,
    start: Annotated[
        datetime | None, typer.Option(help="From here on, UTC; default: all data.", show_default=False)
    ] = None,
    end: Annotated[
        datetime | None, typer.Option(help="Up to here, UTC; default: all data.", show_default=False)
    ] = None,
    length: Annotated[str, typer.Option(help="blocks, volatility, random: 30m, 4h, 1d, 2w.")] = "1d",
    count: Annotated[int, typer.Option(min=1, help="random: how many.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="random: seed of the draws.")] = 0,
    session: Annotated[
        list[str] | None, typer.Option(help="sessions: asia, london, new_york; may be repeated.", show_default=False)
    ] = None,
    before: Annotated[str, typer.Option(help="gaps: length before the pause.")] = "2h",
    after: Annotated[str, typer.Option(help="gaps: length after it.")] = "2h",
    min_gap: Annotated[str, typer.Option(help="gaps, continuous: pauses that are longer count.")] = "1h",
    min_ticks: Annotated[int, typer.Option(min=1, help="Windows with fewer ticks are left out.")] = 1,
) -> None:
    """Make a set file whose scenarios are windows of the data: blocks, sessions, volatility buckets and more."""
    from finiex_ray.sweep_file import make_window_set

    options: dict[str, Any] = {
        "length": length,
        "count": count,
        "seed": seed,
        "names": session,
        "before": before,
        "after": after,
        "min_gap": min_gap,
        "min_ticks": min_ticks,
    }
    made = make_window_set(kind.value, scenario_set, output, symbol=symbol, start=start, end=end, **options)
    typer.echo(f"{made:,} windows written to {output}")
