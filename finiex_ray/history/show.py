"""Runs, comparisons, replays and verifications as they stand on a console."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from finiex_ray.core.memory import own_memory
from finiex_ray.core.text import printable
from finiex_ray.display.numbers import count, duration, money
from finiex_ray.display.pace import Pace, memory_text
from finiex_ray.history.compare import HashChange, MetricDifference, RunComparison
from finiex_ray.history.config_differences import ConfigDifference
from finiex_ray.history.listing import RunFacts, RunState
from finiex_ray.history.replay import Replay
from finiex_ray.history.verify import VerifyProgress, VerifyReport

__all__ = ["print_comparison", "print_facts", "print_replay", "print_runs", "print_verification", "verify_parts"]

_STYLES: Final = {
    RunState.COMPLETE: "green",
    RunState.FAILED: "bold red",
    RunState.PARTIAL: "yellow",
    RunState.RUNNING: "cyan",
    RunState.DAMAGED: "bold red",
}
_CHIEF: Final = ("success", "error_type", "ticks", "trades", "net_profit", "max_drawdown_pct", "profit_factor")
_MOST_LINES: Final = 60  # of one section
_MOST_NAMES: Final = 3
_HASH_CHARACTERS: Final = 12


def _table(*headings: str, right: Sequence[str] = ()) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in headings:
        table.add_column(heading, justify="right" if heading in right else "left", overflow="fold")
    return table


def _text(value: object) -> str:
    return printable(str(value))


def print_runs(runs: Sequence[RunFacts], console: Console) -> None:
    """A row for each run."""
    table = _table(
        *("run", "state", "set", "started (UTC)", "scenarios", "failed", "net profit", "took", "result hash"),
        right=("scenarios", "failed", "net profit", "took"),
    )
    for run in runs:
        done = run.completed + run.failed
        table.add_row(
            _text(run.run_id),
            Text(run.state.value, _STYLES[run.state]),
            _text(run.set),
            run.started[:19].replace("T", " "),
            f"{run.scenarios:,}" if done == run.scenarios else f"{done:,} of {run.scenarios:,}",
            f"{run.failed:,}" if run.failed else "",
            Text("\n".join(f"{money(amount)} {currency}" for currency, amount in run.net_profit.items())),
            duration(run.wall_s),
            (run.result_hash or "")[:_HASH_CHARACTERS],
        )
    console.print(table)
    for run in runs:
        if run.problem:
            console.print(Text(f"{run.run_id}: {_text(run.problem)}", "red"), soft_wrap=True)


def print_facts(run: RunFacts, info: dict[str, Any], console: Console) -> None:
    """What a run is, line by line."""
    versions = ", ".join(f"{name} {number}" for name, number in (info.get("versions") or {}).items() if number)
    lines = {
        "run": run.run_id,
        "state": run.state.value,
        "set": f"{run.set} ({info.get('path', 'file not known')})",
        "only": ", ".join(info.get("only") or ()),
        "overrides": ", ".join(info.get("overrides") or ()),
        "data": info.get("data", ""),
        "executor": run.executor or "",
        "started": run.started,
        "ended": info.get("finished", ""),
        "sessions": info.get("epoch", ""),
        "scenarios": f"{run.scenarios:,}: {run.completed:,} completed, {run.failed:,} failed",
        "versions": versions,
        "engine": str(info.get("engine", ""))[:_HASH_CHARACTERS],
        "folder": run.path,
    }
    for name, value in lines.items():
        if value != "":
            console.print(Text(f"{name:<11}{_text(value)}"), soft_wrap=True)


def print_comparison(found: RunComparison, console: Console) -> None:
    """Every difference, by section."""
    console.print(Text(f"A  {found.a}\nB  {found.b}"), soft_wrap=True)
    for label, names in (("only in A", found.only_a), ("only in B", found.only_b)):
        if names:
            console.print(Text(f"{label}: {_names(names, _MOST_LINES)}"), soft_wrap=True)
    _section("Configuration", ("path", "A", "B", "scenarios"), map(_config_row, found.config), console)
    _section("Totals", ("metric", "A", "B"), (_metric_row(each)[1:] for each in found.totals), console)
    _section("Scenarios", ("scenario", "metric", "A", "B"), map(_metric_row, _chief(found.metrics)), console)
    _section("Hashes", ("scenario", "changed", "because of"), map(_hash_row, found.hashes), console)
    _section("Versions and sources", ("what", "A", "B"), (_metric_row(each)[1:] for each in found.versions), console)
    if found.same:
        console.print(Text("the same configuration and the same results", "green"))


def _chief(metrics: Sequence[MetricDifference]) -> list[MetricDifference]:
    """The few metrics that tell most; all of a scenario of which none of these differs."""
    told = {each.scenario for each in metrics if each.metric in _CHIEF}
    return [each for each in metrics if each.metric in _CHIEF or each.scenario not in told]


def _section(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], console: Console) -> None:
    cells = [list(row) for row in rows]
    if not cells:
        return
    table = _table(*headings)
    table.title, table.title_justify, table.title_style = title, "left", "bold"
    for row in cells[:_MOST_LINES]:
        table.add_row(*map(Text, row))
    if len(cells) > _MOST_LINES:
        table.caption = f"… and {len(cells) - _MOST_LINES:,} more; --json has all"
    console.print(table)


def _config_row(each: ConfigDifference) -> tuple[str, ...]:
    return _text(each.path), _text(each.a), _text(each.b), _names(each.scenarios, _MOST_NAMES) or "the set"


def _metric_row(each: MetricDifference) -> tuple[str, ...]:
    return _text(each.scenario), each.metric, _value(each.a), _value(each.b)


def _hash_row(each: HashChange) -> tuple[str, ...]:
    return _text(each.scenario), ", ".join(each.hashes), ", ".join(each.inputs)


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1 else f"{value:,.2f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return count(value)
    return "–" if value is None else _text(value)


def _names(names: Sequence[str], most: int) -> str:
    shown = ", ".join(map(_text, names[:most]))
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


def print_replay(found: Replay, console: Console) -> None:
    """The verdict, the hashes, and where something differs."""
    if found.same:
        what = "failed the same way" if found.error else "the same"
        console.print(Text(f"{_text(found.scenario)}: {what} as in run {found.run_id}", "green"), soft_wrap=True)
    else:
        console.print(Text(f"{_text(found.scenario)}: not as in run {found.run_id}", "bold red"), soft_wrap=True)
    console.print(Text(f"saved hash  {found.saved_hash or 'none'}\nhash now    {found.hash or 'none'}"), soft_wrap=True)
    for label, error in (("saved error", found.saved_error), ("error now", found.error)):
        if error is not None:
            place = "" if error.tick_index is None else f" (tick {error.tick_index})"
            console.print(Text(f"{label:<12}{_text(error.type)}: {_text(error.message)}{place}"), soft_wrap=True)
    if found.changed_inputs:
        console.print(
            Text(
                "something that the result depends on is not what it was: market data, engine, or the strategy's source",
                "yellow",
            ),
            soft_wrap=True,
        )
    _lines([each.sentence() for each in found.differences], console)


def print_verification(found: VerifyReport, console: Console) -> None:
    """Problems of files, differences, and the verdict."""
    _lines(found.files, console)
    _lines([each.sentence() for each in found.differences], console)
    for name, reason in list(found.not_checked.items())[:_MOST_LINES]:
        console.print(Text(f"{_text(name)}: not checked: {_text(reason)}", "yellow"), soft_wrap=True)
    if found.changed_inputs:
        console.print(
            Text(
                f"{len(found.changed_inputs):,} scenarios depend on something that is not what it was (market data, engine, or "
                f"the strategy's source): {_names(found.changed_inputs, _MOST_NAMES)}",
                "yellow",
            ),
            soft_wrap=True,
        )
    verdict = (
        f"run {found.run_id}: {len(found.checked):,} scenarios run again, {found.rows:,} rows compared, "
        f"{len(found.differences):,} cells differ in {len(found.different):,} scenarios, "
        f"{len(found.files):,} problems of files"
    )
    console.print(Text(verdict, "bold red" if found.exit_code == 1 else "green"), soft_wrap=True)


def _lines(lines: Sequence[str], console: Console) -> None:
    for line in lines[:_MOST_LINES]:
        console.print(Text(_text(line), "red"), soft_wrap=True)
    if len(lines) > _MOST_LINES:
        console.print(Text(f"… and {len(lines) - _MOST_LINES:,} more; --json has all"))


def verify_parts(progress: VerifyProgress, pace: Pace, elapsed_s: float) -> tuple[str, str]:
    """How far a verification is, for a `ProgressLine`."""
    scenarios = f"{count(progress.run_again)}/{count(progress.scenarios)} scenarios run again"
    if progress.different:
        scenarios += f"  {count(progress.different)} differ"
    ticks = pace.text(progress.ticks, progress.ticks_total, elapsed_s)
    return scenarios, "  ".join(part for part in (ticks, memory_text(own_memory())) if part)
