"""The peers' own rates, sweeps and starts, through their ``run.sh``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bench import peers
from bench.bench_cold import TICKS as COLD_TICKS
from bench.bench_cold import whole_process
from bench.bench_run import SMALL as SWEEP_TICKS
from bench.peers_workload import SWEEP
from bench.support import RUNS, Row, interleaved, median

NAMES = tuple(
    os.environ.get("PEERS", "limit python vectorbt raptorbt hftbacktest backtestingfx backtestingpy nautilus").split()
)
SWEEPS = tuple(os.environ.get("PEERS_SWEEP", "limit vectorbt raptorbt hftbacktest").split())  # others take minutes
TICKS = int(os.environ.get("PEERS_TICKS", "1000000"))


class Start(NamedTuple):
    """A peer's script, for its start-up."""

    environment: str
    script: str
    variables: Mapping[str, str] = {}


STARTS = {
    "limit": Start("limit", "limit_numba.py", {"KIND": "eager"}),
    "python": Start("limit", "pure_python.py"),
    "vectorbt": Start("vectorbt", "peer_vectorbt.py", {"ENGINE": "numba", "KIND": "all"}),
    "raptorbt": Start("raptorbt", "peer_raptorbt.py", {"KIND": "array"}),
    "hftbacktest": Start("hftbacktest", "peer_hftbacktest.py", {"DEPTH": "roi"}),
    "backtestingfx": Start("backtestingfx", "peer_backtestingfx.py", {"KIND": "next"}),
    "backtestingpy": Start("backtestingpy", "peer_backtestingpy.py"),
    "nautilus": Start("nautilus", "peer_nautilus.py", {"MODE": "forming"}),
}


def peer_rates() -> Iterator[Row]:
    """Each peer on the same ticks: a run, a sweep of those that need no minutes for it, a start of a whole process.

    The ratios are to the fused loop on one core of this process, measured right before each peer.
    """
    if not peers.present():
        return
    for mode, names, workload in (("run", NAMES, "peers"), ("sweep", SWEEPS, "peers sweep")):
        loop = peers.FusedLoop(TICKS if mode == "run" else SWEEP_TICKS)
        for name in names:
            fused = len(loop) / interleaved({"fused": loop.run})["fused"].cpu_s
            for answer in peers.run_peers(mode, [name], TICKS=str(TICKS), RUNS=str(max(RUNS, 5))):
                yield _row(answer, workload, fused)
    for name in NAMES:
        yield _start_row(name)


def _row(answer: Mapping[str, Any], workload: str, fused: float) -> Row:
    if "error" in answer:
        return Row(answer["peer"], workload, note="could not run")
    swept = answer["mode"] == "sweep"
    rate = len(SWEEP) * answer["n"] / answer["cpu_s"] if swept else answer["ticks_per_cpu_s"]
    return Row(
        f"{answer['peer']} {answer.get('version', '')}".strip(),
        workload,
        rate,
        rate / fused,
        answer["wall_warm_s" if swept else "median_s"],
        answer["cpu_s" if swept else "cpu_med_s"],
        answer["trades"],
        note=answer["note"],
    )


def _start_row(name: str) -> Row:
    start = STARTS[name]
    variables = {
        "PEERS_DATA": str(peers.DATA),
        "NUMBA_CACHE_DIR": str(peers.HOME / "numba"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": "ignore",
        **start.variables,
    }
    python = peers.HOME / f"venv-{start.environment}" / "bin" / "python"
    cost = median(
        [whole_process([python, peers.FOLDER / start.script, "cold"], **variables) for _ in range(max(RUNS, 5))]
    )
    note = f"whole process, {COLD_TICKS:,} ticks"
    return Row(name, "cold start, warm caches", None, None, cost.wall_s, cost.cpu_s, None, cost.wall_s, "s", note)
