"""Tick style: a strategy in plain Python, called for each tick."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np

from finiex_ray.bars.block import Block
from finiex_ray.bars.tick import BlockTicks, Tick
from finiex_ray.core.enums import Wake
from finiex_ray.decisions.base import Actions, DecisionLogic, Inputs
from finiex_ray.trading.api import TradingApi
from finiex_ray.trading.views import WakeUp

__all__ = ["TickLogic", "Values"]

Values = Mapping[str, float | Mapping[str, float]]


class TickLogic(DecisionLogic):
    """A strategy in tick style: easy to write and to debug, free to do anything, some microseconds a tick.

    Subclass it, set ``Params`` and ``roles`` where needed, write ``on_tick``. An instance serves one scenario and may
    keep state in its attributes. Name the class as ``"type": "my_package.my_module:MyLogic"``.
    """

    wake_on = Wake.TICK

    @abstractmethod
    def on_tick(self, tick: Tick, values: Values, trading: TradingApi) -> None:
        """Trades at one tick; called once a tick, in order of time, with the account as it stands after that tick.

        Args:
            tick: The tick, prices in units of the quote currency.
            values: For each role and each worker name its value at this tick: a number where the worker has one output,
                else output name to number.
            trading: Account, positions and orders as of this tick, and the ways to send requests.
        """

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        """Keeps the block for the calls that follow; decides nothing itself."""
        self._ticks, self._inputs = BlockTicks(block), inputs
        self._lists: dict[str, dict[str, list[float]]] | None = None
        return np.zeros(len(block), dtype=np.int8)

    def execute(self, wake: WakeUp, trading: TradingApi) -> None:
        """Calls ``on_tick``."""
        if self._lists is None:
            self._lists = _as_lists(self._inputs)
        values = {name: _value(outputs, wake.offset) for name, outputs in self._lists.items()}
        self.on_tick(self._ticks.tick(wake.offset), values, trading)


def _as_lists(inputs: Inputs) -> dict[str, dict[str, list[float]]]:
    """Lists in place of arrays, made once for each worker, also where it stands under its name and a role."""
    made: dict[int, dict[str, list[float]]] = {}
    for outputs in inputs.values():
        if id(outputs) not in made:
            made[id(outputs)] = {output: values.tolist() for output, values in outputs.items()}
    return {name: made[id(outputs)] for name, outputs in inputs.items()}


def _value(outputs: dict[str, list[float]], offset: int) -> float | dict[str, float]:
    if len(outputs) == 1:
        (only,) = outputs.values()
        return only[offset]
    return {output: values[offset] for output, values in outputs.items()}
