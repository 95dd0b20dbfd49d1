"""The way from a scenario set to its results, for notebooks and for the command line alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finiex_ray.config.imports import allowed_imports
from finiex_ray.config.load import load_scenario_set
from finiex_ray.config.models import ScenarioSet
from finiex_ray.core.access import NO_ACCESS, PluginAccess
from finiex_ray.core.errors import ConfigError, DataError, OutputError
from finiex_ray.data.source import TickSource
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.coordinator import ExecutionCoordinator, ExecutorName
from finiex_ray.execution.estimate import Estimate, estimate_plan
from finiex_ray.execution.hashing import Outcome, outcome_of
from finiex_ray.execution.inputs import brokers_beside, open_data
from finiex_ray.execution.plan import Brokers, plan_scenarios
from finiex_ray.execution.planned import Plan
from finiex_ray.execution.ray_session import cluster_cpus
from finiex_ray.results.reader import RunData
from finiex_ray.results.recovery import Done
from finiex_ray.results.reuse import reuse_results
from finiex_ray.results.run_dir import DEFAULT_ROOT, LATEST, RunDir, create_run_dir, find_run_dir, run_exists
from finiex_ray.results.writer import ResultWriter

if TYPE_CHECKING:
    from finiex_ray.checks.verdict import CheckReport
    from finiex_ray.display.live import LiveDisplay

__all__ = [
    "RunInterruptedError",
    "check_set_determinism",
    "check_set_lookahead",
    "estimate_set",
    "report_run",
    "resume_run",
    "run_scenarios",
    "run_set",
    "validate_set",
]


class RunInterruptedError(KeyboardInterrupt):
    """A run was interrupted; what was finished is kept.

    Attributes:
        run: The run as far as it got.
    """

    def __init__(self, run: RunData) -> None:
        self.run = run
        super().__init__(_kept(run.run_dir))


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
    run_id: str | None = None,
    reuse: bool = False,
    fail_fast: bool = False,
    quiet: bool = False,
) -> RunData:
    """Runs a scenario set and puts its results into a run folder.

    A scenario that fails is a row of the result, not an exception. After an interruption the folder keeps the results
    that were finished, and `resume_run` goes on from there; the exception carries a note that names it.

    Args:
        path: The scenario set, JSON or YAML.
        executor: ``local`` in this process, ``ray`` on Ray, ``auto`` whichever suits the work.
        jobs: Threads (local) or CPUs (Ray started here) to use; default: one thread, all CPUs.
        address: An existing Ray cluster, for example ``auto`` or ``ray://host:10001``.
        only: Names of the scenarios to run; all where empty.
        overrides: ``path=value`` texts over the file, later ones win.
        allow_imports: Modules and packages that the set may name strategies of; ``.``: those of the current folder.
        out: Folder that the run folder is made in.
        run_id: Name of the run folder; default: made from the time. If it exists and holds a run of the same set, that
            run is resumed: the same call can be repeated until it has finished.
        reuse: Take results of equal scenarios (equal ``scenario_key``) from finished runs in ``out``.
        fail_fast: Stop after the first scenario that fails.
        quiet: No live display (otherwise on stderr).

    Returns:
        The finished run.

    Raises:
        FiniexError: If the set, the data or the executor cannot be used, or results cannot be written.
        RunInterruptedError: If the user interrupted it.
    """
    path = Path(path)
    access = allowed_imports(allow_imports, Path.cwd())
    scenario_set = load_scenario_set(path, overrides, only)
    return run_scenarios(
        scenario_set,
        open_data(scenario_set.data, path),
        brokers_beside(path),
        executor=executor,
        jobs=jobs,
        address=address,
        out=out,
        run_id=run_id,
        reuse=reuse,
        fail_fast=fail_fast,
        quiet=quiet,
        access=access,
        details={"path": str(path.absolute()), "overrides": list(overrides), "only": list(only)},
    )


def run_scenarios(
    scenario_set: ScenarioSet,
    source: TickSource,
    brokers: Brokers,
    *,
    executor: ExecutorName = "auto",
    jobs: int | None = None,
    address: str | None = None,
    out: str | Path = DEFAULT_ROOT,
    run_id: str | None = None,
    reuse: bool = False,
    fail_fast: bool = False,
    quiet: bool = False,
    access: PluginAccess = NO_ACCESS,
    details: Mapping[str, Any] | None = None,
) -> RunData:
    """Runs a scenario set that is read already; see `run_set`.

    Args:
        scenario_set: What to run.
        source: Where ticks come from.
        brokers: Finds brokers by name.
        executor: See `run_set`.
        jobs: See `run_set`.
        address: See `run_set`.
        out: See `run_set`.
        run_id: See `run_set`.
        reuse: See `run_set`.
        fail_fast: See `run_set`.
        quiet: See `run_set`.
        access: Strategy code that may be loaded.
        details: More for ``run.json``: JSON values.
    """
    out = Path(out)
    coordinator = ExecutionCoordinator(
        scenario_set,
        source,
        brokers,
        executor=executor,
        jobs=jobs,
        address=address,
        fail_fast=fail_fast,
        access=access,
    )
    if run_id is not None and run_exists(out, run_id):
        writer = ResultWriter.resume(find_run_dir(run_id, out))
        with _released_on_error(writer):
            _same_set(writer, scenario_set)
            return _resume(writer, coordinator, {"executor": executor}, quiet=quiet)
    head = {"executor": executor, "data": source.describe(), **(details or {}), **coordinator.inputs()}
    keys = coordinator.keys()
    run_dir = create_run_dir(out, run_id)
    writer = ResultWriter(run_dir, scenario_set, head)
    with _released_on_error(writer):
        return _execute(writer, coordinator, keys, reuse_results(writer, keys, out) if reuse else {}, quiet=quiet)


def resume_run(
    run: str | Path = LATEST,
    *,
    executor: ExecutorName | None = None,
    jobs: int | None = None,
    address: str | None = None,
    allow_imports: Sequence[str] = (),
    out: str | Path = DEFAULT_ROOT,
    retry_failed: bool = False,
    fail_fast: bool = False,
    quiet: bool = False,
) -> RunData:
    """Goes on with a run that was interrupted, killed, or could not write its results.

    Scenarios that have a result are not run again, unless something that the result depends on has changed since
    (configuration, broker file, ticks, engine or strategy source): then they are, as results of one run belong together.

    Args:
        run: The run's folder, its id, or ``latest``.
        executor: As in `run_set`; default: what the run was started with.
        jobs: As in `run_set`.
        address: As in `run_set`.
        allow_imports: As in `run_set`; a run folder allows nothing by itself.
        out: Folder of the run folders, for ids and ``latest``.
        retry_failed: Run scenarios that failed once more; also of a run that has finished.
        fail_fast: Stop after the first scenario that fails.
        quiet: No live display (otherwise on stderr).

    Returns:
        The finished run.

    Raises:
        FiniexError: If the run cannot be gone on with, or is being written by another process.
        RunInterruptedError: If the user interrupted it.
    """
    writer = ResultWriter.resume(find_run_dir(run, Path(out)))
    with _released_on_error(writer):
        scenario_set = writer.scenario_set
        path = Path(writer.info.get("path", scenario_set.source))
        coordinator = ExecutionCoordinator(
            scenario_set,
            open_data(scenario_set.data, path),
            brokers_beside(path),
            executor=executor or writer.info.get("executor", "auto"),
            jobs=jobs,
            address=address,
            fail_fast=fail_fast,
            access=allowed_imports(allow_imports, Path.cwd()),
        )
        return _resume(writer, coordinator, {}, quiet=quiet, retry_failed=retry_failed)


def _resume(
    writer: ResultWriter,
    coordinator: ExecutionCoordinator,
    details: Mapping[str, Any],
    *,
    quiet: bool,
    retry_failed: bool = False,
) -> RunData:
    keys, invalid = coordinator.keys(), {result.index: result for result in coordinator.plan().invalid}
    lost = [
        f"{done.name}: {invalid[index].error}" for index, done in writer.done.items() if _is_lost(index, done, invalid)
    ]
    if lost:
        raise ConfigError(
            f"{len(lost)} scenarios that have completed could not run as things are now, for example {lost[0]}; resume where "
            "the run was started, with the same files",
            source=str(writer.run_dir.path),
        )
    kept = {
        index: outcome_of(writer.scenario_set.scenarios[index].name, done.success, done.result_hash, done.error_type)
        for index, done in writer.done.items()
        if done.key is not None and done.key == keys.get(index) and (done.success or not retry_failed)
    }
    if writer.finished and len(kept) + len(invalid) == len(writer.scenario_set.scenarios):
        writer.close()
        return RunData(writer.run_dir)
    changed = sum(done.key != keys.get(index) for index, done in writer.done.items() if index not in invalid)
    writer.begin({**coordinator.inputs(), **details})
    return _execute(writer, coordinator, keys, kept, quiet=quiet, changed=changed)


def _is_lost(index: int, done: Done, invalid: Mapping[int, ScenarioResult]) -> bool:
    return done.success and index in invalid


def _execute(
    writer: ResultWriter,
    coordinator: ExecutionCoordinator,
    keys: Mapping[int, str],
    done: Mapping[int, Outcome],
    *,
    quiet: bool,
    changed: int = 0,
) -> RunData:
    """Runs what is not done, and closes the run."""
    run_dir = writer.run_dir
    display = None if quiet else _live_display()
    try:
        with writer, display or nullcontext():
            if display and done:
                display.note(f"{len(done):,} scenarios have their result already")
            if display and changed:
                display.note(f"{changed:,} finished scenarios run again: something that they depend on has changed")

            def take(result: ScenarioResult) -> None:
                writer.add(result, keys.get(result.index))
                if display:
                    display.finished(result)

            summary = coordinator.run(take, display.update if display else None, done)
            writer.close(
                executor=summary.executor,
                plan_s=summary.plan_s,
                wall_s=summary.wall_s,
                ticks_per_s=summary.ticks / summary.wall_s if summary.wall_s > 0 else None,
                result_hash=summary.set_hash,
            )
    except KeyboardInterrupt as error:
        raise RunInterruptedError(RunData(run_dir)) from error
    except BaseException as error:
        if not isinstance(error, OutputError):  # which says so itself
            error.add_note(_kept(run_dir))
        raise
    return RunData(run_dir)


def _live_display() -> LiveDisplay:
    from finiex_ray.display.live import LiveDisplay  # a quiet run has no need of rich

    return LiveDisplay()


def _kept(run_dir: RunDir) -> str:
    return f"What was finished is kept in {run_dir.path}; go on with: finiex-ray run --resume {run_dir.path}"


@contextmanager
def _released_on_error(writer: ResultWriter) -> Iterator[None]:
    """Lets go of the run folder whatever happens before its session has begun."""
    try:
        yield
    except BaseException:
        writer.release()
        raise


def _same_set(writer: ResultWriter, scenario_set: ScenarioSet) -> None:
    before = writer.scenario_set
    if (before.data, before.scenarios) != (scenario_set.data, scenario_set.scenarios):
        raise ConfigError(
            "this run holds another scenario set (or the same with other values); give another --run-id",
            source=str(writer.run_dir.path),
        )


def report_run(
    run: str | Path | RunData = LATEST,
    *,
    out: str | Path | None = None,
    scenarios: Sequence[str] = (),
    every: bool = False,
    allow_imports: Sequence[str] = (),
    root: str | Path = DEFAULT_ROOT,
) -> Path:
    """Writes the report of a run or a sweep as web pages that need no network, and returns the first of them.

    Bars and workers' lines are computed again from the run's configuration and data; where that is not possible any more,
    the pages say so and show the rest.

    Args:
        run: The run, its folder, its id, or ``latest``.
        out: Folder of the report; default: ``report`` in the run's folder. Pages of other scenarios of the same results
            stay there.
        scenarios: Names of scenarios that get a page of their own; default: those of a run of up to 25 scenarios, else
            failures, the first, the best and the worst. Of a sweep: scenarios of its best trial.
        every: Every scenario gets a page.
        allow_imports: As in `run_set`; without it no strategy of one's own is loaded to draw its lines.
        root: Folder of the run folders, for ids and ``latest``.

    Raises:
        FiniexError: If there is no such run or scenario, or the report cannot be written.
    """
    from finiex_ray.report.html.market import MarketView
    from finiex_ray.report.html.site import write_report
    from finiex_ray.sweep.results import SweepData, open_run

    opened = run if isinstance(run, RunData) else open_run(run, root)
    folder = None if out is None else Path(out)
    access = allowed_imports(allow_imports, Path.cwd())
    if isinstance(opened, SweepData):
        return opened.report(out=folder, scenarios=scenarios, every=every, access=access)
    scenario_set = opened.config
    path = Path(opened.info.get("path", scenario_set.source))
    market: MarketView | str
    try:
        market = MarketView(scenario_set, open_data(scenario_set.data, path), brokers_beside(path), access)
    except DataError as error:
        market = str(error)
    return write_report(opened, market, out=folder, scenarios=scenarios, every=every)


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
    return plan_scenarios(scenario_set, open_data(scenario_set.data, path), brokers_beside(path), access)


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
    cache = SegmentCache(open_data(scenario_set.data, path))
    plan = plan_scenarios(scenario_set, cache, brokers_beside(path), access)
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
    from finiex_ray.checks.lookahead import check_lookahead

    path = Path(path)
    access = allowed_imports(allow_imports, Path.cwd())
    scenario_set = load_scenario_set(path, overrides, only)
    source = open_data(scenario_set.data, path)
    return check_lookahead(scenario_set, source, brokers_beside(path), probes=probes, seed=seed, access=access)


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
    from finiex_ray.checks.determinism import check_determinism

    path = Path(path)
    access = allowed_imports(allow_imports, Path.cwd())
    scenario_set = load_scenario_set(path, overrides, only)
    source = open_data(scenario_set.data, path)
    return check_determinism(scenario_set, source, brokers_beside(path), ray=ray, address=address, access=access)
