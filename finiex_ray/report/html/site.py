"""`write_report` and `write_pages`: which pages a report has, and its files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import pandas as pd

from finiex_ray.config.models import ScenarioSet
from finiex_ray.core.errors import ConfigError, DataError, FiniexError, suggest
from finiex_ray.core.text import printable
from finiex_ray.core.version import __version__
from finiex_ray.data.quality import QualityReport
from finiex_ray.report.html.index_page import MOST_ROWS, index_html
from finiex_ray.report.html.market import MarketBars, MarketView
from finiex_ray.report.html.render import ASSETS, asset_bytes
from finiex_ray.report.html.scenario_page import ScenarioData, scenario_html
from finiex_ray.results.files import log_names, write_atomic, write_file
from finiex_ray.results.reader import RunData

__all__ = ["DEFAULT_PAGES", "MOST_TICKS", "Budget", "FirstPage", "Recorded", "write_pages", "write_report"]

DEFAULT_PAGES: Final = 25
"""Scenarios that get a page of their own when nobody asks for more."""
MOST_TICKS: Final = 5_000_000
"""Ticks that are read again for bars and workers' lines when nobody asks for more."""
_AT_ONCE: Final = 64  # scenarios
_MANIFEST: Final = "report.json"
_PAGE: Final = re.compile(r"scenarios/[A-Za-z0-9._-]+\.html")


class Recorded(Protocol):
    """Scenarios with their records: a run, or those scenarios of a sweep that were run again with records."""

    @property
    def run_id(self) -> str:
        """Identifier of the run."""

    @property
    def info(self) -> Mapping[str, Any]:
        """``run.json`` without the configuration."""

    @property
    def config(self) -> ScenarioSet:
        """The scenarios."""

    @property
    def scenarios(self) -> pd.DataFrame:
        """A row a scenario that has a result; ``index`` is its place in the set."""

    def rows(self, table: str, indexes: Sequence[int]) -> pd.DataFrame:
        """The rows of some scenarios in a table of records."""

    def log(self, scenario: str) -> str:
        """The log of a scenario."""


FirstPage = Callable[[Mapping[int, str], Mapping[str, Any]], str]
"""Makes ``index.html``: is given the link to each scenario's page by its place, and what every page shows."""


@dataclass
class Budget:
    """Ticks that may still be read."""

    left: float

    def take(self, ticks: int) -> bool:
        """Whether so many may be read; they are taken off then."""
        if ticks > self.left:
            return False
        self.left -= ticks
        return True


def write_report(
    run: RunData,
    market: MarketView | str,
    *,
    out: Path | None = None,
    scenarios: Collection[str] = (),
    every: bool = False,
) -> Path:
    """Writes the report of a run as web pages, and returns the first one.

    Args:
        run: The run; of one that is not finished, the scenarios that have a result.
        market: Draws bars and workers' lines, or says why nobody can.
        out: Folder of the report; default: ``report`` in the run's folder. Pages of the same results stay there.
        scenarios: Names of scenarios that get a page; without, the first `DEFAULT_PAGES` of a small run, else failures,
            best and worst.
        every: Every scenario gets a page.

    Raises:
        ConfigError: If a name is unknown, or the folder cannot be written.
    """
    budget = Budget(float("inf") if scenarios or every else MOST_TICKS)

    def first_page(pages: Mapping[int, str], frame: Mapping[str, Any]) -> str:
        shown = _ranked(run.scenarios, MOST_ROWS)
        return index_html(run, shown, pages, _quality(market, run.scenarios, budget), frame)

    folder = run.run_dir.path / "report" if out is None else out
    return write_pages(run, market, folder, first_page, scenarios=scenarios, every=every, budget=budget)


def write_pages(
    run: Recorded,
    market: MarketView | str,
    folder: Path,
    first_page: FirstPage,
    *,
    scenarios: Collection[str] = (),
    every: bool = False,
    budget: Budget | None = None,
    assets: Sequence[str] = ASSETS,
) -> Path:
    """Writes the pages of scenarios, then the first page, and returns its path.

    Args:
        run: The scenarios.
        market: See `write_report`.
        folder: Where pages go; those of the same results stay there.
        first_page: Makes the first page.
        scenarios: See `write_report`.
        every: See `write_report`.
        budget: Ticks that may be read for bars and workers' lines; default: `MOST_TICKS` unless pages were asked for.
        assets: Files that the pages share.

    Raises:
        ConfigError: If a name is unknown, or the folder cannot be written.
    """
    chosen = _choose(run.scenarios, scenarios, every=every)
    budget = budget or Budget(float("inf") if scenarios or every else MOST_TICKS)
    try:
        (folder / "scenarios").mkdir(parents=True, exist_ok=True)
        (folder / "assets").mkdir(exist_ok=True)
        for name in assets:
            write_file(folder / "assets" / name, asset_bytes(name))
        return _write_pages(run, market, folder, chosen, budget, first_page)
    except OSError as error:
        message = f"the report cannot be written ({error.strerror}); choose another place with --out"
        raise ConfigError(message, source=str(folder)) from error


def _choose(rows: pd.DataFrame, names: Collection[str], *, every: bool) -> pd.DataFrame:
    """Rows of the scenarios that get a page, in the order of the set."""
    unknown = sorted(set(names) - set(rows["name"]))
    if unknown:
        hint = suggest(unknown[0], rows["name"].tolist())
        raise ConfigError(f"the run has no result of a scenario {unknown[0]!r}.{hint}", source="--scenario")
    if every:
        return rows
    if names:
        return rows[rows["name"].isin(names)]
    return _ranked(rows, DEFAULT_PAGES)


def _ranked(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """All rows of a small run; else a fifth failures, a fifth the first ones, the best and the worst; in the order of the set."""
    if len(rows) <= most:
        return rows
    done = rows["success"].astype(bool)
    by_profit = rows[done].sort_values("net_profit", ascending=False, kind="stable")
    fifth, rest = most // 5, most - 2 * (most // 5)
    wanted = [*rows[~done].index[:fifth], *rows.index[:fifth], *by_profit.index[: rest // 2]]
    wanted += by_profit.index[::-1][: rest - rest // 2].tolist()
    kept = list(dict.fromkeys(wanted))
    kept += [place for place in by_profit.index if place not in set(kept)][: most - len(kept)]
    return rows.loc[sorted(kept)]


def _write_pages(
    run: Recorded,
    market: MarketView | str,
    folder: Path,
    chosen: pd.DataFrame,
    budget: Budget,
    first_page: FirstPage,
) -> Path:
    stems = [name.removesuffix(".log") for name in log_names(each.name for each in run.config.scenarios)]
    pages = _kept_pages(run, folder)
    frame = {"run_id": run.run_id, "set_name": printable(str(run.info.get("set", ""))), "version": __version__}
    places = chosen["index"].tolist()
    near = {
        index: (before, after)
        for before, index, after in zip([None, *places], places, [*places[1:], None], strict=False)
    }
    for data in _scenarios(run, market, chosen, budget):
        index = int(data.row["index"])
        before, after = (None if other is None else f"{stems[other]}.html" for other in near[index])
        pages[index] = f"scenarios/{stems[index]}.html"
        html = scenario_html(data, {**frame, "root": "../", "before": before, "after": after})
        write_file(folder / pages[index], html.encode())
    write_file(folder / "index.html", first_page(pages, {**frame, "root": ""}).encode())
    kept = {str(index): path for index, path in sorted(pages.items())}
    write_atomic(folder / _MANIFEST, json.dumps({**_identity(run), "pages": kept}, indent=1) + "\n")
    return folder / "index.html"


def _scenarios(run: Recorded, market: MarketView | str, chosen: pd.DataFrame, budget: Budget) -> Iterator[ScenarioData]:
    """What the pages are made from; the records of a few scenarios are in memory at a time."""
    configs = run.config.scenarios
    for first in range(0, len(chosen), _AT_ONCE):
        rows = chosen.iloc[first : first + _AT_ONCE]
        tables = [run.rows(name, rows["index"].tolist()) for name in ("trades", "orders", "equity")]
        for row in _rows(rows):
            index = int(row["index"])
            records = [table[table["scenario_index"] == index].reset_index(drop=True) for table in tables]
            trades, orders, equity = records
            log, log_file = _log(run, row)
            drawn, note = _market(run, market, row, budget)
            yield ScenarioData(row, configs[index], trades, orders, equity, log, log_file, drawn, note)


def _identity(run: Recorded) -> dict[str, Any]:
    names = ("run_id", "epoch", "status", "result_hash")
    return {**{name: run.info.get(name) for name in names}, "version": __version__}


def _kept_pages(run: Recorded, folder: Path) -> dict[int, str]:
    """Pages that an earlier call left for the same results; those of other results are deleted."""
    path = folder / _MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        pages = {int(index): str(page) for index, page in manifest["pages"].items()}
    except (OSError, ValueError, KeyError, AttributeError):
        return {}
    own = {index: page for index, page in pages.items() if _PAGE.fullmatch(page) and (folder / page).is_file()}
    if all(manifest.get(name) == value for name, value in _identity(run).items()):
        return own
    for page in own.values():
        (folder / page).unlink()
    return {}


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows with None for what is missing."""
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]


def _log(run: Recorded, row: Mapping[str, Any]) -> tuple[str, str]:
    name = str(row["name"])
    where = f"logs/{row['log']}" if row["log"] else "logs.parquet"
    try:
        return run.log(name), where
    except (OSError, DataError) as error:
        return f"(the log cannot be read: {error})", where


def _market(
    run: Recorded, market: MarketView | str, row: Mapping[str, Any], budget: Budget
) -> tuple[MarketBars | None, str | None]:
    index, ticks = int(row["index"]), int(row["ticks"])
    if not ticks:
        return None, None
    if isinstance(market, str):
        return None, f"Bars and workers' lines cannot be drawn: {market}"
    if not budget.take(ticks):
        return None, (
            f"Bars and workers' lines are left out here to keep the end of a run short. With them: finiex-ray report "
            f"{run.run_id} --scenario {json.dumps(row['name'], ensure_ascii=False)}"
        )
    try:
        return market.bars(index, row["scenario_key"]), None
    except FiniexError as error:
        return None, f"Bars and workers' lines cannot be drawn: {printable(str(error))}"


def _quality(
    market: MarketView | str, rows: pd.DataFrame, budget: Budget
) -> list[tuple[str, QualityReport | None, str]]:
    """For each symbol the quality of its days from the first scenario to the last."""
    scenarios = rows[rows["ticks"] > 0]
    found: list[tuple[str, QualityReport | None, str]] = []
    for symbol, own in scenarios.groupby(scenarios["symbol"].astype(str)):
        name = str(symbol)
        if isinstance(market, str):
            found.append((name, None, market))
            continue
        first, last = own["first_time"].min(), own["last_time"].max()
        try:
            ticks = market.ticks(name, first.value, last.value)
            if not budget.take(ticks):
                found.append(
                    (name, None, f"{ticks:,} ticks are more than are looked through unasked; use finiex-ray data check")
                )
                continue
            found.append((name, market.quality(name, first.value, last.value), ""))
        except FiniexError as error:
            found.append((name, None, printable(str(error))))
    return found
