"""Each measure against an outside library that defines it alike."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from finiex_ray.report import performance

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import empyrical

CASES = {
    "normal": np.random.default_rng(1).normal(4e-4, 0.01, 500),
    "skewed": np.random.default_rng(2).gamma(1.2, 0.01, 731) - 0.011,
    "heavy": np.random.default_rng(3).standard_t(3, 252) * 0.01,
    "sparse": np.where(np.random.default_rng(4).random(400) < 0.1, np.random.default_rng(5).normal(0, 0.02, 400), 0.0),
    "short": np.array([0.01, -0.02, 0.005]),
    "hours": np.random.default_rng(6).normal(1e-5, 0.001, 2_000),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("periods", [252.0, 252.0 * 24])
def test_ratios_equal_empyrical(name: str, periods: float) -> None:
    returns = CASES[name]
    series = pd.Series(returns)
    expected = {
        "total_return": empyrical.cum_returns_final(series),
        "annual_return": empyrical.annual_return(series, annualization=periods),
        "annual_volatility": empyrical.annual_volatility(series, annualization=periods),
        "sharpe": empyrical.sharpe_ratio(series, annualization=periods),
        "sortino": empyrical.sortino_ratio(series, annualization=periods),
        "calmar": empyrical.calmar_ratio(series, annualization=periods),
    }
    found = {
        each: getattr(performance, each)(returns, *([] if each == "total_return" else [periods])) for each in expected
    }
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_other_measures_equal_empyrical_and_scipy(name: str) -> None:
    returns = CASES[name]
    series = pd.Series(returns)
    expected = {
        "max_drawdown": empyrical.max_drawdown(series),
        "omega": empyrical.omega_ratio(series, annualization=1),
        "tail_ratio": empyrical.tail_ratio(series),
        "value_at_risk": empyrical.value_at_risk(series),
        "conditional_value_at_risk": empyrical.conditional_value_at_risk(series),
        "stability": empyrical.stability_of_timeseries(series),
        "skewness": stats.skew(returns),
        "kurtosis": stats.kurtosis(returns, fisher=False),
    }
    if name == "sparse":
        expected.pop("tail_ratio")  # its 5th percentile is zero: infinite there, without a value here
    found = {each: getattr(performance, each)(returns) for each in expected}
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_sqn_is_the_t_statistic_of_the_mean() -> None:
    profits = CASES["skewed"] * 1_000
    assert performance.sqn(profits) == pytest.approx(stats.ttest_1samp(profits, 0.0).statistic, rel=1e-9)


def test_the_ulcer_index_by_hand() -> None:
    returns = [0.1, -0.5, 0.2]  # 1.1, 0.55, 0.66: falls of 0, 50 % and 40 %
    assert performance.drawdowns(returns) == pytest.approx([0.0, -0.5, -0.4])
    assert performance.ulcer_index(returns) == pytest.approx(math.sqrt((0.25 + 0.16) / 3))
    assert performance.recovery_factor(300.0, 150.0) == 2.0


@pytest.mark.parametrize(
    "name", [name for name in performance.__all__ if name not in ("DAYS_PER_YEAR", "drawdowns", "recovery_factor")]
)
def test_without_a_value_it_is_nan(name: str) -> None:
    assert math.isnan(getattr(performance, name)(np.array([])))
    if name in ("sharpe", "sqn", "skewness", "kurtosis", "sortino", "omega", "calmar"):
        assert math.isnan(getattr(performance, name)(np.full(9, 0.01)))
    assert performance.annual_return([-1.0, 0.5]) == -1.0
