"""`ScenarioTask` goes in, `ScenarioResult` comes out: plain data, small, picklable, the same on every executor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.models import ScenarioConfig
from finiex_ray.core.access import NO_ACCESS, PluginAccess
from finiex_ray.core.enums import ScenarioStatus
from finiex_ray.core.market import IntArray
from finiex_ray.core.records import EQUITY_DTYPE, FILL_DTYPE, ORDER_DTYPE, TRADE_DTYPE, Records, words_of
from finiex_ray.core.time import Timeframe

__all__ = [
    "Balances",
    "ErrorInfo",
    "OperationTime",
    "Profile",
    "ProgressUpdate",
    "ScenarioResult",
    "ScenarioTask",
    "TickLoopResult",
    "Wanted",
]

_TABLES: Final = {"orders": ORDER_DTYPE, "fills": FILL_DTYPE, "trades": TRADE_DTYPE, "equity": EQUITY_DTYPE}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a result travels back from its task. Whatever is left out changes no statistic and no hash."""

    records: bool = True  # orders, fills, trades, equity curve, profile and the log of a scenario that completed
    balances: Timeframe | None = None  # balance at the end of each such period that holds ticks
    measures: Mapping[str, str | Callable[[ScenarioResult], float | None]] = field(default_factory=dict)
    # name to a function of the whole result, or its import path ("package.module:function"), called in the task


@dataclass(frozen=True, slots=True)
class ScenarioTask:
    """One scenario that has passed validation, without its market data."""

    index: int  # place in the set
    config: ScenarioConfig
    broker: BrokerSpec
    access: PluginAccess = NO_ACCESS  # strategy code that may be loaded for it
    wanted: Wanted = field(default_factory=Wanted)


class OperationTime(NamedTuple):
    """Time spent in one operation."""

    calls: int
    total_ns: int


@dataclass(frozen=True)
class Profile:
    """Where the time of a scenario went. Empty mappings when ``execution.profile`` is off."""

    operations: Mapping[str, OperationTime] = field(default_factory=dict)  # the six steps of the tick loop
    workers: Mapping[str, OperationTime] = field(default_factory=dict)  # each worker, and the logic as "logic"
    startup_ns: Mapping[str, int] = field(
        default_factory=dict
    )  # building the scenario: data, workers, logic, simulator
    loop_ns: int = 0  # whole tick loop


@dataclass(frozen=True)
class TickLoopResult:
    """What a tick loop leaves: records as structured arrays (`finiex_ray.core.records`), statistics, profile."""

    ticks: int  # ticks processed
    first_ns: int  # time of the first tick, or 0
    last_ns: int  # time of the last tick, or 0
    digits: int
    volume_step: float  # lots
    minor_per_unit: int
    orders: Records
    fills: Records
    trades: Records
    equity: Records
    statistics: Mapping[str, float | int | None]
    profile: Profile
    result_hash: str
    comments: Mapping[int, str] = field(default_factory=dict)  # order id to the strategy's own text

    def __getstate__(self) -> dict[str, Any]:
        """Travels with all records in one array: that takes half as long as four."""
        state = dict(vars(self))
        words = [words_of(state[name]).ravel() for name in _TABLES]
        for name in _TABLES:
            state[name] = len(state[name])
        return {**state, "words": np.concatenate(words)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        words, place = state.pop("words"), 0
        for name, dtype in _TABLES.items():
            count = state[name]
            state[name] = np.ndarray(count, dtype, words, place)
            place += count * dtype.itemsize
        vars(self).update(state)


class Balances(NamedTuple):
    """The account by periods: those between the first and the last tick that hold a tick."""

    width_ns: int  # length of a period
    start_ns: IntArray  # [n] start of the period, a multiple of its length
    balance_minor: IntArray  # [n] balance after the last booking of the period
    opening_minor: int
    minor_per_unit: int


@dataclass(frozen=True)
class ErrorInfo:
    """Why a scenario failed, as text: an exception object need not survive a process border."""

    type: str  # e.g. "ScenarioInvalidError", "ValueError", "WorkerCrashedError"
    message: str
    traceback: str = ""
    tick_index: int | None = None  # tick that was being processed


@dataclass(frozen=True)
class ScenarioResult:
    """The outcome of one scenario; failures are results too."""

    index: int
    name: str
    symbol: str
    status: ScenarioStatus
    execution_time_s: float = 0.0
    loop: TickLoopResult | None = None  # also of a failed scenario, as far as it got
    error: ErrorInfo | None = None
    log: tuple[str, ...] = ()
    measures: Mapping[str, float | None] = field(default_factory=dict)  # as `Wanted.measures` asks; None: no value
    balances: Balances | None = None  # as `Wanted.balances` asks

    @property
    def success(self) -> bool:
        """True when the scenario ran to its end."""
        return self.status is ScenarioStatus.COMPLETED


@dataclass(frozen=True, slots=True)
class ProgressUpdate:
    """What a running scenario tells the live display, at most once per interval."""

    index: int
    name: str
    symbol: str
    status: str
    ticks_done: int
    ticks_total: int
    elapsed_s: float
    balance: float | None = None  # account currency; with live_stats.export_portfolio_stats
    equity: float | None = None
    trades: int | None = None
    operations: Mapping[str, float] | None = None  # share of each operation; with export_performance_stats
    bars: Mapping[str, tuple[float, float, float, float]] | None = (
        None  # forming open, high, low, close; with export_current_bars
    )
    process: str | None = None  # of Ray: the process that runs it
    memory_bytes: int | None = None  # and how much memory that has
