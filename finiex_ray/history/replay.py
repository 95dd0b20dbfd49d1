"""`replay_scenario`: one scenario of a saved run once more, in this process; the same, or where it differs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from finiex_ray.core.access import NO_ACCESS, PluginAccess
from finiex_ray.core.errors import ConfigError, FiniexError, ScenarioInvalidError
from finiex_ray.engine.result import ErrorInfo, ScenarioResult
from finiex_ray.engine.run import OnError, failed_result, run_scenario
from finiex_ray.execution.planned import PlannedScenario
from finiex_ray.history.differences import CellDifference, table_differences
from finiex_ray.history.rerun import COMPARED, Rerun, Rerunner
from finiex_ray.history.saved_rows import SavedRows
from finiex_ray.results.reader import RunData

__all__ = ["Replay", "replay_scenario"]

_SAME, _DIFFERENT = 0, 1


@dataclass(frozen=True)
class Replay:
    """What came of a scenario that ran once more."""

    run_id: str
    scenario: str
    saved_hash: str | None  # of orders, fills, trades and account; of a scenario that failed as far as it got
    hash: str | None
    saved_error: ErrorInfo | None
    error: ErrorInfo | None
    changed_inputs: bool | None  # whether something that the result depends on is not what it was; None: not known
    log: tuple[str, ...] = ()
    differences: list[CellDifference] = field(default_factory=list)

    @property
    def same(self) -> bool:
        """Whether every record is as it was saved, and a failure the same one."""
        return not self.differences

    @property
    def exit_code(self) -> int:
        """0: the same. 1: not."""
        return _SAME if self.same else _DIFFERENT

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "run_id": self.run_id,
            "scenario": self.scenario,
            "same": self.same,
            "saved_hash": self.saved_hash,
            "hash": self.hash,
            "saved_error": _error_text(self.saved_error),
            "error": _error_text(self.error),
            "changed_inputs": self.changed_inputs,
            "differences": [each.as_json() for each in self.differences],
        }


def replay_scenario(
    run: RunData,
    scenario: str,
    *,
    data: str | None = None,
    access: PluginAccess = NO_ACCESS,
    on_error: OnError | None = None,
) -> Replay:
    """Runs one scenario of a run again, in this thread, with the configuration and brokers that the run saved.

    Args:
        run: The run, wherever it was made.
        scenario: Name of the scenario.
        data: A catalog in place of the one that the run names.
        access: Strategy code that may be loaded.
        on_error: Is given what the strategy raises, for a debugger; then there is no time limit, and Ctrl-C counts as such
            a failure.

    Raises:
        ConfigError: If there is no such scenario, the data is not there, or it cannot run here for another reason.
    """
    rerunner = Rerunner(run, data, access)
    index = rerunner.index(scenario)
    saved = run.scenarios[run.scenarios["index"] == index]
    if saved.empty:
        raise ConfigError(
            f"scenario {scenario!r} has no result yet; resume the run first", source=str(run.run_dir.path)
        )
    row = saved.iloc[0].to_dict()
    rerun = _run(rerunner, index, on_error)
    error = rerun.result.error
    if error is not None and error.type == ScenarioInvalidError.__name__ != row["error_type"]:
        raise ConfigError(
            f"scenario {scenario!r} ran there and cannot run here: {error.message} (--data names the same ticks elsewhere)",
            source=str(run.run_dir.path),
        )
    return Replay(
        run_id=run.run_id,
        scenario=scenario,
        saved_hash=_text(row["result_hash"]),
        hash=None if rerun.result.loop is None else rerun.result.loop.result_hash,
        saved_error=_saved_error(row),
        error=error,
        changed_inputs=_text(row["scenario_key"]) != rerun.key if _text(row["scenario_key"]) else None,
        log=rerun.result.log,
        differences=_differences(run, rerun),
    )


def _run(rerunner: Rerunner, index: int, on_error: OnError | None) -> Rerun:
    plan = rerunner.plan([index])
    if on_error is None:
        (rerun,) = rerunner(plan)
        return rerun
    if not plan.runnable:
        (invalid,) = plan.invalid
        _build_again(rerunner, index, on_error)
        return rerunner.rerun(invalid, None)
    (planned,) = plan.runnable
    return rerunner.rerun(_watched(rerunner, planned, on_error), rerunner.key(planned))


def _watched(rerunner: Rerunner, planned: PlannedScenario, on_error: OnError) -> ScenarioResult:
    """Runs a scenario without a limit of time: whoever looks at it in a debugger has all of it."""
    config = planned.task.config
    execution = config.execution.model_copy(update={"time_limit_s": None})
    task = replace(planned.task, config=config.model_copy(update={"execution": execution}))
    window = planned.window(rerunner.cache)
    try:
        return run_scenario(task, window, clock=time.perf_counter_ns, on_error=on_error)
    except KeyboardInterrupt as error:  # whoever waits for a loop to end wants to see it
        on_error(error)
        return failed_result(task.index, config.name, config.symbol, error)


def _build_again(rerunner: Rerunner, index: int, on_error: OnError) -> None:
    """Builds a strategy that could not be built, so that its own exception is at hand."""
    try:
        rerunner.build(index)
    except FiniexError:
        return  # a mistake in the configuration, which its message says
    except (Exception, SystemExit) as error:  # noqa: BLE001 - building runs a user's code
        on_error(error)


def _differences(run: RunData, rerun: Rerun) -> list[CellDifference]:
    found: list[CellDifference] = []
    for name in COMPARED:
        old = SavedRows(run, name)(rerun.index)
        new = rerun.tables.get(name)
        found.extend(table_differences(rerun.name, name, old, old.slice(0, 0) if new is None else new))
    return found


def _saved_error(row: dict[Any, Any]) -> ErrorInfo | None:
    kind = _text(row["error_type"])
    if kind is None:
        return None
    tick = None if pd.isna(row["error_tick"]) else int(row["error_tick"])
    return ErrorInfo(kind, _text(row["error_message"]) or "", _text(row["error_traceback"]) or "", tick)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _error_text(error: ErrorInfo | None) -> str | None:
    if error is None:
        return None
    place = "" if error.tick_index is None else f" (tick {error.tick_index})"
    return f"{error.type}: {error.message}{place}"
