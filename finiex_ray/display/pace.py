"""`Pace`: ticks per second of the last moments, and how long the rest will take."""

from __future__ import annotations

from collections import deque
from typing import Final

from finiex_ray.display.numbers import count, data_size, duration, rate

__all__ = ["Pace", "memory_text"]

_WINDOW_S: Final = 15.0
_ENOUGH_S: Final = 2.0  # less than that tells too little: the mean since the beginning counts


class Pace:
    """Follows how many ticks are done. The speed is that of the last 15 seconds: a slow start does not count for ever."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def text(self, ticks: int, total: int | None, elapsed_s: float) -> str:
        """Ticks, speed, time and what is left of it.

        Args:
            ticks: Done so far.
            total: Of the whole; None where it is not known yet.
            elapsed_s: Seconds since the beginning.
        """
        per_s = self.ticks_per_s(ticks, elapsed_s)
        left_s = max(0, total - ticks) / per_s if per_s and total is not None else None
        of_total = "" if total is None else f" of {count(total)}"
        return f"{count(ticks)}{of_total} ticks  {rate(per_s)}  {duration(elapsed_s)} elapsed  ETA {duration(left_s)}"

    def ticks_per_s(self, ticks: int, elapsed_s: float) -> float | None:
        """The speed; None before the first tick is done."""
        self._seen.append((elapsed_s, ticks))
        while len(self._seen) > 2 and self._seen[1][0] <= elapsed_s - _WINDOW_S:
            self._seen.popleft()
        since_s, before = self._seen[0]
        if elapsed_s - since_s >= _ENOUGH_S and ticks > before:
            return (ticks - before) / (elapsed_s - since_s)
        return ticks / elapsed_s if elapsed_s > 0 and ticks else None


def memory_text(driver: int | None, tasks: int | None = None, processes: int = 0) -> str:
    """Memory of this process, and of task processes where there are some; nothing where it is not known."""
    parts = [] if driver is None else [f"memory {data_size(driver)}"]
    if tasks is not None and processes:
        parts.append(f"{data_size(tasks)} in {processes:,} task process{'es' if processes > 1 else ''}")
    return " + ".join(parts)
