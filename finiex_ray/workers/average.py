"""The mean that `moving_average` and `envelope` share."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import ClassVar

import numpy as np
from pydantic import Field

from finiex_ray.bars.block import Block
from finiex_ray.bars.screen import Level
from finiex_ray.core.market import FloatArray
from finiex_ray.kernels.averages import ema_nb, sma_nb
from finiex_ray.kernels.levels import average_level_nb
from finiex_ray.workers.base import Worker, WorkerParams, new_output
from finiex_ray.workers.levels import LevelBook

__all__ = ["AverageKind", "AverageParams", "AverageWorker"]


class AverageKind(StrEnum):
    """How closes are averaged."""

    SMA = "sma"
    EMA = "ema"


class AverageParams(WorkerParams):
    """Parameters of a mean of closes."""

    period: int = Field(20, ge=1, le=100_000, description="Bars in the average.")
    kind: AverageKind = Field(
        AverageKind.SMA, description="sma: plain mean. ema: exponential, factor 2 / (period + 1)."
    )


class AverageWorker(Worker):
    """Base of workers that stand on a mean of closes.

    An exponential mean begins with the plain mean of the first ``period`` bars (as TA-Lib does). By default five
    times the period is loaded ahead for it: the weight of the beginning has then fallen below 0.005 % (e^-10). A
    plain mean loads exactly what it needs.
    """

    Params: ClassVar[type[WorkerParams]] = AverageParams
    params: AverageParams

    def __init__(self, params: AverageParams) -> None:
        super().__init__(params)
        self._consumed = np.zeros(1, dtype=np.int64)
        self._mean = np.zeros(1, dtype=np.float64)
        self._levels = LevelBook(params.timeframe, means=1)

    def default_warmup_bars(self) -> int:
        """EMA: 5 periods and one bar. SMA: the period, less the forming bar where it counts."""
        if self.params.kind is AverageKind.EMA:
            return 5 * self.params.period + 1
        return max(1, self.params.period - (1 if self.params.live else 0))

    def price_at(self, block: Block, factor: float) -> Level | None:
        """Where the price is ``factor`` times the mean that it is part of, on the forming bar."""
        if not self.params.live:
            return None
        bars, exponential = block.bars[self.params.timeframe], self.params.kind is AverageKind.EMA
        find = partial(average_level_nb, bars.history.close_hp, bars.span_closed, self.params.period, exponential)
        return self._levels.level(block, factor, find)

    def average(self, block: Block) -> FloatArray:
        """The mean at each tick, units of the quote currency."""
        bars, out = block.bars[self.params.timeframe], new_output(block)
        spans = bars.history.close_hp, bars.span_first, bars.span_closed, block.price_hp
        live, period, unit = self.params.live, self.params.period, block.half_point
        if self.params.kind is AverageKind.EMA:
            ema_nb(*spans, live, period, unit, self._consumed, self._mean, out)
        else:
            sma_nb(*spans, live, period, unit, out)
        return out
