"""The summary that a run prints when it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from finiex_ray.display.numbers import count, duration, money, percent, rate, ratio
from finiex_ray.report.metrics import CurrencyMetrics, ProfileLine, RunMetrics, profile_lines, run_metrics
from finiex_ray.results.reader import RunData

__all__ = ["print_summary"]

_MOST_ROWS: Final = 40
_MOST_FAILURES: Final = 20
_MESSAGE_CHARACTERS: Final = 600


def print_summary(run: RunData, console: Console, most_rows: int = _MOST_ROWS, report: Path | None = None) -> None:
    """Prints scenarios (failures first), profile, failures and totals.

    Args:
        run: A finished run.
        console: Where to print; colours appear on a terminal only.
        most_rows: Scenario rows to print at most.
        report: First page of the run's report, if it has one.
    """
    metrics = run_metrics(run.scenarios)
    console.print(_scenario_table(run.scenarios, most_rows, console.width))
    _print_profile(run.profile, console)
    _print_failures(run, console)
    console.print(_totals(run, metrics))
    console.print(Text(f"Results: {run.run_dir.path}"), soft_wrap=True)
    if report is not None:
        console.print(Text(f"Report:  {report}"), soft_wrap=True)


def _table(title: str, left: tuple[str, ...], right: tuple[str, ...]) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
    )
    for name in left:
        table.add_column(name, no_wrap=True, overflow="ellipsis", max_width=36)
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _scenario_table(scenarios: pd.DataFrame, most_rows: int, width: int) -> Table:
    columns = [column for column in _COLUMNS if column.from_width <= width]
    table = _table("Scenarios", ("scenario", "symbol", "status"), tuple(column.name for column in columns))
    ordered = scenarios.sort_values("success", kind="stable")
    for row in ordered.head(most_rows).to_dict("records"):
        values = {str(key): None if pd.isna(value) else value for key, value in row.items()}
        status = Text("ok", style="green") if values["success"] else Text("failed", style="bold red")
        table.add_row(
            Text(str(values["name"])), Text(str(values["symbol"])), status, *(column.cell(values) for column in columns)
        )
    if len(scenarios) > most_rows:
        table.caption = f"… and {len(scenarios) - most_rows:,} more in scenarios.parquet"
    return table


def _coloured(amount: float | None) -> Text:
    style = "" if not amount else "green" if amount > 0 else "red"
    return Text(money(amount), style=style)


class _Column(NamedTuple):
    """A column of the scenario table, and the width of the console from which on there is room for it."""

    name: str
    from_width: int
    cell: Callable[[Mapping[str, Any]], Text | str]


def _net_profit(row: Mapping[str, Any]) -> Text:
    amount = row["net_profit"]
    return _coloured(amount).append(f" {row['currency']}", style="dim") if amount is not None else _coloured(None)


_COLUMNS: Final = (
    _Column("ticks", 0, lambda row: count(row["ticks"])),
    _Column("ticks/s", 90, lambda row: rate(row["ticks_per_s"])),
    _Column("trades", 0, lambda row: count(row["trades"])),
    _Column("win rate", 110, lambda row: percent(row["win_rate"])),
    _Column("net profit", 0, _net_profit),
    _Column("drawdown", 100, lambda row: percent(row["max_drawdown_pct"], 2)),
    _Column("profit factor", 130, lambda row: ratio(row["profit_factor"])),
    _Column("Sharpe", 130, lambda row: ratio(row["sharpe"])),
    _Column("took", 0, lambda row: duration(row["execution_time_s"])),
)


def _print_profile(profile: pd.DataFrame, console: Console) -> None:
    loop = profile_lines(profile, "loop")
    titles = {"operation": "Profile of the tick loop", "worker": "Workers and logic", "startup": "Start-up"}
    for kind, title in titles.items():
        lines = profile_lines(profile, kind)
        if lines:
            console.print(
                _profile_table(title, lines, by_tick=kind != "startup", loop=loop if kind == "operation" else [])
            )


def _profile_table(title: str, lines: list[ProfileLine], *, by_tick: bool, loop: list[ProfileLine]) -> Table:
    ticks = ("per tick",) if by_tick else ()
    table = _table(title, ("operation",), ("total", "calls", "per call", *ticks, "share"))
    for line in lines:
        table.add_row(*_profile_cells(line, by_tick), percent(line.share))
    for line in loop:
        table.add_section()
        table.add_row(*_profile_cells(line, by_tick), "")
    return table


def _profile_cells(line: ProfileLine, by_tick: bool) -> list[Text | str]:
    cells: list[Text | str] = [
        Text(line.operation),
        duration(line.total_s),
        count(line.calls),
        duration(line.per_call_s),
    ]
    return [*cells, duration(line.per_tick_s)] if by_tick else cells


def _print_failures(run: RunData, console: Console) -> None:
    failures = run.scenarios[~run.scenarios["success"]]
    if failures.empty:
        return
    console.print(Text(f"Failures ({len(failures):,})", style="bold red"))
    for row in failures.head(_MOST_FAILURES).to_dict("records"):
        tick = "" if pd.isna(row["error_tick"]) else f" at tick {row['error_tick']:,}"
        kind = "" if pd.isna(row["error_type"]) else str(row["error_type"])
        message = "" if pd.isna(row["error_message"]) else str(row["error_message"])
        if len(message) > _MESSAGE_CHARACTERS:
            message = message[:_MESSAGE_CHARACTERS] + " …"
        text = Text.assemble("  ", (str(row["name"]), "bold"), ": ", (kind + tick, "red"), f": {message}")
        console.print(text, soft_wrap=True)
        console.print(Text(f"    {run.run_dir.logs / str(row['log'])}", style="dim"), soft_wrap=True)
    if len(failures) > _MOST_FAILURES:
        console.print(Text(f"  … and {len(failures) - _MOST_FAILURES:,} more in scenarios.parquet", style="dim"))
    console.print()


def _totals(run: RunData, metrics: RunMetrics) -> Table:
    info = run.info
    wall_s = info.get("wall_s")
    table = Table(title=f"Run {run.run_id}", title_justify="left", title_style="bold", box=None, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("set", Text(f"{info.get('set', '')} on {info.get('executor', '?')}, {info.get('status', '?')}"))
    failed = Text(f"{metrics.failed:,} failed", style="bold red" if metrics.failed else "")
    table.add_row("scenarios", Text.assemble(f"{metrics.completed:,} completed, ", failed))
    table.add_row("ticks", f"{metrics.ticks:,}")
    if wall_s:
        speed = f"{rate(metrics.ticks / wall_s)} overall, {rate(metrics.ticks_per_task_s)} per task"
        table.add_row("time", f"{duration(wall_s)}, ticks {speed}")
    orders = f"{metrics.orders:,} orders, {metrics.rejected:,} rejected"
    table.add_row("trades", f"{metrics.trades:,}, {percent(metrics.win_rate)} won, {orders}")
    for amounts in metrics.money:
        table.add_row(f"net {amounts.currency}", _money_text(amounts))
    if info.get("result_hash"):
        table.add_row("result hash", Text(str(info["result_hash"])))
    return table


def _money_text(amounts: CurrencyMetrics) -> Text:
    low, high = amounts.quartiles
    return Text.assemble(
        _coloured(amounts.net_profit),
        f" (gross {money(amounts.gross)}, commission {money(amounts.commission)}, swap {money(amounts.swap)}); ",
        f"{amounts.profitable:,} of {amounts.scenarios:,} scenarios above zero\n",
        f"median {money(amounts.median)}, middle half {money(low)} to {money(high)}\n",
        f"best {money(amounts.best[1])} {amounts.best[0]}, worst {money(amounts.worst[1])} {amounts.worst[0]}\n",
        f"largest drawdown {percent(amounts.max_drawdown_pct, 2)}",
    )
