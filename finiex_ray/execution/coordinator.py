"""`ExecutionCoordinator`: from a scenario set to one result for each of its scenarios, on whichever executor."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

from finiex_ray.config.models import ScenarioSet
from finiex_ray.core.access import NO_ACCESS, PluginAccess
from finiex_ray.core.errors import ExecutionError, RunStoppedError
from finiex_ray.core.memory import own_memory
from finiex_ray.data.source import TickSource
from finiex_ray.engine.result import ErrorInfo, ProgressUpdate, ScenarioResult
from finiex_ray.engine.run import failed_result
from finiex_ray.engine.warm_up import compile_ahead
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.choice import choose_executor
from finiex_ray.execution.debugger import debugger_attached
from finiex_ray.execution.executor import Executor
from finiex_ray.execution.hashing import Outcome, is_success, outcome, set_hash
from finiex_ray.execution.keys import ScenarioKeys, engine_digest, strategy_sources
from finiex_ray.execution.local import LocalExecutor
from finiex_ray.execution.plan import Brokers, plan_scenarios
from finiex_ray.execution.planned import Plan
from finiex_ray.execution.redaction import redacted

__all__ = ["ExecutionCoordinator", "ExecutorName", "RunSummary", "Totals"]

ExecutorName = Literal["auto", "local", "ray"]
OnResult = Callable[[ScenarioResult], None]
_NOTHING: Final[Mapping[int, Outcome]] = MappingProxyType({})


class Totals(NamedTuple):
    """How far a run is."""

    completed: int  # scenarios, as the next three
    failed: int
    running: int  # those that have told of themselves
    waiting: int
    ticks: int  # done, of finished and of running scenarios, as far as these have told
    ticks_total: int  # of all runnable scenarios, less what those that failed left undone
    elapsed_s: float  # since execution began
    driver_bytes: int | None = None  # memory of this process, None where not known
    task_bytes: int | None = None  # and of the task processes that have told of themselves
    task_processes: int = 0


OnProgress = Callable[[Sequence[ProgressUpdate], Totals], None]


@dataclass(frozen=True)
class RunSummary:
    """What a run came to."""

    executor: str
    scenarios: int
    completed: int
    failed: int
    ticks: int  # processed, also those of failed scenarios
    wall_s: float  # of the whole run, planning included
    plan_s: float
    set_hash: str  # equal for equal results, on any executor and in any order


class ExecutionCoordinator:
    """Plans a scenario set and runs it; use one for one run.

    Args:
        scenario_set: What to run.
        source: Where ticks come from.
        brokers: Finds the broker that ``account.broker`` names; may raise `ConfigError`.
        executor: ``auto`` runs in this process under a debugger and where the work is smaller than Ray's start-up.
        jobs: Threads (local, default 1) or CPUs (Ray, default all); see the executors.
        address: Address of a Ray cluster; ``auto`` as executor then means Ray.
        fail_fast: Cancel the rest after the first failure.
        interval_s: Seconds between two calls of ``on_progress``.
        access: Strategy code that may be loaded.

    Raises:
        ExecutionError: If an address is given for a run in this process.
    """

    def __init__(
        self,
        scenario_set: ScenarioSet,
        source: TickSource,
        brokers: Brokers,
        *,
        executor: ExecutorName = "auto",
        jobs: int | None = None,
        address: str | None = None,
        fail_fast: bool = False,
        interval_s: float = 0.25,
        access: PluginAccess = NO_ACCESS,
    ) -> None:
        if executor == "local" and address is not None:
            raise ExecutionError(
                f"--address {address} names a Ray cluster, and executor 'local' uses none; leave one out"
            )
        self._set = scenario_set
        self._cache = SegmentCache(source)
        self._brokers, self._access = brokers, access
        self._executor: Final = executor
        self._jobs, self._address = jobs, address
        self._fail_fast, self._interval_s = fail_fast, interval_s
        self._plan: Plan | None = None

    def plan(self) -> Plan:
        """Validates the set and finds its data; made once."""
        if self._plan is None:
            compile_ahead()
            self._plan = plan_scenarios(self._set, self._cache, self._brokers, self._access)
        return self._plan

    def keys(self) -> dict[int, str]:
        """The key of each scenario that can run, by its place in the set; none where a strategy's source is out of reach."""
        keys = ScenarioKeys(self._cache)
        found = ((each.task.index, keys(each)) for each in self.plan().runnable)
        return {index: key for index, key in found if key is not None}

    def inputs(self) -> dict[str, Any]:
        """What results depend on beside configuration and data, as JSON values: a run keeps it, to be repeated elsewhere.

        Returns:
            ``engine`` (its hash), ``sources`` (hash by type of worker or logic of one's own) and ``brokers`` (the content of
            the broker files by name).
        """
        tasks = [each.task for each in self.plan().runnable]
        brokers = {task.config.account.broker: task.broker for task in tasks}
        return {
            "engine": engine_digest(),
            "sources": strategy_sources(task.config for task in tasks),
            "brokers": {name: broker.model_dump(mode="json") for name, broker in sorted(brokers.items())},
        }

    def run(
        self, on_result: OnResult, on_progress: OnProgress | None = None, done: Mapping[int, Outcome] | None = None
    ) -> RunSummary:
        """Runs the set.

        Args:
            on_result: Called in this thread with exactly one result for each scenario, those of invalid ones first.
            on_progress: Called in another thread at regular intervals, with the running scenarios and the totals. What
                it raises ends the updates, not the run, and is raised at the end.
            done: What scenarios came to that have a result from before, by their place in the set: they are not run.

        Raises:
            ExecutionError: If the executor cannot go on, delivered no result for a scenario, or two that differ.
            KeyboardInterrupt: If the user interrupts; results until then have been delivered.
        """
        began = time.perf_counter()
        plan = self.plan()
        plan_s = time.perf_counter() - began
        desk = _Desk(plan, on_result, done or _NOTHING)
        for result in plan.invalid:
            desk.deliver(result)
        plan = desk.plan
        name = self._name(plan)
        if plan.runnable and not (self._fail_fast and plan.invalid):
            with ExitStack() as stack:
                executor = self._start(name, live=on_progress is not None)
                stack.callback(executor.close)
                if on_progress is not None:
                    stack.enter_context(_updates(executor, desk, on_progress, self._interval_s))
                for result in stack.enter_context(closing(executor.run(plan.runnable))):
                    desk.deliver(result)
                    if self._fail_fast and not result.success:
                        break
        desk.cancel_rest(expected=self._fail_fast and desk.failed > 0)
        return RunSummary(
            executor=name,
            scenarios=len(self._set.scenarios),
            completed=desk.completed,
            failed=desk.failed,
            ticks=desk.ticks,
            wall_s=time.perf_counter() - began,
            plan_s=plan_s,
            set_hash=set_hash(desk.outcomes.values()),
        )

    def _name(self, plan: Plan) -> str:
        if self._executor == "auto":
            return choose_executor(plan.runnable, self._address, self._jobs)
        return self._executor

    def _start(self, name: str, *, live: bool) -> Executor:
        if name == "local":
            # With a debugger attached one scenario at a time, in the thread where the breakpoints are expected.
            return LocalExecutor(self._cache, 1 if debugger_attached() else self._jobs or 1)
        if name == "ray":
            from finiex_ray.execution.ray_executor import RayExecutor

            return RayExecutor(self._cache, self._address, self._jobs, live=live, load=self._set.data.load)
        raise ExecutionError(f"unknown executor '{name}'; choose auto, local or ray")


class _Desk:
    """Counts and hands out results, each scenario's once.

    Attributes:
        plan: What is left to run.
    """

    def __init__(self, plan: Plan, on_result: OnResult, done: Mapping[int, Outcome] = _NOTHING) -> None:
        self.plan = replace(plan, runnable=tuple(each for each in plan.runnable if each.task.index not in done))
        self._on_result = on_result
        self._ticks_total = self.plan.ticks
        self._ticks = {each.task.index: each.ticks for each in self.plan.runnable}
        self._scenarios = len(self.plan.runnable) + len(plan.invalid) + len(done)
        self._began = time.perf_counter()
        self.outcomes: dict[int, Outcome] = dict(done)
        self.completed = sum(is_success(each) for each in done.values())
        self.failed = len(done) - self.completed
        self.ticks = 0

    def deliver(self, result: ScenarioResult) -> None:
        """Hands out one result. A late duplicate that says the same is dropped.

        Raises:
            ExecutionError: If the scenario has had another one.
        """
        came_to = outcome(result)
        if result.index in self.outcomes:
            before = self.outcomes[result.index]
            if before != came_to:
                raise RunStoppedError(
                    f"scenario '{result.name}' (number {result.index}) came back twice, with results that differ: first "
                    f"{before[1]}, then {came_to[1]}; a strategy whose result depends on more than its scenario (time, "
                    "randomness, files, the network) cannot be repeated: see 'finiex-ray check determinism'"
                )
            return
        self.outcomes[result.index] = came_to
        self.completed += result.success
        self.failed += not result.success
        ticks = 0 if result.loop is None else result.loop.ticks
        self.ticks += ticks
        if not result.success:
            self._ticks_total -= self._ticks.get(result.index, ticks) - ticks
        self._on_result(redacted(result))

    def cancel_rest(self, *, expected: bool) -> None:
        """Hands out a failed result for each scenario that was cancelled.

        Raises:
            ExecutionError: If none was to be cancelled, and one has no result.
        """
        missing = [each for each in self.plan.runnable if each.task.index not in self.outcomes]
        if missing and not expected:
            names = ", ".join(f"'{each.task.config.name}'" for each in missing[:5])
            raise ExecutionError(f"{len(missing)} scenarios came back without a result: {names}")
        for each in missing:
            info = ErrorInfo("Cancelled", "not run to its end: another scenario failed, and the run was to stop then")
            self.deliver(failed_result(each.task.index, each.task.config.name, each.symbol, info))

    def totals(self, running: Sequence[ProgressUpdate]) -> Totals:
        """How far the run is."""
        processes = {each.process: each.memory_bytes for each in running if each.memory_bytes is not None}
        return Totals(
            completed=self.completed,
            failed=self.failed,
            running=len(running),
            waiting=max(0, self._scenarios - self.completed - self.failed - len(running)),
            ticks=self.ticks + sum(update.ticks_done for update in running),
            ticks_total=self._ticks_total,
            elapsed_s=time.perf_counter() - self._began,
            driver_bytes=own_memory(),
            task_bytes=sum(processes.values()) if processes else None,
            task_processes=len(processes),
        )


@contextmanager
def _updates(executor: Executor, desk: _Desk, on_progress: OnProgress, interval_s: float) -> Iterator[None]:
    """Calls ``on_progress`` at regular intervals and once at the end."""
    ended = threading.Event()

    def tell() -> None:
        running = executor.progress()
        on_progress(running, desk.totals(running))

    def keep_telling() -> None:
        while not ended.wait(interval_s):
            tell()
        tell()

    with ThreadPoolExecutor(1, thread_name_prefix="progress") as pool:
        telling = pool.submit(keep_telling)
        try:
            yield
        finally:
            ended.set()
        telling.result()
