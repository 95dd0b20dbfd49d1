from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from finiex_ray.core.errors import ConfigError
from finiex_ray.report.performance import sharpe
from finiex_ray.sweep.resampling import block_bootstrap, block_indices, reorder_trades, resample_trades


def test_blocks_are_stretches_of_the_ring() -> None:
    rng = np.random.default_rng(1)
    circular = block_indices(100, 7, rng, "circular").reshape(-1)
    assert all((circular[i + 1] - circular[i]) % 100 == 1 for i in range(99) if i % 7 != 6)
    steps = np.concatenate([np.diff(block_indices(1_000, 10, rng)) % 1_000 for _ in range(50)])
    assert np.mean(steps != 1) == pytest.approx(0.1, abs=0.01)  # a new block with probability 1/10
    lengths = np.diff(np.flatnonzero(steps != 1))
    assert stats.kstest(lengths - 1, stats.geom(0.1, loc=-1).cdf).statistic < 0.12  # geometric


def test_every_place_is_drawn_alike() -> None:
    rng = np.random.default_rng(2)
    for kind in ("stationary", "circular"):
        counts = np.bincount(np.concatenate([block_indices(50, 5, rng, kind) for _ in range(2_000)]), minlength=50)
        assert counts == pytest.approx(2_000, rel=0.15)


def test_single_blocks_give_the_interval_of_scipy() -> None:
    series = np.random.default_rng(3).normal(0.3, 1.0, 200)
    ours = block_bootstrap(series, lambda x: float(np.mean(x)), runs=4_000, block=1)
    theirs = stats.bootstrap((series,), np.mean, n_resamples=4_000, method="percentile", rng=1).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.015)
    assert ours.value == series.mean()


def test_blocks_keep_what_neighbours_have_to_do_with_each_other() -> None:
    """The mean of a persistent series is less certain than single draws say."""
    rng = np.random.default_rng(4)
    noise, series = rng.normal(size=3_000), np.zeros(3_000)
    for i in range(1, 3_000):
        series[i] = 0.9 * series[i - 1] + noise[i]

    def mean(x: np.ndarray) -> float:
        return float(np.mean(x))

    single, blocks = (block_bootstrap(series, mean, runs=600, block=length) for length in (1, 60))
    true_deviation = 1 / (1 - 0.9) / np.sqrt(3_000)
    assert blocks.draws.std() == pytest.approx(true_deviation, rel=0.2)
    assert single.draws.std() < 0.4 * true_deviation


def test_the_same_seed_draws_the_same() -> None:
    series = np.random.default_rng(5).normal(size=90)
    one, two = (block_bootstrap(series, lambda x: sharpe(x, 1.0), runs=50, seed=9) for _ in range(2))
    assert (one.draws == two.draws).all()
    with pytest.raises(ConfigError, match="needs a series"):
        block_bootstrap([], np.mean)


def test_another_order_of_trades_keeps_the_profit() -> None:
    profits = [100.0, -50.0, -50.0, 80.0, -20.0]
    table = reorder_trades(profits, 1_000.0, runs=500)
    assert list(table.columns) == ["actual", "p5", "p25", "p50", "p75", "p95"]
    assert (table.loc["net_profit"] == 60.0).all()
    assert table.loc["max_drawdown", "actual"] == 100.0
    assert table.loc["max_drawdown", "p5"] >= 50.0
    assert table.loc["max_drawdown", "p95"] <= 120.0
    drawn = resample_trades(profits, 1_000.0, runs=500)
    assert drawn.loc["net_profit", "p5"] < 60.0 < drawn.loc["net_profit", "p95"]
    with pytest.raises(ConfigError, match="no trades"):
        resample_trades([], 1_000.0)
