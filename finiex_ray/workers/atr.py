"""Average true range."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from finiex_ray.bars.block import Block
from finiex_ray.kernels.ranges import atr_nb
from finiex_ray.workers.base import Outputs, Worker, WorkerParams, new_output

__all__ = ["Atr", "AtrParams"]


class AtrParams(WorkerParams):
    """Parameters of `Atr`."""

    period: int = Field(14, ge=1, le=100_000, description="Bars in the average.")


class Atr(Worker):
    """Wilder's mean of the true range.

    The true range reaches from the lower of low and close before to the higher of high and close before.
    Begins with the plain mean of the first ``period`` ranges; the first bar has none. By default ten times the period
    is loaded ahead: the weight of the first mean has then fallen below 0.005 % (e^-10).
    """

    Params = AtrParams
    outputs: ClassVar[tuple[str, ...]] = ("atr",)
    params: AtrParams

    def __init__(self, params: AtrParams) -> None:
        super().__init__(params)
        self._consumed = np.zeros(1, dtype=np.int64)
        self._base = np.zeros(1, dtype=np.float64)

    def default_warmup_bars(self) -> int:
        """Ten periods."""
        return max(2, 10 * self.params.period)

    def compute(self, block: Block) -> Outputs:
        """Returns ``atr``, units of the quote currency."""
        bars, params, out = block.bars[self.params.timeframe], self.params, new_output(block)
        history = bars.history
        # Without the forming bar its highs and lows are not read, so they are not rendered either.
        high, low = (bars.forming.high_hp, bars.forming.low_hp) if params.live else (block.price_hp, block.price_hp)
        atr_nb(
            history.high_hp,
            history.low_hp,
            history.close_hp,
            bars.span_first,
            bars.span_closed,
            high,
            low,
            len(block),
            params.live,
            params.period,
            block.half_point,
            self._consumed,
            self._base,
            out,
        )
        return {"atr": out}
