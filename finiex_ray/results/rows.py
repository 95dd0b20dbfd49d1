"""The scenario table: one row a scenario, failed or not; and the profile table, one row an operation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa

from finiex_ray.config.models import ScenarioConfig
from finiex_ray.config.resolved import config_hash
from finiex_ray.core.text import printable
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.results.tables import TIME, WORD

__all__ = ["PROFILE_SCHEMA", "SCENARIO_SCHEMA", "STATISTICS", "Row", "profile_rows", "scenario_row"]

Row = dict[str, Any]

# Definitions and units: `finiex_ray.engine.statistics.scenario_statistics`.
STATISTICS: Final[dict[str, Any]] = {
    "trades": pa.int64(),
    "wins": pa.int64(),
    "losses": pa.int64(),
    "gross": pa.float64(),
    "commission": pa.float64(),
    "swap": pa.float64(),
    "net_profit": pa.float64(),
    "final_balance": pa.float64(),
    "final_equity": pa.float64(),
    "max_drawdown": pa.float64(),
    "max_drawdown_pct": pa.float64(),
    "max_runup": pa.float64(),
    "profit_factor": pa.float64(),
    "expectancy": pa.float64(),
    "win_rate": pa.float64(),
    "sharpe": pa.float64(),
    "sortino": pa.float64(),
    "exposure": pa.float64(),
    "avg_trade_s": pa.float64(),
    "max_trade_s": pa.float64(),
    "orders": pa.int64(),
    "rejected": pa.int64(),
}

SCENARIO_SCHEMA: Final = pa.schema(
    [
        pa.field("index", pa.int64(), False),
        pa.field("name", pa.string(), False),
        pa.field("symbol", WORD, False),
        pa.field("currency", WORD),  # of the account; null for a scenario that could not be read
        pa.field("status", WORD, False),
        pa.field("success", pa.bool_(), False),
        pa.field("error_type", WORD),
        pa.field("error_message", pa.string()),
        pa.field("error_tick", pa.int64()),  # index of the tick that was being processed
        pa.field("error_traceback", pa.string()),
        pa.field("ticks", pa.int64(), False),
        pa.field("first_time", TIME),
        pa.field("last_time", TIME),
        *(pa.field(name, kind) for name, kind in STATISTICS.items()),
        pa.field("execution_time_s", pa.float64(), False),
        pa.field("ticks_per_s", pa.float64()),  # ticks / execution_time_s
        pa.field("config_hash", pa.string()),
        pa.field("result_hash", pa.string()),
        pa.field("log", pa.string(), False),  # file in the folder of the logs
    ]
)

PROFILE_SCHEMA: Final = pa.schema(
    [
        pa.field("scenario", WORD, False),
        pa.field("scenario_index", pa.int64(), False),
        pa.field("kind", WORD, False),  # operation, worker, startup, or loop (the whole tick loop)
        pa.field("operation", WORD, False),
        pa.field("calls", pa.int64(), False),
        pa.field("total_ns", pa.int64(), False),
        pa.field("ticks", pa.int64(), False),  # of the scenario
    ]
)


def scenario_row(result: ScenarioResult, config: ScenarioConfig | None, log: str) -> Row:
    """The row of a result: plain numbers and text, times as int64 ns.

    Args:
        result: The result, successful or not.
        config: What ran; None for a scenario that could not be read.
        log: Name of its log file.
    """
    loop, error = result.loop, result.error
    ticks = loop.ticks if loop else 0
    statistics = loop.statistics if loop else {}
    row: Row = {
        "index": result.index,
        "name": printable(result.name),
        "symbol": printable(result.symbol),
        "currency": config.account.currency if config else None,
        "status": str(result.status),
        "success": result.success,
        "error_type": printable(error.type) if error else None,
        "error_message": printable(error.message) if error else None,
        "error_tick": error.tick_index if error else None,
        "error_traceback": printable(error.traceback, keep="\n\t") if error and error.traceback else None,
        "ticks": ticks,
        "first_time": loop.first_ns if loop and ticks else None,
        "last_time": loop.last_ns if loop and ticks else None,
    }
    row.update((name, _number(statistics.get(name))) for name in STATISTICS)
    took_s = result.execution_time_s
    return row | {
        "execution_time_s": took_s,
        "ticks_per_s": ticks / took_s if took_s > 0 else None,
        "config_hash": config_hash(config) if config else None,
        "result_hash": loop.result_hash if loop else None,
        "log": log,
    }


def _number(value: float | None) -> float | None:
    """A number as it is; what JSON cannot say becomes None."""
    return value if value is None or math.isfinite(value) else None


def profile_rows(result: ScenarioResult) -> Iterator[Row]:
    """The profile of a result, one row an operation, worker and part of the start-up."""
    if result.loop is None:
        return
    profile, ticks = result.loop.profile, result.loop.ticks
    timed = [("operation", profile.operations), ("worker", profile.workers)]
    found = [(kind, name, time.calls, time.total_ns) for kind, times in timed for name, time in times.items()]
    found += [("startup", name, 1, took_ns) for name, took_ns in profile.startup_ns.items()]
    if profile.loop_ns:
        found.append(("loop", "tick_loop", 1, profile.loop_ns))
    for kind, name, calls, total_ns in found:
        yield {
            "scenario": printable(result.name),
            "scenario_index": result.index,
            "kind": kind,
            "operation": printable(name),
            "calls": calls,
            "total_ns": total_ns,
            "ticks": ticks,
        }
