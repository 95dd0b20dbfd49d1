"""The workload that all peers run (`common.py` beside them states it), as scenario sets of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.market import M5_NS, SYMBOL, Market

from finiex_ray.core.time import format_utc

LOTS, RSI_PERIOD, SL_POINTS, TP_POINTS = "0.1", 14, 500, 1_000
POINTS_PER_PIP = 10
# RSI period and stop loss in pips of each scenario.
SWEEP = [
    (period, pips)
    for period in range(6, 25, 2)
    for pips in (10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0, 60.0)
]
SHIPPED_WORKERS = {
    "rsi": {"type": "rsi", "period": RSI_PERIOD, "timeframe": "M5"},
    "band": {"type": "bollinger", "period": 20, "deviation": 2.0, "timeframe": "M30"},
}
PYTHON_WORKERS = {
    "rsi": {"type": "bench.strategies:PythonRsi", "period": RSI_PERIOD, "timeframe": "M5"},
    "band": {"type": "bench.strategies:PythonBand", "period": 20, "deviation": 2.0, "timeframe": "M30"},
}


def peers_set(
    market: Market,
    scenarios: Sequence[Mapping[str, Any]] = ({"name": "peers"},),
    *,
    logic: str = "simple_consensus",
    workers: Mapping[str, Mapping[str, Any]] = SHIPPED_WORKERS,
    catalog: str = "synthetic",
    **shared: Any,
) -> dict[str, Any]:
    """A set of scenarios on one market; each scenario may override what they share.

    Args:
        market: Its ticks are the window; all M5 bars before it settle the RSI, as they do in the peers.
        scenarios: What each has of its own.
        logic: Type of the logic, one with the parameters of `simple_consensus` or with those of `bench.strategies`.
        workers: In place of the shipped RSI and band; the one named ``rsi`` gets all M5 bars too.
        catalog: The catalog that the set names.
        **shared: More sections of ``global``.
    """
    shipped = logic == "simple_consensus"
    trading: dict[str, Any] = {"lots": LOTS, "sl_points": SL_POINTS, "tp_points": TP_POINTS}
    if shipped:
        trading["on_opposite"] = "reverse"
    return {
        "name": "peers",
        "data": {"catalog": catalog},
        "global": {
            "symbol": SYMBOL,
            "start": format_utc(market.start_ns),
            "max_ticks": len(market.ticks.time_ns),
            "workers": {**workers, "rsi": {**workers["rsi"], "warmup_bars": len(market.closes(M5_NS))}},
            "logic": {"type": logic, **trading},
            "account": {"broker": "mt5_fx", "balance": 1_000_000},
            **shared,
        },
        "scenarios": list(scenarios),
    }


def stops_scenarios(count: int) -> list[dict[str, Any]]:
    """Scenarios that differ in stop loss and take profit alone: 10 to 60 pips, and 1 to 2.5 times as much."""
    columns = max(1, round(count**0.5))
    made = []
    for number in range(count):
        sl_points = 100 + 500 * (number // columns) // columns
        tp_points = sl_points * (100 + 150 * (number % columns) // columns) // 100
        made.append({"name": f"stops_{number}", "logic": {"sl_points": sl_points, "tp_points": tp_points}})
    return made


def sweep_scenarios(calls: Sequence[tuple[int, float]]) -> list[dict[str, Any]]:
    """A scenario for each RSI period and stop loss in pips."""
    return [
        {
            "name": f"rsi{period}_sl{pips:g}",
            "workers": {"rsi": {"period": period}},
            "logic": {"sl_points": round(pips * POINTS_PER_PIP)},
        }
        for period, pips in calls
    ]
