"""`check_determinism`: runs each scenario in every way there is, and compares what came out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Final

from finiex_ray.checks.compare import first_record, value_text
from finiex_ray.checks.rerun import run_with_hash_seed
from finiex_ray.checks.verdict import (
    CheckReport,
    Difference,
    ScenarioCheck,
    failure_text,
    require_some,
    strategy_text,
)
from finiex_ray.config.models import ScenarioSet
from finiex_ray.core.access import NO_ACCESS, PluginAccess
from finiex_ray.core.errors import ExecutionError
from finiex_ray.core.records import Records
from finiex_ray.core.time import format_utc
from finiex_ray.data.source import TickSource
from finiex_ray.engine.result import ScenarioResult, TickLoopResult
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.executor import Executor
from finiex_ray.execution.hashing import outcome
from finiex_ray.execution.local import LocalExecutor
from finiex_ray.execution.plan import Brokers, plan_scenarios
from finiex_ray.execution.planned import PlannedScenario

__all__ = ["check_determinism"]

_ODD_BLOCK: Final = 1_009  # ticks; a prime, so that blocks end where nothing else does
_HASH_SEEDS: Final = (1, 2, 3)
_HASH_RUNS: Final = 2  # a small set of strings can have one order under two hash seeds

_Results = Iterator[ScenarioResult]
_Way = tuple[str, Callable[[Sequence[PlannedScenario]], _Results]]  # how it is told, and how it is run


@dataclass
class _Case:
    """One scenario, with the result that all others are held against."""

    planned: PlannedScenario
    first: ScenarioResult
    runs: int = 1
    differences: list[Difference] = field(default_factory=list)


def check_determinism(
    scenario_set: ScenarioSet,
    source: TickSource,
    brokers: Brokers,
    *,
    ray: bool = True,
    address: str | None = None,
    access: PluginAccess = NO_ACCESS,
) -> CheckReport:
    """Runs each scenario in every way, and compares the ``result_hash`` and the records with those of the first run.

    The first run is in this process, one scenario after the other. Then: the same again, with two threads, with blocks
    of 1,009 ticks, in fresh processes with other values of ``PYTHONHASHSEED``, and on Ray. Where results differ, the
    first differing record is found and named.

    Args:
        scenario_set: What to check.
        source: Where ticks come from; it must be picklable.
        brokers: Finds the broker that ``account.broker`` names; may raise `ConfigError`.
        ray: Whether to run on Ray too.
        address: Address of an existing Ray cluster.
        access: Strategy code that may be loaded.

    Raises:
        ScenarioInvalidError: If no scenario of the set can run.
        ExecutionError: If Ray or a fresh process cannot be used.
    """
    cache = SegmentCache(source)
    plan = plan_scenarios(scenario_set, cache, brokers, access)
    invalid = require_some(plan)
    planned = [_unlimited(each) for each in plan.runnable]
    firsts = {result.index: result for result in LocalExecutor(cache).run(planned)}
    cases = {each.task.index: _Case(each, firsts[each.task.index]) for each in planned}
    for told, run in _ways(cache, ray, address):
        for result in run(planned):
            _hold_against(cases[result.index], result, told)
    return CheckReport("determinism", (*(_checked(case) for case in cases.values()), *invalid))


def _unlimited(planned: PlannedScenario) -> PlannedScenario:
    """Without a time limit: it hangs on the machine's mood."""
    return _with_execution(planned, time_limit_s=None, profile=False)


def _with_execution(planned: PlannedScenario, **values: object) -> PlannedScenario:
    config = planned.task.config
    execution = config.execution.model_copy(update=values)
    return replace(planned, task=replace(planned.task, config=config.model_copy(update={"execution": execution})))


def _ways(cache: SegmentCache, ray: bool, address: str | None) -> Iterator[_Way]:
    def odd_blocks(planned: Sequence[PlannedScenario]) -> _Results:
        return _on(LocalExecutor(cache), [_with_execution(each, block_ticks=_ODD_BLOCK) for each in planned])

    def on_ray(planned: Sequence[PlannedScenario]) -> _Results:
        from finiex_ray.execution.ray_executor import RayExecutor

        return _on(RayExecutor(cache, address, live=False), planned)

    def with_hash_seed(seed: int) -> Callable[[Sequence[PlannedScenario]], _Results]:
        return lambda planned: run_with_hash_seed(cache.source, planned, seed)

    yield "run again", lambda planned: _on(LocalExecutor(cache), planned)
    yield "two threads", lambda planned: _on(LocalExecutor(cache, 2), planned)
    yield f"blocks of {_ODD_BLOCK} ticks", odd_blocks
    others = [seed for seed in _HASH_SEEDS if str(seed) != os.environ.get("PYTHONHASHSEED")]
    for seed in others[:_HASH_RUNS]:
        yield f"PYTHONHASHSEED={seed}", with_hash_seed(seed)
    if ray:
        yield "on Ray", on_ray


def _on(executor: Executor, planned: Sequence[PlannedScenario]) -> _Results:
    with closing(executor), closing(executor.run(planned)) as results:
        seen = 0
        for result in results:
            seen += 1
            yield result
    if seen != len(planned):
        raise ExecutionError(f"executor '{executor.name}' gave {seen} results for {len(planned)} scenarios")


def _hold_against(case: _Case, result: ScenarioResult, told: str) -> None:
    """Compares a result with the first one; keeps a difference for each way of running."""
    case.runs += 1
    found = _difference(case.first, result, told)
    if found is not None:
        case.differences.append(found)


def _difference(first: ScenarioResult, other: ScenarioResult, told: str) -> Difference | None:
    if first.success != other.success or (not first.success and outcome(first) != outcome(other)):
        return Difference(
            first.name, "scenario", "outcome", None, None, _outcome_text(first), _outcome_text(other), told
        )
    if first.loop is None or other.loop is None:
        return None
    record = first_record(_tables(first.loop), _tables(other.loop)) or first_record(
        {"equity": first.loop.equity}, {"equity": other.loop.equity}
    )
    if record is not None:
        table, _, place = record.place.partition(" ")
        moment = format_utc(record.time_ns)
        return Difference(first.name, table, place, record.tick, moment, record.expected, record.found, told)
    for name, value in first.loop.statistics.items():
        found = value_text(other.loop.statistics[name])
        if value_text(value) != found:
            return Difference(first.name, "statistics", name, None, None, value_text(value), found, told)
    if first.loop.result_hash != other.loop.result_hash:
        hashes = first.loop.result_hash, other.loop.result_hash
        return Difference(first.name, "final account", "result_hash", None, None, *hashes, told)
    return None


def _tables(loop: TickLoopResult) -> dict[str, Records]:
    return {"orders": loop.orders, "fills": loop.fills, "trades": loop.trades}


def _outcome_text(result: ScenarioResult) -> str:
    return "completed" if result.success else failure_text(result.error)


def _checked(case: _Case) -> ScenarioCheck:
    return ScenarioCheck(
        name=case.first.name,
        strategy=strategy_text(case.planned),
        ticks=case.planned.ticks,
        runs=case.runs,
        differences=tuple(case.differences),
        failure="" if case.first.success else failure_text(case.first.error),
    )
