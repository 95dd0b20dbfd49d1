"""Puts market data into the object store once a run: each day of ticks, and each bundle of warm-up bars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from datetime import date
from typing import Any

from finiex_ray.core.plugins import given_classes
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.planned import PlannedScenario
from finiex_ray.execution.ray_task import Shipment

__all__ = ["ObjectStore"]


class ObjectStore:
    """References into Ray's object store, held as long as a scenario of the run still needs them.

    Args:
        cache: Market data of the plan; ticks that went into the store are dropped from it.
        keep: Keep what was put until the end, for further runs on the same data.
    """

    def __init__(self, cache: SegmentCache, *, keep: bool = False) -> None:
        self._cache, self._keep = cache, keep
        self._uses: Counter[Hashable] = Counter()
        self._refs: dict[Hashable, Any] = {}
        self._classes: dict[frozenset[str], Any] = {}

    def expect(self, planned: Iterable[PlannedScenario]) -> Any:
        """Takes note of the scenarios of a run; returns a reference of strategy classes given in code, or None."""
        types: set[str] = set()
        for scenario in planned:
            self._uses.update(_keys(scenario))
            config = scenario.task.config
            types.update([config.logic.type, *(worker.type for worker in config.workers.values())])
        classes = given_classes(types)
        names = frozenset(classes)
        if names and names not in self._classes:
            import ray

            self._classes[names] = ray.put(classes)
        return self._classes.get(names)

    def ship(self, scenario: PlannedScenario) -> Shipment:
        """The scenario with references in place of its data.

        Raises:
            DataError: If a day has to be loaded again and cannot be.
        """
        return Shipment(
            task=scenario.task,
            symbol=scenario.symbol,
            digits=scenario.digits,
            bar_price=scenario.warmup_key.bar_price,
            start_ns=scenario.start_ns,
            first=scenario.first,
            last=scenario.last,
            segments=tuple(self._segment(scenario.symbol, day) for day in scenario.days),
            conversion=tuple(self._segment(symbol, day) for symbol, day in scenario.conversion),
            warmup=self._warmup(scenario),
        )

    def release(self, scenario: PlannedScenario) -> None:
        """The scenario has its result: data that no other one needs may leave the store."""
        for key in _keys(scenario):
            self._uses[key] -= 1
            if self._uses[key] <= 0 and not self._keep:
                self._refs.pop(key, None)

    def renew(self, scenario: PlannedScenario) -> None:
        """Puts the scenario's data again when it is shipped next: what was in the store is lost."""
        for key in _keys(scenario):
            self._refs.pop(key, None)

    def _segment(self, symbol: str, day: date) -> Any:
        import ray

        key = (symbol, day)
        if key not in self._refs:
            self._refs[key] = ray.put(self._cache.segment(symbol, day))
            self._cache.drop(symbol, day)
        return self._refs[key]

    def _warmup(self, scenario: PlannedScenario) -> Any:
        import ray

        key = _warmup_key(scenario)
        if key not in self._refs:
            self._refs[key] = ray.put(dict(scenario.warmup))
        return self._refs[key]


def _keys(scenario: PlannedScenario) -> list[Hashable]:
    return [*((scenario.symbol, day) for day in scenario.days), *scenario.conversion, _warmup_key(scenario)]


def _warmup_key(scenario: PlannedScenario) -> Hashable:
    """Of two runs on the same data, one may need more bars than the other."""
    bars = frozenset((timeframe, len(series.start_ns)) for timeframe, series in scenario.warmup.items())
    return scenario.warmup_key, bars
