"""The display of a run on the terminal of this process: a step for each line of stdin."""

from __future__ import annotations

import sys

from result_builders import failed

from finiex_ray.display.line import ProgressLine
from finiex_ray.display.live import LiveDisplay
from finiex_ray.engine.result import ProgressUpdate
from finiex_ray.execution.coordinator import Totals

TICKS = 20_000


def updates(number: int) -> list[ProgressUpdate]:
    """Running scenarios, the later ones the slower."""
    return [
        ProgressUpdate(place, f"scenario_{place:04d}", "EURUSD", "RUNNING", 2_000 + place, TICKS, 1.0 + place / 100)
        for place in range(number)
    ]


def totals(running: int, elapsed_s: float, **values: int) -> Totals:
    """A run of 2,000 scenarios."""
    counts = {"completed": 90, "failed": 10, "running": running, "waiting": 1_900 - running, **values}
    memory = {"driver_bytes": 210_000_000, "task_bytes": 1_200_000_000, "task_processes": 4}
    return Totals(ticks=int(1_000_000 * elapsed_s), ticks_total=40_000_000, elapsed_s=elapsed_s, **counts, **memory)


def main() -> None:
    now_s = 100.0
    with LiveDisplay(clock=lambda: now_s) as display:
        for step in sys.stdin:
            name, _, number = step.strip().partition(" ")
            now_s += 10.0
            if name == "show":
                display.update(updates(int(number)), totals(int(number), now_s - 100.0))
            elif name == "fail":
                for place in range(int(number)):
                    display.finished(failed(place, f"bad_{place}", message="boom"))
            elif name == "line":
                break
            print("done", name, file=sys.stdout, flush=True)
    with ProgressLine(keep=False, clock=lambda: now_s) as line:
        line.show("7/9 scenarios run again", "1,000 of 2,000 ticks  memory 12 MB")
        print("done line", flush=True)
        sys.stdin.readline()
    print("done end", flush=True)


main()
