"""An object store several times too small for the ticks: ``python tests/faults/object_store.py [days]`` (60; at least 19).

Ray spills to disk; results are those of the run in process.
"""

from __future__ import annotations

import sys
import threading
import time
from datetime import date, timedelta
from pathlib import Path

import common  # noqa: F401 - the import path

STORE_MB = 80
TICKS_A_DAY = 420_000


def main() -> None:
    days = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    import numpy as np
    import ray
    from execution_support import WalkSource, brokers, scenario, scenario_set

    from finiex_ray.core.market import TickSegment, freeze
    from finiex_ray.core.time import day_start_ns
    from finiex_ray.execution.coordinator import ExecutionCoordinator
    from finiex_ray.execution.ray_session import connect, import_ray

    first = date(2025, 3, 3)

    class Dense(WalkSource):
        def first_day(self, symbol: str) -> date:
            return first

        def last_day(self, symbol: str) -> date:
            return first + timedelta(days=days)

        def has_day(self, symbol: str, day: date) -> bool:
            return self.first_day(symbol) <= day <= self.last_day(symbol)

        def load(self, symbol: str, day: date) -> TickSegment:
            draw = np.random.default_rng(day.toordinal())
            time_ns = day_start_ns(day) + np.arange(TICKS_A_DAY, dtype=np.int64) * 200_000_000
            bid = 110_000 + np.cumsum(draw.integers(-3, 4, TICKS_A_DAY))
            return freeze(TickSegment(time_ns, bid, bid + 7, np.zeros(TICKS_A_DAY)))

    import_ray()
    ray.init(
        num_cpus=2,
        object_store_memory=STORE_MB * 2**20,
        include_dashboard=False,
        log_to_driver=False,
        namespace="finiex_ray",
    )
    assert connect() is False
    # Two passes over all days: what was spilt has to come back.
    scenarios = [
        scenario(
            f"{turn}_{day}",
            start=f"{first + timedelta(days=day)}T12:00:00Z",
            end=f"{first + timedelta(days=day)}T23:00:00Z",
            max_ticks=None,
            seed=turn,
        )
        for turn in range(2)
        for day in range(1, days + 1)
    ]
    session = Path(ray._private.worker._global_node.get_session_dir_path())
    spilled = [0.0]

    def watch() -> None:
        while ray.is_initialized():
            found = [path.stat().st_size for path in session.glob("ray_spilled_objects*/**/*") if path.is_file()]
            spilled.append(sum(found) / 2**20)
            time.sleep(0.1)

    threading.Thread(target=watch, daemon=True).start()
    hashes = {}
    for executor in ("ray", "local"):
        coordinator = ExecutionCoordinator(scenario_set(*scenarios), Dense(), brokers, executor=executor)
        summary = coordinator.run(lambda _: None)
        hashes[executor] = summary.set_hash
        print(
            f"{executor}: {summary.completed} of {summary.scenarios} completed in {summary.wall_s:.1f} s, {summary.set_hash}"
        )
        assert summary.failed == 0
    put_mb = days * TICKS_A_DAY * 32 / 2**20
    print(f"{put_mb:.0f} MB of ticks in a store of {STORE_MB} MB; at most {max(spilled):.0f} MB were spilled to disk")
    ray.shutdown()
    assert put_mb > 3 * STORE_MB
    assert max(spilled) > 0
    sys.exit(0 if hashes["ray"] == hashes["local"] else "differs")


if __name__ == "__main__":
    main()
