"""What runs inside a Ray task: a batch of scenarios, each built from its configuration, a result for each."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple

from finiex_ray.bars.window import MarketWindow
from finiex_ray.config.models import BarPrice
from finiex_ray.core.errors import DataError
from finiex_ray.core.market import IntArray, TickSegment
from finiex_ray.engine.result import ScenarioResult, ScenarioTask
from finiex_ray.engine.run import failed_result
from finiex_ray.execution.executor import prepare, run_on
from finiex_ray.execution.last_words import last_words
from finiex_ray.execution.ray_progress import ProgressSender
from finiex_ray.execution.redaction import redacted
from finiex_ray.execution.stopped import DataLostError
from finiex_ray.execution.stream import make_window

__all__ = ["FETCH_TIMEOUT_S", "Began", "RayBatch", "Shipment", "StoredDay", "extend_path", "packed", "run_batch"]

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
    """A planned scenario whose market data are references into the object store (nested, so they stay references)."""

    task: ScenarioTask
    symbol: str
    digits: int
    bar_price: BarPrice
    start_ns: int
    first: int
    last: int
    ticks: int
    stream: bool  # fetch a segment when it is needed
    segments: tuple[Any, ...]  # references of StoredDay
    warmup: Any  # Mapping[Timeframe, BarSeries], or a reference of one
    conversion: tuple[Any, ...] = ()  # references of StoredDay


@dataclass(frozen=True)
class RayBatch:
    """What one task gets."""

    shipments: tuple[Shipment, ...]
    paths: tuple[str, ...]  # import path of the driver
    progress: Any  # handle of the progress actor, or None
    token: str  # of the run
    careful: bool = False  # each result on its own, and a word before each scenario


class Began(NamedTuple):
    """A scenario begins now; sent where the driver has to know which one is running."""

    place: int  # of the scenario in the set
    node: str  # id of the node
    last_words: str  # of the process that died at it before, where that was on this node


def run_batch(batch: RayBatch) -> Iterator[Began | list[ScenarioResult]]:
    """Yields a result for each scenario of a batch, in order: several at a time, or each on its own as soon as it is there."""
    extend_path(batch.paths)
    send = None if batch.progress is None else ProgressSender(batch.progress)
    fetched: dict[Any, Any] = {}
    if batch.careful:
        for shipment in batch.shipments:
            if shipment.task.config.execution.time_limit_s is not None:
                prepare(shipment.task)
            with last_words(batch.token, shipment.task.index) as before:
                yield Began(shipment.task.index, _node(), before)
                yield list(_results([shipment], send, fetched))
    else:
        yield from packed(_results(batch.shipments, send, fetched))


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


def _results(
    shipments: Sequence[Shipment], send: ProgressSender | None, fetched: dict[Any, Any]
) -> Iterator[ScenarioResult]:
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


def _fetch(reference: Any, fetched: dict[Any, Any]) -> Any:
    if reference not in fetched:
        fetched[reference] = _get(reference)
    return fetched[reference]


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


def _window(shipment: Shipment, fetched: dict[Any, Any]) -> MarketWindow:
    warmup = shipment.warmup
    if not isinstance(warmup, Mapping):
        warmup = _fetch(warmup, fetched)

    def segment(reference: Any) -> TickSegment:
        return _stream(reference) if shipment.stream else _fetch(reference, fetched).segment

    return make_window(
        shipment.ticks,
        [partial(segment, reference) for reference in shipment.segments],
        [partial(segment, reference) for reference in shipment.conversion],
        stream=shipment.stream,
        symbol=shipment.symbol,
        digits=shipment.digits,
        bar_price=shipment.bar_price,
        start_ns=shipment.start_ns,
        first=shipment.first,
        last=shipment.last,
        warmup=warmup,
        extremes=() if shipment.stream else tuple(_fetch(each, fetched).extremes for each in shipment.segments),
    )
