"""Cuts planned scenarios into batches: those that share a window together, and such as are too short to be worth a task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from math import ceil, inf
from typing import Final

from finiex_ray.decisions.registry import LOGICS
from finiex_ray.execution.planned import PlannedScenario

__all__ = ["make_batches"]

_FULL_MS: Final = 100.0  # of work, beside about 1 ms that a task on Ray costs, and 5 ms for what a million ticks share
_MOST_SCENARIOS: Final = 512
_TASKS_PER_CPU: Final = 4  # with fewer tasks than that, one long one at the end leaves CPUs idle
_SCENARIO_MS: Final = 0.5  # to build one and to take its result
_TICK_MS: Final = 4e-6
_SHARED_SCENARIO_MS: Final = 0.12  # the same where bars, workers and decisions are there already
_SHARED_TICK_MS: Final = 0.1e-6


def make_batches(planned: Sequence[PlannedScenario], cpus: int) -> Iterator[tuple[PlannedScenario, ...]]:
    """Yields the scenarios in their order, in batches.

    Args:
        planned: The scenarios; those on one window should lie side by side.
        cpus: CPUs or threads that run them.
    """
    fair = -(-len(planned) // _tasks(planned, max(1, cpus)))
    batch: list[PlannedScenario] = []
    spent_ms = 0.0
    for scenario in planned:
        cost_ms = _cost_ms(scenario, batch[-1] if batch else None)
        if batch and (len(batch) >= min(_MOST_SCENARIOS, fair) or spent_ms + cost_ms > _FULL_MS):
            yield tuple(batch)
            batch, spent_ms = [], 0.0
        batch.append(scenario)
        spent_ms += cost_ms
    if batch:
        yield tuple(batch)


def _tasks(planned: Sequence[PlannedScenario], cpus: int) -> int:
    """How many tasks the work should give at least: one for each CPU where it is little, as each computes what is shared."""
    before = chain((None,), planned)
    whole_ms = sum(_cost_ms(scenario, previous) for scenario, previous in zip(planned, before, strict=False))
    if any(scenario.task.config.logic.type not in LOGICS.builtin for scenario in planned):
        whole_ms = inf  # may take any time
    return max(cpus, ceil(min(_TASKS_PER_CPU * cpus, whole_ms / _FULL_MS)))


def _cost_ms(scenario: PlannedScenario, previous: PlannedScenario | None) -> float:
    """What a scenario costs, roughly, after another one of its batch."""
    shared = previous is not None and scenario.task.config.execution.share_batches and _same_window(scenario, previous)
    if shared:
        return _SHARED_SCENARIO_MS + scenario.ticks * _SHARED_TICK_MS
    return _SCENARIO_MS + scenario.ticks * _TICK_MS


def _same_window(one: PlannedScenario, other: PlannedScenario) -> bool:
    return one.warmup is other.warmup and one.window_key == other.window_key
