"""What tick-style workers and logics see: one tick, closed bars and forming bars in plain prices; and how they fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import chain, pairwise, repeat
from typing import Any, Final, Generic, NamedTuple, TypeVar

import numpy as np

from finiex_ray.bars.block import BarBlock, Block
from finiex_ray.core.market import BarSeries, FloatArray, IntArray, read_only
from finiex_ray.core.time import Timeframe

__all__ = ["CHUNK", "BlockTicks", "ClosedBars", "FormingBar", "LazyBars", "MovingBars", "Tick", "TickFailure"]

CHUNK: Final = 1_024  # ticks that are turned into Python objects at a time: they stay in a processor's second cache

_Bars = TypeVar("_Bars")


class Tick(NamedTuple):
    """One quote; prices in units of the quote currency."""

    index: int  # type: ignore[assignment]  # (hides tuple.index, of no use here) within the scenario, 0 is its first tick
    time_ns: int  # UTC
    bid: float
    ask: float
    mid: float


class FormingBar(NamedTuple):
    """The bar that a tick falls into, as it stood at that tick; prices in units of the quote currency."""

    start_ns: int  # UTC
    open: float
    high: float
    low: float
    close: float


# A tuple as it is, without the Python call that ``_make`` is.
_NEW_TUPLE: Final[Callable[[type[Tick], Iterable[Any]], Tick]] = tuple.__new__
_MAKE_BAR: Final[Callable[[Iterable[Any]], FormingBar]] = partial(tuple.__new__, FormingBar)
_NO_BARS: Final[list[tuple[int, float, float, float, float]]] = []


class TickFailure(Exception):  # noqa: N818 - not an error of its own: it places another's, which is its __cause__
    """The code of a user raised at one tick; the exception itself is the ``__cause__``.

    Args:
        tick: Index within the scenario of the tick that it was called for.
        outputs: What had been computed for the ticks of the block before it (arrays cut to that length).
    """

    def __init__(self, tick: int, outputs: Mapping[str, Any]) -> None:
        self.tick, self.outputs = tick, outputs
        super().__init__(f"strategy code raised at tick {tick}")

    def __reduce__(self) -> tuple[object, ...]:
        return TickFailure, (self.tick, self.outputs)


class _FloatBars:
    """Prices of a block's closed bars as floats, each column converted when first asked for."""

    def __init__(self, bars: BarBlock, half_point: float) -> None:
        self.series, self._half_point = bars.history, half_point
        self._columns: dict[str, FloatArray] = {}

    def column(self, name: str) -> FloatArray:
        if name not in self._columns:
            values: IntArray = getattr(self.series, f"{name}_hp")
            self._columns[name] = read_only(np.multiply(values, self._half_point, dtype=np.float64))
        return self._columns[name]


class ClosedBars:
    """The bars of one timeframe that have closed so far, oldest first (``close[-1]`` is the latest); read-only."""

    def __init__(self, bars: _FloatBars, closed: int) -> None:
        self._bars, self._closed = bars, closed

    def __len__(self) -> int:
        return self._closed

    @cached_property
    def start_ns(self) -> IntArray:
        """Start of each bar, UTC."""
        return self._bars.series.start_ns[: self._closed]

    @cached_property
    def open(self) -> FloatArray:
        """First price of each bar, units of the quote currency."""
        return self._bars.column("open")[: self._closed]

    @cached_property
    def high(self) -> FloatArray:
        """Highest price of each bar, units of the quote currency."""
        return self._bars.column("high")[: self._closed]

    @cached_property
    def low(self) -> FloatArray:
        """Lowest price of each bar, units of the quote currency."""
        return self._bars.column("low")[: self._closed]

    @cached_property
    def close(self) -> FloatArray:
        """Last price of each bar, units of the quote currency."""
        return self._bars.column("close")[: self._closed]

    @cached_property
    def tick_count(self) -> IntArray:
        """Ticks of each bar."""
        return self._bars.series.tick_count[: self._closed]

    @cached_property
    def series(self) -> BarSeries:
        """The same bars as integers, in half points."""
        return BarSeries(*(column[: self._closed] for column in self._bars.series))


def _unknown(timeframe: Timeframe, timeframes: Sequence[Timeframe]) -> str:
    return f"no bars of {timeframe}: warmup() asks for {', '.join(each.value for each in timeframes)} only"


class LazyBars(Mapping[Timeframe, _Bars], Generic[_Bars]):
    """Timeframe to bars, each built when first asked for."""

    def __init__(self, timeframes: Sequence[Timeframe], build: Callable[[Timeframe], _Bars]) -> None:
        self._timeframes, self._build = timeframes, build
        self._built: dict[Timeframe, _Bars] = {}

    def __getitem__(self, timeframe: Timeframe) -> _Bars:
        if timeframe not in self._built:
            if timeframe not in self._timeframes:
                raise KeyError(_unknown(timeframe, self._timeframes))
            self._built[timeframe] = self._build(timeframe)
        return self._built[timeframe]

    def __iter__(self) -> Iterator[Timeframe]:
        return iter(self._timeframes)

    def __len__(self) -> int:
        return len(self._timeframes)


class MovingBars(Mapping[Timeframe, FormingBar]):
    """The forming bars at one tick of a block, by timeframe: one object, which the engine moves from tick to tick.

    Attributes:
        offset: The tick's offset within the block.
    """

    def __init__(self, ticks: BlockTicks) -> None:
        self._ticks, self.offset = ticks, 0

    def __getitem__(self, timeframe: Timeframe) -> FormingBar:
        return self._ticks.forming_bar(timeframe, self.offset)

    def __iter__(self) -> Iterator[Timeframe]:
        return iter(self._ticks.timeframes)

    def __len__(self) -> int:
        return len(self._ticks.timeframes)


class BlockTicks:
    """A block read tick by tick, in order of time; columns become Python lists some thousand ticks at a time.

    Args:
        block: The block; the timeframes that it holds are those that can be read.
    """

    def __init__(self, block: Block) -> None:
        self._block, self.timeframes = block, tuple(block.bars)
        self._float_bars: dict[Timeframe, _FloatBars] = {}
        self._forming: dict[Timeframe, tuple[int, list[tuple[int, float, float, float, float]]]] = {}

    def __len__(self) -> int:
        return len(self._block)

    def tick(self, offset: int) -> Tick:
        """The tick at ``offset`` within the block."""
        block = self._block
        bid, ask = block.bid_points.item(offset), block.ask_points.item(offset)
        mid = (bid + ask) * block.half_point
        return Tick(block.first_tick + offset, block.time_ns.item(offset), bid * block.point, ask * block.point, mid)

    def stream(self) -> Iterator[Tick]:
        """Every tick of the block in turn."""
        return chain.from_iterable(self.chunk(first)[0] for first in range(0, len(self._block), CHUNK))

    def chunk(self, first: int) -> tuple[Iterator[Tick], Iterator[int]]:
        """The `CHUNK` ticks from offset ``first`` on, or as many as there are, and the iterator of their indices.

        The second has as many steps left as the first: its length hint tells how far that has come.
        """
        block, part = self._block, slice(first, min(first + CHUNK, len(self._block)))
        indices = iter(range(block.first_tick + part.start, block.first_tick + part.stop))
        bid, ask = block.bid_points[part], block.ask_points[part]
        columns = bid * block.point, ask * block.point, (bid + ask) * block.half_point
        rows = zip(indices, block.time_ns[part].tolist(), *(each.tolist() for each in columns), strict=False)
        return map(_NEW_TUPLE, repeat(Tick), rows), indices

    def history(self, offset: int) -> LazyBars[ClosedBars]:
        """Closed bars at the tick at ``offset``, by timeframe."""
        return LazyBars(self.timeframes, lambda timeframe: self._closed(timeframe, offset))

    def spans(self) -> list[tuple[int, int]]:
        """First offset and offset past the last of each run of ticks at which the same bars have closed."""
        edges = np.unique(np.concatenate([[0, len(self._block)], *(b.span_first for b in self._block.bars.values())]))
        return list(pairwise(edges.tolist()))

    def _closed(self, timeframe: Timeframe, offset: int) -> ClosedBars:
        bars = self._block.bars[timeframe]
        if timeframe not in self._float_bars:
            self._float_bars[timeframe] = _FloatBars(bars, self._block.half_point)
        span = int(np.searchsorted(bars.span_first, offset, side="right")) - 1
        return ClosedBars(self._float_bars[timeframe], int(bars.span_closed[span]))

    def forming_bar(self, timeframe: Timeframe, offset: int) -> FormingBar:
        """The forming bar of a timeframe at the tick at ``offset``."""
        first, bars = self._forming.get(timeframe, (0, _NO_BARS))
        if not 0 <= offset - first < len(bars):
            if timeframe not in self.timeframes:
                raise KeyError(_unknown(timeframe, self.timeframes))
            first, bars = self._forming[timeframe] = offset, self._forming_chunk(timeframe, offset)
        return _MAKE_BAR(bars[offset - first])

    def _forming_chunk(self, timeframe: Timeframe, first: int) -> list[tuple[int, float, float, float, float]]:
        block, part = self._block, slice(first, first + CHUNK)
        bars, time_ns = block.bars[timeframe].forming, block.time_ns[part]
        prices = (bars.open_hp, bars.high_hp, bars.low_hp, block.price_hp)
        columns = ((column[part] * block.half_point).tolist() for column in prices)
        return list(zip((time_ns - time_ns % timeframe.ns).tolist(), *columns, strict=True))
