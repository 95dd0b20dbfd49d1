"""Start-up: ``finiex-ray run`` of one scenario of 100,000 ticks as a whole process, the first time ever and with warm caches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import peers
from bench.market import write_catalog
from bench.peers_workload import peers_set
from bench.support import OURS, ROOT, RUNS, Cost, Row, median

TICKS = 100_000
FIRST_RUNS = int(os.environ.get("FIRST_RUNS", "2"))  # each compiles everything


def whole_process(command: Sequence[str | Path], **environment: str) -> Cost:
    """Wall and CPU seconds of a process and its children, from its start to its end.

    Raises:
        SystemExit: If it fails.
    """
    before, wall = os.times(), time.perf_counter()
    done = subprocess.run(
        command, env={**os.environ, **environment}, cwd=ROOT, capture_output=True, text=True, check=False
    )
    wall, after = time.perf_counter() - wall, os.times()
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return Cost(cpu, wall)


def cold() -> Iterator[Row]:
    """First ever (an empty kernel cache), and warm; each a process of its own."""
    market = peers.window("small")
    program = Path(sys.executable).with_name("finiex-ray")
    with tempfile.TemporaryDirectory(prefix="finiex-bench-") as name:
        folder = Path(name)
        catalog = write_catalog(market, folder / "catalog")
        (folder / "set.json").write_text(json.dumps(peers_set(market, catalog=str(catalog))), encoding="utf-8")

        def start(cache: Path, *options: str) -> Cost:
            out = str(folder / "runs")
            # Where Python may not keep its bytecode, it would compile the whole package at every start.
            return whole_process(
                [program, "run", folder / "set.json", "--out", out, "--quiet", *options],
                FINIEX_RAY_CACHE_DIR=str(cache),
                PYTHONDONTWRITEBYTECODE="",
                PYTHONPYCACHEPREFIX=str(folder / "bytecode"),
            )

        first = [start(folder / f"cache{number}", "--executor", "local", "--no-report") for number in range(FIRST_RUNS)]
        yield _row("cold start, first ever", first)
        warm = folder / "cache0"
        bare = ("--executor", "local", "--no-report")
        yield _row("cold start, warm caches", [start(warm, *bare) for _ in range(RUNS)])
        yield _row("cold start, executor auto", [start(warm, "--no-report") for _ in range(RUNS)])
        yield _row("cold start, with web report", [start(warm, "--executor", "local") for _ in range(RUNS)])


def _row(workload: str, costs: Sequence[Cost]) -> Row:
    cost = median(costs)
    return Row(
        OURS,
        workload,
        wall_s=cost.wall_s,
        cpu_s=cost.cpu_s,
        value=cost.wall_s,
        unit="s",
        note=f"whole process, {TICKS:,} ticks, median of {len(costs)}",
    )
