"""`ScenarioKeys`: one hash of everything that a scenario's result depends on; equal keys mean equal results.

It covers the resolved scenario (not its name, nor how it is executed), the broker file, the content of its ticks and
warm-up bars, the engine with the libraries that it computes with, and the source of the strategy: the modules of its
workers and its logic and everything of one's own that they import. Files that a strategy reads are not covered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final

import numba
import numpy as np

from finiex_ray.config.models import ScenarioConfig
from finiex_ray.config.resolved import ConfigHashes
from finiex_ray.core.plugins import PluginKind, plugin_paths
from finiex_ray.core.sources import source_digest
from finiex_ray.core.version import __version__
from finiex_ray.decisions.registry import LOGICS
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.planned import PlannedScenario
from finiex_ray.workers.registry import WORKERS

__all__ = ["ScenarioKeys", "engine_digest", "strategy_sources"]

_PACKAGE: Final = Path(__file__).resolve().parent.parent
_ROOMS: Final = ("core", "config", "kernels", "data", "bars", "workers", "trading", "decisions", "engine")


@cache
def engine_digest() -> str:
    """Hash of the engine: its version, its own source, and the libraries whose arithmetic it uses."""
    digest = hashlib.sha256(f"{__version__} numpy {np.__version__} numba {numba.__version__}".encode())
    for room in _ROOMS:
        for path in sorted((_PACKAGE / room).rglob("*.py")):
            digest.update(f"\0{path.relative_to(_PACKAGE).as_posix()}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


class ScenarioKeys:
    """Keys of the scenarios of one run; what several scenarios share is looked at once.

    Args:
        cache: Market data, as the plan left it.
    """

    def __init__(self, cache: SegmentCache) -> None:
        self._source = cache.source
        self._hashes = ConfigHashes()
        self._found: dict[
            Hashable, tuple[Any, str | None]
        ] = {}  # with what the key is about, so that its id stays taken

    def __call__(self, planned: PlannedScenario) -> str | None:
        """The key of a scenario; None where the source of its strategy cannot be found (a class of a notebook)."""
        config = planned.task.config
        strategy = self._strategy(config)
        if strategy is None:
            return None
        broker = planned.task.broker
        parts = [
            engine_digest(),
            strategy,
            self._hashes(config),
            self._once(("broker", id(broker)), broker, lambda: broker.model_dump_json()),
            self.data(planned),
            f"{planned.first} {planned.last}",
            self._warmup(planned),
        ]
        return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()

    def data(self, planned: PlannedScenario) -> str | None:
        """The content of a scenario's ticks, as a text that is equal for equal content."""
        return self._once(("data", planned.symbol, planned.days, planned.conversion), None, lambda: self._data(planned))

    def _once(self, key: Hashable, subject: Any, make: Callable[[], str | None]) -> str | None:
        if key not in self._found:
            if len(self._found) >= _MOST_KEPT:
                self._found.clear()
            self._found[key] = (subject, make())
        return self._found[key][1]

    def _data(self, planned: PlannedScenario) -> str:
        days = [*((planned.symbol, day) for day in planned.days), *planned.conversion]
        content = "\0".join(self._source.content_key(symbol, day) for symbol, day in days)
        return f"{self._source.digits(planned.symbol)}\0{content}"

    def _warmup(self, planned: PlannedScenario) -> str | None:
        needs = tuple(sorted((timeframe.ns, bars) for timeframe, bars in planned.needs.items()))
        return self._once(("warmup", id(planned.warmup), needs), planned.warmup, lambda: _bars_digest(planned))

    def _strategy(self, config: ScenarioConfig) -> str | None:
        types = (*sorted({worker.type for worker in config.workers.values()}), config.logic.type)
        return self._once(("strategy", types), None, lambda: _strategy_digest(types[:-1], types[-1]))


_MOST_KEPT: Final = 65_536


def _bars_digest(planned: PlannedScenario) -> str:
    """Hash of the warm-up bars that the scenario's own workers see; another scenario may need more of them."""
    digest = hashlib.sha256()
    for timeframe, bars in sorted(planned.needs.items(), key=lambda item: item[0].ns):
        series = planned.warmup[timeframe]
        digest.update(f"{timeframe.value} {bars};".encode())
        for column in series:
            digest.update(np.ascontiguousarray(column[max(0, len(column) - bars) :]).tobytes())
    return digest.hexdigest()


def _strategy_digest(workers: tuple[str, ...], logic: str) -> str | None:
    modules = {_own_module(WORKERS, name) for name in workers} | {_own_module(LOGICS, logic)}
    return source_digest(sorted(module for module in modules if module))


def strategy_sources(scenarios: Iterable[ScenarioConfig]) -> dict[str, str | None]:
    """Hash of the source of each worker and logic of one's own, by its type; None where the source is out of reach."""
    modules: dict[str, str] = {}
    for each in scenarios:
        for worker in each.workers.values():
            modules.setdefault(worker.type, _own_module(WORKERS, worker.type))
        modules.setdefault(each.logic.type, _own_module(LOGICS, each.logic.type))
    return {name: source_digest([module]) for name, module in sorted(modules.items()) if module}


def _own_module(kind: PluginKind, name: str) -> str:
    """The module of a plug-in; nothing for one of the engine's own."""
    return "" if name in kind.builtin else plugin_paths(kind).get(name, name).partition(":")[0]
