"""`open_run`: the tables of a run as pandas frames, read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from finiex_ray.config.models import ScenarioSet
from finiex_ray.config.resolved import from_json
from finiex_ray.core.errors import DataError
from finiex_ray.results.merge import Part, owners, pieces
from finiex_ray.results.parts import order_column, table_schema
from finiex_ray.results.recovery import look_at
from finiex_ray.results.run_dir import DEFAULT_ROOT, LATEST, RunDir, find_run_dir
from finiex_ray.results.run_info import read_config_text, read_head

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RunData", "open_run", "to_pandas"]


class RunData:
    """What a run left behind.

    Frames are in the order of the scenarios in the set; counts that may be missing are nullable integers, words are
    categories, times have a UTC zone. Units: prices in price units, volumes in lots, money in the account currency.

    Args:
        run_dir: The folder of the run.
    """

    def __init__(self, run_dir: RunDir) -> None:
        self.run_dir = run_dir

    @property
    def run_id(self) -> str:
        """Identifier of the run."""
        return self.run_dir.run_id

    @cached_property
    def info(self) -> dict[str, Any]:
        """``run.json`` without the configuration: status, versions, hashes, timings."""
        return read_head(self.run_dir.info)

    @cached_property
    def config(self) -> ScenarioSet:
        """The resolved scenario set that ran."""
        return from_json(read_config_text(self.run_dir.info), str(self.run_dir.info))

    @cached_property
    def scenarios(self) -> pd.DataFrame:
        """One row a scenario; of a run that is not finished, the scenarios that have a result."""
        return self._frame("scenarios")

    @property
    def failed(self) -> pd.DataFrame:
        """The scenarios that failed, with ``error_type``, ``error_message`` and ``error_traceback``."""
        return self.scenarios[~self.scenarios["success"].astype(bool)]

    @cached_property
    def trades(self) -> pd.DataFrame:
        """One row a closed trade, in closing order."""
        return self._frame("trades")

    @cached_property
    def orders(self) -> pd.DataFrame:
        """One row an order, rejected and expired ones too, in request order."""
        return self._frame("orders")

    @cached_property
    def fills(self) -> pd.DataFrame:
        """One row a fill, in order of time."""
        return self._frame("fills")

    @cached_property
    def equity(self) -> pd.DataFrame:
        """The equity curve, thinned out; lowest and highest equity between two rows are kept."""
        return self._frame("equity")

    @cached_property
    def profile(self) -> pd.DataFrame:
        """One row an operation, worker and part of the start-up of a scenario."""
        return self._frame("profile")

    def rows(self, table: str, indexes: Sequence[int]) -> pd.DataFrame:
        """The rows of some scenarios alone, for runs whose tables do not fit into memory.

        Args:
            table: Name of a table, for example ``trades``.
            indexes: Places of the scenarios in the set.
        """
        parts = self._parts()
        if len(parts) != 1:
            frame: pd.DataFrame = getattr(self, table)
            return frame[frame[order_column(table)].isin(indexes)].reset_index(drop=True)
        found = [table_schema(table).empty_table()]
        for number, places in enumerate(parts[0].indexes(table)):
            mask = np.isin(places, indexes)
            if mask.any():
                found.append(parts[0].group(table, number).filter(mask))
        return to_pandas(pa.concat_tables(found))

    def log(self, scenario: str) -> str:
        """The log of a scenario, by its name.

        Raises:
            DataError: If the run has no such scenario.
        """
        found = self.scenarios.loc[self.scenarios["name"] == scenario, ["index", "log"]]
        if found.empty:
            raise DataError(f"run {self.run_id} has no result of a scenario {scenario!r}")
        index, name = found.iloc[0]
        if isinstance(name, str):
            return (self.run_dir.logs / name).read_text(encoding="utf-8")
        return self._packed_log(int(index))

    def _packed_log(self, index: int) -> str:
        for part in reversed(self._parts()):
            for number, indexes in enumerate(part.indexes("logs")):
                places = np.flatnonzero(indexes == index)
                if len(places):
                    return str(part.group("logs", number).column("text")[int(places[-1])])
        raise DataError(f"run {self.run_id}: the log of scenario {index} is missing")

    def _parts(self) -> list[Part]:
        """What the results are read from: the tables, or of a run that is not finished its parts and its journal."""
        return look_at(self.run_dir, finished=self.info.get("status") == "finished").parts()

    def tables(self, name: str) -> Iterator[Any]:
        """The rows of a table as Arrow tables of bounded size, in the order of the scenarios.

        Raises:
            DataError: If a file is missing or damaged.
        """
        parts = self._parts()
        if len(parts) == 1:
            yield from _groups(parts[0], name)
        else:
            yield from pieces(name, parts, owners(parts, int(self.info["scenarios"])))

    def _frame(self, name: str) -> pd.DataFrame:
        found = list(self.tables(name))
        return to_pandas(pa.concat_tables(found) if found else table_schema(name).empty_table())

    def __repr__(self) -> str:
        return f"RunData({self.run_id!r}, status={self.info.get('status')!r}, scenarios={self.info.get('scenarios')})"


def _groups(part: Part, name: str) -> Iterator[Any]:
    return (part.group(name, number) for number, _ in enumerate(part.indexes(name)))


def to_pandas(table: Any) -> pd.DataFrame:
    """An Arrow table as a frame: words are categories, counts that may be missing nullable integers."""
    import pandas as pd

    frame: pd.DataFrame = table.unify_dictionaries().to_pandas()
    for field in table.schema:
        if field.nullable and pa.types.is_int64(field.type):
            column = table.column(field.name).combine_chunks()
            frame[field.name] = pd.array(column.to_pylist(), dtype="Int64")
    return frame


def open_run(reference: str | Path = LATEST, root: str | Path = DEFAULT_ROOT) -> RunData:
    """Opens a run.

    Args:
        reference: The run's folder, its id, or ``latest``.
        root: Folder of the run folders, for ids and ``latest``.

    Raises:
        ConfigError: If there is no such run.
    """
    return RunData(find_run_dir(reference, Path(root)))
