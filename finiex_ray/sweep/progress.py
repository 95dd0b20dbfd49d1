"""The lines that tell how far a sweep is."""

from __future__ import annotations

from collections.abc import Sequence

from finiex_ray.core.memory import own_memory
from finiex_ray.display.numbers import count
from finiex_ray.display.pace import Pace, memory_text
from finiex_ray.sweep.objective import Objective
from finiex_ray.sweep.runner import SweepProgress

__all__ = ["pace_text", "progress_text"]

_MOST_PARAMS = 4


def progress_text(progress: SweepProgress, objectives: Sequence[Objective]) -> str:
    """For example ``1,024/10,000 trials  0 failed  best sharpe 1.23 (period=14, sl_points=200)``."""
    total = "" if progress.trials_total is None else f"/{count(progress.trials_total)}"
    parts = [f"{count(progress.trials)}{total} trials", f"{count(progress.scenarios)} scenarios"]
    if progress.failed:
        parts.append(f"{count(progress.failed)} failed")
    if progress.best is not None:
        params = [
            f"{path.rpartition('.')[2]}={value:.6g}"
            if isinstance(value, float)
            else f"{path.rpartition('.')[2]}={value}"
            for path, value in progress.best.trial.params.items()
        ]
        shown = ", ".join(params[:_MOST_PARAMS]) + (", …" if len(params) > _MOST_PARAMS else "")
        parts.append(f"best {objectives[0].name} {progress.best.values[0]:.6g} ({shown})")
    return "  ".join(parts)


def pace_text(progress: SweepProgress, pace: Pace, elapsed_s: float) -> str:
    """For example ``7,300,000 of 9,900,000 ticks  2.58 M/s  2.82 s elapsed  ETA 1.01 s  memory 182 MB``."""
    parts = (pace.text(progress.ticks, progress.ticks_total, elapsed_s), memory_text(own_memory()))
    return "  ".join(part for part in parts if part)
