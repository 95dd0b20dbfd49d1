"""Market data in the object store, once a run: each day of ticks, put by the driver or loaded on a node, and warm-up bars."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from datetime import date
from typing import Any, Final, NamedTuple

from finiex_ray.bars.window import make_extremes
from finiex_ray.config.models import DataLoad
from finiex_ray.core.errors import DataError
from finiex_ray.core.market import TickSegment
from finiex_ray.data.source import TickSource
from finiex_ray.execution.cache import SegmentCache, load_day
from finiex_ray.execution.planned import PlannedScenario
from finiex_ray.execution.ray_session import driver_paths
from finiex_ray.execution.ray_task import FETCH_TIMEOUT_S, Shipment, StoredDay, extend_path
from finiex_ray.execution.stream import is_long

__all__ = ["ObjectStore", "References", "checked_day"]

_LOAD_RETRIES: Final = 5
_FEW_BARS: Final = 1_000  # 48 kB


class References:
    """The references of one batch, each once."""

    def __init__(self) -> None:
        self._places: dict[Any, int] = {}

    def place(self, reference: Any) -> int:
        """Where it stands among them."""
        return self._places.setdefault(reference, len(self._places))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._places)


class ObjectStore:
    """References into Ray's object store, held as long as a scenario of the run still needs them.

    Args:
        cache: Market data of the plan; ticks that went into the store are dropped from it.
        load: Who reads ticks: this process, or tasks on the nodes of the cluster.
        keep: Keep what was put until the end, for further runs on the same data.
    """

    def __init__(self, cache: SegmentCache, load: DataLoad = DataLoad.DRIVER, *, keep: bool = False) -> None:
        self._cache, self._keep = cache, keep
        self._load: Any = None
        if load is DataLoad.CLUSTER:
            import ray

            # Ray runs it again by itself when what it loaded is lost. It must not wait for a CPU behind tasks that wait for it.
            self._load = ray.remote(num_cpus=0, max_retries=_LOAD_RETRIES)(_load_on_node)
            self._source = _Source(driver_paths(), ray.put(cache.source))
        self._uses: Counter[Hashable] = Counter()
        self._refs: dict[Hashable, Any] = {}

    def expect(self, planned: Iterable[PlannedScenario]) -> None:
        """Takes note of the scenarios of a run: their data is kept until they are released."""
        for scenario in planned:
            self._uses.update(_keys(scenario))

    def ship(self, scenario: PlannedScenario, references: References) -> Shipment:
        """The scenario with places among the batch's references in place of its data.

        Raises:
            DataError: If a day has to be loaded again and cannot be.
        """
        segments = [self._segment(scenario.symbol, day) for day in scenario.days]
        conversion = [self._segment(symbol, day) for symbol, day in scenario.conversion]
        warmup = self._warmup(scenario)
        return Shipment(
            task=scenario.task,
            symbol=scenario.symbol,
            digits=scenario.digits,
            bar_price=scenario.warmup_key.bar_price,
            start_ns=scenario.start_ns,
            first=scenario.first,
            last=scenario.last,
            ticks=scenario.ticks,
            stream=is_long(scenario.ticks),
            segments=tuple(map(references.place, segments)),
            conversion=tuple(map(references.place, conversion)),
            warmup=warmup if isinstance(warmup, dict) else references.place(warmup),
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
            if self._load is not None:
                self._refs[key] = self._load.remote(self._source, symbol, day, self._cache.rows(symbol, day))
            else:
                day_of_ticks = StoredDay(self._cache.segment(symbol, day), self._cache.extremes(symbol, day))
                self._refs[key] = ray.put(day_of_ticks)
            self._cache.drop(symbol, day)
        return self._refs[key]

    def _warmup(self, scenario: PlannedScenario) -> Any:
        import ray

        key = _warmup_key(scenario)
        if self._uses[key] == 1 and sum(len(bars.start_ns) for bars in scenario.warmup.values()) <= _FEW_BARS:
            return dict(scenario.warmup)  # an object of its own would cost more
        if key not in self._refs:
            self._refs[key] = ray.put(dict(scenario.warmup))
        return self._refs[key]


class _Source(NamedTuple):
    """Where a task reads ticks."""

    paths: tuple[str, ...]  # import path of the driver, without which the source may not be unpacked
    reference: Any  # of a TickSource


def _load_on_node(place: _Source, symbol: str, day: date, rows: int) -> StoredDay:
    """What a task on a node does."""
    import ray

    extend_path(place.paths)
    segment = checked_day(ray.get(place.reference, timeout=FETCH_TIMEOUT_S), symbol, day, rows)
    return StoredDay(segment, make_extremes(segment))


def checked_day(source: TickSource, symbol: str, day: date, rows: int) -> TickSegment:
    """The ticks of a day, of which the driver knows the number.

    Raises:
        DataError: If they are others: that would change results without a word.
    """
    segment = load_day(source, symbol, day)
    found = len(segment.time_ns)
    if found != rows:
        here = f"as {platform.node()} sees it, {rows:,} as the driver does"
        raise DataError(
            f"{source.describe()} has {found:,} ticks of {symbol} on {day.isoformat()} {here}; "
            '"load": "cluster" needs a place that every node reads (a shared folder, s3://, gs://)'
        )
    return segment


def _keys(scenario: PlannedScenario) -> list[Hashable]:
    return [*((scenario.symbol, day) for day in scenario.days), *scenario.conversion, _warmup_key(scenario)]


def _warmup_key(scenario: PlannedScenario) -> Hashable:
    """Of two runs on the same data, one may need more bars than the other."""
    bars = frozenset((timeframe, len(series.start_ns)) for timeframe, series in scenario.warmup.items())
    return scenario.warmup_key, bars
