"""What one window costs in memory when many scenarios read it on Ray: copies in the object store, private memory a process.

Run it with ``python tests/bench/bench_object_store.py``; it prints a table, a row for each window length.
"""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from own_access import OWN

from finiex_ray import DecisionLogic
from finiex_ray.config.load import load_broker
from finiex_ray.config.resolve import resolve_set
from finiex_ray.data.synthetic import SyntheticMarket
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.execution.coordinator import ExecutionCoordinator
from finiex_ray.execution.ray_session import connect, import_ray

SCENARIOS = 40
BYTES_PER_TICK = 32  # four columns of eight bytes


class Weigher(DecisionLogic):
    """Buys and sells in turn, and logs the private memory of its process at every block."""

    def decide(self, block, inputs):
        """A buy and a close a block."""
        fields = Path("/proc/self/smaps_rollup").read_text(encoding="ascii")
        private = sum(int(kb) for kb in re.findall(r"Private_\w+: +(\d+) kB", fields))
        self.log.info(f"private_kb={private}")
        return np.zeros(len(block), np.int8)


def scenario_set(ticks: int):
    """Forty scenarios that differ in a parameter and share their window."""
    tree = {
        "name": "memory",
        "global": {
            "symbol": "EURUSD",
            "start": datetime(2025, 9, 1, tzinfo=UTC).isoformat(),
            "max_ticks": ticks,
            "workers": {"rsi": {"type": "rsi"}, "bands": {"type": "bollinger"}},
            "logic": {"type": "bench_object_store:Weigher"},
        },
        "scenarios": [{"name": f"s{k:02d}", "workers": {"rsi": {"period": 5 + k}}} for k in range(SCENARIOS)],
    }
    return resolve_set(tree, "bench", [], [])


def store_bytes(ray) -> float:
    """Bytes of the object store in use."""
    return ray.cluster_resources()["object_store_memory"] - ray.available_resources().get("object_store_memory", 0.0)


def main() -> int:
    """Prints the table."""
    sys.path.insert(0, str(Path(__file__).parent))
    connect("local", jobs=2)
    ray = import_ray()
    print(f"{'ticks':>9} {'one copy MB':>12} {'store MB':>9} {'private MB, first':>18} {'private MB, last':>17}")
    for ticks in (20_000, 100_000, 500_000):
        results: list[ScenarioResult] = []
        held: list[float] = []
        coordinator = ExecutionCoordinator(
            scenario_set(ticks),
            SyntheticMarket(7),
            lambda name: load_broker(name, Path.cwd())[0],
            executor="ray",
            access=OWN,
        )

        def keep(result: ScenarioResult, results=results, held=held) -> None:
            results.append(result)
            held.append(store_bytes(ray))

        coordinator.run(keep)
        weights = [
            [int(kb) / 1024 for kb in re.findall(r"private_kb=(\d+)", "\n".join(result.log))] for result in results
        ]
        print(
            f"{ticks:>9,} {ticks * BYTES_PER_TICK / 2**20:>12.1f} {max(held) / 2**20:>9.1f} "
            f"{max(w[0] for w in weights[:2]):>18.1f} {max(w[-1] for w in weights[-2:]):>17.1f}"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
