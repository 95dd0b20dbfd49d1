"""Tick style: a strategy in plain Python, called for each tick."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from itertools import chain, repeat
from operator import length_hint, setitem
from types import MappingProxyType
from typing import Any

import numpy as np

from finiex_ray.bars.block import Block
from finiex_ray.bars.tick import CHUNK, BlockTicks, Tick
from finiex_ray.core.enums import Wake
from finiex_ray.core.market import FloatArray
from finiex_ray.decisions.base import Actions, DecisionLogic, Inputs
from finiex_ray.trading.api import TradingApi
from finiex_ray.trading.views import WakeUp

__all__ = ["MovingOutputs", "MovingValues", "TickLogic", "Values"]

Values = Mapping[str, float | Mapping[str, float]]


class TickLogic(DecisionLogic):
    """A strategy in tick style: easy to write and to debug, free to do anything, a fraction of a microsecond a tick.

    Subclass it, set ``Params`` and ``roles`` where needed, write ``on_tick``. An instance serves one scenario and may
    keep state in its attributes. Name the class as ``"type": "my_package.my_module:MyLogic"``.

    With another ``wake_on`` (the attribute, or the parameter of that name) ``on_tick`` is called only where something has
    happened; for ``Wake.ACTION`` write ``decide`` as well.
    """

    wake_on = Wake.TICK

    @abstractmethod
    def on_tick(self, tick: Tick, values: Values, trading: TradingApi) -> None:
        """Trades at one tick; called in order of time, with the account as it stands after that tick.

        Args:
            tick: The tick, prices in units of the quote currency.
            values: For each role and each worker name its value at this tick: a number where the worker has one output,
                else output name to number. Read-only, and valid during the call: the engine moves it from tick to tick, so
                keep numbers, not mappings.
            trading: Account, positions and orders as of this tick, and the ways to send requests.
        """

    def see(self, block: Block, inputs: Inputs) -> None:
        """Keeps the block for the calls that follow."""
        self._ticks, self._inputs = BlockTicks(block), inputs

    def decide(self, block: Block, inputs: Inputs) -> Actions:  # noqa: ARG002 - for those that are called at their actions
        """Says nothing; write your own, in block style, where ``wake_on`` has ``Wake.ACTION``."""
        return np.zeros(len(block), dtype=np.int8)

    def execute(self, wake: WakeUp, trading: TradingApi) -> None:
        """Calls ``on_tick``."""
        values = {name: _value(outputs, wake.offset) for name, outputs in self._inputs.items()}
        self.on_tick(self._ticks.tick(wake.offset), values, trading)

    def moments(self) -> tuple[Iterator[tuple[Tick, object]], Values]:
        """Every tick of the block in turn (with something to drop), and the values, which move on with it."""
        ticks, values = self._ticks, MovingValues(self._inputs)

        def chunk(first: int) -> Iterator[tuple[Tick, object]]:
            here, indices = ticks.chunk(first)
            return zip(here, values.moves(first, indices), strict=False)

        return chain.from_iterable(map(chunk, range(0, len(ticks), CHUNK))), values.seen


def _value(outputs: Mapping[str, FloatArray], offset: int) -> float | dict[str, float]:
    if len(outputs) == 1:
        (only,) = outputs.values()
        return only.item(offset)
    return {output: values.item(offset) for output, values in outputs.items()}


class MovingValues:
    """The values at one tick, which an iterator moves from tick to tick: C code writes them, and a dictionary is read.

    Attributes:
        seen: What the logic reads.
    """

    def __init__(self, inputs: Inputs) -> None:
        self._single: list[tuple[str, FloatArray]] = []
        self._values: dict[str, Any] = {}
        inner: dict[int, MovingOutputs] = {}  # by worker, which stands under its name and its roles
        for name, outputs in inputs.items():
            if len(outputs) == 1:
                self._single.append((name, next(iter(outputs.values()))))
                self._values[name] = math.nan
            else:
                self._values[name] = inner.setdefault(id(outputs), MovingOutputs(outputs))
        self._inner = list(inner.values())
        self.seen: Values = MappingProxyType(self._values)

    def moves(self, first: int, clock: Iterator[int]) -> Iterator[object]:
        """Moves on by a tick at each step, for `CHUNK` ticks from offset ``first`` of the block on.

        ``clock`` has a step left for each of them that has not come yet.
        """
        part, values = slice(first, first + CHUNK), self._values
        for outputs in self._inner:
            outputs.turn(part, clock)
        moves = [map(setitem, repeat(values), repeat(name), each[part].tolist()) for name, each in self._single]
        if len(moves) > 1:
            return zip(*moves, strict=False)
        return moves[0] if moves else repeat(None)


class MovingOutputs(Mapping[str, float]):
    """One worker's values at the current tick; a column becomes Python numbers when it is first read."""

    def __init__(self, outputs: Mapping[str, FloatArray]) -> None:
        self._arrays, self._columns = outputs, dict[str, list[float]]()
        self._part = slice(0, 0)
        self._clock: Iterator[int] = iter(())

    def turn(self, part: slice, clock: Iterator[int]) -> None:
        """Goes on to some thousand ticks; ``clock`` has a step left for each of them that has not come yet."""
        self._part, self._clock = part, clock
        self._columns.clear()

    def __getitem__(self, output: str) -> float:
        try:
            column = self._columns[output]
        except KeyError:
            column = self._columns[output] = self._arrays[output][self._part].tolist()
        return column[~length_hint(self._clock)]  # counted from the end

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)
