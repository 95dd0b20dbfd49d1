"""Strategies in plain Python on the peers' workload, beside the plain Python loop."""

from __future__ import annotations

from collections.abc import Iterator

from bench import peers
from bench.market import MemorySource
from bench.peers_workload import PYTHON_WORKERS, peers_set
from bench.support import OURS, Row, check_equal, interleaved, plan, rate_row, trades_of

TICKS = 100_000
_FUSED, _PLAIN = "fused loop, eager", "plain Python loop"


def python() -> Iterator[Row]:
    """Called at every tick (logic alone, workers too), called where something happens, and the plain loop."""
    market = peers.window("small")
    source = MemorySource(market)
    loops = {_FUSED: peers.FusedLoop(TICKS), _PLAIN: peers.PlainLoop(TICKS)} if peers.present() else {}
    ours = {
        "peers, Python at every tick": plan(peers_set(market, logic="bench.strategies:EveryTick"), source),
        "peers, all of it in Python": plan(
            peers_set(market, logic="bench.strategies:EveryTick", workers=PYTHON_WORKERS), source
        ),
        "peers, gated Python": plan(peers_set(market, logic="bench.strategies:Gated"), source),
    }
    expected = peers.FusedLoop(TICKS).trades() if loops else None
    trades = {name: check_equal(name, OURS, trades_of(each.run()[0]), expected) for name, each in ours.items()}
    costs = interleaved({name: each.run for name, each in {**ours, **loops}.items()})
    fused = costs.get(_FUSED)
    for name in ours:
        row = rate_row(OURS, name, TICKS, costs[name], fused, trades=trades[name])
        if loops:
            row.value, row.unit = costs[_PLAIN].cpu_s / costs[name].cpu_s, "x plain Python loop"
        yield row
    for name, loop in loops.items():
        yield rate_row(name, "peers, small window", TICKS, costs[name], fused, trades=loop.run())
