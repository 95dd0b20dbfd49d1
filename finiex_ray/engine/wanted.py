"""Takes measures and balances from a whole result in the task, and leaves out what need not travel back."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from finiex_ray.bars.window import MarketWindow
from finiex_ray.core.access import NO_ACCESS, PluginAccess
from finiex_ray.core.enums import ScenarioStatus
from finiex_ray.core.errors import RegistryError, StrategyContractError
from finiex_ray.core.market import IntArray
from finiex_ray.core.money import to_minor
from finiex_ray.core.plugins import PluginKind, resolve
from finiex_ray.core.time import Timeframe
from finiex_ray.engine.result import Balances, ErrorInfo, Profile, ScenarioResult, ScenarioTask, TickLoopResult

__all__ = ["Measure", "measure_function", "take_wanted"]

Measure = Callable[[ScenarioResult], float | None]

_MEASURES: Final = PluginKind(noun="measure", group="finiex_ray.measures", builtin={})


def measure_function(measure: str | Measure, access: PluginAccess = NO_ACCESS) -> Measure:
    """The function that an import path stands for; a function is returned as it is.

    Args:
        measure: A function, or its import path.
        access: What the run may load.

    Raises:
        RegistryError: If there is no such function.
    """
    found: Any = resolve(_MEASURES, measure, access) if isinstance(measure, str) else measure
    if not callable(found):
        raise RegistryError(f"measure '{measure}' cannot be called: name a function of a ScenarioResult")
    function: Measure = found
    return function


def take_wanted(result: ScenarioResult, task: ScenarioTask, window: MarketWindow) -> ScenarioResult:
    """Adds what was asked for to a result, and drops what was not; what a measure raises makes it a failed one.

    Args:
        result: The whole result; one that failed keeps its log.
        task: Its task.
        window: The scenario's market data.
    """
    wanted, loop = task.wanted, result.loop
    if loop is None:
        return result
    if result.success and wanted.balances is not None:
        account = task.config.account
        opening_minor = to_minor(account.balance, account.currency)
        result = replace(result, balances=_balances(loop, window, wanted.balances, opening_minor))
    if result.success and wanted.measures:
        try:
            values = {
                name: _value(name, measure_function(each, task.access), result)
                for name, each in wanted.measures.items()
            }
        except (Exception, SystemExit) as caught:  # noqa: BLE001 - a measure is the user's code, as a strategy is
            text = "".join(traceback.format_exception(caught))
            error = ErrorInfo(type(caught).__name__, str(caught), text)
            log = (*result.log, f"ERROR a measure raised {error.type}: {error.message}\n{text}")
            result = replace(result, status=ScenarioStatus.FINISHED_WITH_ERROR, error=error, log=log)
        else:
            result = replace(result, measures=values)
    return result if wanted.records else _without_records(result, loop)


def _value(name: str, measure: Measure, result: ScenarioResult) -> float | None:
    value: Any = measure(result)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise StrategyContractError(
            f"measure '{name}' returned {value!r}; it must return a number, or None for no value"
        )
    return float(value) if math.isfinite(value) else None


def _balances(loop: TickLoopResult, window: MarketWindow, period: Timeframe, opening_minor: int) -> Balances:
    width = period.ns
    first, last = loop.first_ns // width, loop.last_ns // width
    edges = np.arange(first, last + 2, dtype=np.int64) * width
    ticks = np.zeros(len(edges) - 1, np.int64)
    for number, segment in enumerate(window.segments):
        begin = window.first if number == 0 else 0
        end = window.last if number == len(window.segments) - 1 else len(segment.time_ns)
        places: IntArray = np.clip(np.searchsorted(segment.time_ns, edges), begin, end)
        ticks += places[1:] - places[:-1]
    kept = np.flatnonzero(ticks)
    booked = np.searchsorted(loop.fills["time_ns"], edges[kept + 1])  # fills are in order of time
    after = np.concatenate([[opening_minor], loop.fills["balance_minor"]])
    return Balances(width, edges[kept], np.ascontiguousarray(after[booked]), opening_minor, loop.minor_per_unit)


def _without_records(result: ScenarioResult, loop: TickLoopResult) -> ScenarioResult:
    slim = replace(
        loop,
        orders=loop.orders[:0].copy(),
        fills=loop.fills[:0].copy(),
        trades=loop.trades[:0].copy(),
        equity=loop.equity[:0].copy(),
        profile=Profile(),
        comments={},
    )
    return replace(result, loop=slim, log=() if result.success else result.log)
