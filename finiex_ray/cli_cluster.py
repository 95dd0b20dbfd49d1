"""The command line of clusters: ``finiex-ray plan``, ``submit``, ``status``, ``logs``, ``stop``.

Exit code of ``submit``: that of the run on the cluster; 2 where a check fails before it, 130 for Ctrl-C (the job goes on).
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from finiex_ray.cli_data import wide_console
from finiex_ray.cli_options import AllowImport, Only, Overrides, SetPath
from finiex_ray.core.text import printable

if TYPE_CHECKING:
    from finiex_ray.execution.ray_jobs import Job, JobClient

__all__ = ["logs", "plan", "status", "stop", "submit"]

_BAD_INPUT: Final = 2
_INTERRUPTED: Final = 130

_Server = Annotated[
    str,
    typer.Option("--address", envvar="RAY_API_SERVER_ADDRESS", help="Job server of the cluster: http://host:8265."),
]
_JobId = Annotated[str, typer.Argument(metavar="JOB", help="Id that submit printed.", show_default=False)]
_LOCAL_SERVER: Final = "http://127.0.0.1:8265"


def plan(
    scenario_set: SetPath,
    jobs: Annotated[int | None, typer.Option(min=1, help="CPUs to reckon with.", show_default=False)] = None,
    address: Annotated[str | None, typer.Option(help="An existing Ray cluster.", show_default=False)] = None,
    only: Only = None,
    overrides: Overrides = None,
    allow_import: AllowImport = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line on stdout.")] = False,
) -> None:
    """Estimate tasks, ticks, memory and time of a set, without running it; exit code 2 if a scenario cannot run."""
    from finiex_ray.api import estimate_set
    from finiex_ray.report.estimate import estimate_lines
    from finiex_ray.results.run_info import versions

    found, estimate = estimate_set(
        scenario_set,
        cpus=jobs,
        address=address,
        only=only or (),
        overrides=overrides or (),
        allow_imports=allow_import or (),
    )
    for failed in found.invalid:
        message = failed.error.message if failed.error else ""
        typer.secho(f"{printable(failed.name)}: {printable(message)}", fg=typer.colors.RED, err=True)
    if as_json:
        typer.echo(json.dumps({**estimate.as_json(), "versions": versions()}))
    else:
        for line in estimate_lines(estimate.as_json()):
            typer.echo(line)
    if found.invalid:
        raise typer.Exit(_BAD_INPUT)


def submit(
    scenario_set: SetPath,
    out: Annotated[
        str, typer.Option(metavar="DIR", help="Folder of the run folders on the head, absolute.", show_default=False)
    ],
    address: _Server = _LOCAL_SERVER,
    working_dir: Annotated[Path, typer.Option(metavar="DIR", help="Folder to send: set, strategies.")] = Path(),
    only: Only = None,
    overrides: Overrides = None,
    allow_import: AllowImport = None,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop after the first failure.")] = False,
    check: Annotated[bool, typer.Option("--check/--no-check", help="Let the cluster plan the set first.")] = True,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the run to its end.")] = True,
) -> None:
    """Check a set, run it as a job on a cluster, and follow it; Ctrl-C leaves the job running."""
    from finiex_ray.execution.ray_jobs import JobClient
    from finiex_ray.report.estimate import estimate_lines
    from finiex_ray.submission import Submission, check_here, check_there, send

    submission = Submission(
        scenario_set,
        working_dir,
        out,
        tuple(only or ()),
        tuple(overrides or ()),
        tuple(allow_import or ()),
        ("--fail-fast",) if fail_fast else (),
    )
    check_here(submission, _tell)
    client = JobClient(address)
    _tell(f"cluster: Ray {client.ray_version} at {client.address}, token accepted")
    if check:
        for line in estimate_lines(check_there(submission, client, _tell)):
            _tell(line)
    job_id = send(submission, client)
    if wait:
        _follow(client, job_id, f"submitted: {job_id}")
    else:
        _tell(f"submitted: {job_id}")
        typer.echo(job_id)


def status(
    job: Annotated[str | None, typer.Argument(metavar="JOB", help="Default: all jobs.", show_default=False)] = None,
    address: _Server = _LOCAL_SERVER,
) -> None:
    """Show the jobs of a cluster, or one of them."""
    from rich.table import Table

    from finiex_ray.execution.ray_jobs import JobClient

    client = JobClient(address)
    if job is not None:
        for name, value in _facts(client.job(job)):
            typer.echo(f"{name:<10} {printable(value)}")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("job", "status", "exit code", "set", "began (UTC)", "took"):
        table.add_column(name, no_wrap=True)
    for each in client.jobs():
        facts = dict(_facts(each))
        table.add_row(*(printable(facts[name]) for name in ("job", "status", "exit code", "set", "began", "took")))
    wide_console().print(table)


def logs(
    job: _JobId,
    address: _Server = _LOCAL_SERVER,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the job ends; its exit code then.")
    ] = False,
) -> None:
    """Print what a job has said."""
    from finiex_ray.execution.ray_jobs import JobClient

    client = JobClient(address)
    if follow:
        _follow(client, job)
    typer.echo(printable(client.logs(job), keep="\n\t\r"), nl=False)


def stop(job: _JobId, address: _Server = _LOCAL_SERVER) -> None:
    """Stop a job; what its run finished is kept."""
    from finiex_ray.execution.ray_jobs import JobClient

    stopped = JobClient(address).stop(job)
    typer.echo(f"{job} is being stopped" if stopped else f"{job} had ended already")


def _follow(client: JobClient, job_id: str, first: str = "") -> NoReturn:
    """Shows a first line and the log of a job until it is over, then leaves with its exit code."""
    try:
        if first:
            _tell(first)
        ended = client.follow(job_id, lambda text: typer.echo(printable(text, keep="\n\t\r"), nl=False))
    except KeyboardInterrupt:
        _tell(
            f"{job_id} goes on: finiex-ray logs {job_id} --follow, finiex-ray stop {job_id} (--address {client.address})"
        )
        raise typer.Exit(_INTERRUPTED) from None
    if ended.exit_code is None:
        _tell(f"{job_id}: {ended.status.lower()}: {ended.message}")
    raise typer.Exit(ended.result)


def _facts(job: Job) -> list[tuple[str, str]]:
    from finiex_ray.display.numbers import duration

    began = "" if job.began_s is None else time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(job.began_s))
    took = None if job.began_s is None else (job.ended_s or time.time()) - job.began_s
    return [
        ("job", job.job_id),
        ("status", job.status.lower()),
        ("exit code", "" if job.exit_code is None else str(job.exit_code)),
        ("set", job.scenario_set),
        ("began", began),
        ("took", duration(took)),
        ("command", job.entrypoint),
        ("message", job.message),
    ]


def _tell(line: str) -> None:
    typer.echo(printable(line, keep="\n"), err=True)
