"""Columns of the tables of a sweep's report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from finiex_ray.core.text import printable
from finiex_ray.report.html.tables import Column
from finiex_ray.sweep.report_figures import short_names

if TYPE_CHECKING:
    from finiex_ray.sweep.results import SweepData

__all__ = ["fold_columns", "trial_columns", "window_columns"]

_MOST_DECIMALS: Final = 4
_KNOWN: Final = {
    "net_profit": ("net profit", "signed", 2),
    "max_drawdown_pct": ("drawdown %", "number", 2),
    "trades": ("trades", "count", 0),
}


def _metric(name: str, title: str) -> Column:
    label, kind, decimals = _KNOWN.get(name, (printable(name), "number", 4))
    return Column(name, label, kind, title, decimals)


def _param_columns(sweep: SweepData, frame: pd.DataFrame) -> list[Column]:
    names = short_names(sweep.params)
    return [Column(path, names[path], *_kind(frame[path], printable(path))) for path in sweep.params]


def _kind(values: pd.Series[Any], title: str) -> tuple[str, str, int]:
    """Kind, title and decimals of a parameter's column."""
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return "text", title, 0
    numbers = values.dropna().to_numpy(dtype=float)
    decimals = next(
        (
            digits
            for digits in range(_MOST_DECIMALS)
            if np.allclose(np.round(numbers, digits), numbers, rtol=0, atol=1e-9)
        ),
        _MOST_DECIMALS,
    )
    return "number", title, decimals


def trial_columns(sweep: SweepData, frame: pd.DataFrame, currency: str, *, walks: bool) -> list[Column]:
    """Columns of the table of trials."""
    titles = {
        "net_profit": f"Sum over the windows, {currency}",
        "trades": "Sum over the windows",
        "max_drawdown_pct": "Largest of the windows, percent of the peak of equity",
    }
    objectives = [_metric(name, f"Objective: {way}") for name, way in sweep.objectives.items()]
    more = [_metric(name, title) for name, title in titles.items() if name not in sweep.objectives]
    return [
        Column("trial", "trial", "count", "Number of the trial"),
        *([Column("fold", "fold")] if walks else []),
        Column("state", "state", title="complete, pruned, failed, or partial where the sweep was interrupted"),
        *objectives,
        *_param_columns(sweep, frame),
        *more,
        Column("windows", "windows", "count", "Windows that completed"),
    ]


def window_columns(currency: str, objectives: Sequence[str]) -> list[Column]:
    """Columns of the table of the best trial's scenarios."""
    known = {"net_profit", "trades", "max_drawdown_pct", "win_rate", "profit_factor", "sharpe"}
    return [
        Column("name", "scenario"),
        Column("symbol", "symbol"),
        *(_metric(name, "Objective") for name in objectives if name not in known),
        Column("net_profit", "net profit", "signed", f"Gross + commission + swap, {currency}"),
        Column("trades", "trades", "count", "Closed trades"),
        Column("win_rate", "win %", "number", "Trades with a net above zero, percent", 1),
        Column("profit_factor", "profit factor", "number", "Net of the wins / net of the losses; none without losses"),
        Column("sharpe", "Sharpe", "number", "Per trade, not annualised"),
        Column("max_drawdown_pct", "drawdown %", "number", "Largest fall of equity in percent of its peak"),
        Column("first_time", "from", "time", "First tick, UTC"),
        Column("last_time", "to", "time", "Last tick, UTC"),
        Column("ticks", "ticks", "count"),
    ]


def fold_columns(sweep: SweepData, frame: pd.DataFrame, currency: str) -> list[Column]:
    """Columns of the table of folds."""
    return [
        Column("fold", "fold"),
        Column("trial", "trial", "count", "The best trial in sample"),
        Column("in_sample_per_day", "in sample / day", "signed", f"Profit a day in sample, {currency}"),
        Column("out_of_sample_per_day", "out of sample / day", "signed", f"Profit a day out of sample, {currency}"),
        Column(
            "efficiency",
            "efficiency",
            "number",
            "Profit a day out of sample / in sample; none without profit in sample",
        ),
        Column("out_of_sample_profit", "profit out of sample", "signed", f"Net profit, {currency}"),
        *_param_columns(sweep, frame),
        Column("in_sample", "in sample", title="First and last window"),
        Column("out_of_sample", "out of sample", title="Windows"),
    ]
