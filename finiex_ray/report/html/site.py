"""`write_report`: which pages a report has, and its files."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

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

__all__ = ["DEFAULT_PAGES", "MOST_TICKS", "write_report"]

DEFAULT_PAGES: Final = 25
"""Scenarios that get a page of their own when nobody asks for more."""
MOST_TICKS: Final = 5_000_000
"""Ticks that are read again for bars and workers' lines when nobody asks for more."""
_MANIFEST: Final = "report.json"
_PAGE: Final = re.compile(r"scenarios/[A-Za-z0-9._-]+\.html")


@dataclass
class _Budget:
    """Ticks that may still be read."""

    left: float

    def take(self, ticks: int) -> bool:
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
    folder = run.run_dir.path / "report" if out is None else out
    chosen = _choose(run.scenarios, scenarios, every=every)
    asked = bool(scenarios) or every
    try:
        (folder / "scenarios").mkdir(parents=True, exist_ok=True)
        (folder / "assets").mkdir(exist_ok=True)
        for name in ASSETS:
            write_file(folder / "assets" / name, asset_bytes(name))
        return _write_pages(run, market, folder, chosen, _Budget(float("inf") if asked else MOST_TICKS))
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


def _write_pages(run: RunData, market: MarketView | str, folder: Path, chosen: pd.DataFrame, budget: _Budget) -> Path:
    stems = log_names(getattr(each, "name", "") for each in run.config.scenarios)
    pages = _kept_pages(run, folder)
    frame = {"run_id": run.run_id, "set_name": printable(str(run.info.get("set", ""))), "version": __version__}
    tables = {name: _by_scenario(run, name, chosen) for name in ("trades", "orders", "equity")}
    for place, row in enumerate(_rows(chosen)):
        index = int(row["index"])
        path = f"scenarios/{stems[index].removesuffix('.log')}.html"
        drawn, note = _market(run, market, row, budget)
        data = ScenarioData(
            row,
            run.config.scenarios[index],
            *(tables[name](index) for name in ("trades", "orders", "equity")),
            *_log(run, row),
            drawn,
            note,
        )
        near = [
            None if not 0 <= other < len(chosen) else int(chosen["index"].iloc[other])
            for other in (place - 1, place + 1)
        ]
        links = [None if other is None else f"{stems[other].removesuffix('.log')}.html" for other in near]
        page = {**frame, "root": "../", "before": links[0], "after": links[1]}
        write_file(folder / path, scenario_html(data, page).encode())
        pages[index] = path
    shown = _ranked(run.scenarios, MOST_ROWS)
    first = folder / "index.html"
    html = index_html(run, shown, pages, _quality(run, market, _Budget(budget.left)), {**frame, "root": ""})
    write_file(first, html.encode())
    manifest = {
        **_identity(run),
        "version": __version__,
        "pages": {str(index): path for index, path in sorted(pages.items())},
    }
    write_atomic(folder / _MANIFEST, json.dumps(manifest, indent=1) + "\n")
    return first


def _identity(run: RunData) -> dict[str, Any]:
    return {name: run.info.get(name) for name in ("run_id", "epoch", "status", "result_hash")}


def _kept_pages(run: RunData, folder: Path) -> dict[int, str]:
    """Pages that an earlier call left for the same results; those of other results are deleted."""
    path = folder / _MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        pages = {int(index): str(page) for index, page in manifest["pages"].items()}
    except (OSError, ValueError, KeyError, AttributeError):
        return {}
    own = {index: page for index, page in pages.items() if _PAGE.fullmatch(page) and (folder / page).is_file()}
    identity = {**_identity(run), "version": __version__}
    if all(manifest.get(name) == value for name, value in identity.items()):
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


def _by_scenario(run: RunData, name: str, chosen: pd.DataFrame) -> Any:
    """A function from a scenario's place in the set to its rows of a table; only rows of chosen ones are in memory."""
    rows = run.rows(name, chosen["index"].tolist())
    groups = rows.groupby("scenario_index").indices

    def find(index: int) -> pd.DataFrame:
        return rows.iloc[groups.get(index, [])]

    return find


def _log(run: RunData, row: Mapping[str, Any]) -> Sequence[str]:
    name = str(row["name"])
    where = f"logs/{row['log']}" if row["log"] else "logs.parquet"
    try:
        return run.log(name), where
    except (OSError, DataError) as error:
        return f"(the log cannot be read: {error})", where


def _market(
    run: RunData, market: MarketView | str, row: Mapping[str, Any], budget: _Budget
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


def _quality(run: RunData, market: MarketView | str, budget: _Budget) -> list[tuple[str, QualityReport | None, str]]:
    """For each symbol the quality of its days from the first scenario to the last."""
    scenarios = run.scenarios[run.scenarios["ticks"] > 0]
    found: list[tuple[str, QualityReport | None, str]] = []
    for symbol, rows in scenarios.groupby(scenarios["symbol"].astype(str)):
        name = str(symbol)
        if isinstance(market, str):
            found.append((name, None, market))
            continue
        first, last = rows["first_time"].min(), rows["last_time"].max()
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
