"""100,000 short scenarios on two CPUs: time, memory and files of the driver.

``python tests/bench/bench_many.py [scenarios] [ticks]`` prints a table.
The set is a file of 1,000 starts, 100 values of a threshold each.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq


def write_set(path: Path, scenarios: int, ticks: int) -> None:
    begin = datetime(2025, 9, 22, tzinfo=UTC)
    rows = [
        {
            "name": f"s{number:06}",
            "start": (begin + timedelta(minutes=5 * (number // 100 % 1_000))).isoformat(),
            "logic": {"rsi_buy_threshold": 20 + number % 100 * 0.2},
        }
        for number in range(scenarios)
    ]
    shared = {
        "symbol": "EURUSD",
        "max_ticks": ticks,
        "workers": {
            "rsi_fast": {"type": "rsi", "period": 14, "timeframe": "M1"},
            "band": {"type": "bollinger", "period": 20, "timeframe": "M5"},
        },
        "logic": {"type": "aggressive_trend", "lots": 0.1},
    }
    path.write_text(json.dumps({"data": "synthetic", "global": shared, "scenarios": rows}))


def resident_mb() -> float:
    """Memory of this process, without the object store that it shares with others."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return (int(status["VmRSS"].split()[0]) - int(status["RssShmem"].split()[0])) / 2**10


def tasks_s() -> float:
    """CPU seconds of the task processes so far."""
    found = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            title = path.with_name("cmdline").read_text().split("\0")[0].strip()
            if title.startswith("ray::") and not title.endswith("Agent") and os.getpid() in ancestors(path):
                found += sum(map(int, path.read_text().rpartition(")")[2].split()[11:13]))
        except OSError:
            continue
    return found / os.sysconf("SC_CLK_TCK")


def ancestors(stat: Path) -> list[int]:
    found: list[int] = []
    while (parent := int(stat.read_text().rpartition(")")[2].split()[1])) > 1:
        found.append(parent)
        stat = Path(f"/proc/{parent}/stat")
    return found


class Watch(threading.Thread):
    """The largest resident memory of this process, and the most files of the run, seen a few times a second."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder, self.ended = folder, threading.Event()
        self.memory_mb, self.files = 0.0, 0

    def run(self) -> None:
        while not self.ended.wait(0.2):
            self.memory_mb = max(self.memory_mb, resident_mb())
            self.files = max(self.files, sum(path.is_file() for path in self.folder.rglob("*")))


def main() -> None:
    scenarios, ticks = (int(text) for text in [*sys.argv[1:], *["100000", "200"][len(sys.argv) - 1 :]])
    from finiex_ray.api import run_set
    from finiex_ray.execution.ray_session import connect

    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "many.json", Path(folder) / "runs"
        write_set(path, scenarios, ticks)
        connect("local", jobs=2)
        # What every run loads, whatever its size, comes first.
        write_set(Path(folder) / "few.json", 50, ticks)
        run_set(Path(folder) / "few.json", executor="ray", out=Path(folder) / "few", quiet=True)
        before_mb = resident_mb()
        watch = Watch(out)
        watch.start()
        began, cpu, tasks = time.perf_counter(), time.process_time(), tasks_s()
        run = run_set(path, executor="ray", out=out, quiet=True)
        took_s, driver_s = time.perf_counter() - began, time.process_time() - cpu
        watch.ended.set()
        names = pq.read_table(run.run_dir.table("scenarios"), columns=["name"]).column("name")
        files = sum(each.is_file() for each in out.rglob("*"))
        size_mb = sum(each.stat().st_size for each in out.rglob("*") if each.is_file()) / 2**20
        rows = {
            "scenarios": f"{scenarios:,} of {ticks} ticks, completed {run.info['completed']:,}",
            "rows": f"{len(names):,}, different names {len(set(names.to_pylist())):,}",
            "time": f"{took_s:.1f} s, {took_s / scenarios * 1e6:.0f} us each; planning {run.info['plan_s']:.1f} s",
            "driver": f"{driver_s:.1f} s of CPU, {driver_s / scenarios * 1e6:.0f} us each",
            "tasks": f"{tasks_s() - tasks:.1f} s of CPU, {(tasks_s() - tasks) / scenarios * 1e6:.0f} us each",
            "memory": f"{before_mb:.0f} MB before, {watch.memory_mb:.0f} MB at most: +{watch.memory_mb - before_mb:.0f} MB",
            "files": f"{files} at the end, {watch.files} at most, {size_mb:.0f} MB",
            "hash": str(run.info["result_hash"]),
        }
        for name, text in rows.items():
            print(f"{name:10} {text}")


if __name__ == "__main__":
    main()
