"""One run and a sweep on the peers' workload, beside the fused loop."""

from __future__ import annotations

import os
from collections.abc import Iterator

from bench import peers
from bench.fused_pool import FusedPool
from bench.market import MemorySource, from_peers
from bench.peers_workload import POINTS_PER_PIP, peers_set, stops_scenarios, sweep_scenarios
from bench.support import OURS, RUNS, Cost, Row, check_equal, interleaved, plan, rate_row, trades_of

FULL, SMALL, THREADS = 1_000_000, 100_000, 2
STOPS_SCENARIOS = int(os.environ.get("STOPS_SCENARIOS", "200"))
_STOPS_CHECKED = 8  # of them are held against the fused loop


def one_run() -> Iterator[Row]:
    """A million ticks on one core: default settings, and without the profile."""
    market = from_peers(peers.DATA / "full.npz")
    source = MemorySource(market)
    loops = {kind: peers.FusedLoop(FULL, kind) for kind in ("eager", "thresh")}
    ours = {
        "peers": plan(peers_set(market), source),
        "peers, no profile": plan(peers_set(market, execution={"profile": False}), source),
    }
    expected = loops["eager"].trades()
    trades = {name: check_equal(name, OURS, trades_of(planned.run()[0]), expected) for name, planned in ours.items()}
    costs = interleaved(
        {
            **{name: planned.run for name, planned in ours.items()},
            **{f"fused {kind}": loop.run for kind, loop in loops.items()},
        },
        runs=3 * RUNS,
    )
    fused = costs["fused eager"]
    for name in ours:
        yield rate_row(OURS, name, FULL, costs[name], fused, trades=trades[name], note="tick-exact equity")
    for kind in loops:
        yield rate_row(f"fused loop, {kind}", "peers", FULL, costs[f"fused {kind}"], fused, trades=len(expected))


def sweep() -> Iterator[Row]:
    """100 scenarios of 100,000 ticks on two threads of a warm process."""
    market = from_peers(peers.DATA / "small.npz")
    loop = peers.FusedLoop(SMALL)
    calls = loop.calls
    planned = plan(peers_set(market, sweep_scenarios(calls)), MemorySource(market))
    trades = 0
    for call, result in zip(calls, planned.run(THREADS), strict=True):
        trades += check_equal(f"peers sweep {call}", OURS, trades_of(result), loop.trades(*call))
    with FusedPool(SMALL, calls, THREADS) as eager, FusedPool(SMALL, calls, THREADS, "thresh") as thresh:
        costs = interleaved({"ours": lambda: planned.run(THREADS), "eager": eager.run, "thresh": thresh.run}, runs=RUNS)
    ticks, fused = planned.ticks, costs["eager"]
    for name, tool in (("ours", OURS), ("eager", "fused loop, eager"), ("thresh", "fused loop, thresh")):
        row = rate_row(tool, "peers sweep", ticks, costs[name], fused, trades=trades)
        row.value, row.unit = costs[name].wall_s / fused.wall_s, "x fused wall"
        row.note = f"{len(calls)} x {SMALL:,} ticks, {THREADS} {'threads' if name == 'ours' else 'processes'}"
        yield row


def stops() -> Iterator[Row]:
    """A sweep over stop loss and take profit alone, on one core."""
    market = from_peers(peers.DATA / "full.npz")
    scenarios = stops_scenarios(STOPS_SCENARIOS)
    planned = plan(peers_set(market, scenarios), MemorySource(market))
    loop, trades = peers.FusedLoop(FULL), 0
    for number, result in enumerate(planned.run()):
        trades += len(trades_of(result))
        if number % -(-STOPS_SCENARIOS // _STOPS_CHECKED) == 0:
            pips = (scenarios[number]["logic"][name] / POINTS_PER_PIP for name in ("sl_points", "tp_points"))
            expected = loop.trades(14, *pips)
            check_equal(f"peers stops {scenarios[number]['name']}", OURS, trades_of(result), expected)
    costs = interleaved({"ours": planned.drain, "fused": loop.run}, RUNS, warm=0)
    fused = Cost(*(part * STOPS_SCENARIOS for part in costs["fused"]))
    row = rate_row(OURS, "peers stops-only sweep", planned.ticks, costs["ours"], fused, trades=trades)
    row.value, row.unit = 1e9 * costs["ours"].cpu_s / planned.ticks, "ns / scenario tick"
    row.note = f"{STOPS_SCENARIOS:,} x {FULL:,} ticks, 1 thread"
    yield row
