"""Runs the benchmarks: ``python -m bench [PART ...]`` in ``tests/``. Prints one table and writes ``build/bench.json``.

Environment: RUNS (repetitions, the median counts), FIRST_RUNS (first starts ever), STOPS_SCENARIOS; PEERS_FOLDER (default
``../shared/peers`` beside the checkout; without it ours runs alone, on synthetic ticks), PEERS_HOME and PEERS_PYTHON (see its
``run.sh``), PEERS, PEERS_SWEEP and PEERS_TICKS (which peers, on how many ticks).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bench import bench_cold, bench_dense, bench_overhead, bench_peers, bench_python, bench_ray, bench_run
from bench.support import BUILD, Row, run_parts

PARTS: dict[str, Callable[[], Iterable[Row]]] = {
    "run": bench_run.one_run,
    "sweep": bench_run.sweep,
    "stops": bench_run.stops,
    "python": bench_python.python,
    "dense": bench_dense.dense,
    "cold": bench_cold.cold,
    "overhead": bench_overhead.overhead,
    "memory": bench_overhead.memory,
    "ray": bench_ray.ray,
    "peers": bench_peers.peer_rates,
}


if __name__ == "__main__":
    raise SystemExit(run_parts("bench", __doc__, PARTS, BUILD / "bench.json"))
