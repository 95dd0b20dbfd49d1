"""``report.html`` of a sweep: tables and figures on one page that needs no network."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from finiex_ray.core.errors import ConfigError
from finiex_ray.core.text import printable
from finiex_ray.results.files import write_atomic
from finiex_ray.sweep.charts import equity_curve

if TYPE_CHECKING:
    from finiex_ray.sweep.results import SweepData

__all__ = ["write_report"]

_BEST_ROWS: Final = 25
_POLICY: Final = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
_STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;color-scheme:light dark}
table{border-collapse:collapse;font-size:13px;display:block;overflow-x:auto}
th,td{padding:.25em .7em;text-align:right;border-bottom:1px solid #8884}
h2{margin-top:2em}
"""


def write_report(sweep: SweepData) -> Path:
    """Writes the page; Plotly's script is put into it once.

    Raises:
        ConfigError: If plotly is not installed.
    """
    info, metric = sweep.info, next(iter(sweep.objectives))
    title = f"{info.get('set', '')}: {len(sweep.params)} parameters, {info.get('trials', 0):,} trials"
    parts = [f"<h1>{escape(printable(title))}</h1>", _table(_facts(sweep)), "<h2>Best trials</h2>"]
    parts.append(_table(sweep.ranked().head(_BEST_ROWS).drop(columns=["fold"] if info["kind"] == "sweep" else [])))
    parts += [
        "<h2>Share of the variance that each parameter explains</h2>",
        _table(sweep.importance().to_frame().reset_index(names="parameter")),
    ]
    figures = []
    wide = [path for path in sweep.params if sweep.complete[path].nunique() > 1]
    if len(wide) >= 2:
        first, second = (
            (path for path in sweep.importance().index if path in wide[:])
            if len(wide) == 2
            else list(sweep.importance().index)[:2]
        )
        figures.append(sweep.heatmap(first, second))
    figures.append(sweep.parallel())
    equity = getattr(sweep, "stitched", sweep.equity)
    if len(equity):
        figures.append(
            equity_curve(
                equity,
                "Equity out of sample" if info["kind"] == "walk_forward" else f"Equity of the best trial by {metric}",
            )
        )
    if info["kind"] == "walk_forward":
        parts += ["<h2>Folds</h2>", _table(sweep.folds)]  # type: ignore[attr-defined]
    parts += ["<h2>Does it hold?</h2>", f"<p>{escape(_verdict(sweep))}</p>", "<h2>Figures</h2>"]
    for number, figure in enumerate(figures):
        parts.append(figure.to_html(full_html=False, include_plotlyjs=number == 0, config={"displaylogo": False}))
    head = (
        "<meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><title>{escape(printable(title))}</title>'
    )
    path = sweep.run_dir.path / "report.html"
    write_atomic(
        path,
        f"<!doctype html><html lang='en'><head>{head}<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n",
    )
    return path


def _facts(sweep: SweepData) -> pd.DataFrame:
    info = sweep.info
    names = ("run_id", "status", "executor", "data", "trials", "scenarios", "failed", "ticks", "wall_s")
    return pd.DataFrame([{name: info.get(name) for name in names}])


def _verdict(sweep: SweepData) -> str:
    try:
        return str(sweep.overfitting())
    except ConfigError as error:
        return f"Cannot be told: {error}"


def _table(frame: pd.DataFrame) -> str:
    shown = frame.map(lambda value: printable(value) if isinstance(value, str) else value)
    shown.columns = [printable(str(name)) for name in shown.columns]
    html: str = shown.to_html(index=False, border=0, escape=True, float_format=lambda value: f"{value:,.6g}")
    return html
