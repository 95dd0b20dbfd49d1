"""`SweepRunner`: asks searches for trials, runs them in rounds that share windows, and tells the searches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from finiex_ray.config.models import ScenarioConfig
from finiex_ray.core.errors import ConfigError, ExecutionError
from finiex_ray.engine.result import ScenarioResult, Wanted
from finiex_ray.engine.run import failed_result
from finiex_ray.sweep.objective import Objective
from finiex_ray.sweep.search import Search, Trial, TrialState, params_key
from finiex_ray.sweep.session import Session
from finiex_ray.sweep.space import Space
from finiex_ray.sweep.store import SweepStore, WindowOutcome
from finiex_ray.sweep.trials import TrialMaker, scenario_name

__all__ = ["Best", "Job", "SweepProgress", "SweepRunner"]

_ROUND_SCENARIOS: Final = 2_048  # planned at a time: bounds the driver's memory, and is worth many tasks


@dataclass(frozen=True)
class Job:
    """One search on its windows; several run side by side."""

    fold: str  # "" for a plain sweep
    search: Search
    windows: tuple[ScenarioConfig, ...]  # names differ unless they are one and the same


@dataclass(frozen=True)
class Best:
    """The best trial of a job so far, by the first objective; the earlier one of equals."""

    trial: Trial
    values: tuple[float, ...]


@dataclass(frozen=True)
class SweepProgress:
    """How far a sweep is."""

    trials: int
    trials_total: int | None
    scenarios: int
    failed: int  # scenarios
    ticks: int  # of the windows of trials that have run
    ticks_total: int | None  # of all; None until each window has run once
    best: Best | None


@dataclass
class _Running:
    """A trial under way."""

    job: Job
    trial: Trial
    first_index: int
    outcomes: list[WindowOutcome | None]
    state: TrialState | None = None  # None: still running

    def done(self) -> list[WindowOutcome]:
        return [each for each in self.outcomes if each is not None]


@dataclass
class _Todo:
    """One scenario that has to run, and every trial that waits for it."""

    config: ScenarioConfig
    index: int
    order: tuple[int, tuple[str, ...]]
    takers: list[tuple[_Running, int]] = field(default_factory=list)


class SweepRunner:
    """Runs searches to their end.

    Args:
        session: What runs scenarios.
        store: Where results go.
        space: The space of all searches.
        objectives: What they look for.
        wanted: What of each result travels back.
        on_progress: Called after each scenario.
    """

    def __init__(
        self,
        session: Session,
        store: SweepStore,
        space: Space,
        objectives: Sequence[Objective],
        wanted: Wanted,
        on_progress: Callable[[], None] | None = None,
    ) -> None:
        self._session, self._store, self._space = session, store, space
        self._objectives, self._wanted, self._on_progress = tuple(objectives), wanted, on_progress
        self._known = store.known()
        self._trials = self._scenarios = self._failed = 0
        self._total: int | None = None
        self._ticks = 0
        self._window_ticks: dict[str, int] = {}
        self._left: Counter[str] = Counter()  # by window: trials that will run on it, as far as that is known
        self._share = 1.0  # of this round in the whole
        self._folds: set[str] = set()
        self._shown: Best | None = None  # the best so far, while a round is under way
        self._first_reason = ""  # why the first scenario failed
        self._best: dict[str, Best] = {}

    def run(self, jobs: Sequence[Job]) -> Mapping[str, Best]:
        """Runs all jobs side by side; returns the best trial of each fold that has one.

        Raises:
            ConfigError: If no scenario of the first round can run.
        """
        windows = {window.name: window for job in jobs for window in job.windows}
        maker = TrialMaker(self._space, tuple(windows.values()))
        self._folds = {job.fold for job in jobs}
        places = {name: place for place, name in enumerate(windows)}
        totals = [job.search.total for job in jobs]
        self._total = None if None in totals else sum(total or 0 for total in totals)
        self._left = Counter({window.name: 0 for window in windows.values()})
        firsts, index = [], 0
        for job in jobs:
            self._left.update({window.name: job.search.total or 0 for window in job.windows})
            firsts.append(index)
            index += (job.search.total or 0) * len(job.windows)
        most_windows = sum(len(job.windows) for job in jobs)
        most = max(1, _ROUND_SCENARIOS // max(1, most_windows))
        first_round = True
        while True:
            running = [
                _Running(job, trial, first + trial.number * len(job.windows), [None] * len(job.windows))
                for job, first in zip(jobs, firsts, strict=True)
                for trial in job.search.ask(most)
            ]
            if not running:
                return self._best
            self._share = len(running) / max(len(running), self._total or 0)
            try:
                self._run_round(running, maker, places)
            except BaseException:
                for trial in running:  # what is there is shown, also when the sweep ends here
                    if trial.state is None and None in trial.outcomes:
                        trial.state = TrialState.PARTIAL
                    self._record(trial)
                raise
            if first_round and not any(each.success for trial in running for each in trial.done()):
                raise ConfigError(f"no scenario of the first {len(running)} trials completed: {self._first_reason}")
            first_round = False
            for trial in running:
                values, state = self._record(trial)
                trial.job.search.tell(trial.trial, values, state)

    def _run_round(self, running: Sequence[_Running], maker: TrialMaker, places: Mapping[str, int]) -> None:
        """Runs the windows of the trials: all at once, or for searches that prune one after the other."""
        for step in range(max(len(each.job.windows) for each in running)):
            todo: dict[tuple[str, str], _Todo] = {}
            for trial in running:
                prunes = trial.job.search.prunes
                steps = [step] if prunes else range(len(trial.job.windows)) if step == 0 else []
                for place in steps:
                    if trial.state is None and place < len(trial.job.windows):
                        self._want(trial, place, todo, maker, places)
            self._run_todo(list(todo.values()))
            for trial in running:
                if trial.job.search.prunes and trial.state is None and step < len(trial.job.windows):
                    self._prune(trial, step)

    def _want(
        self,
        trial: _Running,
        place: int,
        todo: dict[tuple[str, str], _Todo],
        maker: TrialMaker,
        places: Mapping[str, int],
    ) -> None:
        window, index = trial.job.windows[place], trial.first_index + place
        if index in self._known:
            self._count(trial, place, self._known.pop(index))
            return
        key = window.name, params_key(trial.trial.params)
        if key not in todo:
            name = scenario_name(trial.job.fold, trial.trial.number, window.name)
            try:
                config = maker.config(window, trial.trial.params, name)
            except ConfigError as error:
                self._take(failed_result(index, name, window.symbol, error), window, [(trial, place)])
                return
            order = (places[window.name], self._space.sharing_key(trial.trial.params))
            todo[key] = _Todo(config, index, order)
        todo[key].takers.append((trial, place))

    def _run_todo(self, todo: list[_Todo]) -> None:
        if not todo:
            return
        todo.sort(key=lambda each: each.order)
        waiting = {each.index: each for each in todo}
        for result in self._session.run([(each.index, each.config) for each in todo], self._wanted, share=self._share):
            found = waiting.pop(result.index)
            self._take(result, found.config, found.takers)
        if waiting:
            raise ExecutionError(f"{len(waiting)} scenarios of the sweep came back without a result")

    def _take(self, result: ScenarioResult, config: ScenarioConfig, takers: Sequence[tuple[_Running, int]]) -> None:
        if result.error is not None and not self._first_reason:
            self._first_reason = f"{result.name}: {result.error.message}"
        if result.loop is not None:
            self._window_ticks[takers[0][0].job.windows[takers[0][1]].name] = result.loop.ticks
        for trial, place in takers:
            window = trial.job.windows[place].name
            self._ticks += 0 if result.loop is None else result.loop.ticks
            own = replace(result, index=trial.first_index + place)
            outcome = self._store.add(own, config, trial.job.fold, trial.trial.number, window)
            self._count(trial, place, outcome)

    def _count(self, trial: _Running, place: int, outcome: WindowOutcome) -> None:
        trial.outcomes[place] = outcome
        self._left[trial.job.windows[place].name] -= 1
        self._scenarios += 1
        self._failed += not outcome.success
        if None not in trial.outcomes:
            self._trials += 1
            values = self._values(trial)
            if len(self._folds) == 1 and values is not None:
                before = None if self._shown is None else self._shown.values[0]
                if self._objectives[0].better(values[0], before):
                    self._shown = Best(trial.trial, values)
        if self._on_progress is not None:
            self._on_progress()

    @property
    def best(self) -> Mapping[str, Best]:
        """The best trial so far of each fold that has one."""
        return self._best

    @property
    def progress(self) -> SweepProgress:
        """How far the sweep is."""
        total = None
        if self._total is not None and self._window_ticks.keys() >= self._left.keys():
            total = self._ticks + sum(max(0, left) * self._window_ticks[name] for name, left in self._left.items())
        return SweepProgress(self._trials, self._total, self._scenarios, self._failed, self._ticks, total, self._shown)

    def _values(self, trial: _Running) -> tuple[float, ...] | None:
        """The objectives over the windows so far; None where one has no value or a window failed."""
        done = trial.done()
        if not done or not all(each.success for each in done):
            return None
        found = []
        for place, objective in enumerate(self._objectives):
            value = objective.over([each.values[place] for each in done])
            if value is None:
                return None
            found.append(value)
        return tuple(found)

    def _prune(self, trial: _Running, step: int) -> None:
        values = self._values(trial)
        if values is None:
            trial.state = TrialState.FAILED
        elif step + 1 < len(trial.job.windows) and trial.job.search.prune(trial.trial, step, values[0]):
            trial.state = TrialState.PRUNED

    def _record(self, trial: _Running) -> tuple[tuple[float, ...] | None, TrialState]:
        """Writes the row of a trial and keeps it if it is the best; returns its objectives and how it ended."""
        values = None if trial.state in (TrialState.FAILED, TrialState.PARTIAL) else self._values(trial)
        state = trial.state or (TrialState.FAILED if values is None else TrialState.COMPLETE)
        self._store.add_trial(trial.job.fold, trial.trial.number, trial.trial.params, str(state), values, trial.done())
        self._trials += None in trial.outcomes  # pruned: it was not counted yet
        for window, outcome in zip(trial.job.windows, trial.outcomes, strict=True):
            self._left[window.name] -= outcome is None
        if state is TrialState.COMPLETE and values is not None:
            before = self._best.get(trial.job.fold)
            if self._objectives[0].better(values[0], None if before is None else before.values[0]):
                self._best[trial.job.fold] = Best(trial.trial, values)
        return values, state
