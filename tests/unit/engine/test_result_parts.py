"""Log, progress, profile and statistics of a scenario."""

from __future__ import annotations

import itertools
import math
import pickle
from typing import Any

import numpy as np
import pytest
from builders import drive, make_account, make_config, make_simulator, make_ticks, run

from finiex_ray.core.records import ORDER_DTYPE, TRADE_DTYPE
from finiex_ray.core.time import NS_PER_S
from finiex_ray.engine.hashing import result_hash
from finiex_ray.engine.logger import ScenarioLogger
from finiex_ray.engine.profile import OPERATIONS
from finiex_ray.engine.result import ProgressUpdate
from finiex_ray.engine.statistics import scenario_statistics


def test_the_log_is_bounded_and_keeps_both_ends() -> None:
    log = run(make_config(logic={"type": "engine_strategies:Chatty"}, max_ticks=2_600)).log
    notes = [i for i, line in enumerate(log) if "lines dropped" in line]
    assert notes == [1_000]
    assert len(log) == 2_001
    assert log[1_000] == "… 602 lines dropped …"  # 2,600 of the logic, the greeting and the closing line
    assert log[2].endswith("line 1")
    assert log[-2].endswith("tick 2599 WARNING line 2599")
    assert "tick 2599 INFO completed: 2600 ticks, 0 trades, balance 10000.00 USD" in log[-1]
    assert max(map(len, log)) < 4_100


def test_each_line_of_a_message_is_stamped() -> None:
    logger = ScenarioLogger()
    logger.debug("a\nb")
    logger.at(4, 1_500_000_000)
    logger.error("")
    assert logger.lines() == (
        "start-up DEBUG a",
        "start-up DEBUG b",
        "1970-01-01T00:00:01.500Z tick 4 ERROR ",
    )


def _updates(**live: Any) -> list[ProgressUpdate]:
    updates: list[ProgressUpdate] = []
    readings = iter(range(10**9))
    config = make_config(
        logic={"type": "engine_strategies:Zigzag"}, live_stats=live, execution={"block_ticks": 100, "profile": True}
    )
    run(config, progress=updates.append, clock=lambda: next(readings) * NS_PER_S // 100)
    return updates


def test_progress_goes_from_init_to_the_end_and_at_most_once_an_interval() -> None:
    updates = _updates(update_interval_sec=1)
    assert [u.status for u in updates[:2]] == ["INIT_PROCESS", "RUNNING"]
    assert updates[-1].status == "COMPLETED"
    assert (updates[-1].ticks_done, updates[-1].ticks_total) == (3_000, 3_000)
    times = [u.elapsed_s for u in updates[2:-1]]
    assert len(times) > 3
    assert all(b - a >= 1 for a, b in itertools.pairwise(times))
    assert updates[-1].balance is updates[-1].bars is updates[-1].operations is None
    assert _updates(enabled=False) == []


def test_progress_shows_what_it_is_asked_for() -> None:
    last = _updates(export_portfolio_stats=True, export_performance_stats=True)[-1]
    assert last.trades is not None
    assert last.trades > 10
    assert last.balance == last.equity != 10_000
    assert set(last.operations or ()) == set(OPERATIONS)
    assert sum((last.operations or {}).values()) == pytest.approx(1)


def test_the_profile_covers_the_six_operations() -> None:
    workers = {"rsi": {"type": "rsi", "timeframe": "M1"}, "band": {"type": "bollinger", "timeframe": "M5"}}
    result = run(make_config(workers=workers, logic={"type": "aggressive_trend"}, execution={"block_ticks": 1_000}))
    assert result.loop is not None
    profile = result.loop.profile
    assert set(profile.operations) == set(OPERATIONS)
    assert {
        name: timing.calls for name, timing in profile.operations.items() if name != "order_execution"
    } == dict.fromkeys([name for name in OPERATIONS if name != "order_execution"], 3)
    assert {name: timing.calls for name, timing in profile.workers.items()} == {"rsi": 3, "band": 3}
    assert {"data", "strategy", "simulator", "bars"} <= set(profile.startup_ns)
    assert sum(timing.total_ns for timing in profile.operations.values()) <= profile.loop_ns


# Statistics


def _trades(*values: tuple[int, int, int]) -> np.ndarray:
    """Trades from (net_minor, entry_ns, exit_ns), with balances from 10,000.00 on."""
    trades = np.zeros(len(values), TRADE_DTYPE)
    for name, column in zip(("net_minor", "entry_ns", "exit_ns"), zip(*values, strict=True), strict=True):
        trades[name] = column
    trades["balance_minor"] = 1_000_000 + np.cumsum(trades["net_minor"])
    return trades


def _statistics(trades: np.ndarray, window_s: int = 100) -> dict[str, float | int | None]:
    account = make_simulator().account.copy()
    account["balance_minor"] = 1_000_000 + int(trades["net_minor"].sum())
    account["gross_minor"], account["commission_minor"] = int(trades["net_minor"].sum()) + 500, -500
    account["max_drawdown"], account["max_drawdown_share"], account["max_runup"] = 25_000.0, 0.02, 31_000.0
    account["equity"] = float(account["balance_minor"])
    orders = np.zeros(3, ORDER_DTYPE)
    orders["state"] = [1, 2, 1]
    return scenario_statistics(orders, trades, account, 1_000_000, 100, window_s * NS_PER_S)


def test_statistics_by_hand() -> None:
    s = NS_PER_S
    stats = _statistics(
        _trades((10_000, 0, 10 * s), (-20_000, 5 * s, 20 * s), (0, 30 * s, 30 * s), (30_000, 40 * s, 80 * s))
    )
    returns = [0.01, -20_000 / 1_010_000, 0.0, 30_000 / 990_000]
    mean = sum(returns) / 4
    assert stats == {
        "trades": 4, "wins": 2, "losses": 1, "gross": 205.0, "commission": -5.0, "swap": 0.0, "net_profit": 200.0,
        "final_balance": 10_200.0, "final_equity": 10_200.0, "max_drawdown": 250.0, "max_drawdown_pct": 2.0,
        "max_runup": 310.0, "profit_factor": 2.0, "expectancy": 50.0, "win_rate": 50.0,
        "sharpe": pytest.approx(mean / math.sqrt(sum((r - mean) ** 2 for r in returns) / 3)),
        "sortino": pytest.approx(mean / math.sqrt(returns[1] ** 2 / 4)),
        "exposure": 60.0,  # 0 to 20 s and 40 to 80 s of 100 s
        "avg_trade_s": 16.25, "max_trade_s": 40.0, "orders": 3, "rejected": 1,
    }  # fmt: skip


def test_statistics_without_a_value_are_none() -> None:
    stats = _statistics(np.zeros(0, TRADE_DTYPE), window_s=0)
    assert {name for name, value in stats.items() if value is None} == {
        "profit_factor", "expectancy", "win_rate", "sharpe", "sortino", "avg_trade_s", "max_trade_s",
    }  # fmt: skip
    assert stats["exposure"] == 0.0
    only_wins = _statistics(_trades((100, 0, 1), (100, 2, 3)))
    assert only_wins["profit_factor"] is None
    assert only_wins["sortino"] is None
    assert only_wins["sharpe"] is not None


def test_statistics_of_a_run_follow_from_its_records() -> None:
    loop = run(make_config(logic={"type": "engine_strategies:Zigzag"})).loop
    assert loop is not None
    net = loop.trades["net_minor"].tolist()
    assert loop.statistics["net_profit"] == pytest.approx(sum(net) / 100, abs=1e-12)
    assert loop.statistics["wins"] == sum(value > 0 for value in net)
    assert loop.statistics["expectancy"] == pytest.approx(sum(net) / 100 / len(net))
    assert loop.statistics["orders"] == len(loop.orders)
    lows = loop.equity["equity_low"].min()
    assert float(loop.statistics["max_drawdown"] or 0) >= (1_000_000 - lows) / 100


# The way between processes


@pytest.mark.parametrize("logic", ["aggressive_trend", "simple_consensus"])
def test_a_result_is_the_same_after_its_way(logic: str) -> None:
    workers = {"rsi": {"type": "rsi", "timeframe": "M1"}, "band": {"type": "bollinger", "timeframe": "M5"}}
    result = run(make_config(workers=workers, logic={"type": logic, "rsi_buy_threshold": 45}))
    assert result.loop is not None
    buffers: list[pickle.PickleBuffer] = []
    there = pickle.loads(pickle.dumps(result, 5, buffer_callback=buffers.append), buffers=buffers)
    assert len(buffers) == 1
    for name in ("orders", "fills", "trades", "equity"):
        one, other = getattr(result.loop, name), getattr(there.loop, name)
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)
    for name in ("result_hash", "statistics", "profile", "ticks", "comments"):
        assert getattr(there.loop, name) == getattr(result.loop, name)
    assert (there.log, there.status, there.index) == (result.log, result.status, result.index)


# The hash


def test_the_hash_moves_with_every_field_of_every_record_and_with_nothing_else() -> None:
    simulator = drive(make_simulator(), make_ticks([(110_000, 110_010)] * 5), {0: lambda t: (t.buy("1"), t.sell("1"))})
    parts = [simulator.orders().copy(), simulator.fills().copy(), simulator.trades().copy()]
    base = result_hash(*parts, simulator.account)
    again = drive(make_simulator(), make_ticks([(110_000, 110_010)] * 5), {0: lambda t: (t.buy("1"), t.sell("1"))})
    assert result_hash(again.orders(), again.fills(), again.trades(), again.account) == base
    seen = {base}
    for number, part in enumerate(parts):
        for name in part.dtype.names or ():
            changed = [each.copy() for each in parts]
            changed[number][name][0] ^= 1
            seen.add(result_hash(*changed, simulator.account))
    for name in ("balance_minor", "equity", "max_drawdown", "max_drawdown_share", "max_runup"):
        account = simulator.account.copy()
        account[name] += 1
        seen.add(result_hash(*parts, account))
    assert len(seen) == 1 + sum(len(part.dtype.names or ()) for part in parts) + 5
    assert result_hash(parts[0][:0], parts[1], parts[2], simulator.account) not in seen


def test_a_poorer_account_has_another_hash() -> None:
    ticks = make_ticks([(110_000, 110_010)] * 3)
    two = [drive(make_simulator(account=make_account(balance=b)), ticks) for b in (10_000, 10_001)]
    hashes = {result_hash(each.orders(), each.fills(), each.trades(), each.account) for each in two}
    assert len(hashes) == 2
