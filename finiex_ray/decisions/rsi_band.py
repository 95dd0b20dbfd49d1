"""What `aggressive_trend` and `simple_consensus` share: an RSI and a band, each with thresholds on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from finiex_ray.bars.block import Block
from finiex_ray.bars.screen import Screen, make_screen
from finiex_ray.decisions.base import Actions, Inputs
from finiex_ray.decisions.one_position import POLICY_PARAMS, OnePositionLogic, OnePositionParams
from finiex_ray.kernels.decisions import rsi_band_nb
from finiex_ray.workers.base import Worker

__all__ = ["RsiBandLogic", "RsiBandParams"]


class RsiBandParams(OnePositionParams):
    """Parameters of the logics on an RSI and a band."""

    rsi_buy_threshold: float = Field(30.0, gt=0, le=100, description="Buy below this RSI.")
    rsi_sell_threshold: float = Field(70.0, ge=0, lt=100, description="Sell above this RSI.")
    band_extremes: float = Field(
        0.0,
        ge=-1,
        le=0.5,
        description="Buy below this position in the band (0: lower band, 1: upper band), sell above 1 less it.",
    )
    min_confidence: float = Field(0.0, ge=0, le=1, description="Confidence that a signal must reach.")

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.rsi_buy_threshold > self.rsi_sell_threshold:
            raise ValueError(
                f"rsi_buy_threshold ({self.rsi_buy_threshold}) must not be above "
                f"rsi_sell_threshold ({self.rsi_sell_threshold})"
            )
        return self


class RsiBandLogic(OnePositionLogic):
    """Base: an oversold RSI and a price at the lower band speak for buying, the mirror image for selling.

    The position in the band is ``(price - lower) / (upper - lower)``. A strength is how far a value is past its
    threshold: for the RSI as a share of the way to the end of its scale, for the band in widths of the band, each at
    most 1. Where both a buy and a sell signal hold, none is given; neither is one where values are missing (NaN) or the
    band has no width.

    Attributes:
        need_both: True: both conditions must hold, the confidence is the lesser strength. False: one is enough, the
            confidence is the greater strength.
    """

    Params = RsiBandParams
    roles: ClassVar[Mapping[str, tuple[str, ...]]] = {"rsi": ("rsi",), "band": ("upper", "lower")}
    policy_params: ClassVar[frozenset[str]] = POLICY_PARAMS
    need_both: ClassVar[bool]
    params: RsiBandParams

    def screen(self, workers: Mapping[str, tuple[Worker, Block]]) -> Screen | None:
        """Between the levels at which RSI and band begin to signal."""
        params = self.params
        (rsi, rsi_block), (band, band_block) = workers["rsi"], workers["band"]
        buy = [
            rsi.level(rsi_block, "rsi", params.rsi_buy_threshold),
            band.level(band_block, "position", params.band_extremes),
        ]
        sell = [
            rsi.level(rsi_block, "rsi", params.rsi_sell_threshold),
            band.level(band_block, "position", 1.0 - params.band_extremes),
        ]
        known = [[level for level in levels if level is not None] for levels in (buy, sell)]
        if len(known[0]) + len(known[1]) < len(buy) + len(sell):
            return None
        return make_screen(*known, need_all=self.need_both)

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        """BUY, SELL or NONE for each tick."""
        actions: Actions = np.empty(len(block), dtype=np.int8)
        params, band = self.params, inputs["band"]
        rsi_band_nb(
            inputs["rsi"]["rsi"],
            band["upper"],
            band["lower"],
            block.price_hp,
            block.half_point,
            params.rsi_buy_threshold,
            params.rsi_sell_threshold,
            params.band_extremes,
            params.min_confidence,
            self.need_both,
            actions,
        )
        return actions
