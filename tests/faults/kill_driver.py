"""kill -9 of the driver at seeded moments, and resume: ``python tests/faults/kill_driver.py [kills] [local|ray]`` (default 50).

Each time a run of its own is killed, then resumed. Its tables must be, byte for byte but for times, those of an undisturbed
run, and no more scenarios may run twice than were in flight.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from common import TESTS, kill, parents, write_set

COUNT = 300
PARTS_OF = 40  # scenarios, so that parts appear on the way
IN_FLIGHT = {"local": 1, "ray": 2 * 3 * 64}
DRIVER = """
import sys
sys.path[:0] = {paths!r}
from finiex_ray.results import writer
writer._PART_SCENARIOS = {parts}
from finiex_ray.api import run_set
allowed = ["fault_strategies"]
run_set({path!r}, executor={executor!r}, jobs={jobs}, out={out!r}, run_id={run_id!r}, quiet=True, allow_imports=allowed)
"""


def digests(folder: Path) -> dict[str, str]:
    """Hashes of the tables; of the scenario table without what a clock says."""
    import pyarrow.parquet as pq

    found = {}
    for path in sorted(folder.glob("*.parquet")):
        if path.name == "scenarios.parquet":
            table = pq.read_table(path).drop_columns(["execution_time_s", "ticks_per_s"])
            found[path.name] = hashlib.sha256(repr(table.to_pylist()).encode()).hexdigest()
        elif path.name != "profile.parquet":
            found[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    executor = sys.argv[2] if len(sys.argv) > 2 else "local"
    jobs = {"local": 1, "ray": 2}[executor]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        runs = root / "runs"
        path = write_set(root / "set.json", COUNT, sleep_s=0.004)

        def driver(run_id: str, traces: Path) -> subprocess.Popen[bytes]:
            code = DRIVER.format(
                paths=[str(TESTS), str(TESTS.parent)],
                parts=PARTS_OF,
                path=str(path),
                executor=executor,
                jobs=jobs,
                out=str(runs),
                run_id=run_id,
            )
            environment = {**os.environ, "FINIEX_FAULT_RUNS": str(traces)}
            return subprocess.Popen([sys.executable, "-c", code], start_new_session=True, env=environment)

        assert driver("whole", root / "nowhere").wait() == 0
        expected = digests(runs / "whole")
        draw = random.Random(7)
        stages: Counter[str] = Counter()
        most_repeated = 0
        for number in range(kills):
            traces = root / f"traces_{number}"
            traces.mkdir()
            run_id = f"killed_{number}"
            process = driver(run_id, traces)
            # At any moment between the first result and the last one; every fifth time while the tables are made.
            target, later_s = (COUNT, 0.5) if number % 5 == 4 else (draw.randrange(COUNT), 0.02)
            while sum(1 for _ in traces.iterdir()) < target and process.poll() is None:
                time.sleep(0.001)
            time.sleep(draw.uniform(0, later_s))
            kill(process.pid)
            process.wait()
            run_dir = runs / run_id
            if not (run_dir / "run.json").exists():
                stages["before the run folder"] += 1
            elif '"status": "finished"' in (run_dir / "run.json").read_text():
                stages["after the end"] += 1
            elif (run_dir / "parts").exists():
                stages["with parts"] += 1
            else:
                stages["with a journal alone"] += 1
            assert driver(run_id, traces).wait() == 0, f"run {number} does not resume"
            repeated = len(list(traces.iterdir())) - COUNT
            most_repeated = max(most_repeated, repeated)
            assert 0 <= repeated <= IN_FLIGHT[executor], f"run {number} repeated {repeated}"
            assert digests(run_dir) == expected, f"run {number} differs"
            print(f"{number:3} killed {stages.most_common()} repeated {repeated}", flush=True)
        print(f"{kills} kills on {executor}: tables equal each time; at most {most_repeated} scenarios ran twice")
        print(dict(stages))
        left = [command for _, (parent, command) in parents().items() if str(root) in command]
        assert not left, left


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    assert os.name == "posix"
    main()
