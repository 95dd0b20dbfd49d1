"""A 64 MB tmpfs as output (needs root): ``python tests/faults/disk_full.py [megabytes]``.

The run stops with a clean message and exit code 3, holds no bad row, and resumes after space is freed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from common import TESTS, write_set

COUNT = 400


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])}
    options = ["--executor", "local", "--quiet", "--allow-import", "fault_strategies"]
    command = [sys.executable, "-m", "finiex_ray", "run", *arguments, *options]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    from kill_driver import digests

    from finiex_ray.results.reader import RunData
    from finiex_ray.results.run_dir import RunDir

    with tempfile.TemporaryDirectory() as folder:
        root, disk = Path(folder), Path(folder) / "disk"
        path = str(write_set(root / "set.json", COUNT, ticks=400))
        whole = run(path, "--out", str(root / "roomy"), "--run-id", "r")
        assert whole.returncode == 0, whole.stderr
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(disk)], check=True)
        try:
            # All but a little of the disk is taken: it is full after some of the results.
            (disk / "ballast").write_bytes(bytes(megabytes * 2**20 - 2 * 2**20))
            stopped = run(path, "--out", str(disk), "--run-id", "r")
            print(f"exit code {stopped.returncode}\n{stopped.stderr.strip()}")
            assert stopped.returncode == 3, stopped.stderr
            assert "No space left on device" in stopped.stderr
            assert "--resume" in stopped.stderr
            assert "Traceback" not in stopped.stderr
            kept = RunData(RunDir(disk / "r")).scenarios
            print(f"{len(kept)} of {COUNT} rows, all completed: {bool(kept['success'].all())}")
            assert 0 < len(kept) < COUNT
            assert kept["success"].all()
            (disk / "ballast").unlink()
            resumed = run("--resume", str(disk / "r"))
            print(f"resumed: exit code {resumed.returncode}")
            assert resumed.returncode == 0, resumed.stderr
            assert digests(disk / "r") == digests(root / "roomy" / "r")
            print(f"{len(RunData(RunDir(disk / 'r')).scenarios)} rows, tables equal to those of a run with room")
        finally:
            subprocess.run(["umount", str(disk)], check=True)


if __name__ == "__main__":
    main()
