"""What trading costs: commission, swap, slippage, latency, margin tiers, sessions (rules R3, R4, R8, R9; units in each field)."""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from typing import Literal, Self

from pydantic import Field, model_validator

from finiex_ray.config.base import Model, Real

__all__ = [
    "CommissionSpec",
    "GuardConfig",
    "LatencyConfig",
    "LeverageTier",
    "SessionSpec",
    "SlippageConfig",
    "SwapSpec",
    "Weekday",
]

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class LatencyConfig(Model):
    """Delay from a request to its arrival at the broker (rule R3), drawn in request order from the scenario's stream."""

    kind: Literal["fixed", "uniform", "lognormal"] = "fixed"
    ms: Real = Field(
        0.0, ge=0, le=3_600_000, description="fixed: the delay in ms. uniform: lower bound. lognormal: median."
    )
    max_ms: Real | None = Field(
        None, ge=0, le=3_600_000, description="uniform: upper bound in ms. lognormal: cut off here."
    )
    sigma: Real | None = Field(None, gt=0, le=5, description="lognormal: standard deviation of the delay's logarithm.")

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.kind == "uniform" and (self.max_ms is None or self.max_ms < self.ms):
            raise ValueError(f"uniform latency needs max_ms at or above ms {self.ms:g} (max_ms is {self.max_ms})")
        if self.kind == "fixed" and self.max_ms is not None:
            raise ValueError("max_ms goes with kind 'uniform' or 'lognormal' only")
        if (self.kind == "lognormal") != (self.sigma is not None):
            raise ValueError("sigma goes with kind 'lognormal', which needs it")
        return self


class SlippageConfig(Model):
    """Points against the trader on market orders (rule R4)."""

    kind: Literal["none", "fixed", "uniform", "by_spread"] = "none"
    points: int = Field(
        0, ge=0, le=1_000_000, strict=True, description="fixed: the slippage. uniform: drawn from 0 to it."
    )
    share: Decimal = Field(Decimal(0), ge=0, le=100, description="by_spread: slippage as a share of the tick's spread.")

    @model_validator(mode="after")
    def _meaning(self) -> Self:
        if self.points and self.kind not in {"fixed", "uniform"}:
            raise ValueError("points goes with kind 'fixed' or 'uniform' only")
        if self.share and self.kind != "by_spread":
            raise ValueError("share goes with kind 'by_spread' only")
        return self


class GuardConfig(Model):
    """Order guard: after so many rejections in a row, opening orders are refused for a while of simulated time."""

    rejections: int = Field(ge=1, le=1_000_000, strict=True, description="Rejections in a row that start a pause.")
    cool_down_s: Real = Field(gt=0, le=31_536_000, description="Length of the pause, simulated seconds.")


class CommissionSpec(Model):
    """What one side of a deal costs (rule R9); charged on entry and on exit."""

    kind: Literal["none", "per_lot", "percent"] = "none"
    value: Decimal = Field(
        Decimal(0),
        ge=0,
        le=1_000_000,
        description="per_lot: account currency per lot and side. percent: of the notional. Takers pay it.",
    )
    maker: Decimal | None = Field(
        None, ge=0, le=1_000_000, description="The same for fills of resting limit orders; default: as value."
    )

    @model_validator(mode="after")
    def _meaning(self) -> Self:
        if self.kind == "none" and (self.value != 0 or self.maker):
            raise ValueError(f"commission value {self.value} needs a kind: 'per_lot' or 'percent'")
        if self.kind == "percent" and max(self.value, self.maker or 0) > 100:
            raise ValueError(f"commission of {self.value} percent is more than the whole deal (at most 100)")
        return self


class SwapSpec(Model):
    """What holding a position over 17:00 New York brings (positive) or costs (negative), a day (rule R9)."""

    kind: Literal["none", "points", "percent", "money"] = "none"
    long: Decimal = Field(
        Decimal(0),
        ge=-1_000_000,
        le=1_000_000,
        description="points: points a lot. percent: of the notional a year of 360 days. money: account currency a lot.",
    )
    short: Decimal = Field(Decimal(0), ge=-1_000_000, le=1_000_000, description="The same for short positions.")
    triple_day: Weekday | None = Field(
        "wednesday", description="Day whose rollover counts three times (for the weekend)."
    )
    weekends: bool = Field(False, description="True: rollovers on Saturday and Sunday too, and no triple day (crypto).")

    @model_validator(mode="after")
    def _meaning(self) -> Self:
        if self.kind == "none" and (self.long or self.short):
            raise ValueError("swap values need a kind: 'points', 'percent' or 'money'")
        if self.triple_day in {"saturday", "sunday"}:
            raise ValueError("triple_day must be a day from monday to friday, or null")
        return self


class LeverageTier(Model):
    """Leverage of the part of a symbol's open volume that lies in this tier."""

    up_to_lots: Decimal | None = Field(
        None, gt=0, le=Decimal(10) ** 9, description="End of the tier, lots; null: no end."
    )
    leverage: Decimal = Field(gt=0, le=10_000, description="Notional per unit of margin.")


class SessionSpec(Model):
    """When a symbol can be traded, once a week, in UTC; requests that arrive outside are rejected."""

    day: Weekday
    start: time = Field(time(0), description="First moment, UTC.")
    end: time | None = Field(None, description="End, UTC, exclusive; null: midnight.")

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"session end {self.end} is not after its start {self.start}; split it at midnight")
        return self
