"""Relative strength index."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import ClassVar

import numpy as np
from pydantic import Field

from finiex_ray.bars.block import Block
from finiex_ray.bars.screen import Level
from finiex_ray.kernels.levels import rsi_level_nb
from finiex_ray.kernels.rsi import rsi_simple_nb, rsi_wilder_nb
from finiex_ray.workers.base import Outputs, Worker, WorkerParams, new_output
from finiex_ray.workers.levels import LevelBook

__all__ = ["Rsi", "RsiMethod", "RsiParams"]


class RsiMethod(StrEnum):
    """How gains and losses are averaged."""

    WILDER = "wilder"
    SIMPLE = "simple"


class RsiParams(WorkerParams):
    """Parameters of `Rsi`."""

    period: int = Field(14, ge=2, le=100_000, description="Changes from close to close in the average.")
    method: RsiMethod = Field(RsiMethod.WILDER, description="wilder: smoothed averages. simple: plain means.")


class Rsi(Worker):
    """Share of upward movement in all movement, 0 to 100.

    After J. Welles Wilder, New Concepts in Technical Trading Systems, 1978:
    ``100 * gains / (gains + losses)``; 50 where the price has not moved at all (TA-Lib gives 0 there). ``wilder``
    begins with the plain means of the first ``period`` changes. By default ten times the period is loaded ahead: the
    weight of the first means has then fallen below 0.005 % (e^-10). ``simple`` loads exactly what it needs.
    """

    Params = RsiParams
    outputs: ClassVar[tuple[str, ...]] = ("rsi",)
    params: RsiParams

    def __init__(self, params: RsiParams) -> None:
        super().__init__(params)
        self._consumed = np.zeros(1, dtype=np.int64)
        self._base = np.zeros(2, dtype=np.float64)
        self._levels = LevelBook(params.timeframe, means=2)

    def default_warmup_bars(self) -> int:
        """Wilder: 10 periods. Simple: one period of changes."""
        if self.params.method is RsiMethod.WILDER:
            return 10 * self.params.period
        return self.params.period + (0 if self.params.live else 1)

    def level(self, block: Block, output: str, value: float) -> Level | None:
        """Where the RSI reaches ``value``, on the forming bar."""
        if not self.params.live or output != "rsi":
            return None
        bars, wilder = block.bars[self.params.timeframe], self.params.method is RsiMethod.WILDER
        find = partial(rsi_level_nb, bars.history.close_hp, bars.span_closed, self.params.period, wilder)
        return self._levels.level(block, value, find)

    def compute(self, block: Block) -> Outputs:
        """Returns ``rsi``, 0 to 100."""
        bars, out = block.bars[self.params.timeframe], new_output(block)
        spans = bars.history.close_hp, bars.span_first, bars.span_closed, block.price_hp
        if self.params.method is RsiMethod.WILDER:
            rsi_wilder_nb(*spans, self.params.live, self.params.period, self._consumed, self._base, out)
        else:
            rsi_simple_nb(*spans, self.params.live, self.params.period, out)
        return {"rsi": out}
