"""`check_lookahead`: runs each scenario again with other futures, and compares all that was said and done before them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from finiex_ray.bars.window import MarketWindow
from finiex_ray.checks.compare import action_text, first_record, first_unequal, value_text
from finiex_ray.checks.futures import cut_after, scrambled_after
from finiex_ray.checks.recording import Recorder
from finiex_ray.checks.verdict import (
    CheckReport,
    Difference,
    ScenarioCheck,
    failure_text,
    require_some,
    strategy_text,
)
from finiex_ray.config.models import ScenarioSet
from finiex_ray.core.access import NO_ACCESS, PluginAccess
from finiex_ray.core.market import IntArray
from finiex_ray.core.random import generator
from finiex_ray.core.time import format_utc
from finiex_ray.data.source import TickSource
from finiex_ray.engine.result import ScenarioResult, ScenarioTask
from finiex_ray.engine.run import run_scenario
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.plan import Brokers, plan_scenarios
from finiex_ray.execution.planned import PlannedScenario

__all__ = ["check_lookahead"]

_SMALL_BLOCK: Final = 8_192  # ticks, where the scenario names no number
_LARGE_BLOCK: Final = 2**24  # ticks: one block a UTC day
_REPEATED: Final = "run again on the same data: not repeatable, see 'check determinism'"


def check_lookahead(
    scenario_set: ScenarioSet,
    source: TickSource,
    brokers: Brokers,
    *,
    probes: int = 8,
    seed: int = 0,
    access: PluginAccess = NO_ACCESS,
) -> CheckReport:
    """Looks for workers and logics that use what happens after the tick they speak for.

    Each scenario is run on its true data, then for each probe tick three times more: everything after the tick scrambled
    upwards, scrambled downwards, and cut off. Worker outputs and actions up to the tick, and orders, fills, trades and
    positions as they stood after it, must be equal bit for bit. A third of the probes are ticks at which the strategy
    acted, a third are last ticks of bars, the others are drawn from all; none is the last of its block, behind which
    there is nothing to see. Done with the set's own block size and with a block a day.

    Args:
        scenario_set: What to check.
        source: Where ticks come from.
        brokers: Finds the broker that ``account.broker`` names; may raise `ConfigError`.
        probes: Probe ticks for each scenario and block size, 1 or more.
        seed: Seed of the probes and of the scrambled futures.
        access: Strategy code that may be loaded.

    Raises:
        ScenarioInvalidError: If no scenario of the set can run.
    """
    cache = SegmentCache(source)
    plan = plan_scenarios(scenario_set, cache, brokers, access)
    invalid = require_some(plan)
    checked = [_check_scenario(planned, planned.window(cache), probes, seed) for planned in plan.runnable]
    return CheckReport("lookahead", (*checked, *invalid))


def _check_scenario(planned: PlannedScenario, window: MarketWindow, probes: int, seed: int) -> ScenarioCheck:
    own = planned.task.config.execution.block_ticks or _SMALL_BLOCK
    runs, failure = 0, ""
    differences: dict[str, Difference] = {}
    for block_ticks in [own] if own >= _LARGE_BLOCK else [own, _LARGE_BLOCK]:
        study = _Study(planned.task, window, block_ticks, seed)
        failure = failure or study.run(probes)
        runs += study.runs
        for subject, difference in study.differences.items():
            differences.setdefault(subject, difference)
        if study.whole:  # a larger block would be the same one
            break
    return ScenarioCheck(
        name=planned.task.config.name,
        strategy=strategy_text(planned),
        ticks=planned.ticks,
        runs=runs,
        differences=tuple(differences.values()),
        failure=failure,
    )


class _Study:
    """One scenario with one block size."""

    def __init__(self, task: ScenarioTask, window: MarketWindow, block_ticks: int, seed: int) -> None:
        execution = task.config.execution.model_copy(
            update={"block_ticks": block_ticks, "profile": False, "time_limit_s": None}
        )
        self._task = replace(task, config=task.config.model_copy(update={"execution": execution}))
        self._window, self._block_ticks = window, block_ticks
        self._rng = generator(seed, "lookahead", task.config.name, block_ticks)
        self.runs = 0
        self.whole = False  # one block a day already
        self.differences: dict[str, Difference] = {}  # the first of each worker, and of the logic

    def run(self, probes: int) -> str:
        """Makes all runs; returns why the scenario cannot be checked, or nothing."""
        first = Recorder([self._window.ticks - 1])
        result = self._run(self._window, first)
        if not result.success:
            return failure_text(result.error)
        self.whole = max(length for _, length in first.blocks) < self._block_ticks
        self._true, self._times = first, first.time_ns()
        self._outputs, self._actions = first.outputs(), first.actions()
        ticks = self._choose(result, probes)
        again = Recorder({*ticks, first.ticks - 1})
        repeated = self._run(self._window, again)
        self._true_tables = first.tables
        self._compare(again, repeated, first.ticks - 1, _REPEATED)
        self._true_tables = again.tables
        if not self.differences:  # of what is not repeatable nothing more can be said
            for tick in ticks:
                self._probe(tick)
        return ""

    def _run(self, window: MarketWindow, recorder: Recorder) -> ScenarioResult:
        self.runs += 1
        return run_scenario(self._task, window, clock=time.perf_counter_ns, observer=recorder)

    def _choose(self, result: ScenarioResult, probes: int) -> list[int]:
        """The probe ticks, in order: as many as asked for, or all there are."""
        inside = np.ones(self._true.ticks, dtype=np.bool_)
        inside[[first + length - 1 for first, length in self._true.blocks]] = False
        requests = result.loop.orders["request_tick"] if result.loop is not None else ()
        acted = np.flatnonzero(self._actions)
        chosen: set[int] = set()
        for share, candidates in (
            (probes // 3, {*acted.tolist(), *(int(tick) for tick in requests)}),
            (probes // 3, self._true.bar_ends),
        ):
            chosen.update(self._draw(self._kept(candidates, inside, chosen), share))
        chosen.update(self._draw(self._kept(np.flatnonzero(inside).tolist(), inside, chosen), probes - len(chosen)))
        return sorted(chosen)

    @staticmethod
    def _kept(candidates: Iterable[int], inside: NDArray[np.bool_], chosen: set[int]) -> IntArray:
        return np.array(sorted(tick for tick in set(candidates) - chosen if inside[tick]), dtype=np.int64)

    def _draw(self, candidates: IntArray, count: int) -> list[int]:
        drawn: list[int] = self._rng.choice(candidates, min(count, len(candidates)), replace=False).tolist()
        return drawn

    def _probe(self, tick: int) -> None:
        """Runs up to the end of the tick's block with other futures: of later blocks no strategy can know."""
        past = next(first + length for first, length in reversed(self._true.blocks) if first <= tick)
        blocks = f"blocks of {self._block_ticks} ticks" if not self.whole else "one block a day"
        for future in ("cut off", "scrambled upwards", "scrambled downwards"):
            if future == "cut off":
                window = cut_after(self._window, tick)
            else:
                upwards = future == "scrambled upwards"
                window = scrambled_after(self._window, tick, past, self._rng, upwards=upwards)
            recorder = Recorder([tick])
            result = self._run(window, recorder)
            self._compare(recorder, result, tick, f"future {future} after tick {tick}, {blocks}")

    def _compare(self, other: Recorder, result: ScenarioResult, tick: int, run: str) -> None:
        """Compares everything up to and including ``tick``; a logic is not blamed for what its workers gave it."""
        if tick not in other.tables:
            self._note("strategy", "error", min(other.ticks, tick), "none", failure_text(result.error), run)
            return
        outputs, clean = other.outputs(), True
        for (worker, output), values in self._outputs.items():
            index = first_unequal(values[: tick + 1], outputs[worker, output][: tick + 1])
            if index is not None:
                subject = f"worker '{worker}' ({self._task.config.workers[worker].type})"
                expected, found = value_text(values[index]), value_text(outputs[worker, output][index])
                self._note(subject, output, index, expected, found, run)
                clean = False
        if clean:
            self._compare_logic(other, tick, run)

    def _compare_logic(self, other: Recorder, tick: int, run: str) -> None:
        subject = f"logic '{self._task.config.logic.type}'"
        actions = other.actions()
        index = first_unequal(self._actions[: tick + 1], actions[: tick + 1])
        if index is not None:
            self._note(subject, "action", index, action_text(self._actions[index]), action_text(actions[index]), run)
            return
        found = first_record(self._true_tables[tick], other.tables[tick])
        if found is not None:
            self._note(subject, found.place, found.tick, found.expected, found.found, run)

    def _note(self, subject: str, output: str, tick: int, expected: str, found: str, run: str) -> None:
        """Keeps the first difference of each subject."""
        if subject not in self.differences:
            moment = format_utc(int(self._times[tick]))
            name = self._task.config.name
            self.differences[subject] = Difference(name, subject, output, tick, moment, expected, found, run)
