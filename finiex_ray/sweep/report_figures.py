"""Figures of a sweep's report: landscape, importance, history, front, folds, equity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from finiex_ray.core.text import printable
from finiex_ray.report.html.figures import LEGEND, Figure, figure, literal
from finiex_ray.report.html.tables import plain
from finiex_ray.sweep.charts import class_labels, classes

if TYPE_CHECKING:
    from finiex_ray.sweep.results import SweepData, WalkForwardData

__all__ = ["LINES", "equity", "folds", "front", "heatmap", "history", "importance", "parallel", "short_names", "spread"]

_MOST_CELL_TRIALS: Final = 20_000
_MOST_POINTS: Final = 5_000
_MOST_EQUITY: Final = 20_000
_MOST_TICKS: Final = 8
LINES: Final = 1_000
"""Lines of the parallel coordinates."""
_FIFTHS: Final = 5
_COLOURS: Final = ("$line1", "$line2", "$line3", "$line4", "$line5", "$line6")


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """For each path as much of its end as tells it from the others."""
    found = {}
    for path in paths:
        words = path.split(".")
        ends = [".".join(words[-length:]) for length in range(1, len(words) + 1)]
        found[path] = next(
            end for end in ends if sum(other == end or other.endswith(f".{end}") for other in paths) <= 1
        )
    return {path: printable(name) for path, name in found.items()}


def spread(frame: pd.DataFrame, most: int) -> pd.DataFrame:
    """At most so many rows, evenly spread."""
    if len(frame) <= most:
        return frame
    return frame.iloc[np.linspace(0, len(frame) - 1, most).round().astype(int)]


def heatmap(sweep: SweepData, metrics: Mapping[str, bool]) -> dict[str, Any]:
    """What the page's script makes heat maps of: codes of each parameter's values, and metrics, by trial.

    Args:
        sweep: The sweep.
        metrics: Columns of the trial table, and whether large values are good.
    """
    trials = spread(sweep.complete, _MOST_CELL_TRIALS)
    names = short_names(sweep.params)
    params = []
    for path in sweep.params:
        values = classes(trials[path])
        codes, found = pd.factorize(values, sort=True)
        labels = class_labels(pd.Index(found))
        coded = [None if code < 0 else int(code) for code in codes]
        params.append({"path": printable(path), "label": names[path], "values": labels, "codes": coded})
    measured = [
        {"label": printable(name), "maximize": large, "values": plain(trials[name].astype(float))}
        for name, large in metrics.items()
    ]
    return {"params": params, "metrics": measured, "trials": len(trials)}


def parallel(sweep: SweepData, rows: pd.DataFrame, metric: str) -> dict[str, Any]:
    """What the page's script draws parallel coordinates of: positions from 0 to 1 along each axis.

    Args:
        sweep: The sweep.
        rows: The table of trials, from the best one on; those that completed get a line, at most `LINES`.
        metric: Its column that colours the lines.
    """
    numbered = rows.assign(_row=range(len(rows)))
    done = numbered[(numbered["state"] == "complete").to_numpy()]
    half = LINES // 2
    chosen = done if len(done) <= LINES else pd.concat([done.head(half), spread(done.iloc[half:], LINES - half)])
    names = short_names(sweep.params)
    shown = [path for path in sweep.params if sweep.complete[path].nunique() > 1]
    axes = [_axis(path, names[path], chosen[path]) for path in shown]
    axes.append(_axis(metric, printable(metric), chosen[metric].astype(float)))
    ranks = np.arange(len(chosen)) * _FIFTHS // max(1, len(chosen))  # the best come first
    return {
        "axes": axes,
        "rows": chosen["_row"].tolist(),
        "names": [_trial_name(fold, trial) for fold, trial in zip(chosen["fold"], chosen["trial"], strict=True)],
        "fifths": (_FIFTHS - 1 - ranks).tolist(),
        "legend": ["worst fifth", "fourth", "third", "second", "best fifth"],
    }


def _axis(path: str, label: str, values: pd.Series[Any]) -> dict[str, Any]:
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        numbers = values.to_numpy(dtype=float)
        low, high = (float(np.nanmin(numbers)), float(np.nanmax(numbers))) if len(numbers) else (0.0, 1.0)
        width = high - low or 1.0
        distinct = np.unique(numbers[np.isfinite(numbers)])
        marks = distinct if len(distinct) <= _MOST_TICKS else np.linspace(low, high, 5)
        positions = [round(float((value - low) / width), 4) if np.isfinite(value) else None for value in numbers]
        ticks = [[round(float((mark - low) / width), 4), f"{mark:.4g}"] for mark in marks]
        texts = [f"{value:.6g}" for value in numbers]
    else:
        codes, words = pd.factorize(values.astype(str), sort=True)
        steps = max(1, len(words) - 1)
        positions = [round(code / steps, 4) for code in codes.tolist()]
        shown = range(len(words)) if len(words) <= _MOST_TICKS else (0, len(words) - 1)
        ticks = [[round(place / steps, 4), printable(str(words[place]))] for place in shown]
        texts = [printable(str(value)) for value in values]
    return {"path": printable(path), "label": label, "positions": positions, "ticks": ticks, "texts": texts}


def _trial_name(fold: Any, trial: Any) -> str:
    return literal(f"{fold} trial {trial}".strip())


def importance(sweep: SweepData, metric: str) -> Figure:
    """Share of the metric's variance that each parameter explains on its own, the largest at the top."""
    shares = sweep.importance(metric).dropna()[::-1]
    names = short_names(sweep.params)
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": [round(100.0 * float(share), 4) for share in shares],
        "y": [literal(names[path]) for path in shares.index],
        "text": [f"{100.0 * share:.1f} %" for share in shares],
        "textposition": "auto",
        "textangle": 0,
        "hovertemplate": "%{y}: %{x:.2f} %<extra></extra>",
        "marker": {"color": "$accent"},
    }
    axis = {"title": {"text": "variance explained, %"}, "rangemode": "tozero"}
    return figure([bars], {"xaxis": axis, "yaxis": {"type": "category"}}, 110 + 34 * max(3, len(shares)))


def history(sweep: SweepData, metric: str) -> Figure:
    """The metric of each completed trial, and the best one so far; for each fold of a walk-forward a line of its own."""
    data: list[dict[str, Any]] = []
    large = sweep.objectives.get(metric, "maximize") == "maximize"
    points = spread(sweep.complete, _MOST_POINTS)
    data.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": "trial",
            "x": plain(points["trial"]),
            "y": plain(points[metric].astype(float)),
            "text": [_trial_name(*each) for each in zip(points["fold"], points["trial"], strict=True)],
            "hovertemplate": "%{text}<br>%{y:,.6g}<extra></extra>",
            "marker": {"size": 6, "color": "$muted", "opacity": 0.6},
        }
    )
    for place, (fold, own) in enumerate(sweep.complete.groupby("fold", observed=True, sort=True)):
        ordered = own.sort_values("trial")
        values = ordered[metric].astype(float)
        best = values.cummax() if large else values.cummin()
        moved = spread(ordered.assign(best=best)[best.ne(best.shift()).to_numpy()], _MOST_POINTS)
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": literal(f"best so far {fold}".strip()),
                "x": [*plain(moved["trial"]), int(ordered["trial"].iloc[-1])],
                "y": [*plain(moved["best"]), float(best.iloc[-1])],
                "line": {"shape": "hv", "width": 2, "color": _COLOURS[place % len(_COLOURS)]},
                "hovertemplate": "best so far %{y:,.6g}<extra></extra>",
            }
        )
    layout = {
        "xaxis": {"title": {"text": "trial"}},
        "yaxis": {"title": {"text": printable(metric)}},
        "legend": LEGEND,
        "margin": {"l": 64, "r": 16, "t": 32, "b": 40},
    }
    return figure(data, layout, 330)


def front(sweep: SweepData, first: str, second: str) -> Figure:
    """Two objectives of each completed trial, and those that no other one beats in every objective."""
    best = sweep.pareto()
    rest = spread(sweep.complete.drop(best.index), _MOST_POINTS)
    data = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "x": plain(trials[first].astype(float)),
            "y": plain(trials[second].astype(float)),
            "text": [_trial_name(*each) for each in zip(trials["fold"], trials["trial"], strict=True)],
            "hovertemplate": f"%{{text}}<br>{literal(first)} %{{x:,.6g}}<br>{literal(second)} %{{y:,.6g}}<extra></extra>",
            "marker": {"size": size, "color": colour, "symbol": symbol, "opacity": 0.8},
        }
        for name, trials, colour, symbol, size in (
            ("other trials", rest, "$muted", "circle", 6),
            ("on the front", best, "$accent", "diamond", 9),
        )
    ]
    layout = {
        "xaxis": {"title": {"text": printable(first)}},
        "yaxis": {"title": {"text": printable(second)}},
        "legend": LEGEND,
        "margin": {"l": 64, "r": 16, "t": 32, "b": 40},
    }
    return figure(data, layout, 330)


def folds(sweep: WalkForwardData, currency: str) -> Figure:
    """Profit a day of each fold's best trial, in sample and out of sample."""
    table = sweep.folds
    bars = [
        {
            "type": "bar",
            "name": name,
            "x": [literal(str(fold)) for fold in table["fold"]],
            "y": plain(table[column].astype(float)),
            "hovertemplate": f"{name} %{{y:,.2f}}<extra></extra>",
            "marker": {"color": colour},
        }
        for name, column, colour in (
            ("in sample", "in_sample_per_day", "$muted"),
            ("out of sample", "out_of_sample_per_day", "$accent"),
        )
    ]
    layout = {
        "xaxis": {"type": "category"},
        "yaxis": {"title": {"text": f"profit a day, {currency}"}},
        "barmode": "group",
        "legend": LEGEND,
        "margin": {"l": 64, "r": 16, "t": 32, "b": 40},
    }
    return figure(bars, layout, 300)


def equity(curve: pd.DataFrame, currency: str) -> Figure:
    """Equity over time, each window a stretch of the line.

    Args:
        curve: A table like `RunData.equity`, window after window.
        currency: Of the account.
    """
    step = max(1, -(-len(curve) // _MOST_EQUITY))
    x: list[Any] = []
    y: list[Any] = []
    texts: list[str] = []
    for name, part in curve.groupby("scenario", observed=True, sort=False):
        kept = part.iloc[sorted({*range(0, len(part), step), len(part) - 1})]
        x += [*plain(kept["time"]), None]
        y += [*plain(kept["equity"]), None]
        texts += [literal(printable(str(name)))] * (len(kept) + 1)
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": "equity",
        "x": x,
        "y": y,
        "text": texts,
        "xaxis": "x",
        "yaxis": "y",
        "line": {"width": 1.5, "color": "$accent"},
        "hovertemplate": "%{text}<br>%{x}<br>%{y:,.2f}<extra></extra>",
    }
    layout = {"xaxis": {"type": "date"}, "yaxis": {"title": {"text": f"equity, {currency}"}, "tickformat": ","}}
    return figure([line], layout, 330)
