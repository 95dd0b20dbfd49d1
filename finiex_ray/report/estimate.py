"""The preflight estimate of a set, as lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from finiex_ray.display.numbers import count, data_size, duration

__all__ = ["estimate_lines"]


def estimate_lines(values: Mapping[str, Any]) -> list[str]:
    """Lines for people.

    Args:
        values: An `Estimate` as JSON values.
    """
    cpus = values["cpus"]
    work = f"{count(values['ticks'])} ticks in {count(values['tasks'])} tasks"
    time = f"about {duration(values['wall_s'])} on {cpus} CPUs" if cpus > 1 else f"about {duration(values['work_s'])}"
    task, driver = data_size(values["task_bytes"]), data_size(values["driver_bytes"])
    data = f"{data_size(values['data_bytes'])}; warm-up bars {data_size(values['warmup_bytes'])}"
    lines = [
        f"scenarios  {count(values['scenarios'])} can run, {count(values['invalid'])} cannot",
        f"work       {work}; {time} ({duration(values['work_s'])} on one), Ray's start not counted",
        f"data       {count(values['segments'])} days of ticks, {data}",
        f"memory     a task process up to {task}, the driver up to {driver} of data",
    ]
    if values["streamed"]:
        lines.append(f"streamed   {count(values['streamed'])} scenarios read their days as they go")
    return lines
