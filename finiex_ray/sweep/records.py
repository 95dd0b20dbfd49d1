"""`BestRecords`: the scenarios of a sweep that were run again with their records, as pages of scenarios are made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from finiex_ray.config.models import ScenarioConfig, ScenarioSet
from finiex_ray.results.parts import order_column
from finiex_ray.sweep.trials import scenario_name, with_params

if TYPE_CHECKING:
    from finiex_ray.sweep.results import SweepData

__all__ = ["BestRecords"]


class BestRecords:
    """The best trial on each of its windows; of a walk-forward the best trial of each fold on those out of sample.

    Empty where the sweep did not come to its end.

    Args:
        sweep: The sweep.
    """

    def __init__(self, sweep: SweepData) -> None:
        self._sweep = sweep

    @property
    def run_id(self) -> str:
        """Identifier of the sweep."""
        return self._sweep.run_id

    @property
    def info(self) -> Mapping[str, Any]:
        """``run.json`` of the sweep."""
        return self._sweep.info

    @cached_property
    def scenarios(self) -> pd.DataFrame:
        """A row a scenario, numbered from 0; ``fold``, ``trial`` and ``window`` say where it stands in the sweep."""
        table = self._sweep.scenarios
        sample = "out" if self.info["kind"] == "walk_forward" else "in"
        parts = [
            table[(table["fold"] == best["fold"]) & (table["trial"] == best["trial"]) & (table["sample"] == sample)]
            for best in self.info.get("best") or []
        ]
        found = pd.concat(parts) if parts else table.head(0)
        names = [
            scenario_name(fold, trial, window)
            for fold, trial, window in zip(found["fold"], found["trial"], found["window"], strict=True)
        ]
        found = found.assign(name=names)
        found = found[found["name"].isin(set(self._sweep.equity["scenario"]))]  # else the records were never written
        return found.reset_index(drop=True).assign(index=range(len(found)))

    @cached_property
    def config(self) -> ScenarioSet:
        """Their configurations: each window with the parameters of its trial."""
        whole = self._sweep.config
        windows = {each.name: each for each in whole.scenarios if isinstance(each, ScenarioConfig)}
        params = {(best["fold"], best["trial"]): best["params"] for best in self.info.get("best") or []}
        made = tuple(
            with_params(windows[row["window"]], params[row["fold"], row["trial"]], name=row["name"])
            for row in self.scenarios.to_dict("records")
        )
        return whole.model_copy(update={"scenarios": made})

    def rows(self, table: str, indexes: Sequence[int]) -> pd.DataFrame:
        """The rows of some scenarios in a table of records, under their numbers here."""
        frame: pd.DataFrame = getattr(self._sweep, table)
        numbers = {self.scenarios["name"][index]: index for index in indexes}
        own = frame[frame["scenario"].isin(numbers)]
        return own.assign(**{order_column(table): own["scenario"].astype(str).map(numbers)}).reset_index(drop=True)

    def log(self, scenario: str) -> str:
        """What there is of a log: a sweep keeps those of scenarios that failed."""
        return (
            f"A sweep keeps the logs of scenarios that fail; run {scenario} as a set with its parameters to have one."
        )
