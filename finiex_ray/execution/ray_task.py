"""What runs inside a Ray task: a batch of scenarios, each built from its configuration, a result for each."""

from __future__ import annotations

import importlib
import pickle
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple

from finiex_ray.bars.window import MarketWindow
from finiex_ray.config.models import BarPrice
from finiex_ray.core.errors import DataError
from finiex_ray.core.market import BarSeries, IntArray, TickSegment
from finiex_ray.core.time import Timeframe
from finiex_ray.engine.result import ScenarioResult, ScenarioTask
from finiex_ray.engine.run import failed_result
from finiex_ray.execution.executor import prepare, run_on
from finiex_ray.execution.last_words import last_words
from finiex_ray.execution.ray_progress import ProgressSender
from finiex_ray.execution.redaction import redacted
from finiex_ray.execution.stopped import DataLostError
from finiex_ray.execution.stream import make_window

__all__ = [
    "FETCH_TIMEOUT_S",
    "Began",
    "RayBatch",
    "Results",
    "Shipment",
    "StoredDay",
    "extend_path",
    "pack_shipments",
    "packed",
    "run_batch",
]

FETCH_TIMEOUT_S: Final = 120.0  # for an object that has to come from another node, or from disk
_PACK_S: Final = 0.1
_PACK_BYTES: Final = 4 * 2**20
_known_paths: set[str] = set()


class StoredDay(NamedTuple):
    """A day of ticks as it lies in the object store."""

    segment: TickSegment
    extremes: IntArray  # of its runs (`make_extremes`)


@dataclass(frozen=True)
class Shipment:
    """A planned scenario whose market data lie in the object store; numbers are places in the batch's references."""

    task: ScenarioTask
    symbol: str
    digits: int
    bar_price: BarPrice
    start_ns: int
    first: int
    last: int
    ticks: int
    stream: bool  # fetch a segment when it is needed
    segments: tuple[int, ...]  # StoredDay
    warmup: Mapping[Timeframe, BarSeries] | int
    conversion: tuple[int, ...] = ()  # StoredDay


@dataclass(frozen=True)
class RayBatch:
    """What one task gets."""

    shipments: bytes  # tuple[Shipment, ...], as `pack_shipments` makes it
    references: tuple[Any, ...]  # into the object store; a shipment holds their places here
    paths: tuple[str, ...]  # import path of the driver
    progress: Any  # handle of the progress actor, or None
    token: str  # of the run
    careful: bool = False  # each result on its own, and a word before each scenario


class Began(NamedTuple):
    """A scenario begins now; sent where the driver has to know which one is running."""

    place: int  # of the scenario in the set
    node: str  # id of the node
    last_words: str  # of the process that died at it before, where that was on this node


class Results(NamedTuple):
    """Results of a batch, pickled here: Ray's pickler takes twice as long."""

    data: bytes
    records: list[Any]  # memory of the arrays, which goes into the object store as it is

    @classmethod
    def pack(cls, results: Sequence[ScenarioResult]) -> Results:
        """For the way."""
        records: list[Any] = []
        return cls(pickle.dumps(results, pickle.HIGHEST_PROTOCOL, buffer_callback=records.append), records)

    def unpack(self) -> Sequence[ScenarioResult]:
        """At its end."""
        results: Sequence[ScenarioResult] = pickle.loads(self.data, buffers=self.records)
        return results


def run_batch(batch: RayBatch) -> Iterator[Began | Results]:
    """Yields a result for each scenario of a batch, in order: several at a time, or each on its own as soon as it is there."""
    extend_path(batch.paths)
    send = None if batch.progress is None else ProgressSender(batch.progress)
    shipments: tuple[Shipment, ...] = pickle.loads(batch.shipments)
    fetched = _Fetched(batch.references)
    if batch.careful:
        for shipment in shipments:
            if shipment.task.config.execution.time_limit_s is not None:
                prepare(shipment.task)
            with last_words(batch.token, shipment.task.index) as before:
                yield Began(shipment.task.index, _node(), before)
                yield Results.pack(list(_results([shipment], send, fetched)))
    else:
        for results in packed(_results(shipments, send, fetched)):
            yield Results.pack(results)


def pack_shipments(shipments: Sequence[Shipment]) -> bytes:
    """Shipments for a `RayBatch`.

    Python's own pickler takes half as long as Ray's, which is needed for what another process finds by no name: what is of
    ``__main__`` or of a function, and modules that the user has registered to travel by value.
    """
    from ray import cloudpickle

    with suppress(AttributeError, TypeError, pickle.PicklingError):
        packed = pickle.dumps(shipments, pickle.HIGHEST_PROTOCOL)
        if b"__main__" not in packed and not cloudpickle.list_registry_pickle_by_value():
            return packed
    return bytes(cloudpickle.dumps(shipments))


def _node() -> str:
    import ray

    return str(ray.get_runtime_context().get_node_id())


def packed(
    results: Iterable[ScenarioResult], clock: Callable[[], float] = time.monotonic
) -> Iterator[list[ScenarioResult]]:
    """Puts results together that come within a moment: handing one over costs as much as a short scenario."""
    pack: list[ScenarioResult] = []
    size, due_s = 0, clock() + _PACK_S
    for result in results:
        pack.append(result)
        if result.loop is not None:
            size += sum(getattr(result.loop, name).nbytes for name in ("orders", "fills", "trades", "equity"))
        if clock() >= due_s or size >= _PACK_BYTES:
            yield pack
            pack, size, due_s = [], 0, clock() + _PACK_S
    if pack:
        yield pack


def _results(shipments: Sequence[Shipment], send: ProgressSender | None, fetched: _Fetched) -> Iterator[ScenarioResult]:
    for _, group in groupby(shipments, key=_window_key):
        same = list(group)
        tasks = [shipment.task for shipment in same]
        done, alone = 0, False
        while done < len(tasks):
            chunk = tasks[done : done + 1] if alone else tasks[done:]
            try:
                # Lost data is not the scenario's failure: it passes through, and the driver sends the rest again.
                began = time.perf_counter_ns()
                window = _window(same[0], fetched)
                for result in run_on(chunk, window, send, data_ns=time.perf_counter_ns() - began):
                    done += 1
                    yield redacted(result)
            except DataLostError as error:
                raise error.__cause__ or error from None
            except DataError as error:  # a node cannot read the catalog
                for task in tasks[done:]:
                    yield failed_result(task.index, task.config.name, task.config.symbol, error)
                done = len(tasks)
            except KeyboardInterrupt as error:
                # A real one reaches the driver; here only a strategy's own code can have raised it.
                if len(chunk) > 1:
                    alone = True
                    continue
                done += 1
                yield failed_result(chunk[0].index, chunk[0].config.name, chunk[0].config.symbol, error)


def _window_key(shipment: Shipment) -> tuple[Any, ...]:
    return (
        shipment.symbol,
        shipment.start_ns,
        shipment.bar_price,
        shipment.first,
        shipment.last,
        shipment.segments,
        id(shipment.warmup) if isinstance(shipment.warmup, Mapping) else shipment.warmup,
        shipment.conversion,
    )


def extend_path(paths: tuple[str, ...]) -> None:
    """Adds the driver's folders that exist here behind what is already there."""
    new = [path for path in paths if path not in _known_paths and path not in sys.path and Path(path).exists()]
    _known_paths.update(paths)
    if new:
        sys.path.extend(new)
        importlib.invalidate_caches()


class _Fetched:
    """What lies in the object store, each fetched once for a batch."""

    def __init__(self, references: Sequence[Any]) -> None:
        self.references = references
        self._held: dict[int, Any] = {}

    def __getitem__(self, place: int) -> Any:
        if place not in self._held:
            self._held[place] = _get(self.references[place])
        return self._held[place]


def _get(reference: Any) -> Any:
    import ray

    try:
        return ray.get(reference, timeout=FETCH_TIMEOUT_S)
    except ray.exceptions.RayTaskError as error:  # a task that loads ticks has failed
        if isinstance(error.cause, DataError):
            raise error.cause from None
        raise


def _stream(reference: Any) -> TickSegment:
    """A segment in the middle of a scenario, which must not take the loss of it for an error of its strategy."""
    import ray

    try:
        day: StoredDay = _get(reference)
    except ray.exceptions.RayError as error:
        raise DataLostError from error
    return day.segment


def _window(shipment: Shipment, fetched: _Fetched) -> MarketWindow:
    warmup = shipment.warmup

    def segment(place: int) -> TickSegment:
        day: StoredDay = fetched[place]
        return day.segment

    def streamed(place: int) -> TickSegment:
        return _stream(fetched.references[place])

    load = streamed if shipment.stream else segment
    return make_window(
        shipment.ticks,
        [partial(load, place) for place in shipment.segments],
        [partial(load, place) for place in shipment.conversion],
        stream=shipment.stream,
        symbol=shipment.symbol,
        digits=shipment.digits,
        bar_price=shipment.bar_price,
        start_ns=shipment.start_ns,
        first=shipment.first,
        last=shipment.last,
        warmup=fetched[warmup] if isinstance(warmup, int) else warmup,
        extremes=() if shipment.stream else tuple(fetched[place].extremes for place in shipment.segments),
    )
