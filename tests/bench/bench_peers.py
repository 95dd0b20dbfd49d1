"""The peers' own rates, sweeps and starts, through their ``run.sh``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bench import peers
from bench.bench_cold import TICKS as COLD_TICKS
from bench.bench_cold import whole_process
from bench.support import RUNS, Row, median

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
    """Each peer on the same ticks; the ratio is to the fused loop that ran right before them."""
    if not peers.present():
        return
    answers = peers.run_peers("run", NAMES, TICKS=str(TICKS), RUNS=str(max(RUNS, 5)))
    yield from _rows(answers, "peers")
    answers = peers.run_peers("sweep", SWEEPS)
    yield from _rows(answers, "peers sweep")
    for name in NAMES:
        start = STARTS[name]
        python = peers.HOME / f"venv-{start.environment}" / "bin" / "python"
        variables = {
            "PEERS_DATA": str(peers.DATA),
            "NUMBA_CACHE_DIR": str(peers.HOME / "numba"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONWARNINGS": "ignore",
            **start.variables,
        }
        cost = median([whole_process([python, peers.FOLDER / start.script, "cold"], **variables) for _ in range(3)])
        yield Row(
            name,
            "cold start, warm caches",
            wall_s=cost.wall_s,
            cpu_s=cost.cpu_s,
            value=cost.wall_s,
            unit="s",
            note=f"whole process, {COLD_TICKS:,} ticks",
        )


def _rows(answers: list[dict[str, Any]], workload: str) -> Iterator[Row]:
    fused = next((_rate(answer) for answer in answers if answer["peer"] == "limit_numba/eager"), None)
    for answer in answers:
        if "error" in answer:
            yield Row(answer["peer"], workload, note="could not run")
            continue
        rate = _rate(answer)
        yield Row(
            f"{answer['peer']} {answer.get('version', '')}".strip(),
            workload,
            rate,
            rate / fused if fused else None,
            answer.get("median_s", answer.get("wall_warm_s")),
            answer.get("cpu_med_s", answer.get("cpu_s")),
            answer["trades"],
            note=answer["note"],
        )


def _rate(answer: dict[str, Any]) -> float:
    if answer["mode"] == "run":
        return float(answer["ticks_per_cpu_s"])
    return answer["scenarios"] * answer["n"] / answer["cpu_s"]
