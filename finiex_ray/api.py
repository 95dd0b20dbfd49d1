"""The way from a scenario set to its results, for notebooks and for the command line alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from finiex_ray.checks.determinism import check_determinism
from finiex_ray.checks.lookahead import check_lookahead
from finiex_ray.checks.verdict import CheckReport
from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.imports import allowed_imports
from finiex_ray.config.load import load_broker, load_scenario_set
from finiex_ray.config.models import DataConfig
from finiex_ray.data.source import TickSource, open_source
from finiex_ray.display.live import LiveDisplay
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.coordinator import ExecutionCoordinator, ExecutorName
from finiex_ray.execution.estimate import Estimate, estimate_plan
from finiex_ray.execution.plan import plan_scenarios
from finiex_ray.execution.planned import Plan
from finiex_ray.execution.ray_session import cluster_cpus
from finiex_ray.results.reader import RunData
from finiex_ray.results.run_dir import DEFAULT_ROOT, create_run_dir
from finiex_ray.results.writer import ResultWriter

__all__ = ["check_set_determinism", "check_set_lookahead", "estimate_set", "run_set", "validate_set"]


def run_set(
    path: str | Path,
    *,
    executor: ExecutorName = "auto",
    jobs: int | None = None,
    address: str | None = None,
    only: Sequence[str] = (),
    overrides: Sequence[str] = (),
    allow_imports: Sequence[str] = (),
    out: str | Path = DEFAULT_ROOT,
    fail_fast: bool = False,
    quiet: bool = False,
) -> RunData:
    """Runs a scenario set and puts its results into a new run folder.

    A scenario that fails is a row of the result, not an exception. After an interruption the folder keeps the results
    that were finished; the exception carries a note that names it.

    Args:
        path: The scenario set, JSON or YAML.
        executor: ``local`` in this process, ``ray`` on Ray, ``auto`` whichever suits the work.
        jobs: Threads (local) or CPUs (Ray started here) to use; default: one thread, all CPUs.
        address: An existing Ray cluster, for example ``auto`` or ``ray://host:10001``.
        only: Names of the scenarios to run; all where empty.
        overrides: ``path=value`` texts over the file, later ones win.
        allow_imports: Modules and packages that the set may name strategies of; ``.``: those of the current folder.
        out: Folder that the run folder is made in.
        fail_fast: Stop after the first scenario that fails.
        quiet: No live display (otherwise on stderr).

    Returns:
        The finished run.

    Raises:
        FiniexError: If the set, the data or the executor cannot be used.
    """
    path = Path(path)
    access = allowed_imports(allow_imports, Path.cwd())
    scenario_set = load_scenario_set(path, overrides, only)
    source = _open_data(scenario_set.data, path)
    coordinator = ExecutionCoordinator(
        scenario_set,
        source,
        _brokers(path),
        executor=executor,
        jobs=jobs,
        address=address,
        fail_fast=fail_fast,
        access=access,
    )
    run_dir = create_run_dir(Path(out))
    details = {"executor": executor, "data": source.describe(), "overrides": list(overrides), "only": list(only)}
    try:
        with ResultWriter(run_dir, scenario_set, details) as writer, LiveDisplay(quiet=quiet) as display:

            def take(result: ScenarioResult) -> None:
                writer.add(result)
                display.finished(result)

            summary = coordinator.run(take, None if quiet else display.update)
            writer.close(
                executor=summary.executor,
                plan_s=summary.plan_s,
                wall_s=summary.wall_s,
                ticks_per_s=summary.ticks / summary.wall_s if summary.wall_s > 0 else None,
                result_hash=summary.set_hash,
            )
    except BaseException as error:
        error.add_note(f"What was finished is kept in {run_dir.path}")
        raise
    return RunData(run_dir)


def validate_set(
    path: str | Path, *, only: Sequence[str] = (), overrides: Sequence[str] = (), allow_imports: Sequence[str] = ()
) -> Plan:
    """Holds every scenario of a set against data, brokers and registries, without running any.

    Args:
        path: The scenario set, JSON or YAML.
        only: Names of the scenarios to validate; none means all.
        overrides: ``path=value`` settings, as ``--set`` takes them.
        allow_imports: Modules and packages that the set may name strategies of; ``.``: those of the current folder.

    Returns:
        The scenarios that can run, and a failed result with every reason for each that cannot.

    Raises:
        FiniexError: If the set or the data cannot be read at all.
    """
    path = Path(path)
    access = allowed_imports(allow_imports, Path.cwd())
    scenario_set = load_scenario_set(path, overrides, only)
    return plan_scenarios(scenario_set, _open_data(scenario_set.data, path), _brokers(path), access)


def estimate_set(
    path: str | Path,
    *,
    cpus: int | None = None,
    address: str | None = None,
    only: Sequence[str] = (),
    overrides: Sequence[str] = (),
    allow_imports: Sequence[str] = (),
) -> tuple[Plan, Estimate]:
    """Validates a set and estimates its tasks, ticks, memory and time, without running any scenario.

    Args:
        path: The scenario set, JSON or YAML.
        cpus: CPUs to reckon with; default: those of the cluster, or of this machine.
        address: An existing Ray cluster; default: ``RAY_ADDRESS``, if that is set.
        only: Names of the scenarios; all where empty.
        overrides: ``path=value`` texts over the file, later ones win.
        allow_imports: Modules and packages that the set may name strategies of; ``.``: those of the current folder.

    Raises:
        FiniexError: If the set, the data or the cluster cannot be used.
    """
    path = Path(path)
    access = allowed_imports(allow_imports, Path.cwd())
    scenario_set = load_scenario_set(path, overrides, only)
    cache = SegmentCache(_open_data(scenario_set.data, path))
    plan = plan_scenarios(scenario_set, cache, _brokers(path), access)
    return plan, estimate_plan(plan, cache, cpus or cluster_cpus(address))


def check_set_lookahead(
    path: str | Path,
    *,
    probes: int = 8,
    seed: int = 0,
    only: Sequence[str] = (),
    overrides: Sequence[str] = (),
    allow_imports: Sequence[str] = (),
) -> CheckReport:
    """Looks for workers and logics of a set that use what happens after the tick they speak for.

    Args:
        path: The scenario set, JSON or YAML.
        probes: Probe ticks for each scenario and block size.
        seed: Seed of the probes and of the scrambled futures.
        only: Names of the scenarios to check; all where empty.
        overrides: ``path=value`` texts over the file, later ones win.
        allow_imports: Modules and packages that the set may name strategies of; ``.``: those of the current folder.

    Raises:
        FiniexError: If the set or the data cannot be used, or no scenario can run.
    """
    path = Path(path)
    access = allowed_imports(allow_imports, Path.cwd())
    scenario_set = load_scenario_set(path, overrides, only)
    source = _open_data(scenario_set.data, path)
    return check_lookahead(scenario_set, source, _brokers(path), probes=probes, seed=seed, access=access)


def check_set_determinism(
    path: str | Path,
    *,
    ray: bool = True,
    address: str | None = None,
    only: Sequence[str] = (),
    overrides: Sequence[str] = (),
    allow_imports: Sequence[str] = (),
) -> CheckReport:
    """Runs each scenario of a set in every way there is, and compares every record.

    Args:
        path: The scenario set, JSON or YAML.
        ray: Whether to run on Ray too.
        address: An existing Ray cluster.
        only: Names of the scenarios to check; all where empty.
        overrides: ``path=value`` texts over the file, later ones win.
        allow_imports: Modules and packages that the set may name strategies of; ``.``: those of the current folder.

    Raises:
        FiniexError: If the set, the data, Ray or a fresh process cannot be used, or no scenario can run.
    """
    path = Path(path)
    access = allowed_imports(allow_imports, Path.cwd())
    scenario_set = load_scenario_set(path, overrides, only)
    source = _open_data(scenario_set.data, path)
    return check_determinism(scenario_set, source, _brokers(path), ray=ray, address=address, access=access)


def _open_data(data: DataConfig, path: Path) -> TickSource:
    """Opens the data of a set; a relative catalog is looked for beside the set file, then in the current folder."""
    beside = path.parent
    return open_source(data, beside if (beside / data.catalog).is_dir() else Path.cwd())


def _brokers(path: Path) -> Callable[[str], BrokerSpec]:
    @cache
    def find(reference: str) -> BrokerSpec:
        return load_broker(reference, path)[0]

    return find
