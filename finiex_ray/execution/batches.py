"""Cuts planned scenarios into batches: one scenario a task, and more where scenarios are too short to be worth one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from finiex_ray.execution.planned import PlannedScenario

__all__ = ["make_batches"]

_FULL_TICKS: Final = 100_000  # some 10 ms of work, beside about 1 ms that a task costs
_MOST_SCENARIOS: Final = 64
_TASKS_PER_CPU: Final = 4  # with fewer tasks than that, one long one at the end leaves CPUs idle


def make_batches(planned: Sequence[PlannedScenario], cpus: int) -> Iterator[tuple[PlannedScenario, ...]]:
    """Yields the scenarios in their order, in batches.

    Args:
        planned: The scenarios.
        cpus: CPUs that tasks can use.
    """
    tasks = _TASKS_PER_CPU * max(1, cpus)
    most = 1 if len(planned) <= tasks else min(_MOST_SCENARIOS, -(-len(planned) // tasks))
    batch: list[PlannedScenario] = []
    ticks = 0
    for scenario in planned:
        if batch and (len(batch) >= most or ticks + scenario.ticks > _FULL_TICKS):
            yield tuple(batch)
            batch, ticks = [], 0
        batch.append(scenario)
        ticks += scenario.ticks
    if batch:
        yield tuple(batch)
