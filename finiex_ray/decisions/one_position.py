"""Base of logics that hold at most one position and let the compiled policy trade."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Final

from pydantic import Field

from finiex_ray.decisions.base import DecisionLogic, LogicParams
from finiex_ray.trading.policy import OnePositionPolicy, OnOpposite

__all__ = ["POLICY_PARAMS", "OnePositionLogic", "OnePositionParams"]


class OnePositionParams(LogicParams):
    """Parameters of the one-position policy."""

    lots: Decimal = Field(Decimal("0.1"), gt=0, le=1_000_000, description="Volume of a position, lots.")
    sl_points: int = Field(0, ge=0, le=10**9, description="Stop loss distance from the fill price, points; 0: none.")
    tp_points: int = Field(0, ge=0, le=10**9, description="Take profit distance from the fill price, points; 0: none.")
    trail_points: int = Field(
        0, ge=0, le=10**9, description="Trailing stop distance from the best quote, points; 0: none."
    )
    on_opposite: OnOpposite = Field(
        OnOpposite.CLOSE, description="close: an opposite signal closes, the next one opens. reverse: both at once."
    )
    min_free_margin: Decimal = Field(
        Decimal(0), ge=0, description="Free margin, account currency, below which nothing is opened."
    )


POLICY_PARAMS: Final = frozenset(OnePositionParams.model_fields) - frozenset(LogicParams.model_fields)


class OnePositionLogic(DecisionLogic):
    """A logic whose actions the compiled one-position policy trades."""

    Params: ClassVar[type[LogicParams]] = OnePositionParams
    params: OnePositionParams

    def policy(self) -> OnePositionPolicy:
        """The policy, from the parameters."""
        params = self.params
        return OnePositionPolicy(
            lots=params.lots,
            sl_points=params.sl_points,
            tp_points=params.tp_points,
            trail_points=params.trail_points,
            on_opposite=params.on_opposite,
            min_free_margin=params.min_free_margin,
        )
