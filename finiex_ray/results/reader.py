"""`open_run`: the tables of a run as pandas frames, read when they are asked for."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from finiex_ray.config.models import ScenarioSet
from finiex_ray.config.resolved import from_json
from finiex_ray.core.errors import DataError
from finiex_ray.results.journal import read_journal
from finiex_ray.results.rows import PROFILE_SCHEMA, SCENARIO_SCHEMA
from finiex_ray.results.run_dir import DEFAULT_ROOT, LATEST, RunDir, find_run_dir
from finiex_ray.results.run_info import read_config_text, read_head
from finiex_ray.results.tables import record_schema

__all__ = ["RunData", "open_run"]


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
        """One row a scenario; of a run that was cut off, the scenarios that its journal holds."""
        if self.run_dir.table("scenarios").is_file():
            return self._frame("scenarios", SCENARIO_SCHEMA, "index")
        rows = list(read_journal(self.run_dir.journal)) if self.run_dir.journal.is_file() else []
        return _to_pandas(pa.Table.from_pylist(rows, schema=SCENARIO_SCHEMA).sort_by("index"))

    @property
    def failed(self) -> pd.DataFrame:
        """The scenarios that failed, with ``error_type``, ``error_message`` and ``error_traceback``."""
        return self.scenarios[~self.scenarios["success"].astype(bool)]

    @cached_property
    def trades(self) -> pd.DataFrame:
        """One row a closed trade, in closing order."""
        return self._records("trades")

    @cached_property
    def orders(self) -> pd.DataFrame:
        """One row an order, rejected and expired ones too, in request order."""
        return self._records("orders")

    @cached_property
    def fills(self) -> pd.DataFrame:
        """One row a fill, in order of time."""
        return self._records("fills")

    @cached_property
    def equity(self) -> pd.DataFrame:
        """The equity curve, thinned out; lowest and highest equity between two rows are kept."""
        return self._records("equity")

    @cached_property
    def profile(self) -> pd.DataFrame:
        """One row an operation, worker and part of the start-up of a scenario."""
        return self._frame("profile", PROFILE_SCHEMA, "scenario_index")

    def log(self, scenario: str) -> str:
        """The log of a scenario, by its name.

        Raises:
            DataError: If the run has no such scenario.
        """
        found = self.scenarios.loc[self.scenarios["name"] == scenario, "log"]
        if found.empty:
            raise DataError(f"run {self.run_id} has no result of a scenario {scenario!r}")
        return (self.run_dir.logs / str(found.iloc[0])).read_text(encoding="utf-8")

    def _records(self, name: str) -> pd.DataFrame:
        return self._frame(name, record_schema(name), "scenario_index")

    def _frame(self, name: str, schema: Any, order: str) -> pd.DataFrame:
        path = self.run_dir.table(name)
        if not path.is_file():
            if self.info.get("status") != "finished":
                return _to_pandas(schema.empty_table())
            raise DataError(f"{path}: missing; was the run folder copied whole?")
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as parquet:
                table = parquet.read()
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{path}: damaged or unreadable ({error})") from error
        keys = table.column(order).to_numpy()
        return _to_pandas(table if (keys[1:] >= keys[:-1]).all() else table.take(keys.argsort(kind="stable")))

    def __repr__(self) -> str:
        return f"RunData({self.run_id!r}, status={self.info.get('status')!r}, scenarios={self.info.get('scenarios')})"


def _to_pandas(table: Any) -> pd.DataFrame:
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
