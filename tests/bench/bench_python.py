"""Strategies in plain Python on the peers' workload, beside the plain Python loop."""

from __future__ import annotations

from collections.abc import Iterator

from bench import peers
from bench.market import MemorySource, from_peers
from bench.peers_workload import PYTHON_WORKERS, peers_set
from bench.support import OURS, RUNS, Row, check_equal, interleaved, plan, rate_row, trades_of

TICKS = 100_000


def python() -> Iterator[Row]:
    """Called at every tick (logic alone, workers too), called where something happens, and the plain loop."""
    market = from_peers(peers.DATA / "small.npz")
    source = MemorySource(market)
    fused, plain = peers.FusedLoop(TICKS), peers.PlainLoop(TICKS)
    ours = {
        "peers, Python at every tick": plan(peers_set(market, logic="bench.strategies:EveryTick"), source),
        "peers, all of it in Python": plan(
            peers_set(market, logic="bench.strategies:EveryTick", workers=PYTHON_WORKERS), source
        ),
        "peers, gated Python": plan(peers_set(market, logic="bench.strategies:Gated"), source),
    }
    expected = fused.trades()
    trades = {name: check_equal(name, OURS, trades_of(each.run()[0]), expected) for name, each in ours.items()}
    candidates = {name: each.run for name, each in ours.items()}
    costs = interleaved({**candidates, "plain": plain.run, "fused": fused.run}, RUNS)
    loop = costs["plain"]
    for name in ours:
        row = rate_row(OURS, name, TICKS, costs[name], costs["fused"], trades=trades[name])
        row.value, row.unit = loop.cpu_s / costs[name].cpu_s, "x plain Python loop"
        yield row
    yield rate_row("plain Python loop", "peers", TICKS, loop, costs["fused"], trades=plain.run())
