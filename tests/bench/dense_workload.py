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


DENSE = Dense()


def dense_set(market: Market, dense: Dense = DENSE, **shared: Any) -> dict[str, Any]:
    """A set of one scenario whose logic quotes at its wake-ups (`bench.strategies.Quoter`)."""
    return {
        "name": "dense",
        "global": {
            "symbol": SYMBOL,
            "start": format_utc(market.start_ns),
            "max_ticks": len(market.ticks.time_ns),
            "logic": {"type": "bench.strategies:Quoter", "lots": "0.1", **dense._asdict()},
            "account": {"broker": "mt5_fx", "balance": 1_000_000},
            **shared,
        },
        "scenarios": [{"name": "dense"}],
    }
