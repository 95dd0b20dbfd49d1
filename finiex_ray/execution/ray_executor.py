"""`RayExecutor`: scenarios as Ray tasks. Data is put once, results stream, work in flight is bounded, a crash is a result."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from threading import Thread
from typing import Any, ClassVar, Final, NamedTuple

from finiex_ray.config.models import DataLoad
from finiex_ray.core.errors import DataError, ExecutionError, RunStoppedError
from finiex_ray.engine.result import ErrorInfo, ScenarioResult
from finiex_ray.engine.run import failed_result
from finiex_ray.engine.warm_up import warm_up
from finiex_ray.execution.batches import make_batches
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.executor import Executor
from finiex_ray.execution.planned import PlannedScenario
from finiex_ray.execution.ray_faults import Fault, Suspects, Verdict, classify, data_lost, store_full
from finiex_ray.execution.ray_progress import ProgressPoller, start_progress_actor
from finiex_ray.execution.ray_session import LOCAL, connect, driver_paths, import_ray, target
from finiex_ray.execution.ray_store import ObjectStore, References
from finiex_ray.execution.ray_task import FETCH_TIMEOUT_S, Began, RayBatch, Results, Shipment, pack_shipments, run_batch

__all__ = ["RayExecutor"]

_TASKS_PER_CPU: Final = 3  # in flight: hides the way to the cluster, and costs the driver no memory
_WAIT_S: Final = 0.2
_CPU_CHECK_S: Final = 5.0  # a cluster may grow and shrink
_GRACE_S: Final = 5.0  # beyond a time limit, before a process is ended: what its own watch stops keeps its log


class RayExecutor(Executor):
    """Runs scenarios on Ray: one that it starts on this machine, or a cluster.

    Args:
        cache: Market data, as the plan left it.
        address: See `finiex_ray.execution.ray_session.connect`.
        jobs: CPUs of a Ray that is started here; on a running cluster the most tasks in flight.
        live: Whether live updates are wanted; without them no progress actor is started.
        load: Who reads ticks: this process, or tasks on the nodes.
        keep_data: Keep market data in the object store from run to run.

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
        keep_data: bool = False,
    ) -> None:
        super().__init__()
        if jobs is not None and jobs < 1:
            raise ExecutionError(f"jobs is {jobs}; it must be 1 or more")
        # A first run compiles for a while: once here, while Ray starts, not in every process of the machine at once.
        compiling = Thread(target=warm_up, name="warm-up", daemon=True)
        compiling.start()
        self._owns_ray = connect(address, jobs)
        compiling.join()
        self._most_tasks = None if self._owns_ray and target(address) == LOCAL else jobs
        self._live = live
        self._store = ObjectStore(cache, load, keep=keep_data)

    def run(self, planned: Sequence[PlannedScenario]) -> Generator[ScenarioResult, None, None]:
        """Yields results as they complete. See `Executor.run`."""
        if not planned:
            return
        actor = start_progress_actor() if self._live else None
        poller = ProgressPoller(actor, self.board)
        self._store.expect(planned)
        run = _Run(self._store, planned, poller, self.board.restart, actor, self._most_tasks)
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


class _Work(NamedTuple):
    """Scenarios for one task."""

    scenarios: tuple[PlannedScenario, ...]
    careful: bool = False  # tell of each scenario on its own
    node: str = ""  # where to run, if that is possible


@dataclass
class _Task:
    """A batch in flight."""

    work: _Work
    done: int = 0  # results that have come, in the order of the batch
    running: int | None = None  # index of the scenario that has begun, where the task tells of it
    since_s: float = 0.0
    node: str = ""
    ended_s: float | None = None  # when the driver ended it, as that scenario did not come back

    @property
    def scenarios(self) -> tuple[PlannedScenario, ...]:
        """What it was given."""
        return self.work.scenarios

    def limit_s(self) -> float | None:
        """Time limit of the scenario that has begun."""
        return None if self.running is None else _limit_s(self.scenarios[self.done])


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
        self._batches = map(_work, make_batches(planned, self._cpus))
        self._again: deque[_Work] = deque()
        self._alone: deque[_Work] = deque()  # when nothing else runs
        self._running: dict[Any, _Task] = {}
        self._suspects = Suspects()
        self._token = secrets.token_hex(8)
        self._limited = any(_limit_s(each) is not None for each in planned)

    def results(self) -> Iterator[ScenarioResult]:
        """One result for each scenario."""
        while True:
            yield from self._fill()
            if not self._running and self._alone:
                yield from self._send(self._alone.popleft())
            if not self._running:
                if self._again or self._alone:
                    continue
                return
            ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=_WAIT_S)
            for stream in ready:
                yield from self._take(stream)
            if self._limited:
                self._end_overdue()
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
            work = self._again.popleft() if self._again else next(self._batches, None)
            if work is None or (yield from self._send(work)):
                return

    def _send(self, work: _Work) -> Generator[ScenarioResult, None, bool]:
        """Submits a task; returns True where the object store has no room for its data until another one has ended."""
        shipped: list[tuple[PlannedScenario, Shipment]] = []
        references = References()
        for number, scenario in enumerate(work.scenarios):
            try:
                shipped.append((scenario, self._store.ship(scenario, references)))
            except DataError as error:
                yield self._finish(scenario, _failed(scenario, error))
            except self._ray.exceptions.RayError as error:
                if not store_full(error) or not self._running:
                    raise RunStoppedError(_full_message(error)) from error
                left = (*(each for each, _ in shipped), *work.scenarios[number:])
                self._again.appendleft(work._replace(scenarios=left))
                return True
        if shipped:
            kept, shipments = zip(*shipped, strict=True)
            batch = RayBatch(
                pack_shipments(shipments), tuple(references), self._paths, self._actor, self._token, work.careful
            )
            self._running[self._task_on(work.node).remote(batch)] = _Task(work._replace(scenarios=kept))
        return False

    def _task_on(self, node: str) -> Any:
        if not node:
            return self._submit
        strategy = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node, soft=True)
        return self._submit.options(scheduling_strategy=strategy)

    def _finish(self, scenario: PlannedScenario, result: ScenarioResult) -> ScenarioResult:
        self._store.release(scenario)
        return result

    def _take(self, stream: Any) -> Iterator[ScenarioResult]:
        """Takes what comes next of a batch, or its end, or what befell it."""
        task = self._running[stream]
        try:
            item: Began | Results = self._ray.get(next(stream), timeout=FETCH_TIMEOUT_S)
        except StopIteration:
            del self._running[stream]
            if task.done < len(task.scenarios):
                self._again.append(task.work._replace(scenarios=task.scenarios[task.done :]))
            return
        except self._ray.exceptions.RayError as error:
            del self._running[stream]
            yield from self._recover(stream, task, error)
            return
        task.running = None
        if isinstance(item, Began):
            task.running, task.since_s, task.node = item.place, time.monotonic(), item.node
            self._suspects.heard(item.place, item.last_words)
            return
        for result in item.unpack():
            scenario = task.scenarios[task.done]
            task.done += 1
            yield self._finish(scenario, result)

    def _end_overdue(self) -> None:
        """Ends tasks whose scenario is far beyond its time limit: nothing in their process could stop it."""
        now_s = time.monotonic()
        for stream, task in self._running.items():
            limit_s = task.limit_s()
            if limit_s is None or now_s < task.since_s + limit_s + _GRACE_S:
                continue
            if task.ended_s is None or now_s >= task.ended_s + _GRACE_S:
                task.ended_s = now_s
                self._ray.cancel(stream, force=True)

    def _recover(self, stream: Any, task: _Task, error: BaseException) -> Iterator[ScenarioResult]:
        """After a fault: what came is safe, one scenario is suspect, the rest is sent again without it."""
        fault = classify(error)
        if fault is Fault.FATAL:
            raise RunStoppedError(f"Ray cannot run any task: {type(error).__name__}: {error}") from error
        if task.ended_s is not None and task.running is not None:
            fault = Fault.TIME
        if fault is Fault.LOST:
            self._ray.cancel(stream, force=True)
        left = task.scenarios[task.done :]
        for scenario in left:
            self._restarted(scenario.task.index)
            if data_lost(error):
                self._store.renew(scenario)
        if not left:
            return
        if not task.work.careful and fault in (Fault.CRASH, Fault.MEMORY):
            # Any of several scenarios may have been running: nobody is blamed, and the next try tells of each.
            self._again.append(_Work(left, careful=True))
            return
        suspect, rest = left[0], left[1:]
        if rest:
            self._again.append(task.work._replace(scenarios=rest))
        verdict = self._suspects.judge(suspect.task.index, fault)
        work = _Work((suspect,), careful=True, node=task.node if fault is Fault.CRASH else "")
        if verdict is Verdict.AGAIN:
            self._again.append(work)
        elif verdict is Verdict.ALONE:
            self._alone.append(work)
        else:
            info = self._suspects.info(suspect.task.index, fault, error, _limit_s(suspect))
            yield self._finish(suspect, _failed(suspect, info))


def _work(scenarios: tuple[PlannedScenario, ...]) -> _Work:
    """A batch for the first time: where one alone, or one with a time limit, could be the cause, the task tells of each."""
    return _Work(scenarios, careful=len(scenarios) == 1 or any(_limit_s(each) is not None for each in scenarios))


def _limit_s(scenario: PlannedScenario) -> float | None:
    return scenario.task.config.execution.time_limit_s


def _failed(scenario: PlannedScenario, error: BaseException | ErrorInfo) -> ScenarioResult:
    return failed_result(scenario.task.index, scenario.task.config.name, scenario.symbol, error)


def _full_message(error: BaseException) -> str:
    return (
        "market data cannot be put into Ray's object store: it is full, and so is the disk that it spills to. Free some disk "
        "space (of Ray's temporary folder), give Ray more object store memory, or shorten the windows; what is finished is "
        f"kept. Ray says: {type(error).__name__}: {' '.join(str(error).split())[:400]}"
    )
