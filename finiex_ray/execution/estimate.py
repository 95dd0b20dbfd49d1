"""What a plan will cost before it runs: tasks, ticks, memory, time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from finiex_ray.execution.batches import make_batches
from finiex_ray.execution.cache import CACHE_BYTES, SegmentCache
from finiex_ray.execution.choice import estimate_s
from finiex_ray.execution.planned import Plan, PlannedScenario
from finiex_ray.execution.stream import TICK_BYTES, is_long

__all__ = ["Estimate", "estimate_plan"]

_PROCESS_BYTES: Final = 250 * 2**20  # of a task process with its imports and kernels


@dataclass(frozen=True)
class Estimate:
    """Estimates of a whole set; bytes are upper bounds, seconds are within a factor of some three."""

    scenarios: int  # that can run
    invalid: int
    tasks: int  # of Ray; in this process a scenario is a unit of its own
    ticks: int  # of all scenarios together
    segments: int  # days of ticks that are read
    data_bytes: int  # those days, each once
    warmup_bytes: int  # bars before the starts
    task_bytes: int  # the most that a task process needs, its share of the data included
    driver_bytes: int  # the most that the driver keeps of ticks
    streamed: int  # scenarios that read their days as they go
    cpus: int
    work_s: float  # on one CPU
    wall_s: float  # on `cpus`

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def estimate_plan(plan: Plan, cache: SegmentCache, cpus: int) -> Estimate:
    """Estimates what a plan costs.

    Args:
        plan: The plan.
        cache: The data that it was made with.
        cpus: CPUs that will run it.

    Raises:
        DataError: If a day cannot be read.
    """
    days = {(each.symbol, day) for each in plan.runnable for day in each.days}
    days |= {pair for each in plan.runnable for pair in each.conversion}
    data_bytes = TICK_BYTES * sum(cache.rows(*day) for day in days)
    bundles = {each.warmup_key: each.warmup for each in plan.runnable}
    warmup_bytes = sum(column.nbytes for bundle in bundles.values() for series in bundle.values() for column in series)
    work_s = estimate_s(plan.runnable)
    side_by_side = max(1, min(cpus, len(plan.runnable)))
    longest_s = max((estimate_s([each]) for each in _longest(plan)), default=0.0)
    return Estimate(
        scenarios=len(plan.runnable),
        invalid=len(plan.invalid),
        tasks=sum(1 for _ in make_batches(plan.runnable, cpus)),
        ticks=plan.ticks,
        segments=len(days),
        data_bytes=data_bytes,
        warmup_bytes=warmup_bytes,
        task_bytes=_PROCESS_BYTES + max((_held(each, cache) for each in plan.runnable), default=0),
        driver_bytes=min(data_bytes, CACHE_BYTES) + warmup_bytes,
        streamed=sum(is_long(each.ticks) for each in plan.runnable),
        cpus=cpus,
        work_s=work_s,
        wall_s=max(work_s / side_by_side, longest_s),
    )


def _longest(plan: Plan) -> list[PlannedScenario]:
    return [max(plan.runnable, key=lambda each: each.ticks)] if plan.runnable else []


def _held(scenario: PlannedScenario, cache: SegmentCache) -> int:
    """Bytes of ticks that a scenario holds at a time."""
    sizes = [cache.rows(scenario.symbol, day) for day in scenario.days]
    sizes += [cache.rows(*pair) for pair in scenario.conversion]
    if is_long(scenario.ticks):
        return 4 * max(sizes) * TICK_BYTES  # two days of each pair
    return sum(sizes) * TICK_BYTES
