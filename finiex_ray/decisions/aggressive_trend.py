"""Trades when the RSI or the band says so."""

from __future__ import annotations

from typing import ClassVar

from finiex_ray.decisions.rsi_band import RsiBandLogic

__all__ = ["AggressiveTrend"]


class AggressiveTrend(RsiBandLogic):
    """Buys if RSI < ``rsi_buy_threshold`` *or* position in the band < ``band_extremes``. Sells mirrored."""

    need_both: ClassVar[bool] = False
