"""finiex_ray: a cluster-scale runner for tick-level trading simulations.

Importing it loads nothing else: each public name is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from finiex_ray.core.version import __version__

if TYPE_CHECKING:
    from finiex_ray.api import resume_run, run_set
    from finiex_ray.decisions.base import DecisionLogic
    from finiex_ray.decisions.tick_style import TickLogic
    from finiex_ray.results.reader import RunData, open_run
    from finiex_ray.workers.base import Worker
    from finiex_ray.workers.tick_style import TickWorker

__all__ = [
    "DecisionLogic",
    "RunData",
    "TickLogic",
    "TickWorker",
    "Worker",
    "__version__",
    "open_run",
    "resume_run",
    "run_set",
]

_PLACES = {
    "DecisionLogic": "finiex_ray.decisions.base",
    "RunData": "finiex_ray.results.reader",
    "TickLogic": "finiex_ray.decisions.tick_style",
    "TickWorker": "finiex_ray.workers.tick_style",
    "Worker": "finiex_ray.workers.base",
    "open_run": "finiex_ray.results.reader",
    "resume_run": "finiex_ray.api",
    "run_set": "finiex_ray.api",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'finiex_ray' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_PLACES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
