"""Moving average with bands of standard deviations."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from finiex_ray.bars.block import Block
from finiex_ray.bars.screen import Level
from finiex_ray.core.market import FloatArray, IntArray
from finiex_ray.kernels.bands import bollinger_nb
from finiex_ray.kernels.levels import bollinger_level_nb
from finiex_ray.workers.base import Outputs, Worker, WorkerParams, new_output
from finiex_ray.workers.levels import LevelBook

__all__ = ["Bollinger", "BollingerParams"]


class BollingerParams(WorkerParams):
    """Parameters of `Bollinger`."""

    period: int = Field(20, ge=2, le=100_000, description="Bars in the average and in the deviation.")
    deviation: float = Field(2.0, gt=0, le=1_000, description="Distance of each band, population standard deviations.")


class Bollinger(Worker):
    """Simple moving average plus and minus ``deviation`` population standard deviations of the same closes."""

    Params = BollingerParams
    outputs: ClassVar[tuple[str, ...]] = ("upper", "middle", "lower")
    params: BollingerParams

    def __init__(self, params: BollingerParams) -> None:
        super().__init__(params)
        self._levels = LevelBook(params.timeframe, means=0)

    def default_warmup_bars(self) -> int:
        """The period, less the forming bar where it counts."""
        return self.params.period - (1 if self.params.live else 0)

    def level(self, block: Block, output: str, value: float) -> Level | None:
        """Where the price's position in the band reaches ``value``, on the forming bar."""
        if not self.params.live or output != "position":
            return None
        bars, period = block.bars[self.params.timeframe], self.params.period

        def find(score: float, _consumed: IntArray, _means: FloatArray, out: FloatArray) -> None:
            bollinger_level_nb(bars.history.close_hp, bars.span_closed, period, score, out)

        return self._levels.level(block, (2.0 * value - 1.0) * self.params.deviation, find)

    def compute(self, block: Block) -> Outputs:
        """Returns ``upper``, ``middle`` and ``lower``, units of the quote currency."""
        bars, params = block.bars[self.params.timeframe], self.params
        upper, middle, lower = new_output(block), new_output(block), new_output(block)
        bollinger_nb(
            bars.history.close_hp,
            bars.span_first,
            bars.span_closed,
            block.price_hp,
            params.live,
            params.period,
            params.deviation,
            block.half_point,
            upper,
            middle,
            lower,
        )
        return {"upper": upper, "middle": middle, "lower": lower}
