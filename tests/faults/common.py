"""What the fault scripts share: a set of scenarios that trade and may do harm, and the processes of this process's Ray."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent)]


def write_set(path: Path, count: int, *, ticks: int = 60, **params: Any) -> Path:
    """A set of ``count`` scenarios of `fault_strategies:Harm`; ``params`` go to each logic."""
    rows = [
        {"name": f"s{number:05}", "start": f"2025-09-{22 + number % 4}T{number // 4 % 20:02}:00:00Z", "seed": number}
        for number in range(count)
    ]
    shared = {
        "symbol": "EURUSD",
        "max_ticks": ticks,
        "workers": {},
        "logic": {"type": "fault_strategies:Harm", **params},
        "account": {"broker": "ecn_fx"},
        "live_stats": {"enabled": False},
    }
    path.write_text(json.dumps({"data": "synthetic", "global": shared, "scenarios": rows}))
    return path


def parents() -> dict[int, tuple[int, str]]:
    """Parent and command line of each process."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                parent = int(folder.joinpath("stat").read_text().rpartition(")")[2].split()[1])
                found[int(folder.name)] = (parent, folder.joinpath("cmdline").read_text().replace("\0", " ").strip())
            except OSError:
                continue
    return found


def ray_workers(driver: int) -> list[int]:
    """Task processes of the Ray that a process started."""
    known = parents()

    def ancestors(pid: int) -> Iterator[int]:
        while pid in known and pid > 1:
            pid = known[pid][0]
            yield pid

    return [pid for pid, (_, command) in known.items() if is_task_process(command) and driver in ancestors(pid)]


def is_task_process(command: str) -> bool:
    """Whether a process runs tasks; Ray's agents have names of the same kind, and a node ends with its agents."""
    return command.startswith("ray::") and not command.endswith("Agent")


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
