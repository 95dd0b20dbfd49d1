"""Tick style: a worker in plain Python, called for each tick, and the adapter that turns it into the block contract."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import ClassVar

import numpy as np

from finiex_ray.bars.block import Block
from finiex_ray.bars.tick import BlockTicks, ClosedBars, FormingBar, MovingBars, Tick, TickFailure
from finiex_ray.core.errors import StrategyContractError
from finiex_ray.core.log import SILENT, PlacedLog, StrategyLog
from finiex_ray.core.time import Timeframe
from finiex_ray.workers.base import Outputs, Worker, WorkerParams

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
            forming_bars: The bar that the tick falls into, as it stands with this tick, by timeframe. The mapping is moved
                from tick to tick: keep a bar, not the mapping, for longer than the call.

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
        ticks = BlockTicks(replace(block, bars={timeframe: block.bars[timeframe] for timeframe in self.warmup()}))
        values: dict[str, list[float]] = {name: [] for name in self.outputs}
        compute, store, forming, stream = self.inner.compute, self._store(values), MovingBars(ticks), ticks.stream()
        offset, tick = 0, ticks.tick(0)
        self.inner.log = PlacedLog(self.log, lambda: (tick.index, tick.time_ns))
        try:
            for first, last in ticks.spans():
                history = ticks.history(first)
                for offset, tick in zip(range(first, last), stream):  # noqa: B905 - the range first: it takes no tick more
                    forming.offset = offset
                    store(compute(tick, history, forming))
        except (Exception, SystemExit) as error:
            done = {name: np.array(each[:offset], np.float64) for name, each in values.items()}
            self.log.at(tick.index, tick.time_ns)
            raise TickFailure(block.first_tick + offset, done) from error
        return {name: np.array(each, np.float64) for name, each in values.items()}

    def _store(self, values: Mapping[str, list[float]]) -> Callable[[float | Mapping[str, float]], None]:
        """What appends an answer of the worker to the values."""
        name, outputs = self.inner_type.__qualname__, self.outputs
        only = values[outputs[0]].append if len(outputs) == 1 else None
        appends = [(output, each.append) for output, each in values.items()]
        number = np.empty(1, np.float64)

        def store(value: float | Mapping[str, float]) -> None:
            if type(value) is float and only is not None:
                only(value)
            elif type(value) is dict or isinstance(value, Mapping):
                missing = [output for output in outputs if output not in value]
                if missing:
                    raise StrategyContractError(f"{name}.compute returned no value for: {', '.join(missing)}")
                for output, append in appends:
                    part = value[output]
                    if type(part) is not float:
                        number[0] = part
                        part = number.item()
                    append(part)
            elif only is not None and isinstance(value, int | float | np.number):
                number[0] = value
                only(number.item())
            else:
                expected = "a number or a mapping" if only is not None else "a mapping"
                raise StrategyContractError(
                    f"{name}.compute returned {type(value).__name__}; expected {expected} with {', '.join(outputs)}"
                )

        return store


@cache
def adapt(worker: type[TickWorker]) -> type[TickWorkerAdapter]:
    """The block-style class for a tick-style one."""
    body = {"inner_type": worker, "Params": worker.Params, "outputs": worker.outputs, "__doc__": worker.__doc__}
    return type(worker.__name__, (TickWorkerAdapter,), {**body, "__module__": worker.__module__})
