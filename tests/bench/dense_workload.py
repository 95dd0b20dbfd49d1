"""The dense workload (`dense_loop` states it) as scenario sets of ours."""

from __future__ import annotations

from typing import Any, NamedTuple

from bench.market import SYMBOL, Market

from finiex_ray.core.time import NS_PER_S, format_utc


class Dense(NamedTuple):
    """Its parameters; distances in points."""

    offset: int = 10
    lifetime_s: int = 20
    trail: int = 25
    target: int = 30

    @property
    def for_loop(self) -> tuple[int, int, int, int]:
        """The arguments of the loops."""
        return self.offset, self.lifetime_s * NS_PER_S, self.trail, self.target

    @property
    def for_policy(self) -> dict[str, Any]:
        """The logic that the compiled policy trades."""
        return {
            "type": "two_sided_quote",
            "offset_points": self.offset,
            "lifetime_s": self.lifetime_s,
            "trail_points": self.trail,
            "tp_points": self.target,
        }

    @property
    def for_python(self) -> dict[str, Any]:
        """The logic that trades at its wake-ups."""
        return {"type": "bench.strategies:Quoter", **self._asdict()}


DENSE = Dense()


def dense_set(market: Market, dense: Dense = DENSE, *, python: bool = False, **shared: Any) -> dict[str, Any]:
    """A set of one scenario: the compiled policy quotes, or a logic in Python at its wake-ups (`bench.strategies.Quoter`)."""
    logic = dense.for_python if python else dense.for_policy
    return {
        "name": "dense",
        "global": {
            "symbol": SYMBOL,
            "start": format_utc(market.start_ns),
            "max_ticks": len(market.ticks.time_ns),
            "logic": {**logic, "lots": "0.1"},
            "account": {"broker": "mt5_fx", "balance": 1_000_000},
            **shared,
        },
        "scenarios": [{"name": "dense"}],
    }
