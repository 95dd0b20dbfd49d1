"""`LiveDisplay`: a row for each running scenario and the totals, or plain lines where there is no terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from finiex_ray.core.text import printable
from finiex_ray.display.numbers import count, duration, money, percent, rate
from finiex_ray.engine.result import ProgressUpdate, ScenarioResult

if TYPE_CHECKING:  # the display loads no executor
    from finiex_ray.execution.coordinator import Totals

__all__ = ["LiveDisplay"]

_REFRESH_S: Final = 0.1
_PLAIN_S: Final = 2.0
_MOST_FAILURE_LINES: Final = 20
_FRAME_LINES: Final = 6  # of the screen that are no scenario rows


class LiveDisplay:
    """Shows a run under way, on stderr, so that stdout stays clean.

    Use it as a context manager; `update` and `finished` return at once, may be called as often as one likes, and from
    different threads. Colours and the moving table appear on a terminal only; ``NO_COLOR`` is honoured.

    Args:
        quiet: Show nothing.
        console: Where to show it; default: stderr.
        clock: Seconds that never go back.
    """

    def __init__(
        self, *, quiet: bool = False, console: Console | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console or Console(stderr=True)
        self._quiet, self._clock = quiet, clock
        self._live: Live | None = None
        self._shown_s = clock()
        self._failures = 0
        if not quiet and self._console.is_terminal and not self._console.is_dumb_terminal:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def update(self, updates: Sequence[ProgressUpdate], totals: Totals) -> None:
        """Shows how far a run is.

        Args:
            updates: The latest update of each running scenario.
            totals: Counts of the whole run.
        """
        now_s = self._clock()
        pause_s = _REFRESH_S if self._live is not None else _PLAIN_S
        if self._quiet or now_s - self._shown_s < pause_s:
            return
        self._shown_s = now_s
        if self._live is not None:
            self._live.update(_screen(updates, totals, self._console.height), refresh=True)
        else:
            self._print(_totals_text(totals))

    def note(self, text: str) -> None:
        """Shows a line."""
        if not self._quiet:
            self._print(Text(printable(text)))

    def finished(self, result: ScenarioResult) -> None:
        """Tells of a scenario that failed, at once; of the first ones only, as the summary lists them all."""
        if self._quiet or result.success or result.error is None:
            return
        self._failures += 1
        if self._failures > _MOST_FAILURE_LINES + 1:
            return
        if self._failures > _MOST_FAILURE_LINES:
            self._print(Text("further failures are in the summary", style="red"))
            return
        place = "" if result.error.tick_index is None else f" at tick {result.error.tick_index:,}"
        text = f"failed: {result.name}: {result.error.type}{place}: {result.error.message}"
        self._print(Text(printable(text), style="red"))

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)


def _screen(updates: Sequence[ProgressUpdate], totals: Totals, height: int) -> RenderableType:
    room = max(1, height - _FRAME_LINES)
    shown = updates if len(updates) <= room else updates[: max(1, room - 1)]
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold", expand=False)
    table.add_column("scenario", max_width=32, no_wrap=True, overflow="ellipsis")
    table.add_column("symbol", no_wrap=True)
    for name in ("ticks", "done"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", width=16)
    for name in ("rate", "ETA", "balance", "equity", "trades"):
        table.add_column(name, justify="right", no_wrap=True)
    for update in shown:
        table.add_row(*_cells(update))
    parts: list[RenderableType] = [table]
    if len(shown) < len(updates):
        parts.append(Text(f"… and {len(updates) - len(shown):,} more", style="dim"))
    details = [line for update in shown for line in _details(update)]
    parts += details[: room - len(shown)]
    return Group(*parts, Text(""), _totals_text(totals))


def _cells(update: ProgressUpdate) -> list[RenderableType]:
    done, total = update.ticks_done, update.ticks_total
    per_s = done / update.elapsed_s if update.elapsed_s > 0 else None
    left_s = (total - done) / per_s if per_s else None
    return [
        Text(printable(update.name)),
        Text(printable(update.symbol)),
        count(done),
        percent(100.0 * done / total if total else None, 0),
        ProgressBar(total=max(total, 1), completed=done, width=16),
        rate(per_s),
        duration(left_s),
        money(update.balance),
        money(update.equity),
        count(update.trades),
    ]


def _details(update: ProgressUpdate) -> list[Text]:
    """What the scenario exports beyond its row: shares of the operations, the forming bars."""
    lines = []
    if update.operations:
        shares = (f"{name} {percent(100.0 * share, 0)}" for name, share in update.operations.items())
        lines.append(f"{update.name}  {'  '.join(shares)}")
    for timeframe, prices in (update.bars or {}).items():
        named = zip(("open", "high", "low", "close"), prices, strict=True)
        lines.append(f"{update.name}  {timeframe}  {'  '.join(f'{name} {price:.8g}' for name, price in named)}")
    return [Text(printable(line), style="dim", no_wrap=True, overflow="ellipsis") for line in lines]


def _totals_text(totals: Totals) -> Text:
    finished = totals.completed + totals.failed
    scenarios = finished + totals.running + totals.waiting
    per_s = totals.ticks / totals.elapsed_s if totals.elapsed_s > 0 else None
    left_s = max(0, totals.ticks_total - totals.ticks) / per_s if per_s else None
    text = Text(f"{finished:,}/{scenarios:,} done", style="bold")
    text.append(f"  {totals.completed:,} completed", style="not bold green")
    text.append(f"  {totals.failed:,} failed", style="not bold red" if totals.failed else "not bold dim")
    text.append(f"  {totals.running:,} running  {totals.waiting:,} waiting", style="not bold")
    text.append(f"  {count(totals.ticks)} of {count(totals.ticks_total)} ticks  {rate(per_s)}", style="not bold cyan")
    text.append(f"  {duration(totals.elapsed_s)} elapsed  ETA {duration(left_s)}", style="not bold")
    return text
