"""The broker file: account kind, costs and the symbols that can be traded (units in each description)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, Self

from pydantic import Field, model_validator

from finiex_ray.config.models import Currency, LatencyConfig, Model, Symbol

__all__ = ["BrokerSpec", "CommissionSpec", "SymbolSpec"]


class CommissionSpec(Model):
    """What one side of a deal costs (rule R9); charged on entry and on exit."""

    kind: Literal["none", "per_lot", "percent"] = "none"
    value: Decimal = Field(
        Decimal(0),
        ge=0,
        le=1_000_000,
        description="per_lot: account currency per lot and side. percent: of the notional.",
    )

    @model_validator(mode="after")
    def _meaning(self) -> Self:
        if self.kind == "none" and self.value != 0:
            raise ValueError(f"commission value {self.value} needs a kind: 'per_lot' or 'percent'")
        if self.kind == "percent" and self.value > 100:
            raise ValueError(f"commission of {self.value} percent is more than the whole deal (at most 100)")
        return self


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
    commission: CommissionSpec | None = Field(None, description="Overrides the broker's commission.")

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


class BrokerSpec(Model):
    """A broker: what an account there costs and allows."""

    name: str = Field(min_length=1, max_length=200)
    account_mode: Literal["hedging"] = Field("hedging", description="Independent positions (rule R11).")
    leverage: Decimal = Field(Decimal(100), gt=0, le=10_000, description="Notional per unit of margin.")
    commission: CommissionSpec = CommissionSpec()
    slippage_points: int = Field(
        0, ge=0, le=1_000_000, strict=True, description="Points against the trader on every market order (rule R4)."
    )
    latency: LatencyConfig = LatencyConfig()
    symbols: Mapping[Symbol, SymbolSpec] = Field(min_length=1, description="By the name that scenarios use.")
