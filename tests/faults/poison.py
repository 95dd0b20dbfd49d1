"""Poisoned scenarios among sound ones, on Ray: ``python tests/faults/poison.py [scenarios] [percent of each kind]``.

Prints a row for each kind of poison and fails where a sound scenario came to anything else than without them.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import defaultdict
from pathlib import Path

import common  # noqa: F401 - the import path

LIMIT_S = 2.0


def memory_threshold(room_bytes: int) -> float:
    """Share of the machine's memory at which Ray begins to kill: what is used now, and some room."""
    values = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    total, free = (int(values[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    return min(0.95, (total - free + room_bytes) / total)


def main() -> None:
    arguments = [float(text) for text in sys.argv[1:]]
    count, percent = int(arguments[0]) if arguments else 2_000, arguments[1] if len(arguments) > 1 else 1.0
    settings = {
        "RAY_memory_usage_threshold": f"{memory_threshold(3 * 2**30):.4f}",
        "RAY_memory_monitor_refresh_ms": "100",
    }
    os.environ.update(settings)
    from execution_support import WalkSource, brokers, scenario, scenario_set
    from fault_strategies import POISONS
    from own_access import OWN

    from finiex_ray.execution.coordinator import ExecutionCoordinator
    from finiex_ray.execution.ray_session import connect

    draw = random.Random(5)
    each = max(1, round(count * percent / 100))
    kinds = [kind for kind in POISONS for _ in range(each)]
    sound = [scenario(f"sound_{number}", max_ticks=200, seed=number) for number in range(count - len(kinds))]
    limits = {"memory": 60.0}
    poisoned = [
        scenario(
            f"{kind}_{number}",
            workers={},
            logic={"type": "fault_strategies:Harm", "kind": kind},
            execution={"time_limit_s": limits.get(kind, LIMIT_S)},
            max_ticks=200,
        )
        for number, kind in enumerate(kinds)
    ]
    everything = [*sound, *poisoned]
    draw.shuffle(everything)

    def run(scenarios: list, executor: str) -> tuple[dict, str, float]:
        results = {}
        began = time.perf_counter()
        coordinator = ExecutionCoordinator(
            scenario_set(*scenarios), WalkSource(), brokers, executor=executor, access=OWN
        )
        summary = coordinator.run(lambda result: results.update({result.name: result}))
        assert len(results) == len(scenarios)
        return results, summary.set_hash, time.perf_counter() - began

    expected, _, alone_s = run(sound, "local")
    connect("local", jobs=2)
    found, _, took_s = run(everything, "ray")
    changed = [
        name
        for name, result in expected.items()
        if found[name].loop is None or found[name].loop.result_hash != result.loop.result_hash
    ]
    seen = defaultdict(list)
    for poison, kind in zip(poisoned, kinds, strict=True):
        seen[kind].append(found[poison.name].error)
    print(
        f"{len(sound):,} sound scenarios, {len(changed)} changed; {len(poisoned)} poisoned; {took_s:.1f} s "
        f"(without {alone_s:.1f} s)"
    )
    wrong = list(changed)
    for kind, expected_type in POISONS.items():
        types = sorted({error.type if error else "none" for error in seen[kind]})
        print(
            f"{kind:14} {len(seen[kind]):3} {', '.join(types):20} {seen[kind][0].message[:150] if seen[kind][0] else ''}"
        )
        wrong += [kind] if types != [expected_type] else []
    sys.exit(f"wrong: {wrong}" if wrong else 0)


if __name__ == "__main__":
    main()
