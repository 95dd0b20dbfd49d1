"""What all benchmarks share: interleaved measuring, plans and trades of ours, rows of the table."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from finiex_ray.config.load import load_broker
from finiex_ray.config.resolve import resolve_set
from finiex_ray.core.access import PluginAccess
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.executor import Executor
from finiex_ray.execution.local import LocalExecutor
from finiex_ray.execution.plan import plan_scenarios
from finiex_ray.execution.planned import PlannedScenario

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
OURS = "finiex-ray"
RUNS = int(os.environ.get("RUNS", "7"))  # repetitions of each measurement; the median counts


# Measuring


class Cost(NamedTuple):
    """Medians of one measurement, seconds."""

    cpu_s: float
    wall_s: float


def interleaved(candidates: Mapping[str, Callable[[], object]], runs: int = RUNS, *, warm: int = 1) -> dict[str, Cost]:
    """Runs the candidates in turn, so that noise of the machine meets all alike; CPU time is that of this process."""
    times: dict[str, list[Cost]] = {name: [] for name in candidates}
    for number in range(-warm, runs):
        for name, candidate in candidates.items():
            wall, cpu = time.perf_counter(), time.process_time()
            own = candidate()
            spent = Cost(time.process_time() - cpu, time.perf_counter() - wall)
            if number >= 0:
                times[name].append(own if isinstance(own, Cost) else spent)
    return {name: median(costs) for name, costs in times.items()}


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each part."""
    return Cost(*(statistics.median(part) for part in zip(*costs, strict=True)))


def paired_percent(plain: Callable[[], object], more: Callable[[], object], runs: int) -> tuple[float, float]:
    """What ``more`` costs over ``plain``, percent of CPU time: the median of paired runs, and its standard error.

    The order within a pair changes from pair to pair. The error is 1.253 times that of the mean, from the interquartile range.
    """
    shares = []
    plain(), more()
    for number in range(runs):
        spent = {}
        for candidate in (plain, more) if number % 2 else (more, plain):
            cpu = time.process_time()
            candidate()
            spent[candidate] = time.process_time() - cpu
        shares.append(100 * (spent[more] / spent[plain] - 1))
    low, middle, high = statistics.quantiles(shares, n=4)
    return middle, 1.253 * (high - low) / 1.349 / runs**0.5


def fresh(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function returns in a process that has done nothing else."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def tree_cpu_s() -> float:
    """CPU seconds so far of this process and of all that it has started and that still run."""
    parents, spent = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            except OSError:  # it has ended
                continue
            parents[int(entry.name)] = int(fields[1])
            spent[int(entry.name)] = int(fields[11]) + int(fields[12])
    family = {os.getpid()}
    while True:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        if not more:
            return sum(spent[pid] for pid in family) / os.sysconf("SC_CLK_TCK")
        family |= more


def private_bytes() -> int:
    """Memory that this process shares with no other; shared libraries and the object store are not in it."""
    fields = Path("/proc/self/smaps_rollup").read_text(encoding="ascii")
    return sum(int(kb) for kb in re.findall(r"Private_\w+: +(\d+) kB", fields)) * 1_024


# Our side


class Planned(NamedTuple):
    """Scenarios that are ready to run, with their data loaded."""

    scenarios: tuple[PlannedScenario, ...]
    cache: SegmentCache

    @property
    def ticks(self) -> int:
        return sum(each.ticks for each in self.scenarios)

    def run(self, jobs: int = 1) -> list[ScenarioResult]:
        """Results of all, in their order, from threads of this process."""
        return run_all(LocalExecutor(self.cache, jobs), self.scenarios)

    def drain(self, jobs: int = 1) -> int:
        """Runs all likewise, and keeps no result; ticks done."""
        return drain(LocalExecutor(self.cache, jobs), self.scenarios)


def plan(tree: Mapping[str, Any], source: Any) -> Planned:
    """Plans a scenario set on a source of ticks.

    Raises:
        SystemExit: If a scenario cannot run; the reasons stand in it.
    """
    cache = SegmentCache(source)
    access = PluginAccess(("bench.strategies",))
    found = plan_scenarios(resolve_set(tree, "bench"), cache, lambda name: load_broker(name, ROOT)[0], access)
    if found.invalid:
        raise SystemExit(f"{found.invalid[0].name}: {found.invalid[0].error}")
    return Planned(found.runnable, cache)


def run_all(executor: Executor, scenarios: Sequence[PlannedScenario]) -> list[ScenarioResult]:
    """Results in the order of the scenarios.

    Raises:
        SystemExit: If a scenario failed.
    """
    try:
        results = sorted(executor.run(scenarios), key=lambda result: result.index)
    finally:
        executor.close()
    for result in results:
        if result.error is not None:
            raise SystemExit(f"{result.name}: {result.error.message}\n{result.error.traceback}")
    return results


class BenchTrade(NamedTuple):
    """What is compared; prices in points."""

    entry_tick: int
    exit_tick: int
    side: int
    entry: int
    exit: int


def drain(executor: Executor, scenarios: Sequence[PlannedScenario]) -> int:
    """Runs all and keeps no result, as a run that writes them to disk does; ticks done.

    Raises:
        SystemExit: If a scenario failed.
    """
    ticks = 0
    try:
        for result in executor.run(scenarios):
            if result.error is not None or result.loop is None:
                raise SystemExit(f"{result.name}: {result.error}")
            ticks += result.loop.ticks
    finally:
        executor.close()
    return ticks


def trades_of(result: ScenarioResult) -> list[BenchTrade]:
    """The trades of a result."""
    assert result.loop is not None
    names = ("entry_tick", "exit_tick", "side", "entry_price_points", "exit_price_points")
    columns = (result.loop.trades[name].tolist() for name in names)
    return [BenchTrade(*row) for row in zip(*columns, strict=True)]


def check_equal(workload: str, tool: str, found: Sequence[BenchTrade], expected: Sequence[BenchTrade] | None) -> int:
    """Refuses to go on with a run that traded otherwise than the fused loop; returns the number of trades.

    Without peers there is no fused loop, and ``expected`` is None.

    Raises:
        SystemExit: If a trade differs; the first difference stands in it.
    """
    if expected is None:
        return len(found)
    for number, (one, other) in enumerate(zip(found, expected, strict=False)):
        if one != other:
            raise SystemExit(f"{workload}: trade {number} of {tool} is {one}, that of the fused loop {other}: no rate")
    if len(found) != len(expected):
        raise SystemExit(f"{workload}: {tool} made {len(found)} trades, the fused loop {len(expected)}: no rate")
    return len(found)


# The table


@dataclass
class Row:
    """One line of the table; rates are per CPU second."""

    tool: str
    workload: str
    ticks_per_cpu_s: float | None = None
    ratio_to_fused: float | None = None
    wall_s: float | None = None
    cpu_s: float | None = None
    trades: int | None = None
    value: float | None = None  # what is measured where it is no rate
    unit: str = ""
    note: str = ""
    more: dict[str, Any] = field(default_factory=dict)


def rate_row(tool: str, workload: str, ticks: int, cost: Cost, fused: Cost | None, **details: Any) -> Row:
    """A row for a rate, beside the fused loop's cost of the same ticks."""
    ratio = None if fused is None else fused.cpu_s / cost.cpu_s
    return Row(tool, workload, ticks / cost.cpu_s, ratio, cost.wall_s, cost.cpu_s, **details)


_LINE = "{:<26} {:<28} {:>12} {:>9} {:>9} {:>9} {:>8} {:>24}  {}"
HEADS = ("tool", "workload", "ticks/CPU s", "of fused", "wall s", "CPU s", "trades", "value", "note")


def head() -> str:
    """The table's first line."""
    return _LINE.format(*HEADS).rstrip()


def cells(row: Row) -> tuple[str, ...]:
    """A row as texts, a column each."""
    return (
        row.tool,
        row.workload,
        _number(row.ticks_per_cpu_s),
        "" if row.ratio_to_fused is None else f"{row.ratio_to_fused:.4g}",
        "" if row.wall_s is None else f"{row.wall_s:.4g}",
        "" if row.cpu_s is None else f"{row.cpu_s:.4g}",
        "" if row.trades is None else f"{row.trades:,}",
        "" if row.value is None else f"{row.value:,.4g} {row.unit}".rstrip(),
        row.note,
    )


def line(row: Row) -> str:
    """A row as text."""
    return _LINE.format(*cells(row)).rstrip()


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value / 1e6:.3f} M" if value >= 1e5 else f"{value:,.0f}"


def save(rows: Sequence[Row], path: Path) -> None:
    """Writes rows as JSON: a list of objects."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")


Parts = Mapping[str, Callable[[], Iterable[Row]]]


def run_parts(program: str, description: str | None, parts: Parts, out: Path) -> int:
    """The command line of the benchmarks: runs the parts that are named, or all; prints the table and writes the rows."""
    parser = argparse.ArgumentParser(program, description=description, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(parts)}; default: all")
    parser.add_argument("--out", type=Path, default=out, metavar="FILE")
    options = parser.parse_args()
    for part in options.parts:
        if part not in parts:
            parser.error(f"no part {part!r}; there are {', '.join(parts)}")
    rows: list[Row] = []
    print(head())
    for part in options.parts or parts:
        for row in parts[part]():
            rows.append(row)
            print(line(row), flush=True)
    save(rows, options.out)
    print(f"\n{len(rows)} rows in {options.out}")
    return 0
