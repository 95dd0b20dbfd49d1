"""Statistics of the daily returns of a scenario, as QuantStats has them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import groupby
from typing import Any, Final

import numpy as np
import pandas as pd

from finiex_ray.core.market import FloatArray
from finiex_ray.report.html.statistic import Statistic, count_of, number, percent_of, ratio_of, share

__all__ = ["daily_returns", "daily_statistics"]

_WORKDAYS: Final = 252
_ALL_DAYS: Final = 365


def daily_returns(row: Mapping[str, Any], trades: pd.DataFrame, balance: float) -> pd.Series[float]:
    """Return of each UTC day of the window: net of the trades closed on it / balance at its start.

    Saturdays and Sundays are left out where no trade closed on one.
    """
    if row["first_time"] is None or pd.isna(row["first_time"]):
        return pd.Series(dtype=float)
    days = pd.date_range(
        pd.Timestamp(row["first_time"]).normalize(), pd.Timestamp(row["last_time"]).normalize(), freq="D"
    )
    net = trades.groupby(trades["exit_time"].dt.normalize())["net"].sum().reindex(days, fill_value=0.0)
    before = balance + net.cumsum().shift(1, fill_value=0.0)
    returns = (net / before).where(before > 0)
    weekend = pd.DatetimeIndex(returns.index).day_of_week >= 5
    return returns if (net[weekend] != 0).any() else returns[~weekend]


def daily_statistics(row: Mapping[str, Any], returns: pd.Series[float]) -> list[Statistic]:
    """The statistics of `daily_returns`; ``row`` is the scenario's."""
    r = returns.dropna().to_numpy(dtype=float)
    size = len(r)
    year = _ALL_DAYS if size and bool((pd.DatetimeIndex(returns.index).day_of_week >= 5).any()) else _WORKDAYS
    curve = np.cumprod(1.0 + r)
    below = curve / np.maximum.accumulate(np.r_[1.0, curve])[1:] - 1.0 if size else np.empty(0)
    total = float(curve[-1]) if size else 1.0
    enough = size >= 2
    spread = float(r.std(ddof=1)) if enough else 0.0
    downside = math.sqrt(float((np.minimum(r, 0.0) ** 2).mean())) if size else 0.0
    grown = total ** (year / size) - 1.0 if enough and total > 0 else None
    fall = (number(row["max_drawdown_pct"]) or 0.0) / 100.0
    var = float(np.quantile(r, 0.05)) if enough else None
    tail = r[r <= var] if var is not None else np.empty(0)
    ulcer = math.sqrt(float((below**2).mean())) if enough else None
    gains, losses = float(r[r > 0].sum()), -float(r[r < 0].sum())
    root = math.sqrt(year)
    why = f"{year} days a year; a day's return is the net of the trades closed on it (UTC) / balance at its start"

    def hundred(value: float | None) -> float | None:
        return None if value is None else 100.0 * value

    return [
        count_of("Days", size, "Days of the window; weekends count where trades closed on them"),
        percent_of("CAGR", hundred(grown), f"Compound annual growth: (1 + return)^(days a year / days) − 1. {why}"),
        percent_of(
            "Volatility, annual",
            hundred(spread * root) if enough else None,
            f"Standard deviation of daily returns · √days a year. {why}",
        ),
        ratio_of(
            "Sharpe ratio, annual",
            float(r.mean()) / spread * root if enough and spread else None,
            f"mean / standard deviation of daily returns · √days a year, risk-free rate zero. {why}",
        ),
        ratio_of(
            "Sortino ratio, annual",
            float(r.mean()) / downside * root if enough and downside else None,
            f"mean / √mean(min(r, 0)²) of daily returns · √days a year. {why}",
        ),
        ratio_of(
            "Calmar ratio", grown / fall if grown is not None and fall else None, "CAGR / relative equity drawdown"
        ),
        ratio_of(
            "Omega", gains / losses if losses else None, "Sum of gains / sum of losses of daily returns, threshold zero"
        ),
        percent_of("Value at risk, 95 %", hundred(var), "5 % quantile of daily returns"),
        percent_of(
            "Expected shortfall, 95 %",
            hundred(float(tail.mean()) if len(tail) else None),
            "Mean of the daily returns at or below the value at risk (CVaR)",
        ),
        percent_of("Ulcer index", hundred(ulcer), "√mean(drawdown²) of the daily balance"),
        count_of("Longest drawdown, days", _longest(below), "Most days in a row below the highest daily balance"),
        percent_of("Best day", hundred(float(r.max()) if size else None), "Highest daily return"),
        percent_of("Worst day", hundred(float(r.min()) if size else None), "Lowest daily return"),
        percent_of(
            "Days won",
            share(float((r > 0).sum()), float((r != 0).sum())),
            "Days with a return above zero, percent of days with trades",
        ),
        ratio_of("Tail ratio", _tail_ratio(r) if enough else None, "95 % quantile / −5 % quantile of daily returns"),
        ratio_of("Skew", _moment(pd.Series(r).skew()) if size > 2 and spread else None, "Skewness of daily returns"),
        ratio_of(
            "Kurtosis",
            _moment(pd.Series(r).kurt()) if size > 3 and spread else None,
            "Excess kurtosis of daily returns",
        ),
    ]


def _moment(value: Any) -> float:
    return float(value)


def _tail_ratio(r: Any) -> float | None:
    low = float(np.quantile(r, 0.05))
    return float(np.quantile(r, 0.95)) / -low if low < 0 else None


def _longest(below: FloatArray) -> int:
    return max((len(list(items)) for under, items in groupby(below < -1e-12) if under), default=0)
