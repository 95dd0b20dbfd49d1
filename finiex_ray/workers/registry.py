"""Which workers there are, and how one is made from its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from finiex_ray.config.models import TypedConfig
from finiex_ray.core.access import NO_ACCESS, PluginAccess
from finiex_ray.core.errors import RegistryError
from finiex_ray.core.plugins import ParamInfo, PluginKind, check_params, describe_params, plugin_paths, resolve
from finiex_ray.workers.base import Worker
from finiex_ray.workers.tick_style import TickWorker, adapt

__all__ = ["WORKERS", "create_worker", "describe", "worker_type", "worker_types"]

WORKERS: Final = PluginKind(
    noun="worker",
    group="finiex_ray.workers",
    builtin={
        "atr": "finiex_ray.workers.atr:Atr",
        "bollinger": "finiex_ray.workers.bollinger:Bollinger",
        "envelope": "finiex_ray.workers.envelope:Envelope",
        "macd": "finiex_ray.workers.macd:Macd",
        "moving_average": "finiex_ray.workers.moving_average:MovingAverage",
        "rsi": "finiex_ray.workers.rsi:Rsi",
        "stochastic": "finiex_ray.workers.stochastic:Stochastic",
    },
)


def worker_type(name: str, access: PluginAccess = NO_ACCESS) -> type[Worker]:
    """The class that a registered name or an import path stands for; a tick-style class comes adapted.

    Raises:
        RegistryError: If there is no such class, it is no worker, or its package is not allowed.
    """
    found = resolve(WORKERS, name, access)
    if isinstance(found, type) and issubclass(found, TickWorker):
        found = adapt(found)
    if not (isinstance(found, type) and issubclass(found, Worker)):
        raise RegistryError(f"worker type '{name}' is no worker: make it a subclass of Worker or TickWorker")
    abstract: frozenset[str] = getattr(getattr(found, "inner_type", found), "__abstractmethods__", frozenset())
    if abstract or not getattr(found, "outputs", ()):
        lacking = ", ".join(sorted(abstract)) or "outputs"
        raise RegistryError(f"worker type '{name}' is not complete: it lacks {lacking}")
    return found


def worker_types() -> Mapping[str, type[Worker]]:
    """Every registered worker by name, sorted (imports them all)."""
    return {name: worker_type(name) for name in plugin_paths(WORKERS)}


def create_worker(name: str, config: TypedConfig, access: PluginAccess = NO_ACCESS) -> Worker:
    """Makes a worker.

    Args:
        name: The worker's name within the scenario, for messages.
        config: Its type and parameters.
        access: What the run may load.

    Raises:
        RegistryError: If the type is unknown or no worker.
        ConfigError: If a parameter is wrong.
    """
    found = worker_type(config.type, access)
    params = check_params(found.Params, config.params, owner=f"worker '{name}' ({config.type})")
    return found(params)


def describe(worker: type[Worker]) -> list[ParamInfo]:
    """The parameters of a worker: name, type, default, description."""
    return describe_params(worker.Params)
