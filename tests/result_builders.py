"""Results made by hand, for tests of what is written and shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from finiex_ray.config.models import DataConfig, InvalidScenario, ScenarioConfig, ScenarioSet, TypedConfig
from finiex_ray.core.enums import ScenarioStatus
from finiex_ray.core.records import (
    ACCOUNT_DTYPE,
    EQUITY_DTYPE,
    FILL_DTYPE,
    NO_PRICE,
    NO_TICK,
    ORDER_DTYPE,
    TRADE_DTYPE,
    Records,
)
from finiex_ray.engine.result import ErrorInfo, OperationTime, Profile, ScenarioResult, TickLoopResult
from finiex_ray.engine.statistics import scenario_statistics

START_NS = 1_758_808_800_000_000_000


def scenario(name: str, **values: Any) -> ScenarioConfig:
    defaults = {
        "symbol": "EURUSD",
        "start": datetime(2025, 9, 25, 14, tzinfo=UTC),
        "max_ticks": 1_000,
        "logic": TypedConfig(type="aggressive_trend"),
    }
    return ScenarioConfig(name=name, **{**defaults, **values})


def scenario_set(*scenarios: ScenarioConfig | InvalidScenario) -> ScenarioSet:
    return ScenarioSet(name="set", source="set.json", data=DataConfig(), scenarios=scenarios)


def records(dtype: np.dtype, *rows: dict[str, Any]) -> Records:
    made = np.zeros(len(rows), dtype)
    for row, values in zip(made, rows, strict=True):
        for field, value in values.items():
            row[field] = value
    return made


def loop(ticks: int = 1_000, trades: int = 1, pending: bool = False) -> TickLoopResult:
    unset = {"sl_points": NO_PRICE, "tp_points": NO_PRICE}
    order = {"order_id": 1, "side": 1, "state": 1, "volume_steps": 3, "position_id": 1, "request_ns": START_NS, **unset}
    order |= {"arrival_ns": START_NS + 1, "done_tick": 1, "done_ns": START_NS + 2, "fill_price_points": 110_003}
    if pending:
        order |= {"state": 0, "done_tick": NO_TICK, "done_ns": 0, "fill_price_points": NO_PRICE}
    trade = {"trade_id": 1, "position_id": 1, "side": 1, "volume_steps": 3, "entry_ns": START_NS, **unset}
    trade |= {"exit_ns": START_NS + 5 * 10**9, "entry_price_points": 110_003, "exit_price_points": 110_013}
    trade |= {"exit_reason": 3, "gross_minor": 300, "commission_minor": -10, "net_minor": 290, "mae_points": 4}
    trade |= {"balance_minor": 1_000_290, "tp_points": 120_000}
    fill = {"order_id": 1, "position_id": 1, "side": 1, "volume_steps": 3, "time_ns": START_NS, "price_points": 110_003}
    fill |= {"balance_minor": 1_000_000}
    equity = {
        "tick": ticks - 1,
        "time_ns": START_NS,
        "balance": 1_000_290,
        "equity": 1_000_290.5,
        "equity_low": 999_000,
    }
    account = records(ACCOUNT_DTYPE, {"balance_minor": 1_000_290, "equity": 1_000_290.0, "gross_minor": 300})[0]
    orders, closed = records(ORDER_DTYPE, order), records(TRADE_DTYPE, *([trade] * trades))
    return TickLoopResult(
        ticks=ticks,
        first_ns=START_NS,
        last_ns=START_NS + 10**12,
        digits=5,
        volume_step=0.1,
        minor_per_unit=100,
        orders=orders,
        fills=records(FILL_DTYPE, fill),
        trades=closed,
        equity=records(EQUITY_DTYPE, equity),
        statistics=scenario_statistics(orders, closed, account, 1_000_000, 100, 10**12),
        profile=Profile(
            operations={"trade_simulator": OperationTime(2, 600_000), "bar_rendering": OperationTime(2, 400_000)},
            workers={"rsi_fast": OperationTime(2, 300_000), "logic": OperationTime(2, 50_000)},
            startup_ns={"data": 1_000_000},
            loop_ns=1_200_000,
        ),
        result_hash="ab" * 32,
    )


def completed(index: int, name: str, **values: Any) -> ScenarioResult:
    return ScenarioResult(index, name, "EURUSD", ScenarioStatus.COMPLETED, 0.5, loop(**values), log=("hello",))


def failed(index: int, name: str, message: str = "boom", tick: int | None = 7) -> ScenarioResult:
    error = ErrorInfo("ValueError", message, "Traceback (most recent call last):\n  ValueError: boom", tick)
    return ScenarioResult(index, name, "EURUSD", ScenarioStatus.FINISHED_WITH_ERROR, 0.1, None, error)
