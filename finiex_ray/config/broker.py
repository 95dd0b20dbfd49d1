"""The broker file: account kind, costs and the symbols that can be traded (units in each description)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, model_validator

from finiex_ray.config.base import Currency, Model, Real, Symbol
from finiex_ray.config.costs import CommissionSpec, LatencyConfig, LeverageTier, SessionSpec, SlippageConfig, SwapSpec

__all__ = ["BrokerSpec", "SymbolSpec"]


class SymbolSpec(Model):
    """One tradable symbol."""

    digits: int = Field(ge=0, le=10, strict=True, description="Decimals of its price; one point is 10^-digits.")
    base: Currency = Field(description="Currency or asset that is bought.")
    quote: Currency = Field(description="Currency in which the price is stated.")
    contract_size: Decimal = Field(gt=0, le=Decimal(10) ** 12, description="Units of base in one lot.")
    volume_min: Decimal = Field(Decimal("0.01"), gt=0, le=Decimal(10) ** 9, description="Smallest order, lots.")
    volume_max: Decimal = Field(Decimal(100), gt=0, le=Decimal(10) ** 9, description="Largest order, lots.")
    volume_step: Decimal = Field(
        Decimal("0.01"), ge=Decimal("1e-10"), le=Decimal(10) ** 9, description="Orders are multiples of it, lots."
    )
    leverage: Decimal | None = Field(None, gt=0, le=10_000, description="Overrides the broker's leverage.")
    leverage_tiers: tuple[LeverageTier, ...] = Field(
        (), description="Leverage by open volume, from small to large; overrides leverage."
    )
    commission: CommissionSpec | None = Field(None, description="Overrides the broker's commission.")
    swap: SwapSpec = SwapSpec()
    stops_level_points: int = Field(
        0, ge=0, le=1_000_000, strict=True, description="Least distance of stops and resting prices from the quote."
    )
    freeze_level_points: int = Field(
        0, ge=0, le=1_000_000, strict=True, description="Within it of its price, nothing can be changed or cancelled."
    )
    sessions: tuple[SessionSpec, ...] = Field((), description="When it can be traded; none: always.")

    @model_validator(mode="after")
    def _volumes(self) -> Self:
        if self.base == self.quote:
            raise ValueError(f"base and quote are both {self.base}; a price needs two different ones")
        for name, volume in (("volume_min", self.volume_min), ("volume_max", self.volume_max)):
            if volume % self.volume_step:
                raise ValueError(f"{name} {volume} is not a multiple of volume_step {self.volume_step}")
        if self.volume_max < self.volume_min:
            raise ValueError(f"volume_max {self.volume_max} is below volume_min {self.volume_min}")
        return self

    @model_validator(mode="after")
    def _tiers(self) -> Self:
        ends = [tier.up_to_lots for tier in self.leverage_tiers]
        if ends and (ends[-1] is not None or None in ends[:-1]):
            raise ValueError("the last leverage tier, and only it, has up_to_lots null")
        for before, after in pairwise(ends):
            if before is not None and after is not None and after <= before:
                raise ValueError(f"leverage tier up to {after} lots does not lie above the one up to {before}")
        return self


class BrokerSpec(Model):
    """A broker: what an account there costs and allows."""

    name: str = Field(min_length=1, max_length=200)
    account_mode: Literal["hedging", "netting", "spot"] = Field(
        "hedging",
        description="hedging: independent positions. netting: one net position. spot: assets for cash, no shorts (rule R11).",
    )
    leverage: Decimal = Field(Decimal(100), gt=0, le=10_000, description="Notional per unit of margin.")
    commission: CommissionSpec = CommissionSpec()
    slippage: SlippageConfig = SlippageConfig()
    latency: LatencyConfig = LatencyConfig()
    latency_close: LatencyConfig | None = Field(None, description="Latency of closing requests; default: as latency.")
    rejection_share: Real = Field(
        0.0, ge=0, lt=1, description="Share of requests that the broker refuses, drawn by seed."
    )
    margin_call_percent: Decimal | None = Field(
        None,
        ge=0,
        le=10_000,
        description="Margin level (equity / margin used) at or below which a margin call goes out.",
    )
    stop_out_percent: Decimal | None = Field(
        None, ge=0, le=10_000, description="Margin level at or below which the largest loss is closed, then the next."
    )
    symbols: Mapping[Symbol, SymbolSpec] = Field(min_length=1, description="By the name that scenarios use.")
