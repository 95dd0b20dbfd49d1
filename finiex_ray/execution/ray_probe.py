"""``python -m finiex_ray.execution.ray_probe``: starts a Ray of its own, runs one task, says how long it took, and ends it."""

from __future__ import annotations

import time

from finiex_ray.execution.ray_session import LOCAL, connect, import_ray

__all__ = ["probe"]


def probe() -> str:
    """Starts Ray here whatever ``RAY_ADDRESS`` says, and runs a task.

    Returns:
        A sentence for people.

    Raises:
        ExecutionError: If Ray cannot be started.
    """
    began = time.perf_counter()
    connect(LOCAL, jobs=1)
    ray = import_ray()
    try:
        answer = ray.get(ray.remote(num_cpus=1)(_task).remote(), timeout=60)
    finally:
        ray.shutdown()
    return f"{ray.__version__} started and ran a task ({answer}) in {time.perf_counter() - began:.0f} s"


def _task() -> str:
    return "done"


if __name__ == "__main__":
    print(probe())  # noqa: T201 - its output is what it is for
