"""What chance decides about each request: delays, slippage and refusals, drawn in request order (rules R3, R4)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from finiex_ray.config.costs import LatencyConfig
from finiex_ray.core.market import IntArray
from finiex_ray.core.random import generator
from finiex_ray.core.time import NS_PER_MS
from finiex_ray.trading.terms import TradingTerms

__all__ = ["RequestDraws", "are_zero"]

_NS_PER_US = 1_000


def are_zero(terms: TradingTerms) -> bool:
    """Whether every draw is zero: no delays, no slippage, no refusals."""
    delays = [terms.latency_open, terms.latency_close]
    return (
        all(each.kind == "fixed" and each.ms == 0 for each in delays)
        and terms.slippage.kind not in ("fixed", "uniform")
        and terms.rejection_share == 0
    )


class RequestDraws:
    """The draws of one scenario, each kind from a stream of its own: changing one model leaves the others' draws alone.

    Args:
        terms: The models.
        seed: Seed of the scenario.
    """

    def __init__(self, terms: TradingTerms, seed: int) -> None:
        self._terms = terms
        self._latency = generator(seed, "latency")
        self._slippage = generator(seed, "slippage")
        self._refusal = generator(seed, "refusal")

    def next(self, count: int) -> IntArray:
        """The draws of the next ``count`` requests, as rows of `SimState.draws`; the chunks that are asked for change nothing."""
        terms = self._terms
        rows = np.zeros((count, 4), np.int64)
        # One uniform and one normal number a request, whether its model needs them or not: models can be compared.
        uniform, normal = self._latency.random((count, 2)).T
        gauss = np.array([_normal(u) for u in normal]) if _is_random(terms) else normal
        rows[:, 0] = _delays_ns(terms.latency_open, uniform, gauss)
        rows[:, 1] = _delays_ns(terms.latency_close, uniform, gauss)
        if terms.slippage.kind == "fixed":
            rows[:, 2] = terms.slippage.points
        elif terms.slippage.kind == "uniform":
            rows[:, 2] = np.floor(self._slippage.random(count) * (terms.slippage.points + 1))
        if terms.rejection_share > 0:
            rows[:, 3] = self._refusal.random(count) < terms.rejection_share
        return rows


def _is_random(terms: TradingTerms) -> bool:
    return "lognormal" in (terms.latency_open.kind, terms.latency_close.kind)


def _normal(uniform: float) -> float:
    """A standard normal number from a uniform one in [0, 1): bisection of the error function, no platform's tables in it."""
    target = 2.0 * min(max(uniform, 1e-12), 1.0 - 1e-12) - 1.0
    low, high = -8.0, 8.0
    for _ in range(60):
        middle = (low + high) / 2.0
        if math.erf(middle / math.sqrt(2.0)) < target:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def _delays_ns(latency: LatencyConfig, uniform: NDArray[np.float64], normal: NDArray[np.float64]) -> IntArray:
    """Delays in ns, whole microseconds where a logarithm comes in, so that the last bit of a platform's exp is not seen."""
    low = round(latency.ms * NS_PER_MS)
    if latency.kind == "fixed":
        return np.full(len(uniform), low, np.int64)
    if latency.kind == "uniform":
        high = round((latency.max_ms or 0.0) * NS_PER_MS)
        return low + np.floor(uniform * (high - low + 1)).astype(np.int64)
    most = round((3_600_000.0 if latency.max_ms is None else latency.max_ms) * NS_PER_MS)
    drawn = [low * math.exp((latency.sigma or 0.0) * float(z)) for z in normal]
    return np.array([min(round(ns / _NS_PER_US) * _NS_PER_US, most) for ns in drawn], np.int64)
