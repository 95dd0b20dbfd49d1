"""The folder of runs, and the catalogs of ticks."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from finiex_ray.core.errors import DataError
from finiex_ray.data.catalog import Catalog
from finiex_ray.doctor.finding import Finding, Verdict
from finiex_ray.history.listing import RunState, list_runs

__all__ = ["check_catalogs", "check_runs"]


def check_runs(folder: Path) -> Finding:
    """Whether runs can be written, and how those that are there stand."""
    if not folder.exists():
        place = next(each for each in folder.absolute().parents if each.is_dir())
        if not os.access(place, os.W_OK):
            mend = "run in a folder of yours, or write elsewhere with --out"
            return Finding("runs folder", Verdict.FAIL, f"{folder} cannot be made in {place}", mend)
        return Finding("runs folder", Verdict.OK, f"{folder} is made by the first run")
    if not os.access(folder, os.W_OK):
        return Finding("runs folder", Verdict.FAIL, f"{folder} cannot be written to", "write elsewhere with --out")
    states = Counter(run.state for run in list_runs(folder))
    found = f"{folder}: {sum(states.values()):,} runs" + "".join(
        f", {count:,} {state.value}" for state, count in states.items()
    )
    if states[RunState.DAMAGED]:
        mend = "finiex-ray runs list says what is wrong with them; delete them, or copy them again"
        return Finding("runs folder", Verdict.WARN, found, mend)
    return Finding("runs folder", Verdict.OK, found)


def check_catalogs(uris: list[str], folder: Path = Path("catalogs")) -> Iterator[Finding]:
    """Whether catalogs are there and hold ticks.

    Args:
        uris: Catalogs to look at.
        folder: Where catalogs are looked for when none is named.
    """
    named = bool(uris)
    places = uris or [str(path) for path in sorted(folder.glob("*")) if (path / "ticks").is_dir()]
    if not places:
        yield Finding("data", Verdict.OK, f"no catalog in {folder}/; the synthetic market needs none")
    for uri in places:
        mend = f"finiex-ray data import … --catalog {uri}; finiex-ray data check --catalog {uri}"
        try:
            catalog = Catalog(uri)
            if not catalog.exists():
                yield Finding("data", Verdict.FAIL, f"there is no catalog at {uri}", mend)
                continue
            symbols = catalog.symbols()
            spans = [f"{symbol} {catalog.first_day(symbol)} to {catalog.last_day(symbol)}" for symbol in symbols]
        except DataError as error:
            yield Finding("data", Verdict.FAIL, str(error), mend)
            continue
        if symbols:
            yield Finding("data", Verdict.OK, f"{uri}: {', '.join(spans)}")
        else:
            yield Finding("data", Verdict.FAIL if named else Verdict.WARN, f"{uri} holds no ticks", mend)
