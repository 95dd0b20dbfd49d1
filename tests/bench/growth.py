"""How time and memory grow: ``python -m bench.growth [PART ...]``. Prints one table and writes ``build/bench-growth.json``.

Parts: ``ticks`` (time a tick of one run), ``scenarios`` (time and memory a scenario), ``threads`` and ``ray`` (cores).
Environment: RUNS; MOST_TICKS and MOST_SCENARIOS cut the tables short.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

from bench import peers
from bench.bench_ray import on_ray, plain_scenarios
from bench.market import MemorySource, repeated
from bench.peers_workload import peers_set, stops_scenarios
from bench.support import (
    BUILD,
    OURS,
    RUNS,
    Cost,
    Planned,
    Row,
    fresh,
    interleaved,
    plan,
    private_bytes,
    rate_row,
    run_parts,
)

from finiex_ray.execution.ray_session import connect, import_ray

MOST_TICKS = int(os.environ.get("MOST_TICKS", "30000000"))
MOST_SCENARIOS = int(os.environ.get("MOST_SCENARIOS", "100000"))
_TICK_STEPS = (100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000)
_SCENARIO_STEPS = (1, 10, 100, 1_000, 10_000, 100_000)
_SCENARIO_TICKS = 500
_CORE_SCENARIOS, _CORE_TICKS = 400, 20_000
_MB = 2**20


def ticks() -> Iterator[Row]:
    """One run of ever more ticks: the same days again and again."""
    steps = [step for step in _TICK_STEPS if step <= MOST_TICKS]
    market = repeated(peers.window("full"), steps[-1])
    source = MemorySource(market)
    planned = {step: plan(peers_set(market, max_ticks=step), source) for step in steps}
    # A short run is repeated, so that each candidate is long enough to be timed.
    costs = interleaved({str(step): _again(each.drain, max(1, 1_000_000 // step)) for step, each in planned.items()})
    loops = {step: _loop_ns(each) / step for step, each in planned.items()}
    for step in steps:
        cost = costs[str(step)]
        row = rate_row(OURS, f"{step:,} ticks", _timed_ticks(step), cost, None)
        row.value, row.unit = 1e9 * cost.cpu_s / _timed_ticks(step), "ns a tick"
        row.note = (
            f"tick loop alone {loops[step]:.2f} ns a tick, {loops[step] / loops[steps[0]]:.3f} of the shortest run's"
        )
        row.more = {"loop_ns_per_tick": loops[step]}
        yield row


def _loop_ns(planned: Planned) -> float:
    """Wall time of the tick loop alone: the least of some runs, which the machine disturbed least."""
    loops = (result.loop for _ in range(2 * RUNS) for result in planned.run())
    return min(loop.profile.loop_ns for loop in loops if loop is not None)


def _timed_ticks(step: int) -> int:
    return step * max(1, 1_000_000 // step)


def _again(function: Callable[[], object], times: int) -> Callable[[], object]:
    def run() -> None:
        for _ in range(times):
            function()

    return run


def scenarios() -> Iterator[Row]:
    """Ever more scenarios of 500 ticks, each in a fresh process: time and memory of plan and run."""
    for count in (step for step in _SCENARIO_STEPS if step <= MOST_SCENARIOS):
        planning, running, held, left = fresh(_many, count)
        row = rate_row(OURS, f"{count:,} scenarios", count * _SCENARIO_TICKS, running, None)
        row.value, row.unit = 1e3 * running.cpu_s / count, "CPU ms a scenario"
        plan_ms = 1e3 * planning.cpu_s / count
        row.note = f"plan {plan_ms:.3f} CPU ms a scenario, {held / _MB:.1f} MB; its run adds {left / _MB:.1f} MB"
        row.more = {"plan_cpu_s": planning.cpu_s, "plan_bytes": held, "run_bytes": left}
        yield row


def _many(count: int) -> tuple[Cost, Cost, int, int]:
    """Costs of plan and run, and the private memory that each adds."""
    market = peers.window("small").head(_SCENARIO_TICKS)
    source = MemorySource(market)
    plan(peers_set(market), source).drain()
    base, wall, cpu = private_bytes(), time.perf_counter(), time.process_time()
    planned = plan(peers_set(market, stops_scenarios(count)), source)
    planning = Cost(time.process_time() - cpu, time.perf_counter() - wall)
    held, wall, cpu = private_bytes(), time.perf_counter(), time.process_time()
    planned.drain()
    running = Cost(time.process_time() - cpu, time.perf_counter() - wall)
    return planning, running, held - base, private_bytes() - held


def threads() -> Iterator[Row]:
    """The same scenarios on 1 to N threads of this process."""
    market = peers.window("full")
    planned = plan(
        peers_set(market, plain_scenarios(market, _CORE_SCENARIOS), max_ticks=_CORE_TICKS), MemorySource(market)
    )
    counts = range(1, (os.cpu_count() or 1) + 1)
    costs = interleaved({str(jobs): lambda jobs=jobs: planned.drain(jobs) for jobs in counts})
    for jobs in counts:
        yield _cores_row(f"{jobs} threads", planned.ticks, costs[str(jobs)], costs["1"])


def ray() -> Iterator[Row]:
    """The same scenarios on Ray with 1 to N CPUs."""
    market = peers.window("full")
    planned = plan(
        peers_set(market, plain_scenarios(market, _CORE_SCENARIOS), max_ticks=_CORE_TICKS), MemorySource(market)
    )
    first = None
    for cpus in range(1, (os.cpu_count() or 1) + 1):
        connect("local", cpus)
        try:
            cost = interleaved({"ray": lambda: on_ray(planned)})["ray"]
        finally:
            import_ray().shutdown()
        first = first or cost
        yield _cores_row(f"{cpus} CPUs of Ray", planned.ticks, cost, first)


def _cores_row(workload: str, count: int, cost: Cost, first: Cost) -> Row:
    row = rate_row(OURS, workload, count, cost, None)
    row.value, row.unit = first.wall_s / cost.wall_s, "x 1"
    row.note = f"{_CORE_SCENARIOS} x {_CORE_TICKS:,} ticks"
    return row


PARTS = {"ticks": ticks, "scenarios": scenarios, "threads": threads, "ray": ray}

if __name__ == "__main__":
    raise SystemExit(run_parts("bench.growth", __doc__, PARTS, BUILD / "bench-growth.json"))
