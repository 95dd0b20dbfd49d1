"""The report of a sweep: what its first page shows, and the pages of the best trial's scenarios."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from finiex_ray.core.access import NO_ACCESS, PluginAccess
from finiex_ray.core.errors import ConfigError, DataError
from finiex_ray.core.text import printable
from finiex_ray.execution.inputs import brokers_beside, open_data
from finiex_ray.report.html.index_page import MOST_ERRORS, MOST_ROWS
from finiex_ray.report.html.market import MarketView
from finiex_ray.report.html.render import SWEEP_ASSETS, render
from finiex_ray.report.html.site import write_pages
from finiex_ray.report.html.statistic import Statistic, count_of, number, ratio_of
from finiex_ray.report.html.tables import DataTable, make_table
from finiex_ray.sweep import report_figures as figures
from finiex_ray.sweep.records import BestRecords
from finiex_ray.sweep.report_tables import fold_columns, trial_columns, window_columns

if TYPE_CHECKING:
    from finiex_ray.sweep.results import SweepData

__all__ = ["write_report"]

_MOST_FRONT: Final = 5_000  # trials among which the front is looked for
_SMALL_IS_GOOD: Final = "max_drawdown_pct"
_MONEY: Final = ("net_profit", "max_drawdown_pct", "trades")


def write_report(
    sweep: SweepData,
    *,
    out: Path | None = None,
    scenarios: Collection[str] = (),
    every: bool = False,
    access: PluginAccess = NO_ACCESS,
) -> Path:
    """Writes the report of a sweep or a walk-forward as web pages, and returns the first one.

    Args:
        sweep: The sweep; of one that was interrupted, the trials that it has.
        out: Folder of the report; default: ``report`` in the sweep's folder.
        scenarios: Names of scenarios of the best trial that get a page; default: as in the report of a run.
        every: All of them get one.
        access: Strategy code that may be loaded to draw its lines.

    Raises:
        ConfigError: If the best trial has no such scenario, or the folder cannot be written.
    """
    records = BestRecords(sweep)

    def first_page(pages: Mapping[int, str], frame: Mapping[str, Any]) -> str:
        return render("sweep.html", {**frame, **_values(sweep, records, pages)})

    return write_pages(
        records,
        _market(sweep, records, access),
        sweep.run_dir.path / "report" if out is None else out,
        first_page,
        scenarios=scenarios,
        every=every,
        assets=SWEEP_ASSETS,
    )


def _market(sweep: SweepData, records: BestRecords, access: PluginAccess) -> MarketView | str:
    whole = sweep.config
    path = Path(whole.source)
    try:
        source = open_data(whole.data, path)
    except DataError as error:
        return str(error)
    if source.describe() != sweep.info.get("data"):
        return f"the sweep read {sweep.info.get('data')}, which cannot be opened from its folder"
    return MarketView(records.config, source, brokers_beside(path), access)


def _values(sweep: SweepData, records: BestRecords, pages: Mapping[int, str]) -> dict[str, Any]:
    """All that the template asks for."""
    info, metrics = sweep.info, _metrics(sweep)
    metric = next(iter(sweep.objectives))
    currency = next(iter(sweep.scenarios["currency"].dropna().astype(str)), "")
    walks = info["kind"] == "walk_forward"
    trials, complete = sweep.trials, sweep.complete
    rest = trials[trials["state"] != "complete"]
    table = pd.concat([sweep.ranked().head(MOST_ROWS - min(len(rest), MOST_ROWS // 2)), rest.head(MOST_ROWS // 2)])
    varied = [path for path in sweep.params if complete[path].nunique() > 1]
    shares = sweep.importance().dropna() if len(complete) else pd.Series(dtype=float)
    axes = [path for path in shares.index if path in varied][:2]
    curve = sweep.stitched if walks else sweep.equity  # type: ignore[attr-defined]
    states = trials["state"].astype(str).value_counts().to_dict()
    return {
        "info": {**dict.fromkeys(("executor", "status", "started", "wall_s", "ticks", "scenarios", "failed")), **info},
        "walks": walks,
        "metric": printable(metric),
        "currency": currency,
        "states": {name: int(states.get(name, 0)) for name in ("complete", "pruned", "failed", "partial")},
        "best": _best(sweep, metric),
        "best_params": [] if walks else _best_params(sweep),
        "windows": _windows(sweep, records, pages, currency),
        "trials": _trials(sweep, table, currency, walks),
        "left_out": len(trials) - len(table),
        "folds": _folds(sweep, currency) if walks else None,
        "fold_chart": figures.folds(sweep, currency) if walks and len(sweep.folds) else None,  # type: ignore[attr-defined, arg-type]
        "efficiency": number(sweep.efficiency) if walks and len(sweep.folds) else None,  # type: ignore[attr-defined]
        "profit_out": float(sweep.folds["out_of_sample_profit"].sum()) if walks and len(sweep.folds) else None,  # type: ignore[attr-defined]
        "equity": figures.equity(curve, currency) if len(curve) else None,
        "heatmap": figures.heatmap(sweep, metrics) if len(varied) >= 2 else None,
        "axes": [sweep.params.index(path) for path in axes] if len(axes) == 2 else [0, min(1, len(sweep.params) - 1)],
        "parallel": figures.parallel(sweep, table, metric) if len(complete) > 1 and varied else None,
        "lines": min(len(complete), figures.LINES),
        "importance": figures.importance(sweep, metric) if len(shares) else None,
        "history": figures.history(sweep, metric) if len(complete) > 1 else None,
        "front": figures.front(sweep, *list(sweep.objectives)[:2])
        if len(sweep.objectives) > 1 and 1 < len(complete) <= _MOST_FRONT
        else None,
        "objectives": [printable(name) for name in sweep.objectives],
        "verdict": _verdict(sweep),
        **_failures(sweep),
        "pages": {},
        "facts": _facts(sweep),
    }


def _metrics(sweep: SweepData) -> dict[str, bool]:
    """Columns of the trial table that are looked at, and whether large values are good."""
    found = {name: way == "maximize" for name, way in sweep.objectives.items()}
    return found | {name: name != _SMALL_IS_GOOD for name in _MONEY if name not in found}


def _best(sweep: SweepData, metric: str) -> dict[str, Any] | None:
    if sweep.complete[metric].dropna().empty:
        return None
    row = sweep.best()
    found = {"trial": int(row["trial"]), "fold": printable(str(row["fold"])), "value": float(row[metric])}
    return {**found, **{name: number(row[name]) for name in _MONEY}}


def _best_params(sweep: SweepData) -> list[tuple[str, str]]:
    if sweep.complete.empty:
        return []
    return [
        (printable(path), f"{value:.6g}" if isinstance(value, float) else printable(str(value)))
        for path, value in sweep.best_params.items()
    ]


def _windows(sweep: SweepData, records: BestRecords, pages: Mapping[int, str], currency: str) -> DataTable | None:
    rows = records.scenarios
    if rows.empty:
        return None
    columns = window_columns(currency, [name for name in sweep.objectives if name in rows])
    links = [pages.get(index) for index in rows["index"]]
    return make_table("windows", "Scenarios of the best trial", rows, columns, links)


def _trials(sweep: SweepData, table: pd.DataFrame, currency: str, walks: bool) -> DataTable:
    columns = trial_columns(sweep, table, currency, walks=walks)
    return make_table("trials", "Trials", table, columns)


def _folds(sweep: SweepData, currency: str) -> DataTable | None:
    folds: pd.DataFrame = sweep.folds  # type: ignore[attr-defined]
    return make_table("folds", "Folds", folds, fold_columns(sweep, folds, currency)) if len(folds) else None


def _verdict(sweep: SweepData) -> dict[str, Any]:
    try:
        found = sweep.overfitting()
    except ConfigError as error:
        return {"text": f"Cannot be told: {printable(str(error))}", "holds": None, "groups": []}
    lines = [
        _figure("Deflated Sharpe ratio", found.deflated_sharpe, "Probability that the best trial's Sharpe ratio is above what "
                "as many trials without any edge would show as their best; at least 0.95 is asked for"),
        _figure("Probability of overfitting", found.overfitting_probability, "How often the best trial in sample falls below "
                "the median out of sample, over all ways to split the periods in halves; below 0.5 is asked for"),
        _figure("Probability of loss", found.loss_probability, "How often the best trial in sample loses out of sample"),
        _figure("Probabilistic Sharpe ratio", found.probabilistic_sharpe, "Probability that the best trial's Sharpe ratio is "
                "above zero, the search left aside"),
        _figure("Best Sharpe ratio, per period", found.best_sharpe, "Of the returns by period"),
        _figure("Expected by chance", found.expected_max_sharpe, "Largest ratio per period of as many trials without an edge"),
        count_of("Trials", found.trials, "Trials whose balance moved"),
        ratio_of("Independent trials", found.effective_trials, "What the trials are worth, from their mean correlation"),
        count_of("Periods", found.periods, "Periods with a return, all windows together"),
    ]  # fmt: skip
    text = str(found).partition(":")[0]
    return {
        "text": text[0].upper() + text[1:],
        "holds": not found.overfitted,
        "groups": [{"title": "", "statistics": lines}],
    }


def _figure(name: str, value: float, definition: str) -> Statistic:
    known = number(value)
    return Statistic(name, known, "–" if known is None else f"{known:.3f}", definition)


def _failures(sweep: SweepData) -> dict[str, Any]:
    """One failure of each trial that has some, with the number of its others."""
    rows = sweep.failed
    keys = ["fold", "trial"]
    first = rows.drop_duplicates(keys)
    counts = rows.groupby(keys, observed=True).size().to_dict()
    found = [
        {
            "more": counts[row["fold"], row["trial"]] - 1,
            **{name: None if pd.isna(value) else value for name, value in row.items()},
        }
        for row in first.head(MOST_ERRORS).to_dict("records")
    ]
    return {"failures": found, "failures_left_out": max(0, len(first) - MOST_ERRORS)}


def _facts(sweep: SweepData) -> list[tuple[str, str]]:
    info, spec = sweep.info, sweep.info["sweep"]
    search = spec["search"]
    kind = ", ".join(
        str(value)
        for value in (
            search["type"],
            search.get("sampler"),
            search.get("pruner") if search.get("pruner") != "none" else None,
        )
        if value
    )
    walk = spec.get("walk_forward") or {}
    pairs: Sequence[tuple[str, Any]] = [
        ("Run", info.get("run_id")),
        ("Status", info.get("status")),
        ("Set", info.get("set")),
        ("File", sweep.config.source),
        ("Data", info.get("data")),
        ("Executor", info.get("executor")),
        ("Started", info.get("started")),
        ("Finished", info.get("finished")),
        ("Search", kind),
        ("Seed", str(spec.get("seed", ""))),
        *((name, _range(sweep, path)) for path, name in figures.short_names(sweep.params).items()),
        ("Constraints", "; ".join(spec.get("constraints") or ())),
        ("Objective", "; ".join(_objective(each) for each in spec["objectives"])),
        ("Windows", f"{len(spec['windows']):,}"),
        ("Fold", ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in walk.items() if value is not None)),
        ("Returns", spec.get("returns")),
        ("Machine", (info.get("writer") or {}).get("host")),
        *((info.get("versions") or {}).items()),
    ]
    return [(printable(str(label)), printable(str(value))) for label, value in pairs if value]


def _objective(spec: Mapping[str, Any]) -> str:
    return f"{spec['direction']} {spec['metric']} ({spec['aggregate']} of the windows)"


def _range(sweep: SweepData, path: str) -> str:
    """What values of a parameter were tried."""
    values = sweep.trials[path].dropna()
    distinct = values.unique()
    if not len(distinct):
        return ""
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if numeric and len(distinct) > 1:
        return f"{values.min():.6g} to {values.max():.6g}, {len(distinct):,} values"
    return ", ".join(str(value) for value in distinct[:10])
