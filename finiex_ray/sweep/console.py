"""The summary that a sweep prints when it is done."""

from __future__ import annotations

from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from finiex_ray.core.errors import ConfigError
from finiex_ray.core.text import printable
from finiex_ray.display.numbers import count, duration, rate
from finiex_ray.sweep.results import SweepData, WalkForwardData

__all__ = ["print_sweep"]


def print_sweep(sweep: SweepData, console: Console, most_rows: int = 10) -> None:
    """Prints the best trials (of a walk-forward the folds), what failed, whether it holds, and the totals."""
    info = sweep.info
    if isinstance(sweep, WalkForwardData):
        _print_frame("Folds", sweep.folds, console)
        console.print(Text(f"Efficiency, profit a day out of sample / in sample: {sweep.efficiency:.3f}"))
    else:
        _print_frame("Best trials", sweep.ranked().drop(columns=["fold", "state"]).head(most_rows), console)
        _print_frame("Variance explained", sweep.importance().to_frame().reset_index(names="parameter"), console)
    for row in sweep.failed.head(most_rows).to_dict("records"):
        console.print(
            Text(f"failed: {row['name']}: {row['error_type']}: {row['error_message']}", style="red"), soft_wrap=True
        )
    try:
        verdict = str(sweep.overfitting())
    except ConfigError as error:
        verdict = f"whether it holds cannot be told: {error}"
    console.print(Text(verdict), soft_wrap=True)
    wall_s = info.get("wall_s")
    speed = f", {duration(wall_s)}, {rate(info['ticks'] / wall_s)} of ticks" if wall_s else ""
    counts = ", ".join(f"{count(info[name])} {name}" for name in ("trials", "scenarios", "failed"))
    console.print(Text(f"{counts}, on {info['executor']}{speed}"))
    console.print(Text(f"Results: {sweep.run_dir.path}"), soft_wrap=True)


def _print_frame(title: str, frame: pd.DataFrame, console: Console) -> None:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for name in frame.columns:
        table.add_column(printable(str(name).rpartition(".")[2]), justify="right", no_wrap=True)
    for row in frame.itertuples(index=False):
        table.add_row(*(_cell(value) for value in row))
    console.print(table)


def _cell(value: Any) -> Text:
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return Text("–")
    return Text(f"{value:,.6g}" if isinstance(value, float) else printable(str(value)))
