"""One run and a sweep on the peers' workload, beside the fused loop."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from bench import peers
from bench.fused_pool import FusedPool
from bench.market import MemorySource
from bench.peers_workload import POINTS_PER_PIP, SWEEP, peers_set, stops_scenarios, sweep_scenarios
from bench.support import OURS, RUNS, Cost, Row, check_equal, interleaved, plan, rate_row, trades_of

FULL, SMALL, THREADS = 1_000_000, 100_000, 2
STOPS_SCENARIOS = int(os.environ.get("STOPS_SCENARIOS", "200"))
_EAGER = "fused loop, eager"
_STOPS_CHECKED = 8  # of them are held against the fused loop


def one_run() -> Iterator[Row]:
    """A million ticks on one core: default settings, and without the profile."""
    market = peers.window("full")
    source = MemorySource(market)
    loops = {f"fused loop, {kind}": peers.FusedLoop(FULL, kind) for kind in ("eager", "thresh") if peers.present()}
    ours = {
        "peers": plan(peers_set(market), source),
        "peers, no profile": plan(peers_set(market, execution={"profile": False}), source),
    }
    expected = loops[_EAGER].trades() if loops else None
    trades = {name: check_equal(name, OURS, trades_of(each.run()[0]), expected) for name, each in ours.items()}
    costs = interleaved({name: each.run for name, each in {**ours, **loops}.items()}, 3 * RUNS)
    fused = costs.get(_EAGER)
    for name in ours:
        yield rate_row(OURS, name, FULL, costs[name], fused, trades=trades[name], note="tick-exact equity")
    for name, loop in loops.items():
        yield rate_row(name, "peers", FULL, costs[name], fused, trades=loop.run())


def sweep() -> Iterator[Row]:
    """100 scenarios of 100,000 ticks on two threads of a warm process."""
    market = peers.window("small")
    planned = plan(peers_set(market, sweep_scenarios(SWEEP)), MemorySource(market))
    loop, trades = peers.fused_loop(SMALL), 0
    for call, result in zip(SWEEP, planned.run(THREADS), strict=True):
        expected = loop.trades(*call) if loop else None
        trades += check_equal(f"peers sweep {call}", OURS, trades_of(result), expected)
    candidates: dict[str, Callable[[], object]] = {OURS: lambda: planned.run(THREADS)}
    with ExitStack() as stack:
        if loop:
            for kind in ("eager", "thresh"):
                pool = stack.enter_context(FusedPool(SMALL, SWEEP, THREADS, kind))
                candidates[f"fused loop, {kind}"] = pool.run
        costs = interleaved(candidates)
    fused = costs.get(_EAGER)
    for tool, cost in costs.items():
        row = rate_row(tool, "peers sweep", planned.ticks, cost, fused, trades=trades)
        if fused:
            row.value, row.unit = cost.wall_s / fused.wall_s, "x fused wall"
        row.note = f"{len(SWEEP)} x {SMALL:,} ticks, {THREADS} {'threads' if tool == OURS else 'processes'}"
        yield row


def stops() -> Iterator[Row]:
    """A sweep over stop loss and take profit alone, on one core."""
    market = peers.window("full")
    scenarios = stops_scenarios(STOPS_SCENARIOS)
    planned = plan(peers_set(market, scenarios), MemorySource(market))
    loop, trades = peers.fused_loop(FULL), 0
    for number, result in enumerate(planned.run()):
        expected = None
        if loop and number % -(-STOPS_SCENARIOS // _STOPS_CHECKED) == 0:
            sl_pips, tp_pips = (scenarios[number]["logic"][key] / POINTS_PER_PIP for key in ("sl_points", "tp_points"))
            expected = loop.trades(sl_pips=sl_pips, tp_pips=tp_pips)
        trades += check_equal(f"peers {scenarios[number]['name']}", OURS, trades_of(result), expected)
    costs = interleaved({OURS: planned.drain, **({_EAGER: loop.run} if loop else {})}, warm=0)
    fused = Cost(*(part * STOPS_SCENARIOS for part in costs[_EAGER])) if loop else None
    row = rate_row(OURS, "peers stops-only sweep", planned.ticks, costs[OURS], fused, trades=trades)
    row.value, row.unit = 1e9 * costs[OURS].cpu_s / planned.ticks, "ns / scenario tick"
    row.note = f"{STOPS_SCENARIOS:,} x {FULL:,} ticks, 1 thread"
    yield row
