"""`run_study`: a sweep or a walk-forward from its parts to its folder of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from finiex_ray.config.models import InvalidScenario, ScenarioConfig, ScenarioSet
from finiex_ray.core.access import NO_ACCESS, PluginAccess
from finiex_ray.core.errors import ConfigError, ExecutionError
from finiex_ray.core.time import Timeframe
from finiex_ray.data.source import TickSource
from finiex_ray.display.line import ProgressLine
from finiex_ray.engine.result import ScenarioResult, Wanted
from finiex_ray.execution.coordinator import ExecutorName
from finiex_ray.execution.plan import Brokers
from finiex_ray.results.run_dir import DEFAULT_ROOT, RunDir, create_run_dir
from finiex_ray.sweep.config import SweepConfig, sweep_spec
from finiex_ray.sweep.objective import Objective, objectives_of
from finiex_ray.sweep.optuna_search import OptunaSearch
from finiex_ray.sweep.progress import progress_text
from finiex_ray.sweep.runner import Best, Job, SweepRunner
from finiex_ray.sweep.search import GridSearch, RandomSearch, Search
from finiex_ray.sweep.session import Session
from finiex_ray.sweep.space import Choice, Space
from finiex_ray.sweep.store import SweepStore
from finiex_ray.sweep.trials import with_params
from finiex_ray.sweep.walk_forward import Fold, make_folds

__all__ = ["Study", "run_study"]

_AUTO_PERIODS: Final = (Timeframe.D1, Timeframe.H4, Timeframe.H1, Timeframe.M15)
_ENOUGH_PERIODS: Final = 64
_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True)
class Study:
    """What is to be found out, on which market."""

    config: SweepConfig
    scenario_set: ScenarioSet  # its scenarios are the windows
    source: TickSource
    brokers: Brokers
    access: PluginAccess = NO_ACCESS  # strategy code that may be loaded
    space: Space = field(init=False)
    objectives: tuple[Objective, ...] = field(init=False)
    windows: tuple[ScenarioConfig, ...] = field(init=False)

    def __post_init__(self) -> None:
        reasons = [
            reason
            for each in self.scenario_set.scenarios
            if isinstance(each, InvalidScenario)
            for reason in each.reasons
        ]
        if reasons:
            raise ConfigError("\n".join(reasons))
        windows = tuple(each for each in self.scenario_set.scenarios if isinstance(each, ScenarioConfig))
        object.__setattr__(self, "windows", windows)
        object.__setattr__(self, "space", Space.of(self.config.space, self.config.constraints))
        object.__setattr__(self, "objectives", objectives_of(self.config.objective, self.access))

    def search(self) -> Search:
        """A fresh search over the space."""
        config = self.config
        kind = config.search.type
        if kind == "grid":
            return GridSearch(self.space, config.trials)
        trials = config.trials or 0
        if kind == "random":
            return RandomSearch(self.space, trials, config.seed)
        options = {"seed": config.seed, "sampler": config.search.sampler, "pruner": config.search.pruner}
        return OptunaSearch(self.space, self.objectives, trials, batch=config.search.batch, **options)  # type: ignore[arg-type]

    def returns_period(self) -> Timeframe | None:
        """The period of the returns that are kept."""
        if self.config.returns != "auto":
            return self.config.returns
        spans = [each.end - each.start if each.end is not None else timedelta(days=1) for each in self.windows]
        length = sum(spans, timedelta())
        traded_ns = length.total_seconds() * 1e9 * (5 / 7 if max(spans) >= _WEEK else 1)
        return next((each for each in _AUTO_PERIODS if traded_ns / each.ns >= _ENOUGH_PERIODS), Timeframe.M5)

    def wanted(self) -> Wanted:
        """What travels back from each scenario."""
        measures = {each.name: each.measure for each in self.objectives if each.measure is not None}
        return Wanted(records=False, balances=self.returns_period(), measures=measures)

    def session(
        self, *, executor: ExecutorName = "auto", jobs: int | None = None, address: str | None = None
    ) -> Session:
        """What runs its scenarios."""
        options = {"jobs": jobs, "address": address, "access": self.access, "load": self.scenario_set.data.load}
        return Session(self.source, self.brokers, executor=executor, **options)  # type: ignore[arg-type]

    def spec(self) -> dict[str, Any]:
        """The study as JSON values."""
        domains = {path: str(domain) for path, domain in self.space.domains.items()}
        period = self.returns_period()
        return sweep_spec(
            self.config,
            [each.name for each in self.windows],
            {
                "kind": "sweep" if self.config.walk_forward is None else "walk_forward",
                "space": domains,
                "constraints": [each.text for each in self.space.constraints],
                "objectives": [each.describe() for each in self.objectives],
                "returns": None if period is None else period.value,
                "data": self.source.describe(),
            },
        )

    def samples(self) -> dict[str, Sequence[Any]]:
        """Some values of each parameter, for their types."""
        return {
            path: domain.values if isinstance(domain, Choice) else [domain.low]
            for path, domain in self.space.domains.items()
        }


def run_study(
    study: Study,
    *,
    executor: ExecutorName = "auto",
    jobs: int | None = None,
    address: str | None = None,
    out: Path = DEFAULT_ROOT,
    resume: RunDir | None = None,
    quiet: bool = False,
) -> RunDir:
    """Runs a study; results go to a new run folder, or on into that of an interrupted one.

    Args:
        study: What to run.
        executor: ``local``, ``ray`` or ``auto``.
        jobs: Threads or CPUs.
        address: A Ray cluster.
        out: Folder of the run folders.
        resume: The folder of an interrupted study: what is there is not run again.
        quiet: No progress line.

    Raises:
        FiniexError: If the study, the data or the executor cannot be used.
        KeyboardInterrupt: If the user interrupts; the folder holds what was finished.
    """
    folds = _folds(study)
    wanted = study.wanted()
    fresh = [Job(fold.name, study.search(), fold.in_sample) for fold in folds]
    run_dir = resume or create_run_dir(out)
    names = [each.name for each in study.objectives]
    details = {"data": study.source.describe(), "executor": executor}
    samples = study.samples()
    session = study.session(executor=executor, jobs=jobs, address=address)
    spec = {**study.spec(), "inputs": session.inputs(_sampled(study.windows, samples))}
    store = SweepStore(run_dir, study.scenario_set, spec, samples, names, list(wanted.measures), details)
    best: Mapping[str, Best] = {}
    try:
        with session, ProgressLine(quiet=quiet) as line:
            runner = SweepRunner(
                session, store, study.space, study.objectives, wanted, lambda: _show(line, runner, study)
            )
            best = runner.best
            runner.run(fresh)
            _finals(session, store, folds, best, wanted, first_index=_size(fresh))
            store.close(executor=session.executor_name, best=_best_info(best, names), wall_s=line.elapsed_s)
            line.show(progress_text(runner.progress, study.objectives), last=True)
    except BaseException as error:
        store.close("interrupted", best=_best_info(best, names))
        error.add_note(f"What was finished is kept in {run_dir.path}")
        raise
    return run_dir


def _sampled(windows: Sequence[ScenarioConfig], samples: Mapping[str, Sequence[Any]]) -> list[ScenarioConfig]:
    """The windows with some value of each parameter, so that those run that need one; as they are where it is refused."""
    params = {path: values[0] for path, values in samples.items()}
    try:
        return [with_params(each, params) for each in windows]
    except ConfigError:
        return list(windows)


def _show(line: ProgressLine, runner: SweepRunner, study: Study) -> None:
    if line.due:
        line.show(progress_text(runner.progress, study.objectives))


def _folds(study: Study) -> list[Fold]:
    if study.config.walk_forward is None:
        return [Fold("", study.windows, ())]
    return make_folds(study.windows, study.config.walk_forward)


def _size(jobs: Sequence[Job]) -> int:
    return sum((job.search.total or 0) * len(job.windows) for job in jobs)


def _finals(
    session: Session,
    store: SweepStore,
    folds: Sequence[Fold],
    best: Mapping[str, Best],
    wanted: Wanted,
    first_index: int,
) -> None:
    """Runs the best trials with their records: of a sweep on its windows, of a walk-forward on those out of sample."""
    todo: dict[int, tuple[ScenarioConfig, Fold, int, str]] = {}
    for fold in folds:
        if (found := best.get(fold.name)) is None:
            continue
        for window in fold.out_of_sample or fold.in_sample:
            name = "_".join(part for part in (fold.name, f"t{found.trial.number:05d}", window.name) if part)
            config = with_params(window, found.trial.params, name=name)
            todo[first_index + len(todo)] = (config, fold, found.trial.number, window.name)
    known = store.known()
    results: list[ScenarioResult] = []
    configs = [(index, config) for index, (config, *_) in todo.items()]
    for result in session.run(configs, replace(wanted, records=True)) if configs else ():
        config, fold, trial, window_name = todo[result.index]
        results.append(result)
        if fold.out_of_sample and result.index not in known:
            store.add(result, config, fold.name, trial, window_name, sample="out")
    for found in best.values():
        _check_same(
            store, found.trial.number, [each for each in results if not todo[each.index][1].out_of_sample], todo
        )
    store.write_records(sorted(results, key=lambda each: each.index))


def _check_same(
    store: SweepStore, trial: int, results: Sequence[ScenarioResult], todo: Mapping[int, tuple[Any, Any, int, str]]
) -> None:
    """A trial that is run again comes to the same, or its strategy is none that could be searched over."""
    if not results:
        return
    hashes = store.result_hashes(trial)
    for result in results:
        window = todo[result.index][3]
        if result.loop is None or result.loop.result_hash != hashes[window]:
            raise ExecutionError(
                f"trial {trial} on window '{window}' came to another result when it was run again: the strategy does not "
                "depend on its configuration and the market alone ('finiex-ray check determinism' finds where)"
            )


def _best_info(best: Mapping[str, Best], names: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "fold": fold,
            "trial": each.trial.number,
            "params": each.trial.params,
            **dict(zip(names, each.values, strict=True)),
        }
        for fold, each in sorted(best.items())
    ]
