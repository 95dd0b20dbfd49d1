"""The overfitting tests against independent computations, and on series whose truth is known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from finiex_ray.core.errors import ConfigError
from finiex_ray.report.performance import sharpe
from finiex_ray.sweep.overfitting import (
    backtest_overfitting,
    deflated_sharpe,
    effective_trials,
    examine,
    expected_max_sharpe,
    probabilistic_sharpe,
)


def test_the_probabilistic_sharpe_ratio_with_scipy() -> None:
    returns = np.random.default_rng(1).gamma(2.0, 0.01, 300) - 0.019
    ratio = returns.mean() / returns.std(ddof=1)
    third, fourth = stats.skew(returns), stats.kurtosis(returns, fisher=False)
    for benchmark in (0.0, 0.05):
        z = (ratio - benchmark) * math.sqrt(299) / math.sqrt(1 - third * ratio + (fourth - 1) / 4 * ratio**2)
        assert probabilistic_sharpe(returns, benchmark) == pytest.approx(stats.norm.cdf(z), rel=1e-9)
    assert math.isnan(probabilistic_sharpe(np.full(20, 0.01)))


def test_the_example_of_the_paper() -> None:
    """Bailey and López de Prado (2014), numerical example: 100 trials, variance 1/2 a year, daily returns over five years."""
    benchmark = expected_max_sharpe(0.5 / 250, 100)
    assert benchmark == pytest.approx(0.1132, abs=5e-5)
    ratio, days, third, fourth = 2.5 / math.sqrt(250), 1_250, -3.0, 10.0
    z = (ratio - benchmark) * math.sqrt(days - 1) / math.sqrt(1 - third * ratio + (fourth - 1) / 4 * ratio**2)
    assert stats.norm.cdf(z) == pytest.approx(0.9004, abs=5e-5)


@pytest.mark.parametrize("trials", [10, 100, 1_000])
def test_the_expected_largest_ratio_is_near_the_exact_one(trials: int) -> None:
    def density(x: float) -> float:
        return float(x * trials * stats.norm.pdf(x) * stats.norm.cdf(x) ** (trials - 1))

    exact, _ = integrate.quad(density, -10, 10)
    assert expected_max_sharpe(0.04, trials) == pytest.approx(0.2 * exact, rel=0.03)  # it is exact for many trials only
    assert expected_max_sharpe(0.04, 1) == 0.0


def test_the_deflated_ratio_uses_the_spread_of_the_trials() -> None:
    returns = np.random.default_rng(2).normal(0.001, 0.01, 500)
    ratios = np.random.default_rng(3).normal(0, 0.05, 40)
    expected = probabilistic_sharpe(returns, expected_max_sharpe(ratios.var(ddof=1), 40))
    assert deflated_sharpe(returns, ratios) == expected < probabilistic_sharpe(returns)
    assert deflated_sharpe(returns, ratios, trials=2.0) > expected


def test_the_number_of_independent_trials_is_that_of_the_whole_correlation_matrix() -> None:
    rng = np.random.default_rng(4)
    returns = rng.normal(size=(200, 1)) * 0.8 + rng.normal(size=(200, 12))
    matrix = np.corrcoef(returns.T)
    mean = matrix[np.triu_indices(12, 1)].mean()
    assert effective_trials(returns) == pytest.approx(mean + (1 - mean) * 12, rel=1e-9)
    assert effective_trials(np.repeat(returns[:, :1], 5, axis=1)) == pytest.approx(1.0)


def plain_cscv(returns: np.ndarray, blocks: int) -> list[float]:
    """CSCV step by step, as the paper writes it, with pandas and scipy."""
    parts = np.split(returns[: len(returns) // blocks * blocks], blocks)
    logits = []
    for chosen in itertools.combinations(range(blocks), blocks // 2):
        inside = pd.DataFrame(np.vstack([parts[i] for i in chosen]))
        outside = pd.DataFrame(np.vstack([parts[i] for i in range(blocks) if i not in chosen]))
        best = (inside.mean() / inside.std()).idxmax()
        ratios = outside.mean() / outside.std()
        omega = stats.rankdata(ratios)[best] / (len(ratios) + 1)
        logits.append(math.log(omega / (1 - omega)))
    return logits


@pytest.mark.parametrize("blocks", [2, 6, 8])
def test_cross_validation_equals_the_plain_one(blocks: int) -> None:
    returns = np.random.default_rng(5).standard_t(4, (103, 7)) * 0.01
    found = backtest_overfitting(returns, blocks)
    expected = plain_cscv(returns, blocks)
    assert found.logits == pytest.approx(expected, rel=1e-9)
    assert found.probability == np.mean(np.array(expected) <= 0)


def test_noise_is_flagged_and_an_edge_is_not() -> None:
    rng = np.random.default_rng(6)
    noise = rng.normal(0, 0.01, (320, 200))
    report = examine(noise)
    assert report.overfitted
    assert report.overfitting_probability > 0.3
    assert report.deflated_sharpe < 0.95
    assert report.probabilistic_sharpe > 0.95  # what the search hides
    edge = noise.copy()
    edge[:, 17] += 0.004
    report = examine(edge)
    assert not report.overfitted
    assert report.overfitting_probability < 0.05
    assert report.deflated_sharpe > 0.95
    assert report.best_sharpe == pytest.approx(sharpe(edge[:, 17], 1.0))
    assert "holds" in str(report)


def test_the_probability_is_one_half_without_any_edge() -> None:
    values = [
        backtest_overfitting(np.random.default_rng(seed).normal(size=(64, 20)), 8).probability for seed in range(60)
    ]
    assert 0.4 < np.mean(values) < 0.6


@pytest.mark.parametrize(
    ("shape", "blocks", "message"),
    [((64, 5), 7, "even"), ((64, 5), 22, "even"), ((20, 5), 16, "32 periods"), ((64, 1), 16, "2 trials")],
)
def test_too_little_to_tell(shape: tuple[int, int], blocks: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        backtest_overfitting(np.random.default_rng(1).normal(size=shape), blocks)
