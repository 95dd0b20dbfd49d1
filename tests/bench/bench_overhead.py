"""What profiling, live updates and the display cost; and memory."""

from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

from bench import peers
from bench.market import MemorySource, repeated
from bench.peers_workload import peers_set, stops_scenarios
from bench.support import OURS, RUNS, Row, fresh, paired_percent, plan, private_bytes
from rich.console import Console

from finiex_ray.display.live import LiveDisplay
from finiex_ray.engine.result import ProgressUpdate
from finiex_ray.execution.coordinator import Totals

TICKS = 1_000_000
_PAIRS = 100 * RUNS  # a pair takes 15 ms, and differs by several percent for no reason
_LONG, _SHORT = 8_000_000, 1_000_000
_MB = 2**20
_DISPLAY_S, _TOLD_S = 10.0, 0.25


def overhead() -> Iterator[Row]:
    """Percent of CPU time that the profile and the live updates add."""
    market = peers.window("full")
    source = MemorySource(market)
    plain = {"execution": {"profile": False}, "live_stats": {"enabled": False}}
    live = {"export_portfolio_stats": True, "export_performance_stats": True, "export_current_bars": True}
    bare = plan(peers_set(market, **plain), source)
    for name, more in (
        ("cost of the profile", {"execution": {"profile": True}}),
        ("cost of live updates", {"live_stats": {"enabled": True}}),
        ("cost of full live updates", {"live_stats": {"enabled": True, "update_interval_sec": 0.05, **live}}),
    ):
        with_more = plan(peers_set(market, **{**plain, **more}), source)
        percent, error = paired_percent(bare.drain, with_more.drain, _PAIRS)
        note = f"median of {_PAIRS} pairs of {TICKS:,} ticks, standard error {error:.2f}"
        yield Row(OURS, name, value=percent, unit="%", note=note)
    for running in (3, 1_000):
        note = f"CPU of one core, a terminal of 120 x 40, {running:,} scenarios running, told four times a second"
        yield Row(OURS, "cost of the display", value=_display_percent(running), unit="%", note=note)


def _display_percent(running: int) -> float:
    """CPU time of the display in percent of the time."""
    updates = [
        ProgressUpdate(place, f"scenario_{place:04d}", "EURUSD", "RUNNING", 5_000 + place, 20_000, 2.0)
        for place in range(running)
    ]
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        options = {"width": 120, "height": 40, "_environ": {"TERM": "xterm-256color"}}
        with LiveDisplay(console=Console(file=nowhere, force_terminal=True, **options)) as display:
            began_s, cpu_s = time.monotonic(), time.process_time()
            while (elapsed_s := time.monotonic() - began_s) < _DISPLAY_S:
                display.update(updates, Totals(0, 0, running, 0, int(1e6 * elapsed_s), 10**9, elapsed_s))
                time.sleep(_TOLD_S)
            return 100.0 * (time.process_time() - cpu_s) / elapsed_s


def memory() -> Iterator[Row]:
    """Bytes a tick of data, what a run needs beside them, and what 10,000 scenarios leave in the driver."""
    data, _ = fresh(_run_memory, _LONG)
    yield Row(OURS, "memory of ticks", value=data / _LONG, unit="bytes a tick")
    for ticks in (_SHORT, _LONG):
        _, peak = fresh(_run_memory, ticks)
        yield Row(OURS, f"memory of a run, {ticks:,} ticks", value=peak / _MB, unit="MB", note="peak beside the ticks")
    scenarios, ticks = 10_000, 200
    planned, done = fresh(_driver_memory, scenarios, ticks)
    note = f"{scenarios:,} x {ticks} ticks, in this process"
    yield Row(OURS, "memory of a plan", value=planned / _MB, unit="MB", note=note)
    yield Row(OURS, "memory after a run", value=done / _MB, unit="MB", note=f"{note}; results not kept")


def _run_memory(ticks: int) -> tuple[int, int]:
    """Bytes of the ticks, and the peak that a run allocates."""
    market = repeated(peers.window("full"), ticks)
    before = private_bytes()
    planned = plan(peers_set(market), MemorySource(market))
    data = private_bytes() - before
    planned.scenarios[0].window(planned.cache)
    plan(peers_set(market.head(1_000)), MemorySource(market.head(1_000))).drain()  # compiles
    tracemalloc.start()
    planned.drain()
    return data, tracemalloc.get_traced_memory()[1]


def _driver_memory(scenarios: int, ticks: int) -> tuple[int, int]:
    """Private memory that planning 10,000 scenarios adds, and that which it and running them adds."""
    market = peers.window("small").head(ticks)
    plan(peers_set(market), MemorySource(market)).drain()
    before = private_bytes()
    planned = plan(peers_set(market, stops_scenarios(scenarios)), MemorySource(market))
    middle = private_bytes()
    planned.drain()
    return middle - before, private_bytes() - before
