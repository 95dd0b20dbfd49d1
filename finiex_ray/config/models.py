"""The layout of a scenario set, as frozen pydantic models (units in each description)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from finiex_ray.config.base import Currency, Model, Moment, Name, Real, Symbol
from finiex_ray.config.costs import GuardConfig, LatencyConfig, SlippageConfig

__all__ = [
    "AccountConfig",
    "BarPrice",
    "DataConfig",
    "DataLoad",
    "ExecutionConfig",
    "InvalidScenario",
    "LiveStatsConfig",
    "ScenarioConfig",
    "ScenarioSet",
    "TypedConfig",
]


_PASSWORD: Final = re.compile(r"://[^/@]*:[^/@]*@")  # scheme://user:password@host


class BarPrice(StrEnum):
    """The price that bars are made of (rule R13)."""

    MID = "mid"
    BID = "bid"
    ASK = "ask"


class DataLoad(StrEnum):
    """Who reads ticks when a set runs on Ray."""

    DRIVER = "driver"
    CLUSTER = "cluster"


class DataConfig(Model):
    """Where ticks come from; one for the whole set."""

    catalog: str = Field("synthetic", min_length=1, description="A catalog folder, a pyarrow.fs URI, or 'synthetic'.")
    seed: int = Field(
        0, ge=0, lt=2**63, strict=True, description="Seed of the synthetic market; not used by a catalog."
    )
    load: DataLoad = Field(
        DataLoad.DRIVER,
        description="On Ray: 'driver' reads ticks and hands them out, 'cluster' reads them on the nodes.",
    )

    @field_validator("catalog")
    @classmethod
    def _no_password(cls, catalog: str) -> str:
        if _PASSWORD.search(catalog):
            raise ValueError(
                "must hold no password: it would stand in every run folder; give it to the process (AWS_SECRET_ACCESS_KEY, "
                "GOOGLE_APPLICATION_CREDENTIALS, or the role of the machine)"
            )
        return catalog


class TypedConfig(BaseModel):
    """A worker or a logic: its type, and the parameters that its own model checks."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    type: str = Field(min_length=1, description="Registered name, or import path 'package.module:Class'.")

    @property
    def params(self) -> dict[str, Any]:
        """The parameters without the type."""
        return dict(self.__pydantic_extra__ or {})


class AccountConfig(Model):
    """The broker account; what stands here overrides the broker file."""

    broker: str = Field("mt5_fx", min_length=1, description="Name of a file in configs/brokers/, or a path.")
    currency: Currency = Field("USD", description="Account currency.")
    balance: Decimal = Field(
        Decimal(10_000), gt=0, le=Decimal(10) ** 12, description="Opening balance, account currency."
    )
    leverage: Decimal | None = Field(None, gt=0, le=10_000, description="Overrides the broker's leverage.")
    latency: LatencyConfig | None = Field(None, description="Overrides the broker's latency.")
    latency_close: LatencyConfig | None = Field(None, description="Overrides the broker's latency of closing requests.")
    slippage: SlippageConfig | None = Field(None, description="Overrides the broker's slippage.")
    rejection_share: Real | None = Field(
        None, ge=0, lt=1, description="Overrides the broker's share of refused requests."
    )
    guard: GuardConfig | None = Field(
        None, description="Order guard: a pause after rejections in a row; none by default."
    )
    commission_per_lot: Decimal | None = Field(
        None, ge=0, description="Overrides the broker's commission: account currency per lot and side."
    )
    conversion_rates: Mapping[Currency, Annotated[Decimal, Field(gt=0)]] = Field(
        default_factory=dict,
        description="Account currency per unit of a quote currency, e.g. {'GBP': 1.27} (rule R10).",
    )


class ExecutionConfig(Model):
    """How a scenario is executed; never changes a result."""

    block_ticks: int | None = Field(
        None, ge=1, le=2**24, strict=True, description="Ticks per block; by default what suits the strategy."
    )
    skip_runs: bool = Field(True, strict=True, description="Pass over runs of ticks in which nothing can happen.")
    screen_prices: bool = Field(
        True, strict=True, description="Compute workers only at prices at which the logic can act, where it knows them."
    )
    share_batches: bool = Field(
        True, strict=True, description="Scenarios on one window share bars, workers and decisions that are equal."
    )
    python_lane: bool = Field(
        True, strict=True, description="Tick-style logics go tick by tick, their account only where it matters."
    )
    parallel_workers: bool = Field(False, strict=True, description="Run a block's workers in threads.")
    profile: bool = Field(True, strict=True, description="Measure each operation.")
    time_limit_s: Real | None = Field(None, gt=0, description="Seconds after which a scenario is failed.")


class LiveStatsConfig(Model):
    """What a running scenario tells the live display."""

    enabled: bool = Field(True, strict=True, description="Whether it is told.")
    update_interval_sec: Real = Field(0.3, ge=0.05, le=60, description="Seconds between two updates of one scenario.")
    export_portfolio_stats: bool = Field(False, strict=True, description="Send balance, equity and trade counts.")
    export_performance_stats: bool = Field(
        False, strict=True, description="Send ticks per second and shares of operations."
    )
    export_current_bars: bool = Field(False, strict=True, description="Send the forming bar of each timeframe.")


class ScenarioConfig(Model):
    """One scenario with every value resolved: `global` under its own."""

    name: Name = Field(description="Unique in the set; no slash, backslash or control character; not = + - @ first.")
    enabled: bool = Field(True, strict=True, description="Whether it runs.")
    symbol: Symbol = Field(description="What is traded: a symbol of the data and of the broker file.")
    start: Moment = Field(description="First moment of the window, with a time zone.")
    end: Moment | None = Field(None, description="End of the window, exclusive, with a time zone.")
    max_ticks: int | None = Field(
        None, ge=1, strict=True, description="Most ticks of the window; whichever of end and max_ticks comes first."
    )
    bar_price: BarPrice = Field(BarPrice.MID, description="Price that bars are made of.")
    workers: Mapping[Name, TypedConfig] = Field(
        default_factory=dict, description="Indicators by a name of your choice."
    )
    logic: TypedConfig = Field(description="The decision logic.")
    account: AccountConfig = AccountConfig()
    execution: ExecutionConfig = ExecutionConfig()
    live_stats: LiveStatsConfig = LiveStatsConfig()
    seed: int = Field(0, ge=0, lt=2**63, strict=True, description="Seed of the scenario's random streams.")

    @model_validator(mode="after")
    def _window(self) -> Self:
        if self.end is None and self.max_ticks is None:
            raise ValueError("a window needs 'end' or 'max_ticks' (or both)")
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"end {self.end.isoformat()} is not after start {self.start.isoformat()}")
        return self


class InvalidScenario(Model):
    """A scenario whose own values could not be read; it becomes a failed result, the others run."""

    name: str
    symbol: str = ""
    reasons: tuple[str, ...]


class ScenarioSet(Model):
    """A set as it runs: every scenario resolved, in file order."""

    name: Name
    source: str = Field(description="The file that it was read from.")
    data: DataConfig = DataConfig()
    scenarios: tuple[ScenarioConfig | InvalidScenario, ...]
