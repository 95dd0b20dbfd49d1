"""Performance measures of a series of returns, each with its source.

A return is simple: change over the period / value at its start. Series are float64, one value a period, without gaps;
NaN in gives NaN out. A measure without a value (an empty series, no deviation) is NaN. Ratios use a target of zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from finiex_ray.core.market import FloatArray

__all__ = [
    "DAYS_PER_YEAR",
    "annual_return",
    "annual_volatility",
    "calmar",
    "conditional_value_at_risk",
    "drawdowns",
    "kurtosis",
    "max_drawdown",
    "omega",
    "recovery_factor",
    "sharpe",
    "skewness",
    "sortino",
    "sqn",
    "stability",
    "tail_ratio",
    "total_return",
    "ulcer_index",
    "value_at_risk",
]

DAYS_PER_YEAR: Final = 252.0  # trading days, as the field's libraries count them


def _series(returns: ArrayLike) -> FloatArray:
    return np.asarray(returns, dtype=np.float64)


def _growth(returns: FloatArray) -> FloatArray:
    """Value after each period, of one unit at the start; the start itself comes first."""
    return np.concatenate([[1.0], np.cumprod(1.0 + returns)])


def total_return(returns: ArrayLike) -> float:
    """Growth over the whole series: ∏ (1 + r) − 1."""
    series = _series(returns)
    return float(np.prod(1.0 + series) - 1.0) if len(series) else math.nan


def annual_return(returns: ArrayLike, periods_per_year: float = DAYS_PER_YEAR) -> float:
    """Compound annual growth rate: (∏ (1 + r))^(periods per year / n) − 1."""
    series = _series(returns)
    if not len(series):
        return math.nan
    end = float(np.prod(1.0 + series))
    return end ** (periods_per_year / len(series)) - 1.0 if end > 0 else -1.0


def annual_volatility(returns: ArrayLike, periods_per_year: float = DAYS_PER_YEAR) -> float:
    """Standard deviation (n − 1) of the returns, times √(periods per year)."""
    series = _series(returns)
    return float(series.std(ddof=1)) * math.sqrt(periods_per_year) if len(series) > 1 else math.nan


def sharpe(returns: ArrayLike, periods_per_year: float = DAYS_PER_YEAR) -> float:
    """Sharpe ratio: mean(r) / standard deviation(r) (n − 1), times √(periods per year); 1 leaves it per period.

    Sharpe, "The Sharpe Ratio", Journal of Portfolio Management, 1994.
    """
    series = _series(returns)
    if len(series) < 2:
        return math.nan
    deviation = float(series.std(ddof=1))
    return float(series.mean()) / deviation * math.sqrt(periods_per_year) if _real(deviation, series) else math.nan


def sortino(returns: ArrayLike, periods_per_year: float = DAYS_PER_YEAR) -> float:
    """Sortino ratio: mean(r) / √mean(min(r, 0)²), times √(periods per year).

    Sortino and Price, "Performance Measurement in a Downside Risk Framework", Journal of Investing, 1994.
    """
    series = _series(returns)
    if len(series) < 2:
        return math.nan
    downside = math.sqrt(float((np.minimum(series, 0.0) ** 2).mean()))
    return float(series.mean()) / downside * math.sqrt(periods_per_year) if downside > 0 else math.nan


def drawdowns(returns: ArrayLike) -> FloatArray:
    """Distance from the highest value so far, as a share of it, after each period: zero or negative."""
    value = _growth(_series(returns))
    return np.asarray(value / np.maximum.accumulate(value) - 1.0, dtype=np.float64)[1:]


def max_drawdown(returns: ArrayLike) -> float:
    """Largest fall from a peak as a share of it: zero or negative."""
    falls = drawdowns(returns)
    return float(falls.min(initial=0.0)) if len(falls) else math.nan


def calmar(returns: ArrayLike, periods_per_year: float = DAYS_PER_YEAR) -> float:
    """Calmar ratio: annual return / |largest drawdown| (Young, "Calmar Ratio: A Smoother Tool", Futures, 1991)."""
    worst = max_drawdown(returns)
    return annual_return(returns, periods_per_year) / abs(worst) if worst < 0 else math.nan


def recovery_factor(profit: float, largest_drawdown: float) -> float:
    """Net profit / largest drawdown, both in money (as MetaTrader's tester reports it)."""
    return profit / largest_drawdown if largest_drawdown > 0 else math.nan


def omega(returns: ArrayLike) -> float:
    """Omega ratio: sum of the gains / sum of the losses (Keating and Shadwick, "A Universal Performance Measure", 2002)."""
    series = _series(returns)
    lost = -float(series[series < 0].sum())
    return float(series[series > 0].sum()) / lost if lost > 0 else math.nan


def tail_ratio(returns: ArrayLike) -> float:
    """|95th percentile| / |5th percentile| of the returns (linear interpolation)."""
    series = _series(returns)
    if not len(series):
        return math.nan
    low = abs(float(np.percentile(series, 5)))
    return abs(float(np.percentile(series, 95))) / low if low > 0 else math.nan


def value_at_risk(returns: ArrayLike, share: float = 0.05) -> float:
    """The return that a share of all returns lie below (historical, linear interpolation)."""
    series = _series(returns)
    return float(np.percentile(series, 100.0 * share)) if len(series) else math.nan


def conditional_value_at_risk(returns: ArrayLike, share: float = 0.05) -> float:
    """Mean of the lowest ``share`` of all returns: of the ⌊share · (n − 1)⌋ + 1 lowest.

    Rockafellar and Uryasev, "Optimization of Conditional Value-at-Risk", Journal of Risk, 2000.
    """
    series = np.sort(_series(returns))
    return float(series[: int(share * (len(series) - 1)) + 1].mean()) if len(series) else math.nan


def skewness(returns: ArrayLike) -> float:
    """Third standardised moment, m₃ / m₂^1.5 with moments over n."""
    return _moment(returns, 3)


def kurtosis(returns: ArrayLike) -> float:
    """Fourth standardised moment, m₄ / m₂² with moments over n; 3 for a normal distribution (not the excess)."""
    return _moment(returns, 4)


def _moment(returns: ArrayLike, order: int) -> float:
    series = _series(returns)
    if len(series) < 2:
        return math.nan
    centred = series - series.mean()
    spread = float((centred**2).mean())
    return float((centred**order).mean()) / spread ** (order / 2) if _real(math.sqrt(spread), series) else math.nan


def stability(returns: ArrayLike) -> float:
    """R² of a straight line through the cumulated log returns: 1 grows evenly."""
    series = _series(returns)
    if len(series) < 2:
        return math.nan
    value = np.cumsum(np.log1p(series))
    deviation = float(value.std())
    return float(np.corrcoef(np.arange(len(value)), value)[0, 1]) ** 2 if deviation > 0 else math.nan


def ulcer_index(returns: ArrayLike) -> float:
    """√mean(drawdown²), as a share (Martin and McCann, "The Investor's Guide to Fidelity Funds", 1989)."""
    falls = drawdowns(returns)
    return math.sqrt(float((falls**2).mean())) if len(falls) else math.nan


def sqn(profits: Sequence[float] | ArrayLike) -> float:
    """System quality number: √n · mean / standard deviation (n − 1) of the trades' profits.

    Tharp, "Definitive Guide to Position Sizing", 2008; he counts profits in multiples of the initial risk, which is the
    same number where every trade risks alike.
    """
    series = _series(profits)
    if len(series) < 2:
        return math.nan
    deviation = float(series.std(ddof=1))
    return math.sqrt(len(series)) * float(series.mean()) / deviation if _real(deviation, series) else math.nan


def _real(deviation: float, series: FloatArray) -> bool:
    """Whether a deviation is more than the rounding error of equal numbers."""
    return deviation > 1e-14 * float(np.abs(series).max(initial=0.0))
