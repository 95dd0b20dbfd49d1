"""Charts as plain Plotly figures. A colour is a name with a dollar sign, which the page's script turns into one of its theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from finiex_ray.report.html.tables import plain

__all__ = ["LEGEND", "MARGIN", "Figure", "distribution", "excursions", "figure", "literal", "run_scatter"]

Figure = dict[str, Any]

MARGIN: Final = {"l": 64, "r": 16, "t": 8, "b": 40}
_BINS: Final = 40
_COUNTS: Final = {"tickformat": ",d", "rangemode": "tozero"}
LEGEND: Final = {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "font": {"size": 11}}


def figure(data: Sequence[Mapping[str, Any]], layout: Mapping[str, Any], height: int) -> Figure:
    """Traces and layout as a figure, ``height`` px high."""
    shared = {"margin": MARGIN, "height": height, "hovermode": "closest", "showlegend": len(data) > 1}
    return {"data": list(data), "layout": {**shared, **layout}}


def distribution(values: pd.Series[float], title: str, unit: str = "", *, signed: bool = True) -> Figure:
    """How often values of each size occur; signed: those at or above zero and those below are told apart."""
    found = values.dropna().to_numpy(dtype=float)
    counts, edges = np.histogram(found, bins=_edges(found))
    middle = (edges[:-1] + edges[1:]) / 2
    low, high = (np.round(part, 4).tolist() for part in (edges[:-1], edges[1:]))
    bars = {
        "type": "bar",
        "name": title,
        "x": middle.tolist(),
        "y": counts.tolist(),
        "width": float(edges[1] - edges[0]),
        "customdata": list(zip(low, high, strict=True)),
        "hovertemplate": "%{customdata[0]} to %{customdata[1]}<br>%{y}<extra></extra>",
        "marker": {
            "color": ["$accent" if not signed else "$up" if each >= 0 else "$down" for each in middle],
            "line": {"width": 1, "color": "$paper"},
        },
    }
    axis = {"title": {"text": f"{title}{f', {unit}' if unit else ''}"}}
    return figure(
        [bars],
        {
            "xaxis": axis,
            "yaxis": {**_COUNTS, "title": {"text": "scenarios"}, **({"dtick": 1} if counts.max() < 6 else {})},
            "bargap": 0,
        },
        300,
    )


def _edges(found: Any) -> Any:
    """Edges of equal bins, one of them at zero where the values lie on both sides of it."""
    low, high = (float(found.min()), float(found.max())) if len(found) else (0.0, 1.0)
    bins = min(_BINS, max(8, round(len(found) ** 0.5) * 2))
    if low == high:
        return np.array([low - 0.5, low + 0.5])
    width = (high - low) / bins
    if low < 0.0 < high:
        return np.arange(np.floor(low / width), np.ceil(high / width) + 1) * width
    return np.linspace(low, high, bins + 1)


def run_scatter(scenarios: pd.DataFrame, currency: str, names: Sequence[str]) -> Figure:
    """Net profit of each scenario over its drawdown."""
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": plain(scenarios["max_drawdown_pct"]),
        "y": plain(scenarios["net_profit"]),
        "text": [literal(name) for name in names],
        "hovertemplate": "%{text}<br>drawdown %{x:.2f} %<br>net %{y:,.2f}<extra></extra>",
        "marker": {
            "size": 8,
            "opacity": 0.75,
            "color": ["$up" if value >= 0 else "$down" for value in scenarios["net_profit"]],
            "symbol": ["circle" if value >= 0 else "diamond" for value in scenarios["net_profit"]],
        },
    }
    layout = {
        "xaxis": {"title": {"text": "max drawdown, %"}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": f"net profit, {currency}"}, "zeroline": True},
    }
    return figure([points], layout, 300)


def literal(text: str) -> str:
    """Text that Plotly shows as it is: it reads a few tags in texts of charts."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def excursions(trades: pd.DataFrame, currency: str) -> Figure:
    """Net of each trade over how far it went against (MAE) and for (MFE)."""
    net = plain(trades["net"])
    data = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "x": plain(trades[key]),
            "y": net,
            "text": [f"trade {number}" for number in trades["trade_id"]],
            "hovertemplate": f"%{{text}}<br>{name} %{{x}}<br>net %{{y:,.2f}}<extra></extra>",
            "marker": {"size": 7, "opacity": 0.75, "color": colour, "symbol": symbol},
        }
        for key, name, colour, symbol in (("mae", "MAE", "$down", "diamond"), ("mfe", "MFE", "$up", "circle"))
    ]
    layout = {
        "xaxis": {"title": {"text": "excursion, price"}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": f"net, {currency}"}},
        "legend": LEGEND,
    }
    return figure(data, layout, 300)
