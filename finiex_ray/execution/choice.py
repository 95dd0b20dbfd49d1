"""Which executor ``auto`` stands for: in this process, unless the work is larger than Ray's start-up."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import Final

from finiex_ray.config.models import TypedConfig
from finiex_ray.core.access import PluginAccess
from finiex_ray.core.enums import Wake
from finiex_ray.decisions.registry import logic_type
from finiex_ray.execution.debugger import debugger_attached
from finiex_ray.execution.planned import PlannedScenario
from finiex_ray.workers.registry import worker_type
from finiex_ray.workers.tick_style import TickWorkerAdapter

__all__ = ["choose_executor", "estimate_s"]

_SCENARIO_S: Final = 0.005  # building one
_BLOCK_TICK_S: Final = 0.15e-6  # a tick in block style
_PYTHON_TICK_S: Final = 10e-6  # a tick of a worker or logic in tick style
_RAY_START_S: Final = 8.0  # Ray itself, and the first import in each of its processes


def choose_executor(planned: Sequence[PlannedScenario], address: str | None, jobs: int | None = None) -> str:
    """``"local"`` or ``"ray"``.

    Args:
        planned: The work.
        address: Address of a cluster, if one was given: then it is used.
        jobs: CPUs that may be used; default: all of this machine.
    """
    if address is not None:
        return "ray"
    if debugger_attached():
        return "local"
    if os.environ.get("RAY_ADDRESS"):
        return "ray"
    cpus = jobs or os.cpu_count() or 1
    saved_s = estimate_s(planned) * (1 - 1 / min(cpus, max(1, len(planned))))
    return "ray" if saved_s > _RAY_START_S else "local"


def estimate_s(planned: Sequence[PlannedScenario]) -> float:
    """Seconds that the work takes on one CPU, roughly."""
    return sum(_SCENARIO_S + each.ticks * _tick_s(each) for each in planned)


def _tick_s(scenario: PlannedScenario) -> float:
    config, access = scenario.task.config, scenario.task.access
    types = [_worker_tick_s(worker.type, access) for worker in config.workers.values()]
    return _BLOCK_TICK_S + sum(types) + _logic_tick_s(config.logic, access)


@cache
def _worker_tick_s(name: str, access: PluginAccess) -> float:
    return _PYTHON_TICK_S if issubclass(worker_type(name, access), TickWorkerAdapter) else 0.0


def _logic_tick_s(config: TypedConfig, access: PluginAccess) -> float:
    named = config.params.get("wake_on")
    every = _every_tick(config.type, access) if named is None else "every_tick" in named
    return _PYTHON_TICK_S if every else 0.0


@cache
def _every_tick(name: str, access: PluginAccess) -> bool:
    return Wake.TICK in logic_type(name, access).wake_on
