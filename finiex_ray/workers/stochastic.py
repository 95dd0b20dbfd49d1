"""Stochastic oscillator."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from finiex_ray.bars.block import Block
from finiex_ray.kernels.ranges import stochastic_nb
from finiex_ray.workers.base import Outputs, Worker, WorkerParams, new_output

__all__ = ["Stochastic", "StochasticParams"]


class StochasticParams(WorkerParams):
    """Parameters of `Stochastic`."""

    k_period: int = Field(14, ge=1, le=100_000, description="Bars in the range of highs and lows.")
    k_smooth: int = Field(3, ge=1, le=1_000, description="Values in the plain mean that gives %K; 1: unsmoothed.")
    d_period: int = Field(3, ge=1, le=1_000, description="Values of %K in the plain mean that gives %D.")


class Stochastic(Worker):
    """Where the price stands in the range of the last bars, 0 to 100: %K (``k``) and its mean %D (``d``).

    50 where the range is zero (TA-Lib gives 0 there). Loads exactly the bars that it needs.
    """

    Params = StochasticParams
    outputs: ClassVar[tuple[str, ...]] = ("k", "d")
    params: StochasticParams

    def __init__(self, params: StochasticParams) -> None:
        super().__init__(params)
        self._recent = np.zeros(params.k_smooth + params.d_period, dtype=np.float64)

    def default_warmup_bars(self) -> int:
        """All bars that take part, less the forming bar where it counts."""
        params = self.params
        return max(1, params.k_period + params.k_smooth + params.d_period - 2 - (1 if params.live else 0))

    def compute(self, block: Block) -> Outputs:
        """Returns ``k`` and ``d``, 0 to 100."""
        bars, params = block.bars[self.params.timeframe], self.params
        k, d, history = new_output(block), new_output(block), bars.history
        # Without the forming bar its highs and lows are not read, so they are not rendered either.
        high, low = (bars.forming.high_hp, bars.forming.low_hp) if params.live else (block.price_hp, block.price_hp)
        stochastic_nb(
            history.high_hp,
            history.low_hp,
            history.close_hp,
            bars.span_first,
            bars.span_closed,
            block.price_hp,
            high,
            low,
            params.live,
            params.k_period,
            params.k_smooth,
            params.d_period,
            self._recent,
            k,
            d,
        )
        return {"k": k, "d": d}
