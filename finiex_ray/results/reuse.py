"""`reuse_results`: the finished runs of a folder as a cache: a scenario with an equal key has an equal result."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from finiex_ray.core.arrow import filled_column, numbers, to_numbers
from finiex_ray.core.errors import DataError
from finiex_ray.core.market import IntArray
from finiex_ray.core.text import printable
from finiex_ray.execution.hashing import Outcome, outcome_of
from finiex_ray.results.merge import FolderPart
from finiex_ray.results.parts import Tables, order_column, table_schema
from finiex_ray.results.reader import RunData
from finiex_ray.results.run_dir import RunDir
from finiex_ray.results.run_info import FORMAT_VERSION
from finiex_ray.results.writer import ResultWriter

__all__ = ["reuse_results"]


def reuse_results(writer: ResultWriter, keys: Mapping[int, str], root: Path) -> dict[int, Outcome]:
    """Copies results of scenarios with equal keys from finished runs into a new run.

    Only results of scenarios that completed are taken, the newest run first. A run that cannot be read is passed over.

    Args:
        writer: The new run.
        keys: Keys of its scenarios, by their place in the set.
        root: Folder of the run folders.

    Returns:
        What the scenarios that have a result now came to, by their place in the set.

    Raises:
        OutputError: If the results cannot be written.
    """
    wanted: dict[str, list[int]] = defaultdict(list)
    for index, key in keys.items():
        wanted[key].append(index)
    found: dict[int, Outcome] = {}
    for path in sorted(root.glob("*/run.json"), reverse=True):
        if not wanted:
            break
        run = RunData(RunDir(path.parent.resolve()))
        try:
            taken = _matches(run, wanted) if _usable(run, writer) else []
            for chosen in _groups(taken):
                copy = _Copy(run, writer, chosen)
                writer.adopt(copy.tables(), {match.target: match.ticks for match in chosen}, copy.log)
        except DataError:
            continue
        for match in taken:
            wanted.pop(match.key, None)
            name = writer.scenario_set.scenarios[match.target].name
            found[match.target] = outcome_of(name, True, match.result_hash, None)
    return found


class _Match(NamedTuple):
    key: str
    source: int  # place in the other set
    target: int  # place in this set
    result_hash: str
    ticks: int


def _usable(run: RunData, writer: ResultWriter) -> bool:
    info = run.info
    return (
        run.run_id != writer.run_dir.run_id
        and info.get("status") == "finished"
        and info.get("format") == FORMAT_VERSION
    )


def _matches(run: RunData, wanted: Mapping[str, list[int]]) -> list[_Match]:
    rows = run.scenarios.loc[run.scenarios["success"], ["scenario_key", "index", "result_hash", "ticks"]]
    return [
        _Match(key, int(source), target, result_hash, int(ticks))
        for key, source, result_hash, ticks in rows.itertuples(index=False)
        if isinstance(key, str)
        for target in wanted.get(key, ())
    ]


def _groups(matches: list[_Match]) -> Iterator[list[_Match]]:
    """Matches by their place in the other set, as many as can be copied at once."""
    by_source = sorted(matches, key=lambda match: match.source)
    for first in range(0, len(by_source), _MOST_COPIED):
        yield by_source[first : first + _MOST_COPIED]


_MOST_COPIED: Final = 2_048


class _Copy:
    """Rows of another run, with the places, names and log files of this one."""

    def __init__(self, run: RunData, writer: ResultWriter, matches: list[_Match]) -> None:
        self._run, self._writer = run, writer
        # By target, so that rows come in the order of this set; one source may serve several targets.
        self._matches = sorted(matches, key=lambda match: match.target)
        self._sources = {match.target: match.source for match in matches}

    def log(self, target: int) -> str:
        """The log of a scenario of this set."""
        return self._run.log(self._run.config.scenarios[self._sources[target]].name)

    def tables(self) -> Tables:
        """All tables."""
        return {name: self._logs() if name == "logs" else self._table(name) for name in self._writer.tables}

    def _table(self, name: str) -> Any:
        part, column = FolderPart(self._run.run_dir.path), order_column(name)
        sources = np.array([match.source for match in self._matches], np.int64)
        low, high = sources.min(), sources.max()
        groups = [
            part.group(name, number)
            for number, indexes in enumerate(part.indexes(name))
            if len(indexes) and indexes[0] <= high and indexes[-1] >= low
        ]
        table = pa.concat_tables(groups).unify_dictionaries() if groups else table_schema(name).empty_table()
        places = to_numbers(table.column(column))
        first, last = np.searchsorted(places, sources), np.searchsorted(places, sources, side="right")
        rows = np.concatenate([np.arange(*span) for span in zip(first, last, strict=True)])
        targets = np.repeat(np.array([match.target for match in self._matches], np.int64), last - first)
        return self._renamed(name, table.take(numbers(rows)), targets)

    def _renamed(self, name: str, table: Any, targets: IntArray) -> Any:
        schema = table_schema(name)
        scenarios = self._writer.scenario_set.scenarios
        places = targets.tolist()
        new: dict[str, list[Any]] = {
            order_column(name): places,
            "name" if name == "scenarios" else "scenario": [printable(scenarios[place].name) for place in places],
        }
        if name == "scenarios":
            new["log"] = [self._writer.log_name(place) for place in places]
        for column, values in new.items():
            field = schema.field(column)
            table = table.set_column(schema.get_field_index(column), field, filled_column(values, field.type))
        return table.cast(schema)

    def _logs(self) -> Any:
        targets = [match.target for match in self._matches]
        names = [printable(self._writer.scenario_set.scenarios[place].name) for place in targets]
        columns: tuple[list[Any], ...] = (names, targets, [self.log(target) for target in targets])
        schema = table_schema("logs")
        arrays = [filled_column(values, field.type) for values, field in zip(columns, schema, strict=True)]
        return pa.Table.from_arrays(arrays, schema=schema)
