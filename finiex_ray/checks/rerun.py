"""Runs scenarios again in a fresh interpreter with another hash seed, and brings their results back."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from finiex_ray.core.errors import ExecutionError
from finiex_ray.data.source import TickSource
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.local import LocalExecutor
from finiex_ray.execution.planned import PlannedScenario

__all__ = ["run_with_hash_seed"]

_MODULE = "finiex_ray.checks.rerun"
_TAIL_CHARACTERS = 2_000


def run_with_hash_seed(
    source: TickSource, planned: Sequence[PlannedScenario], hash_seed: int
) -> Iterator[ScenarioResult]:
    """Yields the results of all scenarios, run one after the other in a process with ``PYTHONHASHSEED=hash_seed``.

    Raises:
        ExecutionError: If the process ends before it has run them all.
    """
    with TemporaryDirectory(prefix="finiex-ray-check-") as folder:
        work, answers = Path(folder, "work"), Path(folder, "answers")
        work.write_bytes(pickle.dumps((source, tuple(planned))))
        # Strategies are found where this process finds them.
        paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
        environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": paths}
        done = subprocess.run(
            [sys.executable, "-m", _MODULE, str(work), str(answers)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        if done.returncode:
            told = done.stderr.decode(errors="replace")[-_TAIL_CHARACTERS:]
            raise ExecutionError(f"the run with another hash seed ended with exit code {done.returncode}: {told}")
        with answers.open("rb") as file:
            for _ in planned:
                yield pickle.load(file)


def _run(work: Path, answers: Path) -> None:
    """What the fresh interpreter does."""
    source, planned = pickle.loads(work.read_bytes())
    executor = LocalExecutor(SegmentCache(source))
    with answers.open("wb") as file:
        for result in executor.run(planned):
            pickle.dump(result, file)


if __name__ == "__main__":
    _run(Path(sys.argv[1]), Path(sys.argv[2]))
