"""Tick style: a strategy in plain Python, called for each tick."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from itertools import chain, repeat
from operator import setitem
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

__all__ = ["TickLogic", "Values"]

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
        """Every tick of the block in turn, and the values, which move on with it: `execute` without an object a call."""
        values, moves = _moving(self._inputs)
        return zip(self._ticks.stream(), moves, strict=False), values


def _value(outputs: Mapping[str, FloatArray], offset: int) -> float | dict[str, float]:
    if len(outputs) == 1:
        (only,) = outputs.values()
        return only.item(offset)
    return {output: values.item(offset) for output, values in outputs.items()}


def _moving(inputs: Inputs) -> tuple[Values, Iterator[object]]:
    """Values that each step of an iterator moves on by a tick; dictionaries are written by C code, and read by it."""
    values: dict[str, Any] = {}
    inner: dict[int, Values] = {}  # by worker, which stands under its name and its roles
    moves: list[Iterator[None]] = []
    for name, outputs in inputs.items():
        if len(outputs) == 1:
            (only,) = outputs.values()
            moves.append(map(setitem, repeat(values), repeat(name), _floats(only)))
        elif id(outputs) not in inner:
            held: dict[str, float] = {}
            inner[id(outputs)] = values[name] = MappingProxyType(held)
            moves += [map(setitem, repeat(held), repeat(output), _floats(each)) for output, each in outputs.items()]
        else:
            values[name] = inner[id(outputs)]
    return MappingProxyType(values), zip(*moves, strict=False) if moves else repeat(None)


def _floats(values: FloatArray) -> Iterator[float]:
    return chain.from_iterable(values[first : first + CHUNK].tolist() for first in range(0, len(values), CHUNK))
