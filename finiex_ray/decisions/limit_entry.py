"""Logics that enter by resting limit orders, which the compiled `QuotePolicy` trades: on signals, or on both sides always."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import numpy as np
from pydantic import Field

from finiex_ray.bars.block import Block
from finiex_ray.core.enums import Action
from finiex_ray.decisions.base import Actions, DecisionLogic, Inputs, LogicParams
from finiex_ray.decisions.one_position import OnePositionParams
from finiex_ray.decisions.rsi_band import RsiBandLogic, RsiBandParams
from finiex_ray.trading.policy import QuotePolicy

__all__ = ["LimitEntry", "LimitEntryParams", "QuoteParams", "TwoSidedQuote"]


class QuoteParams(OnePositionParams):
    """Parameters of the policy that enters by limit orders."""

    offset_points: int = Field(
        0,
        ge=0,
        le=10**9,
        description="Distance of a buy limit order below the bid and of a sell one above the ask, points.",
    )
    lifetime_s: float = Field(
        0, ge=0, le=10**9, description="Seconds after which a limit order that has not filled expires; 0: never."
    )

    def policy(self) -> QuotePolicy:
        """The policy that they are the parameters of."""
        return QuotePolicy(**{name: getattr(self, name) for name in QUOTE_PARAMS})


QUOTE_PARAMS: Final = frozenset(QuoteParams.model_fields) - frozenset(LogicParams.model_fields)


class LimitEntryParams(RsiBandParams, QuoteParams):
    """Parameters of `LimitEntry`."""


class LimitEntry(RsiBandLogic):
    """The signals of `SimpleConsensus`, entered by a limit order at or behind the quote of the order's own side."""

    Params = LimitEntryParams
    policy_params: ClassVar[frozenset[str]] = QUOTE_PARAMS
    need_both: ClassVar[bool] = True
    params: LimitEntryParams

    def policy(self) -> QuotePolicy:
        """The policy, from the parameters."""
        return self.params.policy()


class TwoSidedQuote(DecisionLogic):
    """Quotes on both sides whenever nothing is open; one order cancels the other."""

    Params: ClassVar[type[LogicParams]] = QuoteParams
    roles: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    policy_params: ClassVar[frozenset[str]] = QUOTE_PARAMS
    params: QuoteParams

    def decide(self, block: Block, inputs: Inputs) -> Actions:  # noqa: ARG002 - it needs no worker
        """QUOTE for each tick."""
        return np.full(len(block), Action.QUOTE, np.int8)

    def policy(self) -> QuotePolicy:
        """The policy, from the parameters."""
        return self.params.policy()
