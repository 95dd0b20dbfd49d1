"""Monte Carlo of what could have been: trades in another order, trades and returns drawn again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from finiex_ray.core.errors import ConfigError
from finiex_ray.core.market import FloatArray, IntArray
from finiex_ray.core.random import generator

__all__ = ["Bootstrap", "block_bootstrap", "block_indices", "reorder_trades", "resample_trades"]

Kind = Literal["stationary", "circular"]


@dataclass(frozen=True)
class Bootstrap:
    """A statistic with its confidence interval."""

    value: float  # of the series itself
    low: float
    high: float
    confidence: float  # for example 0.95: that share of the draws lies from low to high
    draws: FloatArray  # [runs] the statistic of each draw, in order of the draws

    def __str__(self) -> str:
        return f"{self.value:.6g} ({100 * self.confidence:g} %: {self.low:.6g} to {self.high:.6g})"


def block_indices(length: int, block: float, rng: np.random.Generator, kind: Kind = "stationary") -> IntArray:
    """Places of one draw of a series, in blocks that keep what neighbours have to do with each other; the series is a ring.

    ``stationary``: the length of each block is drawn, geometric with mean ``block`` (Politis and Romano, "The Stationary
    Bootstrap", Journal of the American Statistical Association, 1994). ``circular``: every block is ``block`` long (Politis and
    Romano, "A Circular Block-Resampling Procedure for Stationary Data", 1992).

    Args:
        length: Of the series.
        block: Length of a block, 1 or more.
        rng: The generator.
        kind: See above.
    """
    if kind == "circular":
        size = max(1, round(block))
        starts = rng.integers(0, length, -(-length // size))
        return (starts[:, None] + np.arange(size)).ravel()[:length] % length
    begins = rng.random(length) < 1.0 / block
    begins[0] = True
    starts = rng.integers(0, length, length)
    places = np.arange(length)
    first = np.maximum.accumulate(np.where(begins, places, 0))
    return np.asarray((starts[first] + places - first) % length, dtype=np.int64)


def block_bootstrap(
    returns: ArrayLike,
    statistic: Callable[[FloatArray], float],
    *,
    runs: int = 2_000,
    block: float | None = None,
    confidence: float = 0.95,
    kind: Kind = "stationary",
    seed: int = 0,
) -> Bootstrap:
    """Confidence interval of a statistic of a series, by percentiles of block bootstrap draws.

    Args:
        returns: One a period.
        statistic: For example `finiex_ray.report.performance.sharpe`.
        runs: Draws.
        block: Length of a block; default: the cube root of the number of periods.
        confidence: Share of the draws in the interval.
        kind: See `block_indices`.
        seed: Seed of the draws.

    Raises:
        ConfigError: If the series is empty, or an argument is out of its range.
    """
    series = np.asarray(returns, dtype=np.float64)
    size = max(1.0, len(series) ** (1 / 3)) if block is None else float(block)
    if not len(series) or runs < 1 or size < 1 or not 0 < confidence < 1:
        raise ConfigError(
            "a bootstrap needs a series, at least one run, blocks of 1 or more, and a confidence between 0 and 1"
        )
    rng = generator(seed, "bootstrap", kind)
    draws = np.array([statistic(series[block_indices(len(series), size, rng, kind)]) for _ in range(runs)])
    tail = 50.0 * (1.0 - confidence)
    low, high = np.nanpercentile(draws, [tail, 100.0 - tail]) if np.isfinite(draws).any() else (np.nan, np.nan)
    return Bootstrap(float(statistic(series)), float(low), float(high), confidence, draws)


def reorder_trades(profits: ArrayLike, opening: float, *, runs: int = 2_000, seed: int = 0) -> pd.DataFrame:
    """The trades in other orders: the profit stays, the drawdown does not. See `_paths` for the columns.

    Args:
        profits: Net of each trade, in money.
        opening: Opening balance.
        runs: Orders.
        seed: Seed of the draws.
    """
    series, rng = np.asarray(profits, dtype=np.float64), generator(seed, "trades", "order")
    return _paths(series, (rng.permutation(series) for _ in range(runs)), opening)


def resample_trades(profits: ArrayLike, opening: float, *, runs: int = 2_000, seed: int = 0) -> pd.DataFrame:
    """As many trades, drawn with replacement (Efron, "Bootstrap Methods", Annals of Statistics, 1979). See `_paths`.

    Args:
        profits: Net of each trade, in money.
        opening: Opening balance.
        runs: Draws.
        seed: Seed of the draws.
    """
    series, rng = np.asarray(profits, dtype=np.float64), generator(seed, "trades", "bootstrap")
    return _paths(series, (rng.choice(series, len(series)) for _ in range(runs)), opening)


def _paths(series: FloatArray, draws: object, opening: float) -> pd.DataFrame:
    """Rows ``net_profit``, ``max_drawdown`` (money), ``max_drawdown_pct``: as they were, and percentiles of the draws."""
    if not len(series):
        raise ConfigError("there are no trades to draw from")
    found = np.array([_path(each, opening) for each in draws])  # type: ignore[attr-defined]
    table = pd.DataFrame(
        np.percentile(found, [5, 25, 50, 75, 95], axis=0).T, columns=["p5", "p25", "p50", "p75", "p95"]
    )
    table.insert(0, "actual", _path(series, opening))
    table.index = pd.Index(["net_profit", "max_drawdown", "max_drawdown_pct"])
    return table


def _path(profits: FloatArray, opening: float) -> tuple[float, float, float]:
    balance = opening + np.concatenate([[0.0], np.cumsum(profits)])
    peak = np.maximum.accumulate(balance)
    fall = peak - balance
    return float(balance[-1] - opening), float(fall.max()), float((100.0 * fall / peak).max())
