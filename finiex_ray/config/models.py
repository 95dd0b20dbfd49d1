"""The layout of a scenario set, as frozen pydantic models (units in each description)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

__all__ = [
    "AccountConfig",
    "BarPrice",
    "Currency",
    "DataConfig",
    "ExecutionConfig",
    "InvalidScenario",
    "LatencyConfig",
    "LiveStatsConfig",
    "Model",
    "Moment",
    "Name",
    "Real",
    "ScenarioConfig",
    "ScenarioSet",
    "Symbol",
    "TypedConfig",
]

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/\\]+$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,12}$")]
Symbol = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._#+-]{0,31}$")]


_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)? *(?P<zone>[Zz]|[+-]\d\d:?\d\d)?")


def _moment(value: Any) -> Any:
    """Lets through ISO 8601 times with a zone only: pydantic alone takes numbers and cuts nanoseconds off."""
    if isinstance(value, datetime):
        return _in_years(value, value.year)
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be an ISO 8601 time with a zone, for example 2025-09-25T14:00:00Z (at most 6 decimals)")
    if found["zone"] is None:
        raise ValueError(f"has no time zone; add one, for example {value}Z")
    clock = value[11:].replace(" ", "")
    return _in_years(f"{value[:10]}T{clock}", int(value[:4]))


def _in_years(value: Any, year: int) -> Any:
    if not 1970 <= year <= 2200:  # well inside the int64 nanoseconds of rule R1
        raise ValueError("must lie in the years 1970 to 2200")
    return value


def _real(value: Any) -> Any:
    """Lets through numbers only: pydantic alone takes true and strings for floats."""
    if isinstance(value, bool | str | bytes):
        raise ValueError("must be a number")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
Real = Annotated[float, BeforeValidator(_real)]


class Model(BaseModel):
    """Base of all configuration models: frozen, unknown keys refused, NaN and infinity refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=False, validate_default=True)


class BarPrice(StrEnum):
    """The price that bars are made of (rule R13)."""

    MID = "mid"
    BID = "bid"
    ASK = "ask"


class DataConfig(Model):
    """Where ticks come from; one for the whole set."""

    catalog: str = Field("synthetic", min_length=1, description="A catalog folder, a pyarrow.fs URI, or 'synthetic'.")
    seed: int = Field(
        0, ge=0, lt=2**63, strict=True, description="Seed of the synthetic market; not used by a catalog."
    )


class TypedConfig(BaseModel):
    """A worker or a logic: its type, and the parameters that its own model checks."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    type: str = Field(min_length=1, description="Registered name, or import path 'package.module:Class'.")

    @property
    def params(self) -> dict[str, Any]:
        """The parameters without the type."""
        return dict(self.__pydantic_extra__ or {})


class LatencyConfig(Model):
    """Delay from a request to its arrival at the broker (rule R3)."""

    kind: Literal["fixed", "uniform"] = "fixed"
    ms: Real = Field(0.0, ge=0, le=3_600_000, description="fixed: the delay in ms. uniform: its lower bound in ms.")
    max_ms: Real | None = Field(None, ge=0, le=3_600_000, description="uniform: the upper bound in ms.")

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.kind == "uniform" and (self.max_ms is None or self.max_ms < self.ms):
            raise ValueError(f"uniform latency needs max_ms at or above ms {self.ms:g} (max_ms is {self.max_ms})")
        if self.kind == "fixed" and self.max_ms is not None:
            raise ValueError("max_ms goes with kind 'uniform' only")
        return self


class AccountConfig(Model):
    """The broker account; what stands here overrides the broker file."""

    broker: str = Field("mt5_fx", min_length=1, description="Name of a file in configs/brokers/, or a path.")
    currency: Currency = Field("USD", description="Account currency.")
    balance: Decimal = Field(
        Decimal(10_000), gt=0, le=Decimal(10) ** 12, description="Opening balance, account currency."
    )
    leverage: Decimal | None = Field(None, gt=0, le=10_000, description="Overrides the broker's leverage.")
    latency: LatencyConfig | None = Field(None, description="Overrides the broker's latency.")
    slippage_points: int | None = Field(
        None, ge=0, le=1_000_000, strict=True, description="Overrides the broker's slippage, points."
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

    block_ticks: int = Field(8_192, ge=1, le=2**24, strict=True, description="Ticks per block.")
    parallel_workers: bool = Field(False, strict=True, description="Run a block's workers in threads.")
    profile: bool = Field(True, strict=True, description="Measure each operation.")
    time_limit_s: Real | None = Field(None, gt=0, description="Seconds after which a scenario is failed.")


class LiveStatsConfig(Model):
    """What a running scenario tells the live display."""

    enabled: bool = Field(True, strict=True)
    update_interval_sec: Real = Field(0.3, ge=0.05, le=60, description="Seconds between two updates of one scenario.")
    export_portfolio_stats: bool = Field(False, strict=True, description="Send balance, equity and trade counts.")
    export_performance_stats: bool = Field(
        False, strict=True, description="Send ticks per second and shares of operations."
    )
    export_current_bars: bool = Field(False, strict=True, description="Send the forming bar of each timeframe.")


class ScenarioConfig(Model):
    """One scenario with every value resolved: `global` under its own."""

    name: Name
    enabled: bool = Field(True, strict=True)
    symbol: Symbol
    start: Moment = Field(description="First moment of the window, with a time zone.")
    end: Moment | None = Field(None, description="End of the window, exclusive, with a time zone.")
    max_ticks: int | None = Field(
        None, ge=1, strict=True, description="Most ticks of the window; whichever of end and max_ticks comes first."
    )
    bar_price: BarPrice = Field(BarPrice.MID, description="Price that bars are made of.")
    workers: Mapping[Name, TypedConfig] = Field(default_factory=dict)
    logic: TypedConfig
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
