"""Changes of market or account whose effect on every record is known exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from builders import drive, make_account, make_simulator, rows, segment_of

from finiex_ray.core.enums import Side
from finiex_ray.core.market import TickSegment, freeze
from finiex_ray.core.records import FAR_FUTURE_NS, NO_PRICE
from finiex_ray.core.time import NS_PER_DAY
from finiex_ray.trading.api import TradingApi
from finiex_ray.trading.simulator import TradeSimulator

COUNT, LEVEL = 600, 110_000
RICH: dict[str, Any] = {
    "balance": 10**8,
    "latency": {"kind": "uniform", "ms": 0, "max_ms": 900},
    "slippage": {"kind": "fixed", "points": 2},
}


def _market(seed: int) -> TickSegment:
    draw = np.random.default_rng(seed)
    time_ns = 1_758_535_200 * 10**9 + draw.integers(0, 400, COUNT).cumsum() * 10**6
    bid = LEVEL + draw.integers(-8, 9, COUNT).cumsum()
    return segment_of(
        list(zip(time_ns.tolist(), bid.tolist(), (bid + draw.integers(0, 6, COUNT)).tolist(), strict=True))
    )


def _script(
    seed: int, *, mirrored: bool = False, steps: int = 1, grid: int = 1
) -> dict[int, Callable[[TradingApi], None]]:
    """Three requests each fourth tick: a market order with stops as distances, and now and then a close."""

    def make(tick: int) -> Callable[[TradingApi], None]:
        draw = np.random.default_rng([seed, tick])
        buy, close = bool(draw.integers(0, 2)) != mirrored, bool(draw.integers(0, 3) == 0)
        lots = int(draw.integers(1, 40)) * steps / 100
        sl, tp = (int(each) * grid for each in draw.integers(0, 60, 2))

        def trade(trading: TradingApi) -> None:
            (trading.buy if buy else trading.sell)(str(lots), sl_points=sl, tp_points=tp)
            if close and trading.positions:
                trading.close(trading.positions[0].position_id)

        return trade

    return {tick: make(tick) for tick in range(0, COUNT, 4)}


def _run(ticks: TickSegment, script: dict[int, Callable[[TradingApi], None]], **account: Any) -> TradeSimulator:
    return drive(make_simulator(account=make_account(**{**RICH, **account}), ticks=COUNT, seed=9), ticks, script)


def _parts(
    simulator: TradeSimulator, change: Callable[[dict[str, Any]], dict[str, Any]] = dict
) -> list[list[dict[str, Any]]]:
    return [[change(row) for row in rows(part)] for part in (simulator.orders(), simulator.fills(), simulator.trades())]


SEEDS = pytest.mark.parametrize("seed", range(4))


@SEEDS
def test_shifted_by_whole_weeks_only_the_times_move(seed: int) -> None:
    ticks, shift = _market(seed), 5 * 7 * NS_PER_DAY
    base = _run(ticks, _script(seed))
    moved = _run(freeze(ticks._replace(time_ns=ticks.time_ns + shift)), _script(seed))

    def back(row: dict[str, Any]) -> dict[str, Any]:
        moments = {name for name, value in row.items() if name.endswith("_ns") and value not in (0, FAR_FUTURE_NS)}
        return {name: value - shift if name in moments else value for name, value in row.items()}

    assert len(base.trades()) > 100
    assert _parts(moved, back) == _parts(base)


@SEEDS
def test_a_mirrored_market_with_mirrored_sides_gives_the_same_money(seed: int) -> None:
    ticks, mirror = _market(seed), 2 * LEVEL
    flipped = freeze(ticks._replace(bid_points=mirror - ticks.ask_points, ask_points=mirror - ticks.bid_points))
    base, other = _run(ticks, _script(seed)), _run(flipped, _script(seed, mirrored=True))

    def back(row: dict[str, Any]) -> dict[str, Any]:
        turned = {name: -value for name, value in row.items() if name == "side"}
        prices = {
            name: mirror - value
            for name, value in row.items()
            if value != NO_PRICE and name.endswith("_points")
            and name.split("_")[0] in ("price", "fill", "request", "entry", "exit", "sl", "tp")
            and "offset" not in name
        }  # fmt: skip
        return {**row, **turned, **prices}

    assert {trade["side"] for trade in rows(base.trades())} == {Side.BUY, Side.SELL}
    assert _parts(other, back) == _parts(base)
    for name in ("balance_minor", "equity", "max_drawdown", "max_runup"):
        assert base.account[name] == other.account[name]


@SEEDS
def test_three_times_the_volume_is_three_times_the_money(seed: int) -> None:
    ticks = _market(seed)
    base, other = _run(ticks, _script(seed)), _run(ticks, _script(seed, steps=3))
    start = 10**10
    assert int(other.account["balance_minor"]) - start == 3 * (int(base.account["balance_minor"]) - start)
    assert float(other.account["max_drawdown"]) == 3 * float(base.account["max_drawdown"])
    assert other.trades()["gross_minor"].tolist() == (3 * base.trades()["gross_minor"]).tolist()
    assert other.trades()["mae_points"].tolist() == base.trades()["mae_points"].tolist()


@SEEDS
def test_commission_is_exactly_less_balance(seed: int) -> None:
    ticks = _market(seed)
    base, other = _run(ticks, _script(seed)), _run(ticks, _script(seed), commission_per_lot="4")
    volume = int(base.fills()["volume_steps"].sum())
    assert int(base.account["balance_minor"]) - int(other.account["balance_minor"]) == 4 * volume  # 4 cents a step
    assert other.trades()["gross_minor"].tolist() == base.trades()["gross_minor"].tolist()


@SEEDS
@pytest.mark.parametrize("keep", [1, 97, 300, 599])
def test_what_comes_later_changes_nothing_before_it(seed: int, keep: int) -> None:
    """The future is replaced by another one; records that were done by then are the same."""
    ticks = _market(seed)
    other = _market(seed + 50)
    jump = int(ticks.time_ns[keep - 1]) - int(other.time_ns[keep])
    poisoned = freeze(
        TickSegment(
            np.concatenate([ticks.time_ns[:keep], other.time_ns[keep:] + jump + 1]),
            np.concatenate([ticks.bid_points[:keep], other.bid_points[keep:] * 2]),
            np.concatenate([ticks.ask_points[:keep], other.ask_points[keep:] * 2]),
            ticks.volume,
        )
    )
    runs = [_run(each, _script(seed)) for each in (ticks, poisoned)]
    for name, time in (("orders", "done_tick"), ("fills", "tick"), ("trades", "exit_tick")):
        done = [
            [
                row
                for row in rows(getattr(each, name)())
                if 0 <= row[time] < keep - (time == "exit_tick" and keep == COUNT)
            ]
            for each in runs
        ]
        assert done[0] == done[1]
        assert keep < 97 or done[0]
