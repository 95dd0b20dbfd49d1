"""From a scenario set here to a job on a cluster: what is checked on this side, what on the other, and what is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from finiex_ray.api import validate_set
from finiex_ray.config.load import load_scenario_set
from finiex_ray.core.errors import ConfigError, DataError, ExecutionError, ScenarioInvalidError
from finiex_ray.display.numbers import count, data_size
from finiex_ray.execution.ray_jobs import JobClient, pack_working_dir
from finiex_ray.results.run_info import versions

__all__ = ["Submission", "check_here", "check_there", "send"]

_MUST_MATCH: Final = ("finiex_ray", "ray")
_MOST_REASONS: Final = 20
_NO_CATALOG: Final = "no tick catalog at"
_NO_DATA_HINT: Final = (
    "\nA job sees the uploaded folder, without what .gitignore and .rayignore name, and what its nodes reach: name the catalog "
    "as they see it, for example --set data=/mnt/catalogs/mine or --set data=s3://bucket/ticks"
)
_NO_MODULE: Final = "No module named finiex_ray"


@dataclass(frozen=True)
class Submission:
    """What will be sent.

    Args:
        scenario_set: The set.
        working_dir: Folder to upload; it holds the set, its brokers and strategies.
        out: Folder of the run folders on the cluster's head, absolute.
        only: Names of the scenarios to run; all where empty.
        overrides: ``path=value`` texts over the file.
        allow_imports: Modules and packages that the set may name strategies of.
        options: Further arguments of ``run``.
    """

    scenario_set: Path
    working_dir: Path
    out: str
    only: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    allow_imports: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def arguments(self, command: str, *options: str) -> list[str]:
        """The command line that the cluster's head gets."""
        inside = self.scenario_set.resolve().relative_to(self.working_dir.resolve()).as_posix()
        repeated = [("--only", self.only), ("--set", self.overrides), ("--allow-import", self.allow_imports)]
        pairs = [f"{option}={value}" for option, values in repeated for value in values]
        return [command, inside, *pairs, *options]


def check_here(submission: Submission, tell: Callable[[str], None]) -> None:
    """Checks what can be checked on this side.

    Args:
        submission: What will be sent.
        tell: Gets a line for each thing that is in order.

    Raises:
        FiniexError: If the set, the working dir or the place of the results is wrong.
    """
    if not Path(submission.out).is_absolute() or "://" in submission.out:
        raise ConfigError(
            f"{submission.out!r} must be an absolute folder of the cluster's head, best one that outlives it: the folder that a "
            "job runs in is removed with the job",
            source="--out",
        )
    folder = submission.working_dir.resolve()
    if not folder.is_dir():
        raise ConfigError("is no folder", source=f"--working-dir {submission.working_dir}")
    if not submission.scenario_set.resolve().is_relative_to(folder):
        raise ConfigError(
            f"lies outside of --working-dir {folder}, which is what is sent", source=str(submission.scenario_set)
        )
    loaded = load_scenario_set(submission.scenario_set, submission.overrides, submission.only)
    tell(f"set: {loaded.name}, {count(len(loaded.scenarios))} scenarios")
    if Path.cwd().resolve() == folder:
        _plan_here(submission, tell)
    packed = pack_working_dir(submission.working_dir)
    tell(f"working dir: {count(packed.files)} files, {data_size(packed.size)} packed")


def _plan_here(submission: Submission, tell: Callable[[str], None]) -> None:
    """Validates against the data, where this side has them too."""
    try:
        plan = validate_set(
            submission.scenario_set,
            only=submission.only,
            overrides=submission.overrides,
            allow_imports=submission.allow_imports,
        )
    except DataError as error:
        tell(f"data: not to be had here ({error}); the cluster looks for itself")
        return
    if plan.invalid:
        reasons = [f"{each.name}: {each.error.message if each.error else ''}" for each in plan.invalid]
        more = [f"… and {len(reasons) - _MOST_REASONS} more"] if len(reasons) > _MOST_REASONS else []
        raise ScenarioInvalidError([*reasons[:_MOST_REASONS], *more])
    tell(f"scenarios: all valid, {count(plan.ticks)} ticks")


def check_there(submission: Submission, client: JobClient, tell: Callable[[str], None]) -> dict[str, Any]:
    """Lets the cluster plan the set: it must have the same version, the data and the strategies.

    Returns:
        The estimate, as ``finiex-ray plan --json`` prints it.

    Raises:
        ExecutionError: If it cannot, with what it said.
    """
    arguments = submission.arguments("plan", "--json")
    code, printed = client.ask(arguments, submission.working_dir, submission.scenario_set.name)
    if _NO_MODULE in printed:
        raise ExecutionError(
            "the cluster has no finiex_ray: install it in the image of its nodes (cluster/Dockerfile), or send the package in "
            "the working dir"
        )
    lines = [line for line in printed.splitlines() if line.strip()]
    found = _json_line(lines)
    if found is None or code:
        said = "\n".join(line for line in lines if not line.startswith("{"))[-2_000:]
        raise ExecutionError(
            f"the cluster cannot run this set (exit code {code}); it says:\n{said}{_NO_DATA_HINT if _NO_CATALOG in said else ''}"
        )
    here, there = versions(), found["versions"]
    for name in _MUST_MATCH:
        if here[name] != there[name]:
            raise ExecutionError(
                f"{name} is {there[name]} on the cluster and {here[name]} here; install the same version"
            )
    other = [f"{name} {there.get(name)} (here {number})" for name, number in here.items() if there.get(name) != number]
    tell(
        f"cluster: finiex_ray {there['finiex_ray']}, Ray {there['ray']}, {found['cpus']} CPUs; data and strategies found"
    )
    if other:
        tell(f"cluster: differs in {', '.join(other)}")
    return found


def _json_line(lines: Sequence[str]) -> dict[str, Any] | None:
    for line in reversed(lines):
        if line.startswith("{"):
            try:
                values: dict[str, Any] = json.loads(line)
            except ValueError:
                continue
            return values
    return None


def send(submission: Submission, client: JobClient) -> str:
    """Submits the run; returns the job's id."""
    arguments = submission.arguments("run", "--executor=ray", f"--out={submission.out}", *submission.options)
    return client.submit(arguments, submission.working_dir, submission.scenario_set.name)
