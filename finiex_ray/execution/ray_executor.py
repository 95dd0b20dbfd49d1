"""`RayExecutor`: scenarios as Ray tasks. Data is put once, results stream, work in flight is bounded, a crash is a result."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from threading import Thread
from typing import Any, ClassVar, Final

from finiex_ray.config.models import DataLoad
from finiex_ray.core.errors import DataError, ExecutionError
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.engine.run import failed_result
from finiex_ray.engine.warm_up import warm_up
from finiex_ray.execution.batches import make_batches
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.executor import Executor
from finiex_ray.execution.planned import PlannedScenario
from finiex_ray.execution.ray_faults import Fault, classify, data_lost, fault_info
from finiex_ray.execution.ray_progress import ProgressPoller, start_progress_actor
from finiex_ray.execution.ray_session import LOCAL, connect, driver_paths, import_ray, target
from finiex_ray.execution.ray_store import ObjectStore
from finiex_ray.execution.ray_task import FETCH_TIMEOUT_S, RayBatch, Shipment, run_batch

__all__ = ["RayExecutor"]

_TASKS_PER_CPU: Final = 3  # in flight: hides the way to the cluster, and costs the driver no memory
_WAIT_S: Final = 0.2
_CPU_CHECK_S: Final = 5.0  # a cluster may grow and shrink
_TRIES: Final = {Fault.CRASH: 2, Fault.LOST: 4, Fault.TASK: 1}


class RayExecutor(Executor):
    """Runs scenarios on Ray: one that it starts on this machine, or a cluster.

    Args:
        cache: Market data, as the plan left it.
        address: See `finiex_ray.execution.ray_session.connect`.
        jobs: CPUs of a Ray that is started here; on a running cluster the most tasks in flight.
        live: Whether live updates are wanted; without them no progress actor is started.
        load: Who reads ticks: this process, or tasks on the nodes.

    Raises:
        ExecutionError: If Ray cannot be started or reached.
    """

    name: ClassVar[str] = "ray"

    def __init__(
        self,
        cache: SegmentCache,
        address: str | None = None,
        jobs: int | None = None,
        *,
        live: bool = True,
        load: DataLoad = DataLoad.DRIVER,
    ) -> None:
        super().__init__()
        if jobs is not None and jobs < 1:
            raise ExecutionError(f"jobs is {jobs}; it must be 1 or more")
        self._cache = cache
        # A first run compiles for a while: once here, while Ray starts, not in every process of the machine at once.
        compiling = Thread(target=warm_up, name="warm-up", daemon=True)
        compiling.start()
        self._owns_ray = connect(address, jobs)
        compiling.join()
        self._most_tasks = None if self._owns_ray and target(address) == LOCAL else jobs
        self._live, self._load = live, load

    def run(self, planned: Sequence[PlannedScenario]) -> Generator[ScenarioResult, None, None]:
        """Yields results as they complete. See `Executor.run`."""
        if not planned:
            return
        actor = start_progress_actor() if self._live else None
        poller, store = ProgressPoller(actor, self.board), ObjectStore(self._cache, planned, self._load)
        run = _Run(store, planned, poller, self.board.restart, actor, self._most_tasks)
        try:
            for result in run.results():
                self.board.finish(result.index)
                yield result
        finally:
            run.cancel()
            if actor is not None:
                import_ray().kill(actor)

    def close(self) -> None:
        """Ends the connection to Ray if it was made here."""
        if self._owns_ray:
            self._owns_ray = False
            import_ray().shutdown()


@dataclass
class _Task:
    """A batch in flight."""

    scenarios: tuple[PlannedScenario, ...]
    done: int = 0  # results that have come, in the order of the batch


class _Run:
    """The state of one run on the driver."""

    def __init__(
        self,
        store: ObjectStore,
        planned: Sequence[PlannedScenario],
        poller: ProgressPoller,
        restarted: Callable[[int], None],
        actor: Any,
        most_tasks: int | None,
    ) -> None:
        self._ray = import_ray()
        self._poller, self._restarted, self._actor, self._most_tasks = poller, restarted, actor, most_tasks
        self._store = store
        self._submit = self._ray.remote(num_returns="streaming", max_retries=0)(run_batch)
        self._paths = driver_paths()
        self._cpus, self._cpus_known_until = self._count_cpus(), time.monotonic() + _CPU_CHECK_S
        self._batches = make_batches(planned, self._cpus)
        self._again: deque[tuple[PlannedScenario, ...]] = deque()
        self._running: dict[Any, _Task] = {}
        self._faults: Counter[tuple[int, Fault]] = Counter()

    def results(self) -> Iterator[ScenarioResult]:
        """One result for each scenario."""
        while True:
            yield from self._fill()
            if not self._running:
                return
            ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=_WAIT_S)
            for stream in ready:
                yield from self._take(stream)
            self._poller.poll()

    def cancel(self) -> None:
        """Kills what still runs. By force only: a loop that holds the GIL never sees the soft way."""
        for stream in self._running:
            self._ray.cancel(stream, force=True)
        self._running.clear()

    def _count_cpus(self) -> int:
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def _window(self) -> int:
        """Tasks that may be in flight."""
        if time.monotonic() >= self._cpus_known_until:
            self._cpus, self._cpus_known_until = self._count_cpus(), time.monotonic() + _CPU_CHECK_S
        most = _TASKS_PER_CPU * self._cpus
        return most if self._most_tasks is None else min(most, self._most_tasks)

    def _fill(self) -> Iterator[ScenarioResult]:
        """Submits until the window is full; yields a failed result where data cannot be loaded."""
        window = self._window()
        while len(self._running) < window:
            scenarios = self._again.popleft() if self._again else next(self._batches, None)
            if scenarios is None:
                return
            shipped: list[tuple[PlannedScenario, Shipment]] = []
            for scenario in scenarios:
                try:
                    shipped.append((scenario, self._store.ship(scenario)))
                except DataError as error:
                    yield self._finish(
                        scenario, failed_result(scenario.task.index, scenario.task.config.name, scenario.symbol, error)
                    )
            if shipped:
                kept, shipments = zip(*shipped, strict=True)
                stream = self._submit.remote(RayBatch(shipments, self._paths, self._actor))
                self._running[stream] = _Task(kept)

    def _finish(self, scenario: PlannedScenario, result: ScenarioResult) -> ScenarioResult:
        self._store.release(scenario)
        return result

    def _take(self, stream: Any) -> Iterator[ScenarioResult]:
        """Takes the next result of a batch, or its end, or what befell it."""
        task = self._running[stream]
        try:
            result: ScenarioResult = self._ray.get(next(stream), timeout=FETCH_TIMEOUT_S)
        except StopIteration:
            del self._running[stream]
            if task.done < len(task.scenarios):
                self._again.append(task.scenarios[task.done :])
            return
        except self._ray.exceptions.RayError as error:
            del self._running[stream]
            yield from self._recover(stream, task, error)
            return
        scenario = task.scenarios[task.done]
        task.done += 1
        yield self._finish(scenario, result)

    def _recover(self, stream: Any, task: _Task, error: BaseException) -> Iterator[ScenarioResult]:
        """After a fault: what came is safe, the next scenario is suspect, the rest is sent again without it."""
        fault = classify(error)
        if fault is Fault.FATAL:
            raise ExecutionError(f"Ray cannot run any task: {type(error).__name__}: {error}") from error
        if fault is Fault.LOST:
            self._ray.cancel(stream, force=True)
        for scenario in task.scenarios[task.done :]:
            self._restarted(scenario.task.index)
            if data_lost(error):
                self._store.renew(scenario)
        suspect, rest = task.scenarios[task.done], task.scenarios[task.done + 1 :]
        if rest:
            self._again.append(rest)
        key = (suspect.task.index, fault)
        self._faults[key] += 1
        if self._faults[key] < _TRIES[fault]:
            self._again.append((suspect,))
            return
        info = fault_info(error, fault, self._faults[key])
        yield self._finish(suspect, failed_result(suspect.task.index, suspect.task.config.name, suspect.symbol, info))
