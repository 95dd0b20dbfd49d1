"""Tick style: a strategy in plain Python, called for each tick."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
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

    def moments(self) -> tuple[Iterator[tuple[int, Tick]], MovingValues]:
        """Every tick of the block in turn, with what ``at`` of the values is to be set to for it."""
        values, ticks = MovingValues(self._inputs), self._ticks

        def chunk(first: int) -> Iterator[tuple[int, Tick]]:
            values.turn(first)
            return zip(range(CHUNK), ticks.chunk(first), strict=False)

        return chain.from_iterable(map(chunk, range(0, len(ticks), CHUNK))), values


def _value(outputs: Mapping[str, FloatArray], offset: int) -> float | dict[str, float]:
    if len(outputs) == 1:
        (only,) = outputs.values()
        return only.item(offset)
    return {output: values.item(offset) for output, values in outputs.items()}


class _Columns(dict[Any, list[Any]]):
    """Some thousand values of each column, which become Python objects when first asked for."""

    def __init__(self, convert: Callable[[Any], list[Any]]) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, key: Any) -> list[Any]:
        self[key] = made = self._convert(key)
        return made


class MovingValues(Mapping[str, "float | Mapping[str, float]"]):
    """The values at one tick: one object, which the engine moves from tick to tick.

    Attributes:
        at: The tick's place among the ticks since ``turn``.
    """

    def __init__(self, inputs: Inputs) -> None:
        self._inputs, self.at, self._part = inputs, 0, slice(0, 0)
        self._outputs = {name: MovingOutputs(self, each) for name, each in inputs.items() if len(each) != 1}
        self._columns = _Columns(self._column)

    def turn(self, first: int) -> None:
        """Goes on to the ticks from offset ``first`` of the block on."""
        self._part = slice(first, first + CHUNK)
        self._columns.clear()
        for outputs in self._outputs.values():
            outputs.columns.clear()

    def floats(self, values: FloatArray) -> list[float]:
        """Those of an array that belong to the ticks since ``turn``."""
        made: list[float] = values[self._part].tolist()
        return made

    def _column(self, name: str) -> list[Any]:
        if name in self._outputs:
            return [self._outputs[name]] * CHUNK
        (only,) = self._inputs[name].values()
        return self.floats(only)

    def __getitem__(self, name: str) -> Any:
        return self._columns[name][self.at]

    def __iter__(self) -> Iterator[str]:
        return iter(self._inputs)

    def __len__(self) -> int:
        return len(self._inputs)


class MovingOutputs(Mapping[str, float]):
    """One worker's values at the tick that `MovingValues` stands at."""

    def __init__(self, values: MovingValues, outputs: Mapping[str, FloatArray]) -> None:
        self._values, self._arrays = values, outputs
        self.columns = _Columns(lambda output: values.floats(outputs[output]))

    def __getitem__(self, output: str) -> float:
        value: float = self.columns[output][self._values.at]
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)
