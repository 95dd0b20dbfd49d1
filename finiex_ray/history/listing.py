"""`list_runs`: the runs of a folder, newest first, each with its state and what it came to."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import pandas as pd
from filelock import FileLock, Timeout

from finiex_ray.core.errors import DataError
from finiex_ray.results.columns import read_columns
from finiex_ray.results.reader import RunData
from finiex_ray.results.run_dir import RunDir

__all__ = ["RunFacts", "RunState", "is_locked", "list_runs", "run_facts", "run_ids"]


class RunState(StrEnum):
    """How a run stands."""

    COMPLETE = "complete"  # every scenario completed
    FAILED = "failed"  # it came to its end, and some scenario failed
    PARTIAL = "partial"  # interrupted or killed: it can be resumed
    RUNNING = "running"  # a process writes it
    DAMAGED = "damaged"  # its files cannot be read


@dataclass(frozen=True)
class RunFacts:
    """One run in few words."""

    run_id: str
    path: str
    state: RunState
    set: str
    started: str  # ISO 8601, UTC; "" where not known
    scenarios: int
    completed: int
    failed: int
    ticks: int
    wall_s: float | None
    net_profit: Mapping[str, float]  # by account currency, over the scenarios that completed
    result_hash: str | None  # None until the run has finished
    executor: str | None
    problem: str = ""  # why it cannot be read

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def is_locked(run_dir: RunDir) -> bool:
    """Whether a process holds the folder for writing; where no lock can be asked for, none does."""
    if not run_dir.lock.exists() or not os.access(run_dir.lock, os.W_OK):
        return False
    lock = FileLock(run_dir.lock, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        return True
    except (NotImplementedError, OSError):
        return False
    lock.release()
    return False


def run_facts(run: RunData) -> RunFacts:
    """The facts of one run; a damaged one has its problem in them."""
    try:
        info = run.info
        state = _state(run)
        rows = _rows(run, finished=info.get("status") == "finished")
        done = rows[rows["success"].astype(bool)]
        net: dict[str, float] = defaultdict(float)
        for currency, amount in zip(done["currency"], done["net_profit"], strict=True):
            net[str(currency)] += float(amount)
        return RunFacts(
            run_id=run.run_id,
            path=str(run.run_dir.path),
            state=state,
            set=str(info.get("set", "")),
            started=str(info.get("started", "")),
            scenarios=int(info.get("scenarios", 0)),
            completed=len(done),
            failed=len(rows) - len(done),
            ticks=int(rows["ticks"].sum()),
            wall_s=info.get("wall_s"),
            net_profit=dict(sorted(net.items())),
            result_hash=info.get("result_hash") if state in _ENDED else None,
            executor=info.get("executor"),
        )
    except DataError as error:
        return RunFacts(
            run.run_id, str(run.run_dir.path), RunState.DAMAGED, "", "", 0, 0, 0, 0, None, {}, None, None, str(error)
        )


_ENDED: Final = (RunState.COMPLETE, RunState.FAILED)
_COLUMNS: Final = ["success", "currency", "net_profit", "ticks"]


def _state(run: RunData) -> RunState:
    status = run.info.get("status")
    if status == "finished":
        return RunState.FAILED if run.info.get("failed") else RunState.COMPLETE
    return RunState.RUNNING if status == "running" and is_locked(run.run_dir) else RunState.PARTIAL


def _rows(run: RunData, *, finished: bool) -> pd.DataFrame:
    """The few columns that facts are made of: a finished run of many scenarios need not be read whole."""
    if finished:
        return read_columns(run.run_dir.table("scenarios"), _COLUMNS)
    return run.scenarios[_COLUMNS]


def run_ids(root: Path) -> list[str]:
    """Names of the runs of a folder, newest first."""
    found = [path.parent for path in root.glob("*/run.json") if not path.parent.name.startswith(".")]
    return [folder.name for folder in sorted(found, key=_when, reverse=True)]


def _when(folder: Path) -> tuple[str, str]:
    try:
        return str(RunData(RunDir(folder)).info.get("started", "")), folder.name
    except DataError:
        return "", folder.name


def list_runs(root: Path) -> list[RunFacts]:
    """The facts of every run of a folder, newest first; none where there is no such folder."""
    return [run_facts(RunData(RunDir((root / name).resolve()))) for name in run_ids(root)]
