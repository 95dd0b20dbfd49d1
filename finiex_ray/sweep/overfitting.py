"""Does a found strategy hold? Probabilistic and deflated Sharpe ratio, and the probability of backtest overfitting."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from finiex_ray.core.errors import ConfigError
from finiex_ray.core.market import FloatArray
from finiex_ray.report.performance import kurtosis, sharpe, skewness

__all__ = [
    "CrossValidation",
    "OverfittingReport",
    "backtest_overfitting",
    "deflated_sharpe",
    "effective_trials",
    "examine",
    "expected_max_sharpe",
    "probabilistic_sharpe",
]

_NORMAL: Final = NormalDist()
_EULER_GAMMA: Final = 0.5772156649015329
_MOST_BLOCKS: Final = 20  # 184,756 combinations


def probabilistic_sharpe(returns: ArrayLike, benchmark: float = 0.0) -> float:
    """Probability that the true Sharpe ratio is above a benchmark, for returns of any skewness and kurtosis.

    Φ((SR − SR*) · √(n − 1) / √(1 − γ₃·SR + (γ₄ − 1)/4 · SR²)), all per period (Bailey and López de Prado, "The Sharpe Ratio
    Efficient Frontier", Journal of Risk, 2012).

    Args:
        returns: One a period.
        benchmark: Sharpe ratio per period.

    Returns:
        0 to 1; NaN where the returns have no Sharpe ratio.
    """
    series = np.asarray(returns, dtype=np.float64)
    ratio = sharpe(series, 1.0)
    if math.isnan(ratio):
        return math.nan
    spread = 1.0 - skewness(series) * ratio + (kurtosis(series) - 1.0) / 4.0 * ratio**2
    return _NORMAL.cdf((ratio - benchmark) * math.sqrt(len(series) - 1) / math.sqrt(spread)) if spread > 0 else math.nan


def expected_max_sharpe(variance: float, trials: float) -> float:
    """Expected largest Sharpe ratio of so many trials without any edge.

    √V · ((1 − γ)·Φ⁻¹(1 − 1/N) + γ·Φ⁻¹(1 − 1/(N·e))), γ the Euler-Mascheroni constant (Bailey and López de Prado, "The Deflated
    Sharpe Ratio", Journal of Portfolio Management, 2014).

    Args:
        variance: Variance of the trials' Sharpe ratios, per period.
        trials: Number of independent trials, 1 or more.
    """
    if trials <= 1.0:
        return 0.0
    first, second = _NORMAL.inv_cdf(1.0 - 1.0 / trials), _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return math.sqrt(variance) * ((1.0 - _EULER_GAMMA) * first + _EULER_GAMMA * second)


def effective_trials(returns: ArrayLike) -> float:
    """Number of independent trials that so many correlated ones stand for: ρ + (1 − ρ)·M, ρ their mean correlation.

    Bailey and López de Prado, "The Deflated Sharpe Ratio", 2014, appendix 3. A negative mean correlation counts as none.

    Args:
        returns: A row a period, a column a trial.
    """
    series = _moving(np.asarray(returns, dtype=np.float64))
    count = int(series.shape[1])
    if count < 2:
        return float(count)
    standard = (series - series.mean(axis=0)) / series.std(axis=0)
    # The mean of all pairs from the sum of all columns: no matrix of M × M is made.
    total = float((standard.sum(axis=1) ** 2).mean())
    correlation = max((total - count) / (count * (count - 1)), 0.0)
    return correlation + (1.0 - correlation) * count


def deflated_sharpe(returns: ArrayLike, trial_sharpes: ArrayLike, trials: float | None = None) -> float:
    """Probability that the true Sharpe ratio of the best of many trials is above zero, the search taken into account.

    The probabilistic Sharpe ratio with the `expected_max_sharpe` of the trials as benchmark (Bailey and López de Prado, 2014).
    Below 0.95 the find is no more than such a search gives without any edge.

    Args:
        returns: Returns of the best trial, one a period.
        trial_sharpes: Sharpe ratios per period of all trials.
        trials: Number of independent trials; default: all.
    """
    ratios = np.asarray(trial_sharpes, dtype=np.float64)
    ratios = ratios[np.isfinite(ratios)]
    variance = float(ratios.var(ddof=1)) if len(ratios) > 1 else 0.0
    return probabilistic_sharpe(returns, expected_max_sharpe(variance, len(ratios) if trials is None else trials))


@dataclass(frozen=True)
class CrossValidation:
    """Result of the combinatorially symmetric cross-validation."""

    probability: float  # of overfitting: how often the best in sample is below the median out of sample
    logits: FloatArray  # [combinations] ln(ω / (1 − ω)), ω the relative rank out of sample of the best in sample
    loss_probability: float  # how often the best in sample has a Sharpe ratio below zero out of sample
    slope: float  # of the Sharpe ratio out of sample over that in sample, of the chosen trials


def backtest_overfitting(returns: ArrayLike, blocks: int = 16) -> CrossValidation:
    """Probability of backtest overfitting by combinatorially symmetric cross-validation (CSCV).

    The periods are cut into ``blocks`` of equal length (a rest at the end is left out); each half of the blocks is once in
    sample, the other half out of sample. Where the trial with the best Sharpe ratio in sample has, out of sample, a relative
    rank ω = rank / (N + 1) of at most one half, that choice was overfitted (Bailey, Borwein, López de Prado and Zhu, "The
    Probability of Backtest Overfitting", Journal of Computational Finance, 2015). Equal ratios share the mean of their ranks.

    Args:
        returns: A row a period, a column a trial; at least two trials and two periods a block.
        blocks: An even number, 2 to 20.

    Raises:
        ConfigError: If there are too few periods or trials, or the number of blocks is not even.
    """
    series = np.asarray(returns, dtype=np.float64)
    if blocks % 2 or not 2 <= blocks <= _MOST_BLOCKS:
        raise ConfigError(f"{blocks} blocks: take an even number from 2 to {_MOST_BLOCKS}")
    length = len(series) // blocks if series.ndim == 2 else 0
    if length < 2 or series.shape[1] < 2:
        shape = " × ".join(map(str, series.shape))
        raise ConfigError(
            f"cross-validation in {blocks} blocks needs at least {2 * blocks} periods and 2 trials (here: {shape}); "
            "keep shorter periods (returns), or take fewer blocks"
        )
    parts = series[: length * blocks].reshape(blocks, length, -1)
    sums, squares = parts.sum(axis=1), (parts**2).sum(axis=1)  # [blocks, trials]: enough for every half
    logits, inside, outside = [], [], []
    for half in combinations(range(blocks), blocks // 2):
        chosen = np.zeros(blocks, bool)
        chosen[list(half)] = True
        count = length * blocks // 2
        in_sample = _ratio(sums[chosen].sum(axis=0), squares[chosen].sum(axis=0), count)
        out_sample = _ratio(sums[~chosen].sum(axis=0), squares[~chosen].sum(axis=0), count)
        best = int(np.argmax(in_sample))
        below, equal = float((out_sample < out_sample[best]).sum()), float((out_sample == out_sample[best]).sum())
        omega = (below + (equal + 1.0) / 2.0) / (len(out_sample) + 1.0)
        logits.append(math.log(omega / (1.0 - omega)))
        inside.append(float(in_sample[best]))
        outside.append(float(out_sample[best]))
    found = np.array(logits)
    spread = float(np.var(inside))
    slope = float(np.cov(inside, outside, ddof=0)[0, 1]) / spread if spread > 0 else math.nan
    return CrossValidation(float((found <= 0).mean()), found, float((np.array(outside) < 0).mean()), slope)


def _ratio(total: FloatArray, square: FloatArray, count: int) -> FloatArray:
    """Sharpe ratios from sums; a trial that did not move has none, and counts as zero."""
    mean = total / count
    variance = np.maximum(square / count - mean**2, 0.0) * count / (count - 1)
    moved = variance > 1e-24
    return np.divide(mean, np.sqrt(variance), out=np.zeros_like(mean), where=moved)


def _moving(series: FloatArray) -> FloatArray:
    """The columns that are not constant."""
    return series[:, series.std(axis=0) > 1e-14]


@dataclass(frozen=True)
class OverfittingReport:
    """What speaks for and against the best trial of a search."""

    periods: int
    trials: int  # that moved
    effective_trials: float
    best_sharpe: float  # per period
    expected_max_sharpe: float  # per period, of as many trials without any edge
    probabilistic_sharpe: float  # probability that the best trial's ratio is above zero, the search left aside
    deflated_sharpe: float  # the same, the search taken into account
    overfitting_probability: float
    loss_probability: float  # of the best in sample, out of sample

    @property
    def overfitted(self) -> bool:
        """True unless both hold: a deflated Sharpe ratio of 0.95 or more, and a probability of overfitting below one half."""
        return not (self.deflated_sharpe >= 0.95 and self.overfitting_probability < 0.5)

    def __str__(self) -> str:
        verdict = "no more than such a search finds without any edge" if self.overfitted else "holds"
        return (
            f"{verdict}: deflated Sharpe ratio {self.deflated_sharpe:.3f} (at least 0.95), probability of overfitting "
            f"{self.overfitting_probability:.3f} (below 0.5); {self.trials:,} trials, worth {self.effective_trials:,.1f} "
            f"independent ones, {self.periods:,} periods; best Sharpe ratio per period {self.best_sharpe:.4f}, "
            f"{self.expected_max_sharpe:.4f} expected by chance"
        )


def examine(returns: ArrayLike, *, blocks: int = 16, independent: bool = False) -> OverfittingReport:
    """Both tests on the returns of all trials of a search.

    Args:
        returns: A row a period, a column a trial.
        blocks: See `backtest_overfitting`.
        independent: Count every trial as independent; default: their mean correlation makes them fewer.

    Raises:
        ConfigError: If there are too few periods or trials.
    """
    series = np.asarray(returns, dtype=np.float64)
    moving = _moving(series) if series.ndim == 2 and len(series) else series
    crossed = backtest_overfitting(moving, blocks)
    ratios = np.array([sharpe(column, 1.0) for column in moving.T])
    best = moving[:, int(np.nanargmax(ratios))]
    trials = float(len(ratios)) if independent else effective_trials(moving)
    return OverfittingReport(
        periods=len(moving),
        trials=moving.shape[1],
        effective_trials=trials,
        best_sharpe=float(np.nanmax(ratios)),
        expected_max_sharpe=expected_max_sharpe(float(np.nanvar(ratios, ddof=1)), trials),
        probabilistic_sharpe=probabilistic_sharpe(best),
        deflated_sharpe=deflated_sharpe(best, ratios, trials),
        overfitting_probability=crossed.probability,
        loss_probability=crossed.loss_probability,
    )
