"""Tick style: a worker in plain Python, called for each tick, and the adapter that turns it into the block contract."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import ClassVar

import numpy as np

from finiex_ray.bars.block import Block
from finiex_ray.bars.tick import BlockTicks, ClosedBars, FormingBar, Tick, TickFailure
from finiex_ray.core.errors import StrategyContractError
from finiex_ray.core.log import SILENT, StrategyLog
from finiex_ray.core.market import FloatArray
from finiex_ray.core.time import Timeframe
from finiex_ray.workers.base import Outputs, Worker, WorkerParams, new_output

__all__ = ["TickWorker", "TickWorkerAdapter", "adapt"]


class TickWorker(ABC):
    """An indicator in tick style: easy to write and to debug, free to do anything, some microseconds a tick.

    Subclass it, set ``Params`` and ``outputs``, write ``compute``. An instance serves one scenario and may keep state
    in its attributes. Name the class as ``"type": "my_package.my_module:MyWorker"``.

    Attributes:
        Params: The pydantic model of the parameters.
        outputs: Names of the values that ``compute`` returns.
        log: The scenario's log.
    """

    Params: ClassVar[type[WorkerParams]] = WorkerParams
    outputs: ClassVar[tuple[str, ...]] = ("value",)

    def __init__(self, params: WorkerParams) -> None:
        self.params = params
        self.log: StrategyLog = SILENT

    def warmup(self) -> Mapping[Timeframe, int]:
        """Closed bars that must lie before the first tick, by timeframe; only these timeframes can be read."""
        return {self.params.timeframe: self.params.warmup_bars or self.default_warmup_bars()}

    def default_warmup_bars(self) -> int:
        """How many closed bars of ``params.timeframe`` are needed where ``warmup_bars`` is not set (1 or more)."""
        return 1

    @abstractmethod
    def compute(
        self,
        tick: Tick,
        bar_history: Mapping[Timeframe, ClosedBars],
        forming_bars: Mapping[Timeframe, FormingBar],
    ) -> float | Mapping[str, float]:
        """Computes the value at one tick; called once a tick, in order of time.

        Args:
            tick: The tick, prices in units of the quote currency.
            bar_history: Closed bars so far, warm-up bars first, by timeframe.
            forming_bars: The bar that the tick falls into, as it stands with this tick, by timeframe.

        Returns:
            The value of the one output, or a value for each name in ``outputs``.
        """


class TickWorkerAdapter(Worker):
    """Runs a `TickWorker` under the block contract; `adapt` makes the subclass for one.

    Raises:
        TickFailure: From ``compute``, when the worker's own code raises at a tick.
    """

    inner_type: ClassVar[type[TickWorker]]

    def __init__(self, params: WorkerParams) -> None:
        super().__init__(params)
        self.inner = self.inner_type(params)

    def warmup(self) -> Mapping[Timeframe, int]:
        """What the tick-style worker asks for."""
        return self.inner.warmup()

    def default_warmup_bars(self) -> int:
        """What the tick-style worker asks for."""
        return self.inner.default_warmup_bars()

    def compute(self, block: Block) -> Outputs:
        """Calls the worker for each tick of the block."""
        self.inner.log = self.log
        own = replace(block, bars={timeframe: block.bars[timeframe] for timeframe in self.warmup()})
        ticks = BlockTicks(own)
        out = {name: new_output(block) for name in self.outputs}
        for offset in range(len(block)):
            try:
                tick = ticks.tick(offset)
                self.log.at(tick.index, tick.time_ns)
                value = self.inner.compute(tick, ticks.history(offset), ticks.forming(offset))
                self._store(value, out, offset)
            except (Exception, SystemExit) as error:
                done = {name: values[:offset] for name, values in out.items()}
                raise TickFailure(block.first_tick + offset, done) from error
        return out

    def _store(self, value: float | Mapping[str, float], out: Mapping[str, FloatArray], offset: int) -> None:
        name = self.inner_type.__qualname__
        if isinstance(value, Mapping):
            missing = [output for output in self.outputs if output not in value]
            if missing:
                raise StrategyContractError(f"{name}.compute returned no value for: {', '.join(missing)}")
            for output, values in out.items():
                values[offset] = value[output]
        elif len(self.outputs) == 1 and isinstance(value, int | float | np.number):
            out[self.outputs[0]][offset] = value
        else:
            expected = "a number or a mapping" if len(self.outputs) == 1 else "a mapping"
            raise StrategyContractError(
                f"{name}.compute returned {type(value).__name__}; expected {expected} with {', '.join(self.outputs)}"
            )


@cache
def adapt(worker: type[TickWorker]) -> type[TickWorkerAdapter]:
    """The block-style class for a tick-style one."""
    body = {"inner_type": worker, "Params": worker.Params, "outputs": worker.outputs, "__doc__": worker.__doc__}
    return type(worker.__name__, (TickWorkerAdapter,), {**body, "__module__": worker.__module__})
