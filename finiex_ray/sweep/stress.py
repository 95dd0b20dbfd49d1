"""Stress: the same strategy with wider spreads, more slippage, more latency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from finiex_ray.core.errors import ConfigError
from finiex_ray.core.market import TickSegment, freeze
from finiex_ray.data.source import TickSource

__all__ = ["LADDER", "StressLevel", "WideSource", "neighbours"]


@dataclass(frozen=True)
class StressLevel:
    """What is made worse, and how much."""

    name: str
    spread_factor: float = 1.0  # times the spread of every quote
    slippage_points: int | None = None  # fixed, against the trader, in place of the broker's slippage
    latency_ms: float | None = None  # fixed, in place of the broker's latency

    def params(self) -> dict[str, Any]:
        """What it changes in the account."""
        found: dict[str, Any] = {}
        if self.slippage_points is not None:
            found["account.slippage"] = {"kind": "fixed", "points": self.slippage_points}
        if self.latency_ms is not None:
            found["account.latency"] = {"kind": "fixed", "ms": self.latency_ms}
        return found


LADDER: Final = (
    StressLevel("as it is"),
    StressLevel("spread × 1.5", spread_factor=1.5),
    StressLevel("spread × 2", spread_factor=2.0),
    StressLevel("spread × 3", spread_factor=3.0),
    StressLevel("slippage 1 point", slippage_points=1),
    StressLevel("slippage 3 points", slippage_points=3),
    StressLevel("slippage 10 points", slippage_points=10),
    StressLevel("latency 100 ms", latency_ms=100),
    StressLevel("latency 500 ms", latency_ms=500),
    StressLevel("latency 2 s", latency_ms=2_000),
    StressLevel("spread × 2, slippage 3 points, latency 500 ms", 2.0, 3, 500),
)
"""The steps that `Experiment.stress` takes."""


class WideSource:
    """A ``TickSource`` whose quotes are wider: both sides move away from the mid by the same whole points.

    Mids stay as they are, so that bars and workers see the same market.

    Args:
        source: The market.
        factor: Times the spread, 1 or more; the added points are rounded to an even number.
    """

    def __init__(self, source: TickSource, factor: float) -> None:
        if not factor >= 1:
            raise ConfigError(f"a spread factor of {factor} makes trading cheaper; take 1 or more")
        self._source, self._factor = source, factor

    def symbols(self) -> tuple[str, ...]:
        """The symbols of the market."""
        return self._source.symbols()

    def digits(self, symbol: str) -> int:
        """Decimal digits of the price."""
        return self._source.digits(symbol)

    def first_day(self, symbol: str) -> date:
        """The first UTC day that holds ticks."""
        return self._source.first_day(symbol)

    def last_day(self, symbol: str) -> date:
        """The last UTC day that holds ticks."""
        return self._source.last_day(symbol)

    def has_day(self, symbol: str, day: date) -> bool:
        """Whether the UTC day holds ticks."""
        return self._source.has_day(symbol, day)

    def rows(self, symbol: str, day: date) -> int | None:
        """Ticks of one UTC day, where that is known without loading them."""
        return self._source.rows(symbol, day)

    def load(self, symbol: str, day: date) -> TickSegment:
        """The ticks of one UTC day, with wider spreads."""
        ticks = self._source.load(symbol, day)
        spread = ticks.ask_points - ticks.bid_points
        side = np.maximum(np.rint(spread * (self._factor - 1.0) / 2.0), 0.0).astype(np.int64)
        return freeze(ticks._replace(bid_points=ticks.bid_points - side, ask_points=ticks.ask_points + side))

    def content_key(self, symbol: str, day: date) -> str:
        """The market's key, and the factor."""
        return f"{self._source.content_key(symbol, day)} spread×{self._factor:g}"

    def describe(self) -> str:
        """The market, and the factor."""
        return f"{self._source.describe()}, spread × {self._factor:g}"


def neighbours(params: Mapping[str, Any], percents: tuple[float, ...]) -> list[tuple[str, float, Any]]:
    """Each numeric parameter moved by each percentage up and down: path, change in percent, value.

    Whole numbers move by at least one; values that come out the same are left out.
    """
    found: list[tuple[str, float, Any]] = []
    for path, value in params.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value == 0:
            continue
        seen = {value}
        for percent in sorted([*percents, *(-each for each in percents)]):
            moved: float | int = value * (1.0 + percent / 100.0)
            if isinstance(value, int):
                moved = round(moved) if round(moved) != value else value + (1 if percent > 0 else -1)
            if moved not in seen:
                seen.add(moved)
                found.append((path, percent, moved))
    return found
