"""Measures beyond a scenario's own statistics, taken in the task from the whole result; a sweep names them like statistics."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from finiex_ray.core.errors import ConfigError
from finiex_ray.core.market import FloatArray
from finiex_ray.core.time import NS_PER_DAY
from finiex_ray.engine.result import Balances, ScenarioResult
from finiex_ray.report import performance

__all__ = [
    "MEASURES",
    "annual_sharpe",
    "annual_sortino",
    "calmar",
    "net_return_pct",
    "omega",
    "recovery_factor",
    "returns_of",
    "sqn",
]

MEASURES: Final = {
    name: f"{__name__}:{name}"
    for name in ("annual_sharpe", "annual_sortino", "calmar", "net_return_pct", "omega", "recovery_factor", "sqn")
}
"""Measures that a sweep knows by name."""


def returns_of(balances: Balances) -> FloatArray:
    """Return of each period: change of the balance / balance before; a balance that was lost returns nothing more."""
    before = np.concatenate([[balances.opening_minor], balances.balance_minor[:-1]]).astype(np.float64)
    change = balances.balance_minor - before
    return np.divide(change, before, out=np.zeros_like(change), where=before > 0)


def _returns(result: ScenarioResult) -> tuple[FloatArray, float]:
    """Returns by period, and periods in a year of trading days."""
    if result.balances is None:
        raise ConfigError("this measure needs returns by period; do not set 'returns' to null in the sweep")
    return returns_of(result.balances), performance.DAYS_PER_YEAR * NS_PER_DAY / result.balances.width_ns


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def annual_sharpe(result: ScenarioResult) -> float | None:
    """Sharpe ratio of the returns by period, annualised; see `performance.sharpe`."""
    return _number(performance.sharpe(*_returns(result)))


def annual_sortino(result: ScenarioResult) -> float | None:
    """Sortino ratio of the returns by period, annualised; see `performance.sortino`."""
    return _number(performance.sortino(*_returns(result)))


def calmar(result: ScenarioResult) -> float | None:
    """Annual return / largest drawdown of the returns by period; see `performance.calmar`."""
    return _number(performance.calmar(*_returns(result)))


def omega(result: ScenarioResult) -> float | None:
    """Gains / losses of the returns by period; see `performance.omega`."""
    return _number(performance.omega(_returns(result)[0]))


def _statistic(result: ScenarioResult, name: str) -> float:
    value = None if result.loop is None else result.loop.statistics[name]
    return math.nan if value is None else float(value)


def net_return_pct(result: ScenarioResult) -> float | None:
    """Net profit in percent of the opening balance."""
    profit, final = _statistic(result, "net_profit"), _statistic(result, "final_balance")
    return _number(100.0 * profit / (final - profit))


def recovery_factor(result: ScenarioResult) -> float | None:
    """Net profit / largest drawdown, every tick counted."""
    return _number(performance.recovery_factor(_statistic(result, "net_profit"), _statistic(result, "max_drawdown")))


def sqn(result: ScenarioResult) -> float | None:
    """System quality number of the trades; see `performance.sqn`."""
    return None if result.loop is None else _number(performance.sqn(result.loop.trades["net_minor"]))
