"""Trades when the RSI and the band agree."""

from __future__ import annotations

from typing import ClassVar

from finiex_ray.decisions.rsi_band import RsiBandLogic

__all__ = ["SimpleConsensus"]


class SimpleConsensus(RsiBandLogic):
    """Buys if RSI < ``rsi_buy_threshold`` *and* position in the band < ``band_extremes``. Sells mirrored."""

    need_both: ClassVar[bool] = True
