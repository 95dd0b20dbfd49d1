"""Moving average of closes."""

from __future__ import annotations

from typing import ClassVar

from finiex_ray.bars.block import Block
from finiex_ray.workers.average import AverageParams, AverageWorker
from finiex_ray.workers.base import Outputs

__all__ = ["MovingAverage"]


class MovingAverage(AverageWorker):
    """Simple or exponential moving average of closes, units of the quote currency."""

    Params = AverageParams
    outputs: ClassVar[tuple[str, ...]] = ("ma",)

    def compute(self, block: Block) -> Outputs:
        """Returns ``ma``, units of the quote currency."""
        return {"ma": self.average(block)}
