"""`Experiment`: a scenario set in Python, to be run, swept and questioned; the same in scripts and notebooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from finiex_ray.api import run_scenarios
from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.imports import allowed_imports
from finiex_ray.config.load import load_scenario_set
from finiex_ray.config.models import ScenarioConfig, ScenarioSet
from finiex_ray.config.resolve import resolve_set
from finiex_ray.core.access import class_name
from finiex_ray.core.errors import ConfigError
from finiex_ray.data.source import TickSource
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.execution.coordinator import ExecutorName
from finiex_ray.execution.inputs import brokers_beside, open_data
from finiex_ray.execution.plan import plan_scenarios
from finiex_ray.execution.planned import Plan
from finiex_ray.results.reader import RunData
from finiex_ray.results.run_dir import DEFAULT_ROOT, find_run_dir
from finiex_ray.sweep.config import SweepConfig, WalkForwardConfig, make_sweep
from finiex_ray.sweep.probe import probe
from finiex_ray.sweep.results import SweepData, WalkForwardData
from finiex_ray.sweep.stress import LADDER, StressLevel, WideSource, neighbours
from finiex_ray.sweep.study import Study, run_study
from finiex_ray.sweep.trials import with_params
from finiex_ray.sweep.windows import Window

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Experiment"]

Objectives = str | Mapping[str, Any] | Callable[[ScenarioResult], float | None]
SearchName = Literal["grid", "random", "optuna"]


class Experiment:
    """A scenario set with its market.

    Args:
        config: The set, laid out like a file. A worker's or a logic's ``type`` may be a class, also one of this notebook: it
            then runs in this process and on Ray, and is named by its source.
        base: Folder that relative paths (catalog, brokers) start from; default: the current one.
        source: Another market than ``data`` names: anything with the methods of `finiex_ray.data.source.TickSource`.
        allow_imports: Modules and packages of which strategies and objectives may be named; ``.``: those of the current folder.
            Classes and functions that are given as such need no permission.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | ScenarioSet,
        *,
        base: str | Path | None = None,
        source: TickSource | None = None,
        allow_imports: Sequence[str] = (),
    ) -> None:
        self._base = Path.cwd() if base is None else Path(base)
        self._source = source
        classes: list[type] = []
        self.config = config if isinstance(config, ScenarioSet) else resolve_set(_named(config, classes), "experiment")
        self._access = allowed_imports(allow_imports, Path.cwd()).with_classes(*classes)

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        *,
        overrides: Sequence[str] = (),
        only: Sequence[str] = (),
        allow_imports: Sequence[str] = (),
    ) -> Self:
        """Reads a scenario set.

        Args:
            path: JSON or YAML.
            overrides: ``path=value`` texts over the file, later ones win.
            only: Names of the scenarios to keep; all where empty.
            allow_imports: See `Experiment`.

        Raises:
            ConfigError: If the file cannot be used.
        """
        return cls(load_scenario_set(Path(path), overrides, only), base=Path(path), allow_imports=allow_imports)

    @property
    def source(self) -> TickSource:
        """The market."""
        if self._source is None:
            self._source = open_data(self.config.data, self._base)
        return self._source

    @property
    def windows(self) -> tuple[ScenarioConfig, ...]:
        """The scenarios: the windows of a sweep."""
        return tuple(each for each in self.config.scenarios if isinstance(each, ScenarioConfig))

    def on(self, windows: Sequence[Window]) -> Self:
        """The same strategy and account on other windows (see `finiex_ray.sweep.windows`); the first scenario is the model.

        Raises:
            ConfigError: If there is no window.
        """
        if not windows:
            raise ConfigError("there is no window to run on", source="windows")
        scenarios = tuple(each.scenario(self.windows[0]) for each in windows)
        return self._like(self.config.model_copy(update={"scenarios": scenarios}))

    def with_params(self, params: Mapping[str, Any]) -> Self:
        """The same windows with other parameters, for example ``sweep.best_params``.

        Raises:
            ConfigError: If a path is unknown or a value is refused.
        """
        scenarios = tuple(with_params(window, params) for window in self.windows)
        return self._like(self.config.model_copy(update={"scenarios": scenarios}))

    def _like(self, config: ScenarioSet) -> Self:
        made = type(self)(config, base=self._base, source=self.source)
        made._access = self._access
        return made

    def validate(self) -> Plan:
        """Holds every scenario against data, brokers and registries, without running any."""
        return plan_scenarios(self.config, self.source, self._brokers(), self._access)

    def run(
        self,
        executor: ExecutorName = "auto",
        *,
        jobs: int | None = None,
        address: str | None = None,
        out: str | Path = DEFAULT_ROOT,
        run_id: str | None = None,
        reuse: bool = False,
        fail_fast: bool = False,
        quiet: bool = False,
    ) -> RunData:
        """Runs every scenario; see `finiex_ray.run_set`."""
        return run_scenarios(
            self.config,
            self.source,
            self._brokers(),
            executor=executor,
            jobs=jobs,
            address=address,
            out=out,
            run_id=run_id,
            reuse=reuse,
            fail_fast=fail_fast,
            quiet=quiet,
            access=self._access,
        )

    def evaluate(
        self, params: Mapping[str, Any] | None = None, *, objective: Objectives | Sequence[Objectives] = "sharpe"
    ) -> dict[str, float | None]:
        """Runs one point of a space in this process and writes nothing: for an optimiser of one's own.

        Args:
            params: Path to value over the configuration.
            objective: See `sweep`.

        Returns:
            Each objective over all windows, and ``net_profit``, ``trades`` (sums) and ``max_drawdown_pct`` (largest).

        Raises:
            ConfigError: If a scenario failed (with its reason).
        """
        return probe(self._question(objective), [params or {}])[0]

    def neighbourhood(
        self,
        params: Mapping[str, Any],
        *,
        percents: Sequence[float] = (5, 10, 20),
        objective: Objectives = "sharpe",
        executor: ExecutorName = "auto",
        jobs: int | None = None,
        address: str | None = None,
    ) -> pd.DataFrame:
        """What becomes of a find when each of its parameters is a little off: a plateau holds, a peak does not.

        Args:
            params: The find, for example ``sweep.best_params``.
            percents: How far each numeric parameter is moved, up and down.
            objective: See `sweep`.
            executor: See `sweep`.
            jobs: See `sweep`.
            address: See `sweep`.

        Returns:
            The find first (change 0), then a row a neighbour: ``parameter``, ``change_pct``, ``value``, the objective,
            ``net_profit``, ``trades``, ``max_drawdown_pct``.
        """
        moved = [("", 0.0, None), *neighbours(params, tuple(percents))]
        points = [dict(params) if not path else {**params, path: value} for path, _, value in moved]
        found = probe(self._question(objective), points, executor=executor, jobs=jobs, address=address)
        rows = [
            {"parameter": path, "change_pct": change, "value": value, **each}
            for (path, change, value), each in zip(moved, found, strict=True)
        ]
        import pandas as pd

        return pd.DataFrame(rows)

    def stress(
        self,
        params: Mapping[str, Any] | None = None,
        *,
        ladder: Sequence[StressLevel] = LADDER,
        objective: Objectives = "sharpe",
        executor: ExecutorName = "auto",
        jobs: int | None = None,
        address: str | None = None,
    ) -> pd.DataFrame:
        """The same with wider spreads, more slippage, more latency: a row a step of the ladder.

        Args:
            params: Path to value over the configuration.
            ladder: The steps.
            objective: See `sweep`.
            executor: See `sweep`.
            jobs: See `sweep`.
            address: See `sweep`.

        Returns:
            ``step``, the objective, ``net_profit``, ``trades``, ``max_drawdown_pct``, in the order of the ladder.
        """
        rows: dict[str, dict[str, Any]] = {}
        for factor in dict.fromkeys(each.spread_factor for each in ladder):
            steps = [each for each in ladder if each.spread_factor == factor]
            source: TickSource = self.source if factor == 1 else WideSource(self.source, factor)
            study = replace(self._question(objective), source=source)
            points = [{**(params or {}), **each.params()} for each in steps]
            found = probe(study, points, executor=executor, jobs=jobs, address=address)
            rows |= {each.name: values for each, values in zip(steps, found, strict=True)}
        import pandas as pd

        return pd.DataFrame([{"step": each.name, **rows[each.name]} for each in ladder])

    def _question(self, objective: Any) -> Study:
        """A study of single points: its space is not used."""
        return self._study({"space": {"seed": [0]}, "objective": objective})

    def sweep(
        self,
        space: Mapping[str, Any],
        *,
        search: SearchName | Mapping[str, Any] = "grid",
        trials: int | None = None,
        objective: Objectives | Sequence[Objectives] = "sharpe",
        constraints: Sequence[str | Callable[[Mapping[str, Any]], bool]] = (),
        seed: int = 0,
        returns: str | None = "auto",
        executor: ExecutorName = "auto",
        jobs: int | None = None,
        address: str | None = None,
        out: str | Path = DEFAULT_ROOT,
        resume: str | Path | None = None,
        quiet: bool = False,
    ) -> SweepData:
        """Searches a space over all windows.

        Args:
            space: Parameter path to values: a list, ``fr.uniform``, ``fr.log_uniform``, ``fr.integers``, ``fr.choice``.
            search: ``grid``, ``random`` or ``optuna``; or an object with ``type``, ``sampler``, ``pruner`` and ``batch``.
            trials: How many; a grid runs all its points without.
            objective: A statistic (``-`` before it: make it small), a measure, a function of a `ScenarioResult` or its import
                path; an object with ``metric``, ``direction``, ``aggregate``, ``empty``; or a list of them.
            constraints: For example ``"fast.period < slow.period"``, or functions of the parameters.
            seed: Seed of the search.
            returns: Period of the returns that are kept (``"D1"``, ``"H1"`` …; ``auto``; None).
            executor: ``local``, ``ray`` or ``auto``.
            jobs: Threads or CPUs.
            address: A Ray cluster.
            out: Folder of the run folders.
            resume: An interrupted sweep (its folder, its id, or ``latest``) to go on with.
            quiet: No progress line.

        Raises:
            FiniexError: If something cannot be used.
            KeyboardInterrupt: If the user interrupts; ``fr.open_run("latest")`` then has what was finished.
        """
        study = self._study(
            {
                "space": space,
                "search": search,
                "trials": trials,
                "objective": objective,
                "constraints": tuple(constraints),
                "seed": seed,
                "returns": returns,
            }
        )
        return SweepData(self._run(study, executor, jobs, address, out, resume, quiet))

    def walk_forward(
        self,
        space: Mapping[str, Any],
        *,
        in_sample: int,
        out_of_sample: int = 1,
        step: int | None = None,
        anchored: bool = False,
        search: SearchName | Mapping[str, Any] = "grid",
        trials: int | None = None,
        objective: Objectives = "sharpe",
        constraints: Sequence[str | Callable[[Mapping[str, Any]], bool]] = (),
        seed: int = 0,
        returns: str | None = "auto",
        executor: ExecutorName = "auto",
        jobs: int | None = None,
        address: str | None = None,
        out: str | Path = DEFAULT_ROOT,
        resume: str | Path | None = None,
        quiet: bool = False,
    ) -> WalkForwardData:
        """Searches over ``in_sample`` windows, trades the next ``out_of_sample`` ones with the best, moves on by ``step``.

        Folds run side by side. All else as for `sweep`.

        Args:
            space: See `sweep`.
            in_sample: Windows that are optimised over.
            out_of_sample: Windows after them.
            step: Windows from fold to fold; default: ``out_of_sample``, so that the folds' results join.
            anchored: Every fold starts at the first window.
            search: See `sweep`.
            trials: Of each fold.
            objective: See `sweep`; one only.
            constraints: See `sweep`.
            seed: See `sweep`.
            returns: See `sweep`.
            executor: See `sweep`.
            jobs: See `sweep`.
            address: See `sweep`.
            out: See `sweep`.
            resume: See `sweep`.
            quiet: See `sweep`.
        """
        folds = WalkForwardConfig(in_sample=in_sample, out_of_sample=out_of_sample, step=step, anchored=anchored)
        study = self._study(
            {
                "space": space,
                "search": search,
                "trials": trials,
                "objective": objective,
                "constraints": tuple(constraints),
                "seed": seed,
                "returns": returns,
                "walk_forward": folds,
            }
        )
        return WalkForwardData(self._run(study, executor, jobs, address, out, resume, quiet))

    def study(self, config: SweepConfig) -> Study:
        """A sweep file's study on this experiment."""
        return Study(config, self.config, self.source, self._brokers(), self._access)

    def _study(self, tree: Mapping[str, Any]) -> Study:
        return self.study(make_sweep(tree, "sweep"))

    def _run(
        self,
        study: Study,
        executor: ExecutorName,
        jobs: int | None,
        address: str | None,
        out: str | Path,
        resume: str | Path | None,
        quiet: bool,
    ) -> Any:
        going_on = None if resume is None else find_run_dir(resume, Path(out))
        return run_study(
            study, executor=executor, jobs=jobs, address=address, out=Path(out), resume=going_on, quiet=quiet
        )

    def _brokers(self) -> Callable[[str], BrokerSpec]:
        return brokers_beside(self._base)

    def __repr__(self) -> str:
        return f"Experiment({self.config.name!r}, {len(self.config.scenarios)} windows)"


def _named(tree: Any, classes: list[type]) -> Any:
    """A tree with names in place of classes, which are added to the list.

    Raises:
        ConfigError: If a function or another object stands where a class, or a value, has to.
    """
    if isinstance(tree, Mapping):
        return {key: _named(value, classes) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_named(value, classes) for value in tree]
    if isinstance(tree, type):
        classes.append(tree)
        return class_name(tree)
    if callable(tree):
        raise ConfigError(f"{tree!r} is no class: a worker or a logic is given as a class", source="experiment")
    return tree
