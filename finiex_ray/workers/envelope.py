"""Moving average with bands at a fixed percentage."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from finiex_ray.bars.block import Block
from finiex_ray.bars.screen import Level
from finiex_ray.workers.average import AverageParams, AverageWorker
from finiex_ray.workers.base import Outputs

__all__ = ["Envelope", "EnvelopeParams"]


class EnvelopeParams(AverageParams):
    """Parameters of `Envelope`."""

    deviation: float = Field(2.0, gt=0, lt=100, description="Distance of each band from the average, percent of it.")


class Envelope(AverageWorker):
    """Moving average plus and minus ``deviation`` percent, units of the quote currency."""

    Params = EnvelopeParams
    outputs: ClassVar[tuple[str, ...]] = ("upper", "middle", "lower")
    params: EnvelopeParams

    def level(self, block: Block, output: str, value: float) -> Level | None:
        """Where the price's position in the band reaches ``value``, on the forming bar."""
        share = self.params.deviation / 100.0
        return self.price_at(block, 1.0 - share + 2.0 * share * value) if output == "position" else None

    def compute(self, block: Block) -> Outputs:
        """Returns ``upper``, ``middle`` and ``lower``, units of the quote currency."""
        middle, share = self.average(block), self.params.deviation / 100.0
        return {"upper": middle * (1.0 + share), "middle": middle, "lower": middle * (1.0 - share)}
