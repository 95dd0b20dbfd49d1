"""The dense workload: resting limit orders and trailing stops, thousands of trades in a million ticks."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from bench import peers
from bench.dense_loop import COLUMNS, dense_loop_nb, run_dense
from bench.dense_workload import DENSE, dense_set
from bench.market import DIGITS, MemorySource
from bench.support import (
    OURS,
    RUNS,
    BenchTrade,
    Cost,
    Row,
    check_equal,
    interleaved,
    median,
    plan,
    rate_row,
    trades_of,
)

from finiex_ray.core.market import TickSegment

TICKS = 1_000_000


def dense() -> Iterator[Row]:
    """Ours by the compiled policy and by Python at wake-ups, the compiled loop, and hftbacktest where there are peers."""
    market = peers.window("full")
    ticks = market.ticks
    room = np.empty((TICKS, COLUMNS), np.int64)
    expected = run_dense(dense_loop_nb, ticks, *DENSE.for_loop)

    def loop() -> object:
        return dense_loop_nb(ticks.time_ns, ticks.bid_points, ticks.ask_points, *DENSE.for_loop, room)

    ours = {
        name: plan(dense_set(market, python=python), MemorySource(market))
        for name, python in (("dense", False), ("dense, Python at wake-ups", True))
    }
    trades = {name: check_equal(name, OURS, trades_of(each.run()[0]), expected) for name, each in ours.items()}
    candidates: dict[str, Callable[[], object]] = {name: each.run for name, each in ours.items()}
    peer = hftbacktest(ticks) if peers.present() else None
    costs = interleaved({**candidates, "fused": loop}, RUNS)
    fused = costs["fused"]
    if peer:  # before ours and after it: the machine's speed changes from minute to minute
        peer = peer._replace(cost=median([peer.cost, hftbacktest(ticks).cost]))
    for name in ours:
        row = rate_row(OURS, name, TICKS, costs[name], fused, trades=trades[name])
        if peer:
            row.value, row.unit = peer.cost.cpu_s / costs[name].cpu_s, "x hftbacktest"
        yield row
    if peer:
        count = check_equal("dense", "hftbacktest", peer.trades, expected)
        yield rate_row(f"hftbacktest {peer.version}", "dense", TICKS, peer.cost, fused, trades=count)
    yield rate_row("fused loop", "dense", TICKS, fused, fused, trades=len(expected))


class Peer(NamedTuple):
    """How a peer did."""

    version: str
    cost: Cost  # of a run
    trades: list[BenchTrade]


def hftbacktest(ticks: TickSegment) -> Peer:
    """The workload in hftbacktest, in its own interpreter."""
    python = peers.HOME / "venv-hftbacktest" / "bin" / "python"
    if not python.exists():
        peers.run_peers("run", ["hftbacktest"], TICKS="1000", RUNS="1")
    script = Path(__file__).with_name("hftbacktest_side.py")
    with tempfile.TemporaryDirectory(prefix="finiex-bench-") as folder:
        job = Path(folder) / "job.npz"
        np.savez(
            job,
            time_ns=ticks.time_ns,
            bid_points=ticks.bid_points,
            ask_points=ticks.ask_points,
            params=DENSE.for_loop,
            digits=DIGITS,
        )
        done = subprocess.run([python, script, job, str(RUNS)], stdout=subprocess.PIPE, text=True, check=True)
    answer = json.loads(done.stdout)
    trades = [BenchTrade(*row) for row in answer["trades"]]
    return Peer(answer["version"], median([Cost(*cost) for cost in answer["costs"]]), trades)
