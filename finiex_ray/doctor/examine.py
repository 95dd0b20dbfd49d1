"""`examine`: every check of the machine, in the order in which things build on each other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from finiex_ray.doctor.environment import check_environment
from finiex_ray.doctor.finding import Finding
from finiex_ray.doctor.machine import (
    available_memory,
    check_cache,
    check_clock,
    check_disk,
    check_memory,
    check_shared_memory,
)
from finiex_ray.doctor.places import check_catalogs, check_runs
from finiex_ray.doctor.software import check_packages, check_python, check_ray

__all__ = ["examine"]


def examine(runs: Path, catalogs: list[str], *, ray: bool = True) -> Iterator[Finding]:
    """Gives findings as they come; starting Ray, which takes seconds, is last.

    Args:
        runs: Folder of the run folders.
        catalogs: Catalogs to look at; those in ``catalogs/`` where empty.
        ray: Whether to start Ray.
    """
    yield check_python()
    yield from check_packages()
    total, free = available_memory()
    yield check_memory(total, free)
    yield check_shared_memory(total)
    yield check_cache()
    yield check_clock()
    yield check_disk(runs)
    yield check_runs(runs)
    yield from check_catalogs(catalogs)
    yield from check_environment(os.environ, Path.home())
    if ray:
        yield check_ray()
