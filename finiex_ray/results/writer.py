"""`ResultWriter`: the one writer of a run's folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa

from finiex_ray.config.models import ScenarioConfig, ScenarioSet
from finiex_ray.config.resolved import ConfigHashes, from_json, json_lines
from finiex_ray.core.errors import DataError, OutputError
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.results.entry import encode_entry, entry_log
from finiex_ray.results.files import log_names, output_errors, sync_folder, write_file
from finiex_ray.results.journal import SegmentWriter
from finiex_ray.results.lock import RunLock, this_writer
from finiex_ray.results.merge import EntriesPart, FolderPart, Part, owners, pieces
from finiex_ray.results.parts import TABLES, Tables, entry_tables, part_folders, publish_part, table_file, table_schema
from finiex_ray.results.recovery import Done, Found, done_rows, look_at
from finiex_ray.results.run_dir import RunDir
from finiex_ray.results.run_info import FORMAT_VERSION, read_config_text, read_head, renew_head, versions, write_info

__all__ = ["ResultWriter"]

_MOST_LOG_FILES: Final = 1_000  # scenarios of a set whose logs are files of their own
_PART_SCENARIOS: Final = 4_096
_PART_BYTES: Final = 32 * 2**20
_SMALL_BYTES: Final = 4 * 2**20  # for the tables to be made from memory


class ResultWriter:
    """Puts results into a run folder as they come; the tables appear at `close`.

    A result is in the journal, on the disk of the system, when `add` returns. Journal segments become parts (Parquet
    files of many scenarios), and at the end the parts become the tables, so that memory does not grow with the results.
    As a context manager it closes itself; after an exception the run is marked ``interrupted`` and keeps what it has.

    Args:
        run_dir: A new run folder.
        scenario_set: What runs; its resolved form goes into ``run.json``.
        details: More for ``run.json``: JSON values, for example the executor that was asked for and the data source.

    Raises:
        ConfigError: If another process writes into the folder.
        OutputError: If the folder cannot be written to; `add` and `close` raise it too.
    """

    _head: dict[str, Any]

    def __init__(self, run_dir: RunDir, scenario_set: ScenarioSet, details: Mapping[str, Any] | None = None) -> None:
        self._open(run_dir, RunLock(run_dir), scenario_set, Found())
        self._head = {
            "format": FORMAT_VERSION,
            "run_id": run_dir.run_id,
            "status": "running",
            "set": scenario_set.name,
            "started": _now(),
            "epoch": 1,
            "writer": this_writer(),
            "versions": versions(),
            "scenarios": len(scenario_set.scenarios),
            **(details or {}),
        }
        with self._output():
            write_info(run_dir.info, self._head, json_lines(scenario_set))
        self._begun = True

    @classmethod
    def resume(cls, run_dir: RunDir) -> Self:
        """Opens the folder of a run that began before: see `done`, then call `begin`.

        Raises:
            ConfigError: If another process writes into it.
            DataError: If it is damaged, or of another format.
        """
        lock = RunLock(run_dir)
        try:
            writer = cls.__new__(cls)
            head = read_head(run_dir.info)
            if head.get("format") != FORMAT_VERSION:
                message = f"has format {head.get('format')}; this version resumes runs of format {FORMAT_VERSION}"
                raise DataError(f"{run_dir.info}: {message}")
            scenario_set = from_json(read_config_text(run_dir.info), str(run_dir.info))
            writer._open(run_dir, lock, scenario_set, look_at(run_dir, finished=head["status"] == "finished"))
            writer._head = head
        except BaseException:
            lock.release()
            raise
        return writer

    def _open(self, run_dir: RunDir, lock: RunLock, scenario_set: ScenarioSet, found: Found) -> None:
        self.run_dir, self.scenario_set = run_dir, scenario_set
        self._lock, self._found = lock, found
        self._hashes = ConfigHashes()
        count = len(scenario_set.scenarios)
        self._packed = count > _MOST_LOG_FILES
        self._log_names = [] if self._packed else log_names(each.name for each in scenario_set.scenarios)
        self.tables = [name for name in TABLES if name != "logs" or self._packed]
        self._state = np.full(count, _WAITING, np.int8)
        self._ticks = np.zeros(count, np.int64)
        self._written = np.zeros(count, np.bool_)  # in this session
        self._segment: SegmentWriter | None = None
        self._number = found.last_number + 1
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._begun = self._closed = False
        self.done: dict[int, Done] = done_rows(found)
        for index, done in self.done.items():
            self._count(index, done.success, done.ticks)

    @property
    def info(self) -> Mapping[str, Any]:
        """What ``run.json`` says, without the configuration."""
        return self._head

    @property
    def finished(self) -> bool:
        """Whether the run was finished when it was opened."""
        return self._head.get("status") == "finished" and not self._begun

    def begin(self, details: Mapping[str, Any] | None = None) -> None:
        """Starts a new session of a run that began before.

        Args:
            details: As in the constructor; they go over the earlier ones.

        Raises:
            OutputError: If the folder cannot be written to.
        """
        with self._output():
            for number, payloads in self._found.begin(self.run_dir, self.tables):
                self._publish(number, payloads)
            self._head |= {
                "status": "running",
                "epoch": int(self._head.get("epoch", 0)) + 1,
                "writer": this_writer(),
                "versions": versions(),
                **(details or {}),
            }
            self._head.pop("finished", None)
            renew_head(self.run_dir.info, self._head)
        self._begun = True

    def add(self, result: ScenarioResult, key: str | None = None) -> None:
        """Writes a result; one of a scenario that has one from an earlier session takes its place.

        Args:
            result: A result whose index is its place in the set.
            key: Hash of everything that it depends on, see `finiex_ray.execution.keys`.

        Raises:
            DataError: If the index is not of this set, or has had a result in this session.
            OutputError: If it cannot be written.
        """
        count = len(self.scenario_set.scenarios)
        if not 0 <= result.index < count:
            raise DataError(f"result of scenario {result.index} in a set of {count} scenarios")
        if self._written[result.index]:
            raise DataError(f"scenario '{result.name}' (number {result.index}) has a result already")
        config = self.scenario_set.scenarios[result.index]
        log_name = self.log_name(result.index)
        if isinstance(config, ScenarioConfig):
            payload = encode_entry(result, config, self._hashes(config), key, log_name)
        else:
            payload = encode_entry(result, None, None, key, log_name)
        with self._output():
            if log_name is not None:
                write_file(self.run_dir.logs / log_name, entry_log(result).encode())
            self._journal().append(payload)
        self._pending.append(payload)
        self._pending_bytes += len(payload)
        self._written[result.index] = True
        self._count(result.index, result.success, result.loop.ticks if result.loop else 0)
        if len(self._pending) >= _PART_SCENARIOS or self._pending_bytes >= _PART_BYTES:
            self._seal()

    def log_name(self, index: int) -> str | None:
        """Name of a scenario's log file; None where logs are packed."""
        return None if self._packed else self._log_names[index]

    def adopt(self, tables: Tables, ticks: Mapping[int, int], log: Callable[[int], str]) -> None:
        """Takes results of scenarios that completed elsewhere, as a part of their own.

        Args:
            tables: Their rows, in the order of the set.
            ticks: Ticks of each of these scenarios, by its place in the set.
            log: Gives the log of a scenario, by its place in the set.

        Raises:
            OutputError: If they cannot be written.
        """
        with self._output():
            publish_part(self.run_dir.parts, self._number, [tables], self.tables)
            for index in ticks:
                log_name = self.log_name(index)
                if log_name is not None:
                    write_file(self.run_dir.logs / log_name, log(index).encode())
        self._number += 1
        for index, count in ticks.items():
            self._written[index] = True
            self._count(index, True, count)

    def _count(self, index: int, success: bool, ticks: int) -> None:
        self._state[index] = _COMPLETED if success else _FAILED
        self._ticks[index] = ticks

    def _journal(self) -> SegmentWriter:
        if self._segment is None:
            self.run_dir.journal.mkdir(exist_ok=True)
            head = {"run_id": self.run_dir.run_id, **this_writer()}
            self._segment = SegmentWriter(self.run_dir.journal, self._number, self._head["epoch"], head)
        return self._segment

    def _seal(self) -> None:
        """Turns the journal's segment into a part."""
        with self._output():
            self._check_epoch()
            self._publish(self._number, self._pending)
            self._journal().delete()
        self._segment, self._pending, self._pending_bytes = None, [], 0
        self._number += 1

    def _publish(self, number: int, payloads: Sequence[bytes]) -> None:
        publish_part(self.run_dir.parts, number, entry_tables(payloads, self.tables), self.tables)

    def _check_epoch(self) -> None:
        """Where the file system's lock has failed, the younger session wins."""
        epoch = read_head(self.run_dir.info).get("epoch")
        if epoch != self._head["epoch"]:
            raise OutputError(
                f"{self.run_dir.path}: another session has taken over (epoch {epoch}, this one is {self._head['epoch']})"
            )

    def close(self, status: str = "finished", **details: Any) -> None:
        """Lets the tables appear and completes ``run.json``; calling it again does nothing.

        Args:
            status: ``finished``, or ``interrupted``: then the run keeps journal and parts, and can be resumed.
            **details: More for ``run.json``: JSON values, for example timings and the hash of the set.

        Raises:
            OutputError: If they cannot be written; the run can be resumed.
        """
        if self._closed:
            return
        self._closed = True
        try:
            if self._begun:
                with self._output():
                    self._finish(status, details)
        finally:
            self.release()

    def release(self) -> None:
        """Lets go of the folder as it is; calling it again does nothing."""
        self._closed = True
        if self._segment is not None:
            self._segment.close()
        self._lock.release()

    def _finish(self, status: str, details: Mapping[str, Any]) -> None:
        if self._segment is not None:
            self._segment.sync()
        self._check_epoch()
        if status == "finished":
            self._write_tables()
        counts = {
            "completed": int((self._state == _COMPLETED).sum()),
            "failed": int((self._state == _FAILED).sum()),
            "ticks": int(self._ticks.sum()),
        }
        self._head |= {"status": status, "finished": _now(), **counts, **details}
        renew_head(self.run_dir.info, self._head)
        self.run_dir.mark_latest()
        if status == "finished":
            if self._segment is not None:
                self._segment.close()
            for folder in (self.run_dir.journal, self.run_dir.parts):
                shutil.rmtree(folder, ignore_errors=True)

    def _write_tables(self) -> None:
        if self._pending_bytes > _SMALL_BYTES:
            self._seal()
        folders = part_folders(self.run_dir.parts).values()
        parts: list[Part] = [*map(FolderPart, folders), EntriesPart(self._pending)]
        owner = owners(parts, len(self.scenario_set.scenarios))
        for name in self.tables:
            with table_file(self.run_dir.table(name), table_schema(name)) as write:
                for piece in pieces(name, parts, owner):
                    write(piece)
                    pa.default_memory_pool().release_unused()  # else each thread's freed pages stay with it
        sync_folder(self.run_dir.path)

    def _output(self) -> Any:
        return output_errors(self.run_dir.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
            return
        with suppress(OutputError):  # most likely the very error that ends the run
            self.close("interrupted")


_WAITING: Final = -1
_FAILED: Final = 0
_COMPLETED: Final = 1


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
