"""kill -9 of a random worker every 2 s: ``python tests/faults/kill_workers.py [seconds]`` (default 300).

The run is long enough to go on after the killing. Its hash must be that of an undisturbed run in process.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

from common import kill, ray_workers, write_set

PERIOD_S = 2.0
A_SECOND = 12  # scenarios of 0.1 s on two CPUs, with the time that new processes take


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 300.0
    count = int(seconds * A_SECOND)
    from finiex_ray.api import run_set

    with tempfile.TemporaryDirectory() as folder:
        sound = write_set(Path(folder) / "sound.json", count)
        slow = write_set(Path(folder) / "slow.json", count, sleep_s=0.1)
        expected = run_set(sound, executor="local", out=folder, quiet=True, allow_imports=["fault_strategies"])
        draw, ended, killed = random.Random(11), threading.Event(), []

        def keep_killing() -> None:
            stop_s = None
            while not ended.wait(PERIOD_S) and (stop_s is None or time.monotonic() < stop_s):
                workers = ray_workers(os.getpid())
                if workers:
                    stop_s = stop_s or time.monotonic() + seconds
                    killed.append(draw.choice(workers))
                    kill(killed[-1])

        threading.Thread(target=keep_killing, daemon=True).start()
        began = time.perf_counter()
        run = run_set(slow, executor="ray", jobs=2, out=folder, quiet=True, allow_imports=["fault_strategies"])
        ended.set()
        names = list(run.scenarios["name"])
        print(f"{count:,} scenarios in {time.perf_counter() - began:.0f} s, {len(killed)} workers killed with -9")
        print(f"rows {len(names):,}, different names {len(set(names)):,}, completed {run.info['completed']:,}")
        print(f"hash {run.info['result_hash']}\n     {expected.info['result_hash']} undisturbed, in process")
        if not run.scenarios["success"].all():
            print(run.scenarios.loc[~run.scenarios["success"], ["name", "error_type", "error_message"]].to_string())
        same = run.info["result_hash"] == expected.info["result_hash"] and len(set(names)) == len(names) == count
        sys.exit(0 if same and killed else "differs")


if __name__ == "__main__":
    main()
