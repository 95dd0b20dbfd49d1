"""`SweepStore`: the run folder of a sweep. Every window of every trial goes to the journal as it comes; tables follow."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from finiex_ray.config.models import ScenarioConfig, ScenarioSet
from finiex_ray.config.resolved import ConfigHashes, json_lines
from finiex_ray.core.errors import ConfigError
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.results.entry import encode_entry, entry_log
from finiex_ray.results.files import output_errors, safe_stem, sync_folder, write_file
from finiex_ray.results.journal import SegmentWriter, read_segment, segment_files
from finiex_ray.results.lock import RunLock, this_writer
from finiex_ray.results.parts import entry_tables, table_file, write_tables
from finiex_ray.results.rows import SCENARIO_SCHEMA, scenario_values
from finiex_ray.results.run_dir import RunDir
from finiex_ray.results.run_info import FORMAT_VERSION, read_head, renew_head, versions, write_info
from finiex_ray.results.tables import RECORD_TABLES, WORD
from finiex_ray.sweep.returns import RETURNS_SCHEMA, Row, returns_table

__all__ = ["SweepStore", "WindowOutcome", "journal_rows", "scenario_schema", "trial_schema"]

_MOST_LOG_FILES: Final = 1_000  # of scenarios that failed
_GROUP_ROWS: Final = 1_024
_TRIAL_SUMS: Final = {"net_profit": "sum", "trades": "sum", "max_drawdown_pct": "max"}


class WindowOutcome(NamedTuple):
    """What a search has to know of one window of a trial."""

    config_hash: str
    success: bool
    values: tuple[float | None, ...]  # a value for each objective
    net_profit: float
    trades: int
    max_drawdown_pct: float


def scenario_schema(measures: Iterable[str]) -> Any:
    """The scenario table of a sweep: fold, sample, trial and window, the columns of every scenario table, measures."""
    head = [
        pa.field("fold", WORD, False),
        pa.field("sample", WORD, False),
        pa.field("trial", pa.int64(), False),
        pa.field("window", WORD, False),
    ]
    return pa.schema([*head, *SCENARIO_SCHEMA, *(pa.field(name, pa.float64()) for name in measures)])


def trial_schema(params: Mapping[str, Any], objectives: Sequence[str]) -> Any:
    """The trial table: a row a trial, with a column for each parameter path and each objective."""
    fields = [
        pa.field("fold", WORD, False),
        pa.field("trial", pa.int64(), False),
        pa.field("state", WORD, False),
        pa.field("windows", pa.int64(), False),  # that completed
        *(pa.field(path, _arrow_type(values)) for path, values in params.items()),
        *(pa.field(name, pa.float64()) for name in objectives),
    ]
    taken = {field.name for field in fields}
    kinds = {"net_profit": pa.float64(), "trades": pa.int64(), "max_drawdown_pct": pa.float64()}
    fields += [pa.field(name, kind) for name, kind in kinds.items() if name not in taken]
    return pa.schema(fields)


def _arrow_type(values: Sequence[Any]) -> Any:
    kinds = {type(value) for value in values}
    if kinds <= {bool}:
        return pa.bool_()
    if kinds <= {int}:
        return pa.int64()
    return pa.float64() if kinds <= {int, float} else pa.string()


def journal_rows(run_dir: RunDir) -> Iterator[Row]:
    """What the journal of a sweep holds: each scenario once, in order of their indexes."""
    found: dict[int, bytes] = {}
    for path in segment_files(run_dir.journal).values():
        found |= {int.from_bytes(each[:_INDEX_BYTES], "little"): each for each in read_segment(path).payloads}
    return (json.loads(found[index][_INDEX_BYTES:]) for index in sorted(found))


_INDEX_BYTES: Final = 8  # before the row in a frame


class SweepStore:
    """Writes the folder of a sweep, also of one that goes on.

    Args:
        run_dir: The folder: new, or that of an interrupted sweep.
        scenario_set: The windows.
        spec: The sweep as JSON values; a sweep goes on only as it began.
        params: For each parameter path sample values that say its type.
        objectives: Names of the objectives.
        measures: Names of the measures.
        details: More for ``run.json``.

    Raises:
        ConfigError: If the folder holds another sweep, one that is finished, or one that another process writes.
        OutputError: If the folder cannot be written to; the methods raise it too.
    """

    def __init__(
        self,
        run_dir: RunDir,
        scenario_set: ScenarioSet,
        spec: Mapping[str, Any],
        params: Mapping[str, Sequence[Any]],
        objectives: Sequence[str],
        measures: Sequence[str],
        details: Mapping[str, Any],
    ) -> None:
        self.run_dir = run_dir
        self._objectives, self._measures = tuple(objectives), tuple(measures)
        self._trial_schema = trial_schema(params, objectives)
        self._text_params = {path for path in params if self._trial_schema.field(path).type == pa.string()}
        self._hashes = ConfigHashes()
        self._trials: list[Row] = []
        self._periods: set[str] = set()  # windows whose periods the journal has
        self._logs = 0
        self._segment: SegmentWriter | None = None
        self._lock = RunLock(run_dir)
        try:
            self._begin(scenario_set, spec, details)
        except BaseException:
            self.release()
            raise

    def _begin(self, scenario_set: ScenarioSet, spec: Mapping[str, Any], details: Mapping[str, Any]) -> None:
        resumed = self.run_dir.info.is_file()
        head = _same_sweep(self.run_dir, spec) if resumed else {}
        self._head = {
            "format": FORMAT_VERSION,
            "run_id": self.run_dir.run_id,
            "kind": spec["kind"],
            "set": scenario_set.name,
            "started": _now(),
            "sweep": dict(spec),
            **head,
            "status": "running",
            "epoch": int(head.get("epoch", 0)) + 1,
            "writer": this_writer(),
            "versions": versions(),
            **details,
        }
        with self._output():
            if resumed:
                renew_head(self.run_dir.info, self._head)
            else:
                write_info(self.run_dir.info, self._head, json_lines(scenario_set))
            self.run_dir.journal.mkdir(exist_ok=True)
            number = max(segment_files(self.run_dir.journal), default=0) + 1
            writer = {"run_id": self.run_dir.run_id, **this_writer()}
            self._segment = SegmentWriter(self.run_dir.journal, number, self._head["epoch"], writer)

    def known(self) -> dict[int, WindowOutcome]:
        """What the journal holds from earlier on, by index."""
        found = {}
        for row in journal_rows(self.run_dir):
            self._periods.update([row["window"]] if row.get("periods") else [])
            self._logs += row["log"] is not None
            found[row["index"]] = self._outcome(row)
        return found

    def add(
        self, result: ScenarioResult, config: ScenarioConfig, fold: str, trial: int, window: str, sample: str = "in"
    ) -> WindowOutcome:
        """Writes a result to the journal."""
        log = None
        if not result.success and self._logs < _MOST_LOG_FILES:
            self._logs += 1
            log = f"{safe_stem(result.name)}.log"
        values = scenario_values(result, config, self._hashes(config), None, log)
        row = dict(zip(SCENARIO_SCHEMA.names, values, strict=True))
        row |= {"fold": fold, "sample": sample, "trial": trial, "window": window}
        row |= {name: result.measures.get(name) for name in self._measures}
        if result.balances is not None:
            balances = result.balances
            opening = [balances.opening_minor, balances.minor_per_unit]
            row |= {"opening_minor": opening, "balance_minor": balances.balance_minor.tolist()}
            if window not in self._periods:  # the same for every trial
                self._periods.add(window)
                row["periods"] = balances.start_ns.tolist()
        text = json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        assert self._segment is not None
        with self._output():
            if log is not None:
                write_file(self.run_dir.logs / log, entry_log(result).encode())
            self._segment.append(result.index.to_bytes(_INDEX_BYTES, "little") + text.encode())
        return self._outcome(row)

    def _outcome(self, row: Row) -> WindowOutcome:
        return WindowOutcome(
            row["config_hash"] or "",
            row["success"],
            tuple(row.get(name) for name in self._objectives),
            row["net_profit"] or 0.0,
            row["trades"] or 0,
            row["max_drawdown_pct"] or 0.0,
        )

    def result_hashes(self, trial: int) -> dict[str, str | None]:
        """The result hashes of a trial by window."""
        return {row["window"]: row["result_hash"] for row in journal_rows(self.run_dir) if row["trial"] == trial}

    def add_trial(
        self,
        fold: str,
        trial: int,
        params: Mapping[str, Any],
        state: str,
        values: Sequence[float] | None,
        outcomes: Sequence[WindowOutcome],
    ) -> None:
        """Takes the row of a trial."""
        done = [each for each in outcomes if each.success]
        shown = {path: str(value) if path in self._text_params else value for path, value in params.items()}
        sums = {
            "net_profit": float(np.sum([each.net_profit for each in done])),
            "trades": sum(each.trades for each in done),
            "max_drawdown_pct": max((each.max_drawdown_pct for each in done), default=0.0),
        }
        objectives = (
            dict.fromkeys(self._objectives) if values is None else dict(zip(self._objectives, values, strict=True))
        )
        head = {"fold": fold, "trial": trial, "state": state, "windows": len(done)}
        self._trials.append({**sums, **head, **shown, **objectives})

    def write_records(self, results: Iterable[ScenarioResult]) -> None:
        """Writes orders, fills, trades, equity and profile of some scenarios: those of the best trial."""
        payloads = [encode_entry(result, None, None, None, None) for result in results]
        names = (*RECORD_TABLES, "profile")
        with self._output():
            write_tables(self.run_dir.path, entry_tables(payloads, names), names)

    def close(self, status: str = "finished", **details: Any) -> None:
        """Lets the tables appear and completes ``run.json``; calling it again does nothing.

        Args:
            status: ``finished``, or ``interrupted``: then the sweep keeps its journal, and can be resumed.
            **details: More for ``run.json``.
        """
        if self._segment is None:
            return
        try:
            with self._output():
                self._segment.sync()
                counts = self._write_tables()
                self._head |= {"status": status, "finished": _now(), **counts, **details}
                renew_head(self.run_dir.info, self._head)
                self.run_dir.mark_latest()
        finally:
            self.release()
        if status == "finished":
            shutil.rmtree(self.run_dir.journal, ignore_errors=True)

    def _write_tables(self) -> dict[str, int]:
        counts = {"trials": len(self._trials), "scenarios": 0, "completed": 0, "failed": 0, "ticks": 0}
        schema, periods = scenario_schema(self._measures), dict[str, list[int]]()
        rows = journal_rows(self.run_dir)
        for row in journal_rows(self.run_dir):
            if row.get("periods"):
                periods[row["window"]] = row["periods"]
        with ExitStack() as stack:
            write_trials, write_scenarios, write_returns = (
                stack.enter_context(table_file(self.run_dir.table(name), layout))
                for name, layout in (
                    ("trials", self._trial_schema),
                    ("scenarios", schema),
                    ("returns", RETURNS_SCHEMA),
                )
            )
            write_trials(pa.Table.from_pylist(self._trials, schema=self._trial_schema))
            while group := list(islice(rows, _GROUP_ROWS)):
                counts["scenarios"] += len(group)
                counts["completed"] += sum(row["success"] for row in group)
                counts["failed"] += sum(not row["success"] for row in group)
                counts["ticks"] += sum(row["ticks"] for row in group)
                write_scenarios(pa.Table.from_pylist(group, schema=schema))
                if (returns := returns_table(group, periods)) is not None:
                    write_returns(returns)
        sync_folder(self.run_dir.path)
        return counts

    def release(self) -> None:
        """Lets go of the folder as it is; calling it again does nothing."""
        if self._segment is not None:
            self._segment.close()
            self._segment = None
        self._lock.release()

    def _output(self) -> Any:
        return output_errors(self.run_dir.path, "finiex-ray sweep SWEEP --resume")


def _same_sweep(run_dir: RunDir, spec: Mapping[str, Any]) -> dict[str, Any]:
    head = read_head(run_dir.info)
    if head.get("status") == "finished":
        raise ConfigError("is finished; there is nothing to resume", source=str(run_dir.path))
    before: Mapping[str, Any] = head.get("sweep") or {}
    changed = list(_changed(before, spec))
    if changed:
        message = f"began with other values of {', '.join(changed)}; resume it as it began, or start a new sweep"
        raise ConfigError(message, source=str(run_dir.path))
    return head


def _changed(before: Mapping[str, Any], after: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Paths of what differs."""
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _changed(old, new, f"{above}{key}.")
        elif old != new:
            yield f"{above}{key}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
