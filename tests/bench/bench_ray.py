"""On Ray: how two CPUs compare with one, what a scenario costs beyond its own work, and what a worker process holds."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from bench import peers
from bench.market import M5_NS, Market, MemorySource
from bench.peers_workload import peers_set
from bench.support import OURS, RUNS, Cost, Planned, Row, drain, interleaved, plan, rate_row, run_all, tree_cpu_s

from finiex_ray.core.time import format_utc
from finiex_ray.execution.ray_executor import RayExecutor
from finiex_ray.execution.ray_session import connect, import_ray

SCENARIOS, TICKS = 1_000, 20_000
CPUS = (1, 2)
_MB = 2**20


def plain_scenarios(market: Market, count: int) -> list[dict[str, Any]]:
    """Scenarios that share no window: each begins some minutes after the one before."""
    span = int(market.ticks.time_ns[-TICKS]) - market.start_ns
    return [
        {"name": f"window_{number}", "start": format_utc(market.start_ns + span * number // count // M5_NS * M5_NS)}
        for number in range(count)
    ]


def ray() -> Iterator[Row]:
    """1,000 plain scenarios of 20,000 ticks on one CPU and on two, beside one thread of this process.

    What Ray costs a scenario is said twice: in CPU time of all processes, and in wall time, which on a shared machine also
    tells how busy that was.
    """
    market = peers.window("full")
    planned = plan(peers_set(market, plain_scenarios(market, SCENARIOS), max_ticks=TICKS), MemorySource(market))
    weights: dict[str, float] = {}
    costs: dict[int, Mapping[str, Cost]] = {}
    for cpus in CPUS:
        connect("local", cpus)
        try:
            costs[cpus] = interleaved({"ray": lambda: on_ray(planned), "here": planned.drain}, min(RUNS, 5))
            if cpus == CPUS[-1]:
                weights = worker_memory(market)
        finally:
            import_ray().shutdown()
    note = f"{SCENARIOS:,} x {TICKS:,} ticks"
    here = Cost(*(min(part) for part in zip(*(each["here"] for each in costs.values()), strict=True)))
    row = rate_row(OURS, "plain, 1 thread", planned.ticks, here, None, note=note)
    row.value, row.unit = 1e3 * here.cpu_s / SCENARIOS, "CPU ms a scenario"
    yield row
    for cpus in CPUS:
        on, own = costs[cpus]["ray"], costs[cpus]["here"]
        extra_cpu = 1e3 * (on.cpu_s - own.cpu_s) / SCENARIOS
        extra_wall = 1e3 * (on.wall_s * cpus - own.wall_s) / SCENARIOS
        row = rate_row(OURS, f"plain, Ray, {cpus} CPU", planned.ticks, on, None)
        row.value, row.unit = costs[CPUS[0]]["ray"].wall_s / on.wall_s, "x 1 CPU"
        row.note = (
            f"{note}; beyond 1 thread's work: {extra_cpu:.3f} CPU ms, {extra_wall:.3f} ms of wall x CPUs a scenario"
        )
        row.more = {"overhead_cpu_ms": extra_cpu, "overhead_wall_ms": extra_wall}
        yield row
    for name, value in weights.items():
        yield Row(OURS, name, value=value / _MB, unit="MB", note="private memory of a Ray worker process")


def on_ray(planned: Planned) -> Cost:
    """Runs all on the Ray that is connected; CPU time of all its processes."""
    wall, cpu = time.perf_counter(), tree_cpu_s()
    drain(RayExecutor(planned.cache, live=False), planned.scenarios)
    return Cost(tree_cpu_s() - cpu, time.perf_counter() - wall)


def worker_memory(market: Market) -> dict[str, float]:
    """Private memory of a worker process before it has seen ticks, and after 40 scenarios of a million."""
    found = {}
    for ticks in (1_000, len(market.ticks.time_ns)):
        part = market.head(ticks)
        scenarios = [{"name": f"s{number}", "workers": {"rsi": {"period": 5 + number}}} for number in range(40)]
        tree = peers_set(part, scenarios)
        tree["global"]["logic"] = {"type": "bench.strategies:Weigher"}
        planned = plan(tree, MemorySource(part))
        results = run_all(RayExecutor(planned.cache, live=False), planned.scenarios)
        seen = [int(each) for result in results for each in re.findall(r"private_bytes=(\d+)", "\n".join(result.log))]
        found[f"worker, {ticks:,} ticks"] = max(seen)
    return found
