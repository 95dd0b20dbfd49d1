"""Memory of a scenario over months: whole windows up to 8 million ticks, longer ones day by day. Prints a table.

python tests/bench/bench_long_window.py
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

MONTHS = (1, 3, 6, 12, 24)
CACHE_MB = 64


def one(months: int) -> None:
    """Runs one scenario of so many months in this process and prints a row."""
    from finiex_ray.config.load import load_broker
    from finiex_ray.config.resolve import resolve_set
    from finiex_ray.data.synthetic import SyntheticMarket
    from finiex_ray.execution.cache import SegmentCache
    from finiex_ray.execution.local import LocalExecutor
    from finiex_ray.execution.plan import plan_scenarios
    from finiex_ray.execution.stream import is_long

    year, month = divmod(months, 12)
    tree = {
        "global": {
            "symbol": "EURUSD",
            "workers": {"rsi": {"type": "rsi"}, "bands": {"type": "bollinger"}},
            "logic": {"type": "aggressive_trend", "lots": 0.01},
            "account": {"balance": 1_000_000},
        },
        "scenarios": [
            {"name": "long", "start": "2023-01-03T00:00:00Z", "end": f"{2023 + year}-{1 + month:02d}-03T00:00:00Z"}
        ],
    }
    cache = SegmentCache(SyntheticMarket(7), most_bytes=CACHE_MB * 10**6)
    plan = plan_scenarios(resolve_set(tree, "bench", [], []), cache, lambda name: load_broker(name, Path.cwd())[0])
    (planned,) = plan.runnable
    planned_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.perf_counter()
    (result,) = LocalExecutor(cache).run([planned])
    took_s = time.perf_counter() - began
    assert result.error is None, result.error
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{months:>6} {planned.ticks:>12,} {planned.ticks * 32 / 1e6:>9,.0f} {is_long(planned.ticks)!s:>8} "
        f"{planned_mb:>10,.0f} {peak_mb:>8,.0f} {took_s:>8.1f}"
    )


def main() -> int:
    """Prints the table; each row in a process of its own."""
    if len(sys.argv) > 1:
        one(int(sys.argv[1]))
        return 0
    print(f"{'months':>6} {'ticks':>12} {'ticks MB':>9} {'streamed':>8} {'planned MB':>10} {'peak MB':>8} {'run s':>8}")
    return max(subprocess.run([sys.executable, __file__, str(months)], check=False).returncode for months in MONTHS)


if __name__ == "__main__":
    raise SystemExit(main())
