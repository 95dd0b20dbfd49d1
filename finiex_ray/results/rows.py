"""The scenario table, one row a scenario, failed or not; the profile table, one row an operation; and packed logs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Final

import numpy as np
import pyarrow as pa

from finiex_ray.config.models import ScenarioConfig
from finiex_ray.core.arrow import coded, filled_column, numbers, texts
from finiex_ray.core.text import printable
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.results.tables import TIME, WORD

__all__ = [
    "LOG_SCHEMA",
    "PROFILE_SCHEMA",
    "SCENARIO_SCHEMA",
    "STATISTICS",
    "ProfileTimes",
    "RowValues",
    "log_table",
    "profile_table",
    "profile_times",
    "scenario_table",
    "scenario_values",
]

RowValues = list[Any]
ProfileTimes = tuple[list[str], list[str], list[int], list[int]]

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
        pa.field("scenario_key", pa.string()),  # hash of everything that the result depends on
        pa.field("result_hash", pa.string()),
        pa.field("log", pa.string()),  # file in the folder of the logs; null where logs are packed
    ]
)

LOG_SCHEMA: Final = pa.schema(
    [
        pa.field("scenario", pa.string(), False),
        pa.field("scenario_index", pa.int64(), False),
        pa.field("text", pa.large_string(), False),
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


def scenario_values(
    result: ScenarioResult, config: ScenarioConfig | None, config_hash: str | None, key: str | None, log: str | None
) -> RowValues:
    """The row of a result in the order of `SCENARIO_SCHEMA`: plain numbers and text, times as int64 ns.

    Args:
        result: The result, successful or not.
        config: What ran; None for a scenario that could not be read.
        config_hash: Hash of its configuration.
        key: Hash of everything that its result depends on; None where that is not known.
        log: Name of its log file; None where logs are packed.
    """
    loop, error = result.loop, result.error
    ticks = loop.ticks if loop else 0
    statistics = loop.statistics if loop else {}
    took_s = result.execution_time_s
    return [
        result.index,
        printable(result.name),
        printable(result.symbol),
        config.account.currency if config else None,
        str(result.status),
        result.success,
        printable(error.type) if error else None,
        printable(error.message) if error else None,
        error.tick_index if error else None,
        printable(error.traceback, keep="\n\t") if error and error.traceback else None,
        ticks,
        loop.first_ns if loop and ticks else None,
        loop.last_ns if loop and ticks else None,
        *(_number(statistics.get(name)) for name in STATISTICS),
        took_s,
        ticks / took_s if took_s > 0 else None,
        config_hash,
        key,
        loop.result_hash if loop else None,
        log,
    ]


def scenario_table(rows: Sequence[RowValues]) -> Any:
    """The scenario table of some rows."""
    return _table(zip(*rows, strict=True), SCENARIO_SCHEMA)


def _table(columns: Iterable[Sequence[Any]], schema: Any) -> Any:
    arrays = [filled_column(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _number(value: float | None) -> float | None:
    """A number as it is; what JSON cannot say becomes None."""
    return value if value is None or math.isfinite(value) else None


def profile_times(result: ScenarioResult) -> ProfileTimes:
    """The profile of a result, as columns: kind, operation, calls and ns of each operation, worker and part of the start-up."""
    columns: ProfileTimes = ([], [], [], [])
    if result.loop is None:
        return columns
    profile = result.loop.profile
    for kind, times in (("operation", profile.operations), ("worker", profile.workers)):
        for name, time in times.items():
            _append(columns, kind, printable(name), *time)
    for name, took_ns in profile.startup_ns.items():
        _append(columns, "startup", name, 1, took_ns)
    if profile.loop_ns:
        _append(columns, "loop", "tick_loop", 1, profile.loop_ns)
    return columns


def _append(columns: tuple[list[Any], ...], *values: Any) -> None:
    for column, value in zip(columns, values, strict=True):
        column.append(value)


def profile_table(profiles: Sequence[tuple[RowValues, ProfileTimes]]) -> Any:
    """The profile table of some scenarios: their rows and their times."""
    counts = [len(times[0]) for _, times in profiles]
    kinds, operations, calls, total_ns = (
        list[Any](chain.from_iterable(times[place] for _, times in profiles)) for place in range(4)
    )
    words = texts([row[_NAME] for row, _ in profiles])
    places = numbers(np.repeat(np.arange(len(counts), dtype=np.int32), counts))
    names = pa.DictionaryArray.from_arrays(places, words)
    indexes = np.repeat(np.array([row[0] for row, _ in profiles], np.int64), counts)
    ticks = np.repeat(np.array([row[_TICKS] for row, _ in profiles], np.int64), counts)
    times = (numbers(np.array(values, np.int64)) for values in (calls, total_ns, ticks))
    columns = [names, numbers(indexes), coded(kinds), coded(operations), *times]
    return pa.Table.from_arrays(columns, schema=PROFILE_SCHEMA)


def log_table(logs: Sequence[tuple[RowValues, str]]) -> Any:
    """The packed logs of some scenarios: their rows and their texts."""
    return _table(zip(*((row[_NAME], row[0], text) for row, text in logs), strict=True), LOG_SCHEMA)


_NAME: Final = SCENARIO_SCHEMA.get_field_index("name")
_TICKS: Final = SCENARIO_SCHEMA.get_field_index("ticks")
