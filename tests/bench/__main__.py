"""Runs the benchmarks: ``python -m bench [PART ...]`` in ``tests/``. Prints one table and writes ``build/bench.json``.

Environment: RUNS (repetitions, the median counts), PEERS_FOLDER (default ``../shared/peers`` beside the checkout),
PEERS_HOME and PEERS_PYTHON (see its ``run.sh``).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

from bench import bench_cold, bench_dense, bench_overhead, bench_peers, bench_python, bench_ray, bench_run, peers
from bench.support import BUILD, Row, head, line, save

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


def main() -> int:
    """Runs the parts that were asked for, or all."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; default: all")
    parser.add_argument("--out", type=Path, default=BUILD / "bench.json", metavar="FILE")
    options = parser.parse_args()
    for part in options.parts:
        if part not in PARTS:
            parser.error(f"no part {part!r}; there are {', '.join(PARTS)}")
    if peers.present():
        peers.ensure_ticks()
    rows: list[Row] = []
    print(head())
    for part in options.parts or PARTS:
        for row in PARTS[part]():
            rows.append(row)
            print(line(row), flush=True)
    save(rows, options.out)
    print(f"\n{len(rows)} rows in {options.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
