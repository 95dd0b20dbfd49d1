"""The benchmarks' workloads trade as plain loops over the same ticks do, on few ticks: nothing is timed here."""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import support
from bench.dense_loop import dense_loop, run_dense
from bench.dense_workload import Dense, dense_set
from bench.document import DOCUMENT, TABLES, filled
from bench.market import DIGITS, M5_NS, M30_NS, SYMBOL, Market, MemorySource, from_peers, repeated, write_catalog
from bench.peers_workload import PYTHON_WORKERS, SHIPPED_WORKERS, peers_set, stops_scenarios, sweep_scenarios
from bench.support import BenchTrade, check_equal, plan, trades_of
from builders import synthetic_day

from finiex_ray.core.market import TickSegment
from finiex_ray.data.catalog import Catalog
from finiex_ray.data.segments import concat_segments

sys.path.append(str(Path(__file__).parents[2] / "parity"))
from plain_loop import plain_loop

TICKS = 20_000
QUICK: dict[str, Any] = {"name": "quick", "logic": {"sl_points": 60, "tp_points": 90}}


@pytest.fixture(scope="module")
def market() -> Market:
    monday, tuesday = (synthetic_day(SYMBOL, date(2025, 9, 22) + timedelta(days=day)) for day in (0, 1))
    return Market(monday, tuesday).head(TICKS)


def rows(ticks: TickSegment) -> list[tuple[int, int, int]]:
    return list(zip(ticks.time_ns.tolist(), ticks.bid_points.tolist(), ticks.ask_points.tolist(), strict=True))


def expected_of(market: Market, rsi_period: int, sl_points: int, tp_points: int) -> list[BenchTrade]:
    fills = plain_loop(
        rows(market.before),
        rows(market.ticks),
        rsi=(5, rsi_period),
        band=(30, 20),
        sl_points=sl_points,
        tp_points=tp_points,
    )
    pairs = zip(fills[::2], fills[1::2], strict=True)
    return [BenchTrade(entry.tick, out.tick, entry.side, entry.price, out.price) for entry, out in pairs]


@pytest.mark.parametrize(
    ("logic", "workers"),
    [
        ("simple_consensus", SHIPPED_WORKERS),
        ("bench.strategies:EveryTick", SHIPPED_WORKERS),
        ("bench.strategies:EveryTick", PYTHON_WORKERS),
        ("bench.strategies:Gated", SHIPPED_WORKERS),
    ],
)
def test_the_peers_strategy_trades_as_the_plain_loop(market: Market, logic: str, workers: Any) -> None:
    expected = expected_of(market, 14, 60, 90)

    planned = plan(peers_set(market, [QUICK], logic=logic, workers=workers), MemorySource(market))

    assert trades_of(planned.run()[0]) == expected
    assert len(expected) >= 4


def test_each_scenario_of_a_sweep_trades_as_the_plain_loop(market: Market) -> None:
    calls = [(6, 10.0), (14, 20.0)]
    planned = plan(peers_set(market, sweep_scenarios(calls)), MemorySource(market))

    for (period, pips), result in zip(calls, planned.run(), strict=True):
        assert trades_of(result) == expected_of(market, period, round(10 * pips), 1_000)


def test_scenarios_over_stops_all_differ() -> None:
    made = [scenario["logic"] for scenario in stops_scenarios(100)]

    assert len({(each["sl_points"], each["tp_points"]) for each in made}) == 100
    assert all(each["tp_points"] >= each["sl_points"] >= 100 for each in made)


@pytest.mark.parametrize("python", [False, True], ids=["policy", "python"])
@pytest.mark.parametrize("dense", [Dense(), Dense(offset=3, lifetime_s=5, trail=8, target=9)])
def test_the_dense_logics_trade_as_their_loop(market: Market, dense: Dense, python: bool) -> None:
    expected = run_dense(dense_loop, market.ticks, *dense.for_loop)

    planned = plan(dense_set(market, dense, python=python), MemorySource(market))

    assert trades_of(planned.run()[0]) == expected
    assert len(expected) >= 80


def test_a_peers_file_gives_its_warm_up_bars_back(market: Market, tmp_path: Path) -> None:
    scale = 10.0**-DIGITS
    closes = {f"warm_m{minutes}": market.closes(width) * scale / 2 for minutes, width in ((5, M5_NS), (30, M30_NS))}
    quotes = {name: getattr(market.ticks, f"{name}_points") * scale for name in ("bid", "ask")}
    file = tmp_path / "full.npz"
    np.savez(file, time=market.ticks.time_ns, volume=market.ticks.volume, **quotes, **closes)

    read = from_peers(file)

    assert all(np.array_equal(mine, theirs) for mine, theirs in zip(read.ticks, market.ticks, strict=True))
    assert np.array_equal(read.closes(M5_NS), market.closes(M5_NS))
    assert read.start_ns == market.start_ns

    np.savez(
        file,
        time=market.ticks.time_ns,
        volume=market.ticks.volume,
        **quotes,
        **{**closes, "warm_m30": closes["warm_m5"]},
    )
    with pytest.raises(ValueError, match="warm_m30"):
        from_peers(file)


def test_a_catalog_holds_the_same_ticks(market: Market, tmp_path: Path) -> None:
    catalog = Catalog(write_catalog(market, tmp_path))

    stored = concat_segments([ticks for _, ticks in catalog.segments(SYMBOL, verify=True)])

    assert np.array_equal(stored.time_ns, np.concatenate([market.before.time_ns, market.ticks.time_ns]))


def test_a_repeated_market_has_no_jump(market: Market) -> None:
    longer = repeated(market, 2 * TICKS + 100).ticks

    assert len(longer.time_ns) == 2 * TICKS + 100
    assert (np.diff(longer.time_ns) >= 0).all()
    assert np.abs(np.diff(longer.bid_points)).max() == np.abs(np.diff(market.ticks.bid_points)).max()


def test_a_run_that_trades_otherwise_has_no_rate() -> None:
    trade = BenchTrade(1, 2, 1, 100, 101)

    assert check_equal("w", "t", [trade], [trade]) == 1
    with pytest.raises(SystemExit, match="trade 0"):
        check_equal("w", "t", [trade], [trade._replace(exit=102)])
    with pytest.raises(SystemExit, match="made 1 trades"):
        check_equal("w", "t", [trade], [])


def test_medians_and_ratios() -> None:
    cost = support.median([support.Cost(3.0, 1.0), support.Cost(1.0, 5.0), support.Cost(2.0, 3.0)])
    row = support.rate_row("tool", "workload", 1_000, cost, support.Cost(1.0, 1.0), trades=4)

    assert cost == support.Cost(2.0, 3.0)
    assert (row.ticks_per_cpu_s, row.ratio_to_fused, row.wall_s) == (500.0, 0.5, 3.0)
    assert len(support.line(row)) > 20


def test_the_tables_of_the_document_are_filled_from_rows() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")

    for name in TABLES:
        made = filled(text, name, [support.Row("a tool", "a workload", 2e6, value=1.5, unit="ms", note="a note")])
        assert "| a tool | a workload | 2.000 M |  |  |  |  | 1.5 ms | a note |\n<!-- /" in made
        assert made.startswith(text[: text.index(f"<!-- {name} -->")])
    with pytest.raises(ValueError, match="other"):
        filled(text, "other", [])


def test_a_part_writes_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "build" / "rows.json"
    parts = {"one": lambda: [support.Row("t", "w", 1.0)], "two": lambda: [support.Row("t", "v", 2.0)]}

    monkeypatch.setattr("sys.argv", ["bench", "two", "--out", str(out)])
    assert support.run_parts("bench", None, parts, tmp_path / "other.json") == 0
    assert [row["workload"] for row in json.loads(out.read_text(encoding="utf-8"))] == ["v"]
    assert "1 rows in" in capsys.readouterr().out

    monkeypatch.setattr("sys.argv", ["bench", "three"])
    with pytest.raises(SystemExit, match="2"):
        support.run_parts("bench", None, parts, out)
    assert "there are one, two" in capsys.readouterr().err
