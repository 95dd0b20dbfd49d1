"""`Rerunner`: the scenarios of a saved run, in this process, with the configuration, brokers and data that the run names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.models import InvalidScenario, ScenarioConfig, ScenarioSet
from finiex_ray.config.resolved import ConfigHashes
from finiex_ray.core.access import NO_ACCESS, PluginAccess
from finiex_ray.core.errors import ConfigError, DataError, suggest
from finiex_ray.core.text import printable
from finiex_ray.engine.assemble import strategy_needs
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.inputs import brokers_beside, open_data
from finiex_ray.execution.keys import ScenarioKeys
from finiex_ray.execution.local import LocalExecutor
from finiex_ray.execution.plan import Brokers, plan_scenarios
from finiex_ray.execution.planned import Plan, PlannedScenario
from finiex_ray.execution.redaction import redacted
from finiex_ray.results.entry import encode_entry
from finiex_ray.results.parts import Tables, entry_tables
from finiex_ray.results.reader import RunData
from finiex_ray.results.tables import RECORD_TABLES

__all__ = ["COMPARED", "Rerun", "Rerunner"]

COMPARED = ("scenarios", *RECORD_TABLES)
"""The tables whose rows follow from configuration and data alone; times and profiles do not."""


@dataclass(frozen=True)
class Rerun:
    """A scenario that ran once more."""

    index: int  # place in the set
    name: str
    result: ScenarioResult
    key: str | None  # hash of all that the result depends on, as things are now
    tables: Tables  # its rows as a run folder would keep them


class Rerunner:
    """Runs scenarios of a saved run again.

    Args:
        run: The run.
        data: A catalog in place of the one that the run names, for a run that was made elsewhere.
        access: Strategy code that may be loaded; a run folder allows nothing by itself.

    Raises:
        ConfigError: If it is a sweep, or the data is not where the run says.
    """

    def __init__(self, run: RunData, data: str | None = None, access: PluginAccess = NO_ACCESS) -> None:
        if "sweep" in run.info:
            message = "is a sweep, whose best trial has been run twice already; run any other point as a set with its parameters"
            raise ConfigError(message, source=str(run.run_dir.path))
        self.run = run
        self.config = run.config
        self._access = access
        path = Path(run.info.get("path", self.config.source))
        settings = self.config.data if data is None else self.config.data.model_copy(update={"catalog": data})
        try:
            source = open_data(settings, path)
        except DataError as error:
            raise ConfigError(
                f"the run read its ticks from {self.config.data.catalog!r}, which is not here ({error}); say where the same "
                "ticks are with --data CATALOG",
                source=str(run.run_dir.path),
            ) from error
        self.cache = SegmentCache(source)
        self._brokers = _saved_brokers(run, path)
        self._hashes = ConfigHashes()
        self._keys = ScenarioKeys(self.cache)

    def index(self, name: str) -> int:
        """Place of a scenario in the set, by its name.

        Raises:
            ConfigError: If the run has none of this name.
        """
        names = [printable(each.name) for each in self.config.scenarios]
        if name not in names:
            message = f"the run has no scenario {name!r}.{suggest(name, names)}"
            raise ConfigError(message, source=str(self.run.run_dir.path))
        return names.index(name)

    def build(self, index: int) -> None:
        """Builds the strategy of a scenario; whatever its code raises passes through."""
        config = self.config.scenarios[index]
        if isinstance(config, ScenarioConfig):
            strategy_needs(config, self._access)

    def key(self, planned: PlannedScenario) -> str | None:
        """The hash of all that a scenario's result depends on, as things are now."""
        return self._keys(planned)

    def plan(self, indexes: Sequence[int]) -> Plan:
        """Validates some scenarios and finds their data; everything keeps its place in the whole set."""
        chosen = ScenarioSet(
            name=self.config.name,
            source=self.config.source,
            data=self.config.data,
            scenarios=tuple(self.config.scenarios[index] for index in indexes),
        )
        plan = plan_scenarios(chosen, self.cache, self._brokers, self._access)
        return Plan(
            tuple(replace(each, task=replace(each.task, index=indexes[each.task.index])) for each in plan.runnable),
            tuple(replace(each, index=indexes[each.index]) for each in plan.invalid),
        )

    def __call__(
        self, plan: Plan, jobs: int = 1, finished: Callable[[ScenarioResult], None] | None = None
    ) -> Iterator[Rerun]:
        """Runs a plan; gives a result for each of its scenarios, in the order of the set.

        Args:
            plan: What to run.
            jobs: Threads.
            finished: Is told of each scenario when it has run, before any of them is given.
        """
        keys = {each.task.index: self.key(each) for each in plan.runnable}
        results = list(plan.invalid)
        for result in LocalExecutor(self.cache, jobs).run(plan.runnable):
            results.append(result)
            if finished is not None:
                finished(result)
        for result in sorted(results, key=lambda each: each.index):
            yield self.rerun(result, keys.get(result.index))

    def rerun(self, result: ScenarioResult, key: str | None) -> Rerun:
        """A result with the rows that a run folder would keep of it."""
        config: ScenarioConfig | InvalidScenario = self.config.scenarios[result.index]
        kept = redacted(result)
        if isinstance(config, ScenarioConfig):
            payload = encode_entry(kept, config, self._hashes(config), key, None)
        else:
            payload = encode_entry(kept, None, None, key, None)
        (tables,) = entry_tables([payload], COMPARED)
        return Rerun(result.index, printable(result.name), kept, key, tables)


def _saved_brokers(run: RunData, path: Path) -> Brokers:
    """The brokers as the run saved them; of an older run, which saved none, the files of today."""
    saved: dict[str, Any] = run.info.get("brokers", {})
    made = {name: BrokerSpec.model_validate(values) for name, values in saved.items()}
    beside = brokers_beside(path)
    return lambda name: made[name] if name in made else beside(name)
