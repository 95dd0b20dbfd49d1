"""What a sweep or a walk-forward left behind, as pandas frames and figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from finiex_ray.core.access import NO_ACCESS, PluginAccess
from finiex_ray.core.errors import ConfigError, DataError, suggest
from finiex_ray.results.merge import FolderPart
from finiex_ray.results.parts import table_schema
from finiex_ray.results.reader import RunData, to_pandas
from finiex_ray.results.run_dir import DEFAULT_ROOT, LATEST, find_run_dir
from finiex_ray.sweep import overfitting
from finiex_ray.sweep.returns import RETURNS_SCHEMA
from finiex_ray.sweep.store import journal_rows, scenario_schema, trial_schema

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["SweepData", "WalkForwardData", "open_run"]


class SweepData(RunData):
    """The folder of a sweep.

    `RunData.orders`, ``fills``, ``trades``, ``equity`` and ``profile`` are those of the best trial, which is run again with
    its records at the end of a sweep (of a walk-forward: those out of sample).
    """

    @property
    def params(self) -> list[str]:
        """The parameter paths."""
        return list(self.info["sweep"]["space"])

    @property
    def objectives(self) -> dict[str, str]:
        """Objective to ``maximize`` or ``minimize``."""
        return {each["metric"].rpartition(":")[2]: each["direction"] for each in self.info["sweep"]["objectives"]}

    @cached_property
    def scenarios(self) -> pd.DataFrame:
        """One row a window of a trial; of a sweep that is running or was killed, those that its journal holds."""
        if self.info.get("status") != "running":
            return self._frame("scenarios")
        rows = list(journal_rows(self.run_dir))
        schema = scenario_schema(name for name in self.objectives if rows and name in rows[0])
        return to_pandas(pa.Table.from_pylist(rows, schema=schema))

    @cached_property
    def trials(self) -> pd.DataFrame:
        """One row a trial: parameters, objectives, and over all windows net profit (sum), trades (sum), drawdown (largest)."""
        return self._frame("trials")

    @cached_property
    def returns(self) -> pd.DataFrame:
        """Balance and return of each period, window and trial."""
        return self._frame("returns")

    def _frame(self, name: str) -> pd.DataFrame:
        if self.info.get("status") != "finished" and not self.run_dir.table(name).is_file():
            return to_pandas(_SCHEMAS.get(name, table_schema)(name).empty_table())
        return to_pandas(FolderPart(self.run_dir.path).whole(name))

    @cached_property
    def complete(self) -> pd.DataFrame:
        """The trials that came to an end."""
        return self.trials[self.trials["state"] == "complete"]

    def ranked(self, metric: str | None = None) -> pd.DataFrame:
        """The completed trials, the best first (the earlier one of equals).

        Args:
            metric: A column of `trials` or a statistic of `scenarios`; default: the first objective.
        """
        name = metric or next(iter(self.objectives))
        values = self.metric(name)
        ascending = self.objectives.get(name, "maximize") == "minimize"
        order = values.sort_values(ascending=ascending, kind="stable").index
        return self.complete.assign(**{name: values}).loc[order]

    def best(self, metric: str | None = None) -> pd.Series:
        """The row of the best trial.

        Raises:
            DataError: If no trial completed.
        """
        ranked = self.ranked(metric)
        if ranked.empty:
            raise DataError(f"{self.run_dir.path}: no trial completed; .failed says why")
        return ranked.iloc[0]

    @property
    def best_params(self) -> dict[str, Any]:
        """The parameters of the best trial, as Python values."""
        row = self.best()
        listed = self.info.get("best") or []
        for each in listed:
            if each["trial"] == row["trial"] and each["fold"] == row["fold"]:
                return dict(each["params"])
        return {path: getattr(row[path], "item", lambda path=path: row[path])() for path in self.params}

    def metric(self, name: str) -> pd.Series:
        """A value for each completed trial: a column of `trials`, or the mean over the windows of a statistic of `scenarios`.

        Raises:
            ConfigError: If there is no such column.
        """
        done = self.complete
        if name in done.columns:
            return pd.to_numeric(done[name])
        if name not in self.scenarios.columns:
            raise ConfigError(f"there is no metric {name!r}.{suggest(name, [*done.columns, *self.scenarios.columns])}")
        inside = self.scenarios[self.scenarios["sample"] == "in"] if "sample" in self.scenarios else self.scenarios
        means = inside.groupby(["fold", "trial"], observed=True)[name].mean()
        keys = pd.MultiIndex.from_frame(done[["fold", "trial"]])
        return pd.Series(means.reindex(keys).to_numpy(), index=done.index, name=name)

    def pareto(self) -> pd.DataFrame:
        """The completed trials that no other one beats in every objective."""
        done = self.complete
        signs = {name: 1.0 if way == "maximize" else -1.0 for name, way in self.objectives.items()}
        values = done[list(signs)].to_numpy(dtype=float) * list(signs.values())
        kept = [not ((values >= row).all(axis=1) & (values > row).any(axis=1)).any() for row in values]
        return done[kept].sort_values(next(iter(signs)), ascending=next(iter(signs.values())) < 0)

    def importance(self, metric: str | None = None) -> pd.Series:
        """How much of the metric's variance each parameter explains on its own, 0 to 1, the largest first.

        The first-order index Var(E[y | x]) / Var(y) (Saltelli et al., "Global Sensitivity Analysis", 2008), from the means of
        the trials by value; numbers that hardly repeat are put into classes of equal count, up to ten of five trials or more.
        """
        values = self.metric(metric or next(iter(self.objectives))).astype(float)
        total = float(values.var(ddof=0))
        found = {}
        for path in self.params:
            column = self.complete[path]
            different = column.nunique()
            scale = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
            sparse = scale and (different > 20 or different * 3 > len(column))
            groups = pd.qcut(column, min(10, max(2, len(column) // 5)), duplicates="drop") if sparse else column
            means = values.groupby(groups, observed=True).transform("mean")
            found[path] = float(means.var(ddof=0)) / total if total > 0 else math.nan
        return pd.Series(found, name="importance").sort_values(ascending=False)

    def in_out(self, share: float = 0.7, metric: str | None = None) -> pd.DataFrame:
        """Each trial on the first windows and on the rest: mean of a metric in and out of sample, and both ranks.

        Args:
            share: Share of the windows, by start, that count as in sample.
            metric: A statistic of `scenarios`; default: the first objective.

        Raises:
            ConfigError: If there are fewer than two windows.
        """
        name = metric or next(iter(self.objectives))
        rows = self.scenarios[self.scenarios["success"]]
        windows = rows.groupby("window", observed=True)["first_time"].min().sort_values().index.tolist()
        if len(windows) < 2:
            raise ConfigError("in and out of sample needs at least two windows")
        split = min(len(windows) - 1, max(1, round(share * len(windows))))
        inside = rows["window"].isin(windows[:split])
        table = pd.DataFrame(
            {
                "in_sample": rows[inside].groupby("trial")[name].mean(),
                "out_of_sample": rows[~inside].groupby("trial")[name].mean(),
            }
        )
        ascending = self.objectives.get(name, "maximize") == "minimize"
        for column in ("in_sample", "out_of_sample"):
            table[f"{column}_rank"] = table[column].rank(ascending=ascending)
        return table.sort_values("in_sample_rank", kind="stable")

    def returns_matrix(self) -> pd.DataFrame:
        """Returns by period, windows one after the other: a row a period, a column a completed trial."""
        done = self.complete["trial"]
        inside = self.returns[(self.returns["sample"] == "in") & self.returns["trial"].isin(done)]
        return inside.pivot_table(index=["start", "window"], columns="trial", values="return", observed=True, sort=True)

    def overfitting(self, blocks: int = 16) -> overfitting.OverfittingReport:
        """Whether the best trial holds, or the search overfitted: deflated Sharpe ratio and probability of overfitting.

        Args:
            blocks: Blocks of the combinatorially symmetric cross-validation, an even number.
        """
        return overfitting.examine(self.returns_matrix().to_numpy(), blocks=blocks)

    def heatmap(self, x: str, y: str, metric: str | None = None, *, aggregate: str = "mean") -> Figure:
        """A heat map of two parameters.

        Args:
            x: A parameter path, or its unambiguous end.
            y: Another one.
            metric: See `metric`; default: the first objective.
            aggregate: What stands for the trials of a cell: ``mean``, ``median``, ``min``, ``max``.
        """
        from finiex_ray.sweep.charts import heatmap

        return heatmap(self, x, y, metric or next(iter(self.objectives)), aggregate)

    def parallel(self, metric: str | None = None) -> Figure:
        """Parallel coordinates: a line a trial through its parameters, coloured by the metric."""
        from finiex_ray.sweep.charts import parallel

        return parallel(self, metric or next(iter(self.objectives)))

    def report(
        self,
        *,
        out: Path | None = None,
        scenarios: Collection[str] = (),
        every: bool = False,
        access: PluginAccess = NO_ACCESS,
    ) -> Path:
        """Writes the report as web pages that need no network, and returns the first of them.

        Args:
            out: Folder of the report; default: ``report`` in the sweep's folder.
            scenarios: Names of scenarios of the best trial that get a page; default: all of up to 25.
            every: All of them get one.
            access: Strategy code that may be loaded to draw its lines.

        Raises:
            ConfigError: If the best trial has no such scenario, or the report cannot be written.
        """
        from finiex_ray.sweep.report import write_report

        return write_report(self, out=out, scenarios=scenarios, every=every, access=access)

    def path(self, name: str) -> str:
        """The parameter path that a name stands for.

        Raises:
            ConfigError: If there is none, or more than one.
        """
        found = [path for path in self.params if path == name or path.endswith(f".{name}")]
        if name in self.params or len(found) == 1:
            return name if name in self.params else found[0]
        raise ConfigError(
            f"{name!r} is {'more than one' if found else 'no'} parameter of this sweep.{suggest(name, self.params)}"
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.run_id!r}, status={self.info.get('status')!r}, trials={self.info.get('trials')})"


class WalkForwardData(SweepData):
    """The folder of a walk-forward."""

    @cached_property
    def folds(self) -> pd.DataFrame:
        """One row a fold: its best trial, parameters, profit a day in and out of sample, and efficiency.

        Efficiency is profit a day out of sample / in sample (Pardo, "The Evaluation and Optimization of Trading Strategies",
        2008); null where the profit in sample is not above zero.
        """
        rows = []
        for each in self.info.get("best") or []:
            fold, trial = each["fold"], each["trial"]
            own = self.scenarios[(self.scenarios["fold"] == fold) & (self.scenarios["trial"] == trial)]
            inside, outside = own[own["sample"] == "in"], own[own["sample"] == "out"]
            per_day = [_profit_per_day(part) for part in (inside, outside)]
            rows.append(
                {
                    "fold": fold,
                    "trial": trial,
                    **each["params"],
                    "in_sample": f"{inside['window'].iloc[0]} … {inside['window'].iloc[-1]}",
                    "out_of_sample": ", ".join(outside["window"].astype(str)),
                    "in_sample_per_day": per_day[0],
                    "out_of_sample_per_day": per_day[1],
                    "out_of_sample_profit": float(outside["net_profit"].sum()),
                    "efficiency": per_day[1] / per_day[0] if per_day[0] > 0 else math.nan,
                }
            )
        return pd.DataFrame(rows)

    @property
    def efficiency(self) -> float:
        """Profit a day out of sample / in sample over all folds; NaN where that in sample is not above zero."""
        inside, outside = self.folds["in_sample_per_day"].mean(), self.folds["out_of_sample_per_day"].mean()
        return float(outside / inside) if inside > 0 else math.nan

    @cached_property
    def stitched(self) -> pd.DataFrame:
        """The out-of-sample equity, fold after fold: each window goes on where the one before ended."""
        parts, offset = [], 0.0
        opening = float(self.config.scenarios[0].account.balance)  # type: ignore[union-attr]
        for _, part in self.equity.groupby("scenario_index", sort=True):
            moved = part.copy()
            for column in ("balance", "equity", "equity_low", "equity_high"):
                moved[column] = moved[column] + offset
            parts.append(moved)
            offset += float(part["balance"].iloc[-1]) - opening
        return pd.concat(parts, ignore_index=True) if parts else self.equity

    def ranked(self, metric: str | None = None) -> pd.DataFrame:
        """The trials of all folds, the best first."""
        return super().ranked(metric)

    def returns_matrix(self) -> pd.DataFrame:
        """Returns of the windows in sample, a column a trial; windows that several folds share count once."""
        inside = self.returns[self.returns["sample"] == "in"]
        own = inside.drop_duplicates(["trial", "window", "start"])
        wide = own.pivot_table(index=["start", "window"], columns="trial", values="return", observed=True, sort=True)
        return wide.dropna(axis="columns")


def _profit_per_day(rows: pd.DataFrame) -> float:
    days = (rows["last_time"] - rows["first_time"]).dt.total_seconds().sum() / 86_400
    return float(rows["net_profit"].sum()) / days if days > 0 else math.nan


_SCHEMAS: dict[str, Callable[[str], Any]] = {
    "scenarios": lambda _: scenario_schema(()),
    "trials": lambda _: trial_schema({}, ()),
    "returns": lambda _: RETURNS_SCHEMA,
}

_KINDS: dict[str, type[RunData]] = {"sweep": SweepData, "walk_forward": WalkForwardData}


def open_run(reference: str | Path = LATEST, root: str | Path = DEFAULT_ROOT) -> RunData:
    """Opens a run, a sweep or a walk-forward.

    Args:
        reference: The run's folder, its id, or ``latest``.
        root: Folder of the run folders, for ids and ``latest``.

    Returns:
        A `RunData`, `SweepData` or `WalkForwardData`.

    Raises:
        ConfigError: If there is no such run.
    """
    run = RunData(find_run_dir(reference, Path(root)))
    kind = _KINDS.get(str(run.info.get("kind")))
    return run if kind is None else kind(run.run_dir)
