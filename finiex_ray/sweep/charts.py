"""Figures of a sweep for notebooks: heat map, parallel coordinates. Plotly is imported when one is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from finiex_ray.core.errors import ConfigError
from finiex_ray.core.text import printable

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from finiex_ray.sweep.results import SweepData

__all__ = ["class_labels", "classes", "heatmap", "parallel"]

_AGGREGATES: Final = ("mean", "median", "min", "max")
_MOST_CLASSES: Final = 40  # cells along an axis; more values than that are put into classes
_FEW_VALUES: Final = 8  # always shown as they are
_MARGIN: Final = {"l": 70, "r": 20, "t": 50, "b": 60}


def _graphs() -> Any:
    try:
        import plotly.graph_objects
    except ImportError as error:
        raise ConfigError(f"cannot import plotly ({error}); install it (pip install 'finiex-ray[sweep]')") from error
    return plotly.graph_objects


def heatmap(sweep: SweepData, x: str, y: str, metric: str, aggregate: str) -> Figure:
    """See `SweepData.heatmap`."""
    if aggregate not in _AGGREGATES:
        raise ConfigError(f"aggregate {aggregate!r}: take one of {', '.join(_AGGREGATES)}")
    graphs = _graphs()
    across, up = sweep.path(x), sweep.path(y)
    points = pd.DataFrame(
        {
            "x": classes(sweep.complete[across]),
            "y": classes(sweep.complete[up]),
            "z": sweep.metric(metric).astype(float),
        }
    )
    table = points.pivot_table(index="y", columns="x", values="z", aggfunc=aggregate, observed=True)  # type: ignore[arg-type]
    figure = graphs.Figure(
        graphs.Heatmap(
            x=class_labels(table.columns),
            y=class_labels(table.index),
            z=table.to_numpy(),
            colorscale="RdYlGn" if sweep.objectives.get(metric, "maximize") == "maximize" else "RdYlGn_r",
            colorbar={"title": {"text": printable(metric)}},
            hovertemplate="<br>".join([f"{across}: %{{x}}", f"{up}: %{{y}}", f"{metric}: %{{z:.6g}}<extra></extra>"]),
        )
    )
    figure.update_layout(
        title=f"{printable(metric)}, {aggregate} of the trials of each cell",
        xaxis={"title": {"text": printable(across)}, "type": "category"},
        yaxis={"title": {"text": printable(up)}, "type": "category"},
        margin=_MARGIN,
    )
    return figure


def classes(values: pd.Series) -> pd.Series:
    """Values of an axis; numbers that are too many, or that hardly repeat, become the middles of classes of equal width."""
    different = values.nunique()
    if different <= _FEW_VALUES or not pd.api.types.is_numeric_dtype(values):
        return values
    if different <= _MOST_CLASSES and different * 3 <= len(values):
        return values
    number = min(_MOST_CLASSES // 2, max(4, round(len(values) ** 0.5)))
    return pd.cut(values.astype(float), number).map(lambda each: float(f"{each.mid:.4g}")).astype(float)


def class_labels(values: pd.Index) -> list[str]:
    """Values of an axis as texts."""
    return [f"{value:.6g}" if isinstance(value, float) else printable(str(value)) for value in values]


def parallel(sweep: SweepData, metric: str) -> Figure:
    """See `SweepData.parallel`."""
    graphs = _graphs()
    values = sweep.metric(metric).astype(float)
    dimensions = [_dimension(path, sweep.complete[path]) for path in sweep.params]
    dimensions.append({"label": printable(metric), "values": values.to_numpy()})
    line = {
        "color": values.to_numpy(),
        "colorscale": "Viridis",
        "showscale": True,
        "colorbar": {"title": {"text": printable(metric)}},
    }
    figure = graphs.Figure(graphs.Parcoords(line=line, dimensions=dimensions))
    figure.update_layout(title=f"{len(values):,} trials by {printable(metric)}", margin={**_MARGIN, "t": 90})
    return figure


def _dimension(path: str, column: pd.Series) -> dict[str, Any]:
    label = printable(path)
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return {"label": label, "values": column.astype(float).to_numpy()}
    codes, words = pd.factorize(column.astype(str), sort=True)
    return {
        "label": label,
        "values": codes,
        "tickvals": list(range(len(words))),
        "ticktext": [printable(word) for word in words],
    }
