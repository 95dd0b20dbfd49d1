"""Measures beyond a scenario's own statistics, taken in the task from the whole result; a sweep names them like statistics."""

from __future__ import annotations

import math
from typing import Final

from finiex_ray.core.errors import ConfigError
from finiex_ray.core.market import FloatArray
from finiex_ray.core.time import NS_PER_DAY
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.report import performance
from finiex_ray.sweep.returns import period_returns

__all__ = [
    "MEASURES",
    "annual_sharpe",
    "annual_sortino",
    "calmar",
    "net_return_pct",
    "omega",
    "recovery_factor",
    "sqn",
]

MEASURES: Final = {
    name: f"{__name__}:{name}"
    for name in ("annual_sharpe", "annual_sortino", "calmar", "net_return_pct", "omega", "recovery_factor", "sqn")
}
"""Measures that a sweep knows by name."""


def _returns(result: ScenarioResult) -> tuple[FloatArray, float]:
    """Returns by period, and periods in a year of trading days."""
    if result.balances is None:
        raise ConfigError("this measure needs returns by period; do not set 'returns' to null in the sweep")
    returns = period_returns(result.balances.balance_minor, result.balances.opening_minor)
    return returns, performance.DAYS_PER_YEAR * NS_PER_DAY / result.balances.width_ns


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
