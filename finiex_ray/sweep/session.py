"""`Session`: one market and one executor for many rounds of scenarios."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from finiex_ray.config.models import DataLoad, ScenarioConfig, ScenarioSet
from finiex_ray.config.resolved import ConfigHashes
from finiex_ray.core.access import NO_ACCESS, PluginAccess
from finiex_ray.data.source import TickSource
from finiex_ray.engine.result import ScenarioResult, Wanted
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.choice import choose_executor
from finiex_ray.execution.coordinator import ExecutorName
from finiex_ray.execution.debugger import debugger_attached
from finiex_ray.execution.executor import Executor
from finiex_ray.execution.keys import ScenarioKeys, engine_digest, strategy_sources
from finiex_ray.execution.local import LocalExecutor
from finiex_ray.execution.plan import Brokers, plan_scenarios

__all__ = ["Session"]


class Session:
    """Plans and runs lists of scenarios; data is loaded (on Ray: put) once for all of them. A context manager.

    Args:
        source: Where ticks come from.
        brokers: Finds brokers by name.
        executor: See `ExecutionCoordinator`.
        jobs: Threads or CPUs.
        address: A Ray cluster.
        access: Strategy code that may be loaded.
        load: On Ray, who reads ticks: this process, or tasks on the nodes.
    """

    def __init__(
        self,
        source: TickSource,
        brokers: Brokers,
        *,
        executor: ExecutorName = "auto",
        jobs: int | None = None,
        address: str | None = None,
        access: PluginAccess = NO_ACCESS,
        load: DataLoad = DataLoad.DRIVER,
    ) -> None:
        self._load = load
        self._cache, self._brokers, self._access = SegmentCache(source), brokers, access
        self._wanted, self._jobs, self._address = executor, jobs, address
        self._executor: Executor | None = None

    @property
    def executor_name(self) -> str:
        """What runs the scenarios; what was asked for before the first round."""
        return self._wanted if self._executor is None else self._executor.name

    def run(
        self, scenarios: Sequence[tuple[int, ScenarioConfig]], wanted: Wanted, *, share: float = 1.0
    ) -> Iterator[ScenarioResult]:
        """Runs scenarios in an order that lets neighbours share their window.

        Args:
            scenarios: Index (another one for each scenario of the session) and configuration.
            wanted: What of a result is to come back.
            share: How much of all the work of the session this is, 0 to 1, for the choice of an executor.

        Yields:
            A result for each, as they complete.
        """
        batch = ScenarioSet(name="round", source="", scenarios=tuple(config for _, config in scenarios))
        plan = plan_scenarios(batch, self._cache, self._brokers, self._access)
        for failed in plan.invalid:
            yield replace(failed, index=scenarios[failed.index][0])
        planned = [
            replace(each, task=replace(each.task, index=scenarios[each.task.index][0], wanted=wanted))
            for each in plan.runnable
        ]
        if not planned:
            return
        if self._executor is None:
            repeats = max(1, min(1_000, round(1 / share)))
            name = (
                choose_executor(planned * repeats, self._address, self._jobs)
                if self._wanted == "auto"
                else self._wanted
            )
            self._executor = self._start(name)
        with closing(self._executor.run(planned)) as results:
            yield from results

    def inputs(self, windows: Sequence[ScenarioConfig]) -> dict[str, Any]:
        """What results on some windows depend on beside the parameters that vary, as hashes (JSON values) by what they cover."""
        plan = plan_scenarios(
            ScenarioSet(name="windows", source="", scenarios=tuple(windows)), self._cache, self._brokers, self._access
        )
        keys, hashes = ScenarioKeys(self._cache), ConfigHashes()
        return {
            "engine": engine_digest(),
            "strategies": strategy_sources(windows),
            "configuration": _digest(hashes(each) for each in windows),
            "brokers": _digest(each.task.broker.model_dump_json() for each in plan.runnable),
            "data": _digest(str(keys.data(each)) for each in plan.runnable),
        }

    def _start(self, name: str) -> Executor:
        if name == "ray":
            from finiex_ray.execution.ray_executor import RayExecutor

            return RayExecutor(self._cache, self._address, self._jobs, live=False, load=self._load, keep_data=True)
        return LocalExecutor(self._cache, 1 if debugger_attached() else self._jobs or 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._executor is not None:
            self._executor.close()
            self._executor = None


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(dict.fromkeys(texts)).encode()).hexdigest()
