"""What a check found: a `CheckReport` with a `ScenarioCheck` for each scenario and its `Difference` s."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from finiex_ray.core.errors import ScenarioInvalidError
from finiex_ray.engine.result import ErrorInfo, ScenarioResult
from finiex_ray.execution.planned import Plan, PlannedScenario

__all__ = ["CheckReport", "Difference", "ScenarioCheck", "failure_text", "require_some", "strategy_text"]

_CLEAN, _DIFFERENT, _NOT_CHECKED = 0, 1, 2


@dataclass(frozen=True)
class Difference:
    """The first place where two runs that had to agree did not."""

    scenario: str
    subject: str  # whose value it is: "worker 'rsi_fast' (rsi)", "logic 'macd_cross'", "orders", …
    output: str  # which value: an output of the worker, "action", or the row and field of a record
    tick: int | None  # index of the tick within the scenario
    time: str | None  # of that tick, ISO 8601
    expected: str  # in the true run, or in the first one
    found: str  # in the other run
    run: str  # what was different about the other run

    def sentence(self) -> str:
        """The difference in one line."""
        place = "" if self.tick is None else f" at tick {self.tick} ({self.time})"
        return (
            f"{self.scenario}: {self.subject}, {self.output}{place}: {self.expected} became {self.found} [{self.run}]"
        )


@dataclass(frozen=True)
class ScenarioCheck:
    """One scenario's part of a check."""

    name: str
    strategy: str  # its workers and its logic
    ticks: int
    runs: int  # how often the scenario was run
    differences: tuple[Difference, ...] = ()
    failure: str = ""  # why it could not be checked

    @property
    def verdict(self) -> str:
        """``clean``, ``different`` or ``not checked``."""
        if self.differences:
            return "different"
        return "not checked" if self.failure else "clean"


@dataclass(frozen=True)
class CheckReport:
    """What a check found."""

    check: str  # "lookahead" or "determinism"
    scenarios: tuple[ScenarioCheck, ...]

    @property
    def differences(self) -> tuple[Difference, ...]:
        """All differences, in the order of the scenarios."""
        return tuple(each for scenario in self.scenarios for each in scenario.differences)

    @property
    def exit_code(self) -> int:
        """0: all clean. 1: a difference was found. 2: none was found, but some scenario could not be checked."""
        if self.differences:
            return _DIFFERENT
        return _NOT_CHECKED if any(scenario.failure for scenario in self.scenarios) else _CLEAN

    def as_json(self) -> dict[str, Any]:
        """The report in few words, for machines."""
        verdicts = [scenario.verdict for scenario in self.scenarios]
        return {
            "check": self.check,
            "scenarios": len(verdicts),
            "clean": verdicts.count("clean"),
            "different": verdicts.count("different"),
            "not_checked": verdicts.count("not checked"),
            "runs": sum(scenario.runs for scenario in self.scenarios),
            "differences": [asdict(difference) for difference in self.differences],
            "failures": {scenario.name: scenario.failure for scenario in self.scenarios if scenario.failure},
        }


_NO_TEXT: Final = "failed without a message"


def failure_text(error: ErrorInfo | None) -> str:
    """Why a scenario failed, in one line."""
    if error is None:
        return _NO_TEXT
    place = "" if error.tick_index is None else f" (tick {error.tick_index})"
    return f"{error.type}: {error.message}{place}"


def strategy_text(planned: PlannedScenario) -> str:
    """Workers and logic of a scenario by their types."""
    config = planned.task.config
    workers = [worker.type for worker in config.workers.values()]
    return " + ".join([*workers, config.logic.type])


def require_some(plan: Plan) -> tuple[ScenarioCheck, ...]:
    """The scenarios that cannot be checked because they are invalid.

    Raises:
        ScenarioInvalidError: If the set holds no scenario that can run.
    """
    if not plan.runnable:
        reasons = [f"{each.name}: {failure_text(each.error)}" for each in plan.invalid]
        raise ScenarioInvalidError(reasons or ["the set holds no scenario to check"])
    return tuple(_invalid(result) for result in plan.invalid)


def _invalid(result: ScenarioResult) -> ScenarioCheck:
    return ScenarioCheck(result.name, "", 0, 0, failure=failure_text(result.error))
