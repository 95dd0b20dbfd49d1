"""What `LiveDisplay` puts on a terminal: running scenarios as rows, and below them the whole run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from finiex_ray.core.text import printable
from finiex_ray.display.numbers import count, duration, money, percent, rate
from finiex_ray.display.pace import memory_text
from finiex_ray.engine.result import ProgressUpdate

if TYPE_CHECKING:  # the display loads no executor
    from finiex_ray.execution.coordinator import Totals

__all__ = ["counts_text", "screen", "totals_line"]

_FREE_LINES: Final = 3  # the heading, an empty line, and the one of the cursor
_MOST_KINDS: Final = 4
_BAR: Final = 16


class _Column(NamedTuple):
    name: str
    cell: Callable[[ProgressUpdate], RenderableType]
    from_width: int  # columns that a terminal has at least to show it
    width: int | None = None


def _share(update: ProgressUpdate) -> float:
    return update.ticks_done / update.ticks_total if update.ticks_total else 0.0


def _per_s(update: ProgressUpdate) -> float | None:
    return update.ticks_done / update.elapsed_s if update.elapsed_s > 0 else None


def _left_s(update: ProgressUpdate) -> float | None:
    per_s = _per_s(update)
    return (update.ticks_total - update.ticks_done) / per_s if per_s else None


_COLUMNS: Final = (
    _Column("symbol", lambda each: Text(printable(each.symbol)), 70),
    _Column("ticks", lambda each: count(each.ticks_done), 60),
    _Column("done", lambda each: percent(100.0 * _share(each) if each.ticks_total else None, 0), 0),
    _Column(
        "", lambda each: ProgressBar(total=max(each.ticks_total, 1), completed=each.ticks_done, width=_BAR), 100, _BAR
    ),
    _Column("rate", lambda each: rate(_per_s(each)), 45),
    _Column("ETA", lambda each: duration(_left_s(each)), 0),
    _Column("balance", lambda each: money(each.balance), 110),
    _Column("equity", lambda each: money(each.equity), 110),
    _Column("trades", lambda each: count(each.trades), 80),
)


def screen(
    updates: Sequence[ProgressUpdate],
    totals: Totals,
    pace: str,
    failures: Counter[str],
    last_failure: str,
    size: tuple[int, int],
) -> RenderableType:
    """The whole picture, never higher than the screen.

    Args:
        updates: The latest update of each running scenario.
        totals: Counts of the whole run.
        pace: Ticks, speed and time in words.
        failures: How many scenarios failed of each type of error.
        last_failure: The last one in words.
        size: Width and height of the terminal.
    """
    width, height = size
    below = [*_failure_lines(failures, last_failure), *_totals_lines(totals, pace, width)]
    room = height - len(below) - _FREE_LINES
    if room < 1:
        return Group(*below[-max(1, height - 1) :])
    parts: list[RenderableType] = []
    if len(updates) <= room:
        parts += [_table(updates, width)] if updates else []
        parts += [line for update in updates for line in _details(update)][: max(0, room - len(updates))]
    else:
        slowest = sorted(updates, key=lambda each: _left_s(each) or 0.0, reverse=True)[: max(0, room - 1)]
        parts += [_table(slowest, width)] if slowest else []
        parts.append(_rest(updates, len(slowest)))
    return Group(*parts, Text(""), *below)


def _table(updates: Sequence[ProgressUpdate], width: int) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold", expand=False)
    table.add_column("scenario", max_width=32, min_width=8, no_wrap=True, overflow="ellipsis")
    shown = [column for column in _COLUMNS if width >= column.from_width]
    for column in shown:
        side = "left" if column.name == "symbol" else "right"
        table.add_column(column.name, justify=side, no_wrap=True, width=column.width)  # type: ignore[arg-type]
    for update in updates:
        table.add_row(Text(printable(update.name)), *(column.cell(update) for column in shown))
    return table


def _rest(updates: Sequence[ProgressUpdate], shown: int) -> Text:
    """The running scenarios that have no row, in one line."""
    shares = [_share(each) for each in updates]
    what = f"… and {len(updates) - shown:,} more; the slowest are shown" if shown else f"{len(updates):,} running"
    return _line(f"{what}; half are beyond {percent(100.0 * median(shares), 0)}", "dim")


def _line(text: str, style: str = "") -> Text:
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _details(update: ProgressUpdate) -> list[Text]:
    """What the scenario exports beyond its row: shares of the operations, the forming bars."""
    lines = []
    if update.operations:
        shares = (f"{name} {percent(100.0 * share, 0)}" for name, share in update.operations.items())
        lines.append(f"{update.name}  {'  '.join(shares)}")
    for timeframe, prices in (update.bars or {}).items():
        named = zip(("open", "high", "low", "close"), prices, strict=True)
        lines.append(f"{update.name}  {timeframe}  {'  '.join(f'{name} {price:.8g}' for name, price in named)}")
    return [_line(printable(line), "dim") for line in lines]


def _failure_lines(failures: Counter[str], last: str) -> list[Text]:
    if not failures:
        return []
    kinds = ", ".join(f"{number:,} {name}" for name, number in failures.most_common(_MOST_KINDS))
    more = ", …" if len(failures) > _MOST_KINDS else ""
    return [_line(printable(f"failed: {kinds}{more}; last: {last}"), "red")]


def _totals_lines(totals: Totals, pace: str, width: int) -> list[RenderableType]:
    bar = Table.grid(padding=(0, 1))
    share = totals.ticks / totals.ticks_total if totals.ticks_total else None
    bar.add_row(
        ProgressBar(
            total=max(1, totals.ticks_total),
            completed=min(totals.ticks, totals.ticks_total),
            width=max(4, min(60, width - 8)),
        ),
        percent(None if share is None else min(100.0, 100.0 * share), 0),
    )
    counts = counts_text(totals)
    counts.no_wrap, counts.overflow = True, "ellipsis"
    memory = memory_text(totals.driver_bytes, totals.task_bytes, totals.task_processes)
    return [counts, bar, _line("  ".join(part for part in (pace, memory) if part), "cyan")]


def counts_text(totals: Totals) -> Text:
    """Scenarios done, completed, failed, running and waiting."""
    finished = totals.completed + totals.failed
    text = Text(f"{finished:,}/{finished + totals.running + totals.waiting:,} done", style="bold")
    text.append(f"  {totals.completed:,} completed", style="not bold green")
    text.append(f"  {totals.failed:,} failed", style="not bold red" if totals.failed else "not bold dim")
    text.append(f"  {totals.running:,} running  {totals.waiting:,} waiting", style="not bold")
    return text


def totals_line(totals: Totals, pace: str) -> Text:
    """All of it in one line, for logs and notebooks."""
    text = counts_text(totals)
    memory = memory_text(totals.driver_bytes, totals.task_bytes, totals.task_processes)
    for part in (pace, memory):
        if part:
            text.append(f"  {part}", style="not bold cyan")
    return text
