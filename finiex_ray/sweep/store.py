"""`SweepStore`: the run folder of a sweep. Every window of every trial goes to the journal as it comes; tables follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from finiex_ray.config.models import ScenarioConfig, ScenarioSet
from finiex_ray.config.resolved import to_json
from finiex_ray.core.errors import ConfigError
from finiex_ray.core.text import printable
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.results.files import safe_stem
from finiex_ray.results.journal import Journal, read_journal
from finiex_ray.results.parquet import RecordFile, RowFile
from finiex_ray.results.rows import PROFILE_SCHEMA, SCENARIO_SCHEMA, Row, profile_rows, scenario_row
from finiex_ray.results.run_dir import RunDir
from finiex_ray.results.run_info import FORMAT_VERSION, read_head, renew_head, versions, write_info
from finiex_ray.results.tables import RECORD_TABLES, WORD, Chunk
from finiex_ray.sweep.returns import RETURNS_SCHEMA, return_tables, write_tables

__all__ = ["SweepStore", "WindowOutcome", "scenario_schema", "trial_schema"]

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
        ConfigError: If the folder holds another sweep, or one that is finished.
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
        self._resumed = run_dir.journal.is_file()
        if self._resumed:
            self._head = _same_sweep(run_dir, spec)
        else:
            self._head = {
                "format": FORMAT_VERSION,
                "run_id": run_dir.run_id,
                "kind": spec["kind"],
                "status": "running",
                "set": scenario_set.name,
                "started": _now(),
                "versions": versions(),
                "sweep": dict(spec),
            }
            write_info(run_dir.info, self._head, to_json(scenario_set))
        self._head |= {"status": "running", **details}
        self._journal = Journal(run_dir.journal, append=self._resumed)
        self._text_params = {path for path, values in params.items() if _arrow_type(values) == pa.string()}
        self._trials = RowFile(run_dir.table("trials"), trial_schema(params, objectives))
        self._periods: set[str] = set()
        self._counts = {"trials": 0, "scenarios": 0, "completed": 0, "failed": 0, "ticks": 0}

    def known(self) -> dict[int, WindowOutcome]:
        """What the journal of an interrupted sweep holds, by index."""
        if not self._resumed:
            return {}
        found = {}
        for row in read_journal(self.run_dir.journal):
            self._periods.update([row["window"]] if row.get("periods") else [])
            found[row["index"]] = self._outcome(row)
        return found

    def add(
        self, result: ScenarioResult, config: ScenarioConfig, fold: str, trial: int, window: str, sample: str = "in"
    ) -> WindowOutcome:
        """Writes a result to the journal."""
        failed_log = "" if result.success else f"{safe_stem(result.name)}.log"
        row = scenario_row(result, config, failed_log)
        row |= {"fold": fold, "sample": sample, "trial": trial, "window": window}
        row |= {name: result.measures.get(name) for name in self._measures}
        if result.balances is not None:
            balances = result.balances
            opening = [balances.opening_minor, balances.minor_per_unit]
            row |= {"opening_minor": opening, "balance_minor": balances.balance_minor.tolist()}
            if window not in self._periods:  # the same for every trial
                self._periods.add(window)
                row["periods"] = balances.start_ns.tolist()
        if failed_log:
            lines = [printable(line, keep="\n\t") for line in result.log]
            trace = (
                "" if result.error is None else f"{result.error.type}: {result.error.message}\n{result.error.traceback}"
            )
            text = "\n".join([*lines, printable(trace, keep="\n\t")])
            (self.run_dir.logs / failed_log).write_text(text + "\n", encoding="utf-8", newline="\n")
        self._journal.add(row)
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
        return {
            row["window"]: row["result_hash"] for row in read_journal(self.run_dir.journal) if row["trial"] == trial
        }

    def add_trial(
        self,
        fold: str,
        trial: int,
        params: Mapping[str, Any],
        state: str,
        values: Sequence[float] | None,
        outcomes: Sequence[WindowOutcome],
    ) -> None:
        """Writes the row of a trial."""
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
        self._trials.add({**sums, **head, **shown, **objectives})
        self._counts["trials"] += 1

    def write_records(self, results: Iterable[ScenarioResult]) -> None:
        """Writes orders, fills, trades, equity and profile of some scenarios: those of the best trial."""
        files = {name: RecordFile(self.run_dir.table(name), name) for name in RECORD_TABLES}
        profile = RowFile(self.run_dir.table("profile"), PROFILE_SCHEMA)
        for result in results:
            loop = result.loop
            if loop is not None:
                for table, file in files.items():
                    step, unit, comments = loop.volume_step, loop.minor_per_unit, loop.comments
                    file.add(Chunk(result.name, result.index, loop.digits, step, unit, getattr(loop, table), comments))
            for row in profile_rows(result):
                profile.add(row)
        for file in files.values():
            file.close()
        profile.close()

    def close(self, status: str = "finished", **details: Any) -> None:
        """Lets the tables appear and completes ``run.json``."""
        self._journal.close()
        self._trials.close()
        scenarios = RowFile(self.run_dir.table("scenarios"), scenario_schema(self._measures), sort_by="index")
        periods: dict[str, list[int]] = {}
        for row in self._rows():
            self._counts["scenarios"] += 1
            self._counts["completed" if row["success"] else "failed"] += 1
            self._counts["ticks"] += row["ticks"]
            scenarios.add({name: row.get(name) for name in scenarios.names})
            if row.get("periods"):
                periods[row["window"]] = row["periods"]
        scenarios.close()
        write_tables(self.run_dir.table("returns"), RETURNS_SCHEMA, return_tables(self._rows(), periods))
        self._head |= {"status": status, "finished": _now(), **self._counts, **details}
        renew_head(self.run_dir.info, self._head)
        self.run_dir.mark_latest()

    def _rows(self) -> Iterator[Row]:
        """The journal, each scenario once: a sweep that was stopped between two writes may hold one twice."""
        seen: set[int] = set()
        for row in read_journal(self.run_dir.journal):
            if row["index"] not in seen:
                seen.add(row["index"])
                yield row


def _same_sweep(run_dir: RunDir, spec: Mapping[str, Any]) -> dict[str, Any]:
    head = read_head(run_dir.info)
    if head.get("status") == "finished":
        raise ConfigError("is finished; there is nothing to resume", source=str(run_dir.path))
    before: Mapping[str, Any] = head.get("sweep") or {}
    changed = [key for key in sorted({*before, *spec}) if before.get(key) != spec.get(key)]
    if changed:
        message = f"began with other values of {', '.join(changed)}; resume it as it began, or start a new sweep"
        raise ConfigError(message, source=str(run_dir.path))
    return head


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
