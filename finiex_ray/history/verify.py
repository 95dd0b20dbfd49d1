"""`verify_run`: runs scenarios of a saved run again, and holds every saved row against what comes out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from finiex_ray.core.access import NO_ACCESS, PluginAccess
from finiex_ray.core.errors import ConfigError, DataError, ScenarioInvalidError
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.history.differences import CellDifference, table_differences
from finiex_ray.history.files import file_problems
from finiex_ray.history.rerun import COMPARED, Rerun, Rerunner
from finiex_ray.history.saved_rows import SavedRows
from finiex_ray.results.reader import RunData

__all__ = ["CIRCUMSTANCES", "VerifyProgress", "VerifyReport", "chosen_scenarios", "verify_run"]

_AT_A_TIME: Final = 64  # scenarios whose results are in memory
_CLEAN, _DIFFERENT, _NOT_CHECKED = 0, 1, 2

CIRCUMSTANCES: Final = frozenset(
    {
        "Cancelled",
        "ExecutionError",
        "NodeDiedError",
        "ObjectLostError",
        "OutOfMemoryError",
        "OwnerDiedError",
        "TimeLimitError",
        "WorkerCrashedError",
    }
)
"""Errors that say what befell a scenario, not what it does: another try may come out otherwise, or end this process."""


class VerifyProgress(NamedTuple):
    """How far a verification is."""

    run_again: int  # scenarios
    scenarios: int  # that are to run
    different: int  # of those that were compared
    ticks: int
    ticks_total: int


@dataclass
class VerifyReport:
    """What `verify_run` found."""

    run_id: str
    files: list[str] = field(default_factory=list)  # problems of the files themselves
    checked: list[str] = field(default_factory=list)  # scenarios that ran again
    rows: int = 0  # of all tables, compared cell by cell
    differences: list[CellDifference] = field(default_factory=list)
    changed_inputs: list[str] = field(default_factory=list)  # scenarios whose key is not what it was
    not_checked: dict[str, str] = field(default_factory=dict)  # scenario to reason

    @property
    def different(self) -> list[str]:
        """Scenarios with a difference, in the order of the set."""
        return list(dict.fromkeys(each.scenario for each in self.differences))

    @property
    def exit_code(self) -> int:
        """0: everything is as saved. 1: something differs, or a file is damaged. 2: some scenario could not be checked."""
        if self.differences or self.files:
            return _DIFFERENT
        return _NOT_CHECKED if self.not_checked else _CLEAN

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "run_id": self.run_id,
            "checked": len(self.checked),
            "rows": self.rows,
            "files": self.files,
            "different": self.different,
            "differences": [each.as_json() for each in self.differences],
            "changed_inputs": self.changed_inputs,
            "not_checked": self.not_checked,
        }


def chosen_scenarios(run: RunData, wanted: Sequence[str]) -> list[str]:
    """Names of the scenarios to look at, in the order of the set.

    Args:
        run: The run.
        wanted: Nothing for all; one whole number for so many, spread evenly over the set; else names.

    Raises:
        ConfigError: If a name is unknown, or the number is 0.
    """
    names = [str(name) for name in run.scenarios["name"]]
    if not wanted:
        return names
    if len(wanted) == 1 and wanted[0].isdecimal() and wanted[0] not in names:
        number = int(wanted[0])
        if number < 1:
            raise ConfigError("must be 1 or more", source="--scenarios")
        places = np.unique(np.linspace(0, len(names) - 1, min(number, len(names))).round().astype(int))
        return [names[place] for place in places]
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise ConfigError(f"the run has no result of a scenario {unknown[0]!r}", source="--scenarios")
    return [name for name in names if name in set(wanted)]


def verify_run(
    run: RunData,
    scenarios: Sequence[str] = (),
    *,
    data: str | None = None,
    access: PluginAccess = NO_ACCESS,
    jobs: int = 1,
    progress: Callable[[VerifyProgress], None] | None = None,
) -> VerifyReport:
    """Runs scenarios again and compares every cell of their scenario row, orders, fills, trades and equity curve.

    Not compared are times, profiles, logs, and the words of an error (its type and tick are).

    Args:
        run: The run; also one that is not finished.
        scenarios: See `chosen_scenarios`.
        data: A catalog in place of the one that the run names.
        access: Strategy code that may be loaded.
        jobs: Threads.
        progress: Is told how far it is, after each scenario.

    Raises:
        ConfigError: If the data is not there, or a name is unknown.
        DataError: If a table cannot be read at all.
    """
    report = VerifyReport(run.run_id, files=file_problems(run))
    try:
        _compare(report, run, scenarios, Rerunner(run, data, access), jobs, progress)
    except DataError:
        if not report.files:
            raise
    return report


def _compare(
    report: VerifyReport,
    run: RunData,
    scenarios: Sequence[str],
    rerunner: Rerunner,
    jobs: int,
    progress: Callable[[VerifyProgress], None] | None,
) -> None:
    names = set(chosen_scenarios(run, scenarios))
    rows = {int(row["index"]): row for row in run.scenarios.to_dict("records") if row["name"] in names}
    indexes = []
    for index, row in rows.items():
        if row["error_type"] in CIRCUMSTANCES:
            report.not_checked[str(row["name"])] = (
                f"ended by {row['error_type']}, which does not follow from the scenario alone; try 'finiex-ray replay'"
            )
        else:
            indexes.append(index)
    saved = {name: SavedRows(run, name) for name in COMPARED}
    run_again = ticks = different = 0
    ticks_total = sum(int(rows[index]["ticks"]) for index in indexes)

    def finished(result: ScenarioResult) -> None:
        nonlocal run_again, ticks
        run_again, ticks = run_again + 1, ticks + int(rows[result.index]["ticks"])
        if progress is not None:
            progress(VerifyProgress(run_again, len(indexes), different, ticks, ticks_total))

    for first in range(0, len(indexes), _AT_A_TIME):
        plan = rerunner.plan(indexes[first : first + _AT_A_TIME])
        for rerun in rerunner(plan, jobs, finished):
            before = len(report.differences)
            _hold_against(report, rerun, saved, rows[rerun.index])
            different += len(report.differences) > before


def _hold_against(
    report: VerifyReport, rerun: Rerun, saved: Mapping[str, SavedRows], row: Mapping[Hashable, Any]
) -> None:
    error = rerun.result.error
    if error is not None and error.type == ScenarioInvalidError.__name__ != row["error_type"]:
        report.not_checked[rerun.name] = f"cannot run here: {error.message}"
        return
    report.checked.append(rerun.name)
    if isinstance(row["scenario_key"], str) and row["scenario_key"] != rerun.key:
        report.changed_inputs.append(rerun.name)
    for name, cursor in saved.items():
        old = cursor(rerun.index)
        new = rerun.tables.get(name)
        new = old.slice(0, 0) if new is None else new
        report.rows += old.num_rows
        report.differences.extend(table_differences(rerun.name, name, old, new))
