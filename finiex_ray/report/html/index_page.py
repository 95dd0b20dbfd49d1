"""What the first page of a report shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from finiex_ray.config.models import ScenarioConfig
from finiex_ray.data.quality import QualityReport
from finiex_ray.report.html import figures
from finiex_ray.report.html.render import render
from finiex_ray.report.html.tables import Column, make_table
from finiex_ray.report.metrics import profile_lines, run_metrics
from finiex_ray.results.reader import RunData

__all__ = ["MOST_ERRORS", "MOST_ROWS", "index_html"]

MOST_ROWS: Final = 5_000
"""Scenarios in the table of the first page; of a larger run failures, best and worst come first."""
MOST_ERRORS: Final = 200
"""Failures that are shown with message and traceback."""
_MOST_POINTS: Final = 2_000
_MOST_SEEDS: Final = 8
_FACTS: Final = ("executor", "status", "started", "wall_s", "epoch", "writer", "versions", "overrides", "only")
_COLUMNS: Final = (
    Column("name", "scenario"),
    Column("symbol", "symbol"),
    Column("status", "status", "status", "completed, or the type of the error"),
    Column("net_profit", "net profit", "signed", "Gross + commission + swap, account currency"),
    Column("return_pct", "return %", "signed", "Net profit in percent of the opening balance"),
    Column("currency", "cur.", title="Account currency"),
    Column("trades", "trades", "count", "Closed trades"),
    Column("win_rate", "win %", "number", "Trades with a net above zero, percent", 1),
    Column("profit_factor", "profit factor", "number", "Net of the wins / net of the losses; none without losses"),
    Column(
        "sharpe",
        "Sharpe",
        "number",
        "Per trade, not annualised: mean(r) / standard deviation(r), r = net / balance before",
    ),
    Column("sortino", "Sortino", "number", "Per trade, not annualised: mean(r) / √mean(min(r, 0)²)"),
    Column(
        "max_drawdown_pct", "drawdown %", "number", "Largest fall of equity in percent of its peak, every tick counted"
    ),
    Column("expectancy", "expectancy", "signed", "Mean net of a trade"),
    Column("exposure", "in market %", "number", "Percent of the window's time with a position", 1),
    Column("rejected", "rejected", "count", "Orders that the broker refused"),
    Column("first_time", "from", "time", "First tick, UTC"),
    Column("ticks", "ticks", "count"),
    Column("ticks_per_s", "ticks/s", "count", "Ticks per second of task time"),
    Column("execution_time_s", "took", "duration", "Task time"),
)


def index_html(
    run: RunData,
    rows: pd.DataFrame,
    pages: Mapping[int, str],
    quality: Sequence[tuple[str, QualityReport | None, str]],
    frame: Mapping[str, Any],
) -> str:
    """The page.

    Args:
        run: The run.
        rows: The scenarios of the table, in its order, at most `MOST_ROWS`.
        pages: Link to each scenario's page, by place in the set.
        quality: Symbol, report and a note, for each symbol that was looked at.
        frame: What every page of the report shows.
    """
    scenarios, metrics = run.scenarios, run_metrics(run.scenarios)
    shown = rows.assign(
        status=rows["error_type"].astype(object).where(~rows["success"].astype(bool), "completed").fillna("failed"),
        return_pct=100.0 * rows["net_profit"] / (rows["final_balance"] - rows["net_profit"]),
    )
    failures = scenarios[~scenarios["success"].astype(bool)]
    money = []
    for amounts in metrics.money:
        of_currency = scenarios[scenarios["success"].astype(bool) & (scenarios["currency"] == amounts.currency)]
        points = of_currency.head(_MOST_POINTS)
        money.append(
            {
                "metrics": amounts,
                "net": figures.distribution(of_currency["net_profit"], "net profit", amounts.currency),
                "drawdown": figures.distribution(of_currency["max_drawdown_pct"], "max drawdown", "%", signed=False),
                "scatter": figures.run_scatter(points, amounts.currency, points["name"].tolist()),
                "scatter_cut": len(of_currency) > len(points),
            }
        )
    kinds = {"operation": "Tick loop", "worker": "Workers and logic", "startup": "Start-up"}
    profile = [(kinds[kind], lines) for kind in kinds if (lines := profile_lines(run.profile, kind))]
    values = {
        **frame,
        "metrics": metrics,
        "money": money,
        "table": make_table(
            "scenarios", "Scenarios", shown, _COLUMNS, [pages.get(int(index)) for index in shown["index"]]
        ),
        "left_out": len(scenarios) - len(shown),
        "missing": int(run.info["scenarios"]) - len(scenarios),
        "failures": [
            {"more": 0, **{name: None if pd.isna(value) else value for name, value in failure.items()}}
            for failure in failures.head(MOST_ERRORS).to_dict("records")
        ],
        "failures_left_out": max(0, len(failures) - MOST_ERRORS),
        "pages": pages,
        "quality": quality,
        "profile": profile,
        "info": {**dict.fromkeys(_FACTS), **run.info},  # a run that was interrupted has not all of them
        "seeds": _seeds(run),
    }
    return render("index.html", values)


def _seeds(run: RunData) -> str:
    """The seeds of the scenarios, as far as a line has room for them."""
    seeds = sorted({each.seed for each in run.config.scenarios if isinstance(each, ScenarioConfig)})
    more = f" and {len(seeds) - _MOST_SEEDS:,} more" if len(seeds) > _MOST_SEEDS else ""
    return ", ".join(map(str, seeds[:_MOST_SEEDS])) + more
