"""Moving average convergence divergence."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from finiex_ray.bars.block import Block
from finiex_ray.kernels.macd import macd_nb
from finiex_ray.workers.base import Outputs, Worker, WorkerParams, new_output

__all__ = ["Macd", "MacdParams"]


class MacdParams(WorkerParams):
    """Parameters of `Macd`."""

    fast: int = Field(12, ge=2, le=100_000, description="Bars of the fast mean; less than slow.")
    slow: int = Field(26, ge=3, le=100_000, description="Bars of the slow mean.")
    signal: int = Field(9, ge=1, le=100_000, description="Values of the signal's mean.")

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.fast >= self.slow:
            raise ValueError(f"fast ({self.fast}) must be less than slow ({self.slow})")
        return self


class Macd(Worker):
    """Fast less slow exponential mean, that line's own exponential mean as its signal, and the distance of the two.

    Seeded as TA-Lib does: both means begin at the ``slow``-th bar with plain means, the signal with the plain mean of
    the first ``signal`` values. By default five times (slow + signal) bars are loaded ahead; the weight of the
    beginning has then fallen below 0.005 % (e^-10).
    """

    Params = MacdParams
    outputs: ClassVar[tuple[str, ...]] = ("macd", "signal", "histogram")
    params: MacdParams

    def __init__(self, params: MacdParams) -> None:
        super().__init__(params)
        self._consumed = np.zeros(1, dtype=np.int64)
        self._means = np.zeros(3, dtype=np.float64)

    def default_warmup_bars(self) -> int:
        """Five times (slow + signal)."""
        return 5 * (self.params.slow + self.params.signal)

    def compute(self, block: Block) -> Outputs:
        """Returns ``macd``, ``signal`` and ``histogram``, units of the quote currency."""
        bars, params = block.bars[self.params.timeframe], self.params
        macd, signal, histogram = new_output(block), new_output(block), new_output(block)
        macd_nb(
            bars.history.close_hp,
            bars.span_first,
            bars.span_closed,
            block.price_hp,
            params.live,
            params.fast,
            params.slow,
            params.signal,
            block.half_point,
            self._consumed,
            self._means,
            macd,
            signal,
            histogram,
        )
        return {"macd": macd, "signal": signal, "histogram": histogram}
