"""`ResultWriter`: the one writer of a run's folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from finiex_ray.config.models import ScenarioConfig, ScenarioSet
from finiex_ray.config.resolved import to_json
from finiex_ray.core.errors import DataError
from finiex_ray.core.text import printable
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.results.files import log_names
from finiex_ray.results.journal import Journal
from finiex_ray.results.parquet import RecordFile, RowFile
from finiex_ray.results.rows import PROFILE_SCHEMA, SCENARIO_SCHEMA, profile_rows, scenario_row
from finiex_ray.results.run_dir import RunDir
from finiex_ray.results.run_info import FORMAT_VERSION, renew_head, versions, write_info
from finiex_ray.results.tables import RECORD_TABLES, Chunk

__all__ = ["ResultWriter"]


class ResultWriter:
    """Puts results into a run folder as they come; the tables appear at `close`.

    Its memory does not grow with the results: rows go to the journal at once, records to Parquet in bounded groups.
    As a context manager it closes itself; after an exception the run is marked ``interrupted`` and keeps what it has.

    Args:
        run_dir: An empty run folder.
        scenario_set: What runs; its resolved form goes into ``run.json``.
        details: More for ``run.json``: JSON values, for example the executor that was asked for and the data source.
    """

    def __init__(self, run_dir: RunDir, scenario_set: ScenarioSet, details: Mapping[str, Any] | None = None) -> None:
        self.run_dir = run_dir
        self._set = scenario_set
        self._log_names = log_names(each.name for each in scenario_set.scenarios)
        self._head: dict[str, Any] = {
            "format": FORMAT_VERSION,
            "run_id": run_dir.run_id,
            "status": "running",
            "set": scenario_set.name,
            "started": _now(),
            "versions": versions(),
            **(details or {}),
        }
        self._counts = {"scenarios": len(scenario_set.scenarios), "completed": 0, "failed": 0, "ticks": 0}
        self._closed = False
        config_text = to_json(scenario_set)
        self._head["config_hash"] = hashlib.sha256(config_text.encode()).hexdigest()
        write_info(run_dir.info, self._head, config_text)
        self._journal = Journal(run_dir.journal)
        self._scenarios = RowFile(run_dir.table("scenarios"), SCENARIO_SCHEMA, sort_by="index")
        self._profile = RowFile(run_dir.table("profile"), PROFILE_SCHEMA)
        self._records = {name: RecordFile(run_dir.table(name), name) for name in RECORD_TABLES}

    def add(self, result: ScenarioResult) -> None:
        """Writes a result.

        Args:
            result: A result whose index is its place in the set.

        Raises:
            DataError: If the index is not of this set.
        """
        if not 0 <= result.index < len(self._set.scenarios):
            raise DataError(f"result of scenario {result.index} in a set of {len(self._set.scenarios)} scenarios")
        config = self._set.scenarios[result.index]
        log = self._log_names[result.index]
        row = scenario_row(result, config if isinstance(config, ScenarioConfig) else None, log)
        _write_log(self.run_dir.logs / log, result)
        self._journal.add(row)
        self._scenarios.add(row)
        for profile_row in profile_rows(result):
            self._profile.add(profile_row)
        self._add_records(row["name"], result)
        self._counts["completed" if result.success else "failed"] += 1
        self._counts["ticks"] += row["ticks"]

    def _add_records(self, name: str, result: ScenarioResult) -> None:
        loop = result.loop
        if loop is None:
            return
        for table, file in self._records.items():
            records = getattr(loop, table)
            file.add(
                Chunk(name, result.index, loop.digits, loop.volume_step, loop.minor_per_unit, records, loop.comments)
            )

    def close(self, status: str = "finished", **details: Any) -> None:
        """Lets the tables appear and completes ``run.json``; calling it again does nothing.

        Args:
            status: ``finished`` or ``interrupted``.
            **details: More for ``run.json``: JSON values, for example timings and the hash of the set.
        """
        if self._closed:
            return
        self._closed = True
        self._journal.close()
        try:
            for file in (self._scenarios, self._profile, *self._records.values()):
                file.close()
        except BaseException:
            self._discard()
            raise
        self._head |= {"status": status, "finished": _now(), **self._counts, **details}
        renew_head(self.run_dir.info, self._head)
        self.run_dir.mark_latest()

    def _discard(self) -> None:
        for file in (self._scenarios, self._profile, *self._records.values()):
            file.discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close("finished" if kind is None else "interrupted")


def _write_log(path: Path, result: ScenarioResult) -> None:
    """The log buffer, and after it how the scenario ended."""
    lines = [printable(line, keep="\t") for line in result.log]
    if result.error is not None:
        place = "" if result.error.tick_index is None else f" at tick {result.error.tick_index}"
        lines.append(printable(f"FAILED{place}: {result.error.type}: {result.error.message}", keep="\n\t"))
        lines.append(printable(result.error.traceback.rstrip(), keep="\n\t"))
    lines.append(
        f"{result.status} after {result.execution_time_s:.3f} s, {result.loop.ticks if result.loop else 0} ticks"
    )
    path.write_text("\n".join(line for line in lines if line) + "\n", encoding="utf-8", newline="\n")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
