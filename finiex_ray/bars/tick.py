"""What tick-style workers and logics see: one tick, closed bars and forming bars in plain prices; and how they fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from finiex_ray.bars.block import BarBlock, Block
from finiex_ray.core.market import BarSeries, FloatArray, IntArray, read_only
from finiex_ray.core.time import Timeframe

__all__ = ["BlockTicks", "ClosedBars", "FormingBar", "LazyBars", "Tick", "TickFailure"]

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

    @property
    def start_ns(self) -> IntArray:
        """Start of each bar, UTC."""
        return self._bars.series.start_ns[: self._closed]

    @property
    def open(self) -> FloatArray:
        """First price of each bar, units of the quote currency."""
        return self._bars.column("open")[: self._closed]

    @property
    def high(self) -> FloatArray:
        """Highest price of each bar, units of the quote currency."""
        return self._bars.column("high")[: self._closed]

    @property
    def low(self) -> FloatArray:
        """Lowest price of each bar, units of the quote currency."""
        return self._bars.column("low")[: self._closed]

    @property
    def close(self) -> FloatArray:
        """Last price of each bar, units of the quote currency."""
        return self._bars.column("close")[: self._closed]

    @property
    def tick_count(self) -> IntArray:
        """Ticks of each bar."""
        return self._bars.series.tick_count[: self._closed]

    @property
    def series(self) -> BarSeries:
        """The same bars as integers, in half points."""
        return BarSeries(*(column[: self._closed] for column in self._bars.series))


class LazyBars(Mapping[Timeframe, _Bars], Generic[_Bars]):
    """Timeframe to bars, each built when first asked for."""

    def __init__(self, timeframes: Sequence[Timeframe], build: Callable[[Timeframe], _Bars]) -> None:
        self._timeframes, self._build = timeframes, build
        self._built: dict[Timeframe, _Bars] = {}

    def __getitem__(self, timeframe: Timeframe) -> _Bars:
        if timeframe not in self._built:
            if timeframe not in self._timeframes:
                known = ", ".join(each.value for each in self._timeframes)
                raise KeyError(f"no bars of {timeframe}: warmup() asks for {known} only")
            self._built[timeframe] = self._build(timeframe)
        return self._built[timeframe]

    def __iter__(self) -> Iterator[Timeframe]:
        return iter(self._timeframes)

    def __len__(self) -> int:
        return len(self._timeframes)


class BlockTicks:
    """A block read tick by tick, offset by offset; columns become Python lists once.

    Args:
        block: The block; the timeframes that it holds are those that can be read.
    """

    def __init__(self, block: Block) -> None:
        self._block, self._timeframes = block, tuple(block.bars)
        self._float_bars: dict[Timeframe, _FloatBars] = {}

    @cached_property
    def _columns(self) -> tuple[list[int], list[float], list[float], list[float]]:
        block = self._block
        mid = (block.bid_points + block.ask_points) * block.half_point
        bid, ask = block.bid_points * block.point, block.ask_points * block.point
        return block.time_ns.tolist(), bid.tolist(), ask.tolist(), mid.tolist()

    def tick(self, offset: int) -> Tick:
        """The tick at ``offset`` within the block."""
        time_ns, bid, ask, mid = self._columns
        return Tick(self._block.first_tick + offset, time_ns[offset], bid[offset], ask[offset], mid[offset])

    def history(self, offset: int) -> LazyBars[ClosedBars]:
        """Closed bars at the tick at ``offset``, by timeframe."""
        return LazyBars(self._timeframes, lambda timeframe: self._closed(timeframe, offset))

    def forming(self, offset: int) -> LazyBars[FormingBar]:
        """The forming bar at the tick at ``offset``, by timeframe."""
        return LazyBars(self._timeframes, lambda timeframe: self._forming(timeframe, offset))

    def _closed(self, timeframe: Timeframe, offset: int) -> ClosedBars:
        bars = self._block.bars[timeframe]
        if timeframe not in self._float_bars:
            self._float_bars[timeframe] = _FloatBars(bars, self._block.half_point)
        span = int(np.searchsorted(bars.span_first, offset, side="right")) - 1
        return ClosedBars(self._float_bars[timeframe], int(bars.span_closed[span]))

    def _forming(self, timeframe: Timeframe, offset: int) -> FormingBar:
        block, bars = self._block, self._block.bars[timeframe].forming
        time_ns, unit = self._columns[0][offset], block.half_point
        return FormingBar(
            time_ns - time_ns % timeframe.ns,
            int(bars.open_hp[offset]) * unit,
            int(bars.high_hp[offset]) * unit,
            int(bars.low_hp[offset]) * unit,
            int(block.price_hp[offset]) * unit,
        )
