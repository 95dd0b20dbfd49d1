from __future__ import annotations

import json

import duckdb
import pandas as pd
import pytest
from history_runs import flip_byte, make_run
from result_builders import completed, failed, scenario, scenario_set
from typer.testing import CliRunner

from finiex_ray.cli import app
from finiex_ray.core.errors import ConfigError
from finiex_ray.history.delete import delete_run
from finiex_ray.history.export import ExportFormat, export_run
from finiex_ray.history.listing import RunState, is_locked, list_runs
from finiex_ray.results.lock import RunLock
from finiex_ray.results.reader import RunData
from finiex_ray.results.run_dir import RunDir, create_run_dir
from finiex_ray.results.writer import ResultWriter


def call(*arguments: object, **values: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], **values)


def made(root, run_id: str, *results, status: str = "finished") -> RunDir:
    run_dir = create_run_dir(root, run_id)
    writer = ResultWriter(run_dir, scenario_set(*(scenario(name) for name in "ab")))
    for result in results:
        writer.add(result)
    writer.close(status, result_hash="ab" * 32, wall_s=1.5)
    return run_dir


def test_states_newest_first(tmp_path) -> None:
    made(tmp_path, "z_first", completed(0, "a"), completed(1, "b"))
    made(tmp_path, "failed", completed(0, "a"), failed(1, "b"))
    made(tmp_path, "cut", completed(0, "a"), status="interrupted")
    damaged = made(tmp_path, "damaged", completed(0, "a"), completed(1, "b"))
    damaged.table("scenarios").write_bytes(b"x")
    live = create_run_dir(tmp_path, "live")
    writer = ResultWriter(live, scenario_set(scenario("a"), scenario("b")))
    writer.add(completed(0, "a"))
    assert is_locked(live)
    found = list_runs(tmp_path)
    assert [run.run_id for run in found] == ["live", "damaged", "cut", "failed", "z_first"]
    assert [run.state.value for run in found] == ["running", "damaged", "partial", "failed", "complete"]
    assert [(run.completed, run.failed) for run in found] == [(1, 0), (0, 0), (1, 0), (1, 1), (2, 0)]
    assert found[-1].net_profit == {"USD": pytest.approx(5.8)}
    assert [run.result_hash for run in found] == [None, None, None, "ab" * 32, "ab" * 32]
    writer.release()
    assert list_runs(tmp_path)[0].state is RunState.PARTIAL  # as after a crash: no one holds it
    shown = call("runs", "list", "--runs", tmp_path)
    assert shown.exit_code == 0
    assert "1 of 2" in shown.stdout
    assert "damaged or unreadable" in shown.stdout
    values = json.loads(call("runs", "list", "--runs", tmp_path, "--json").stdout)
    assert [run["state"] for run in values] == ["partial", "damaged", "partial", "failed", "complete"]
    assert call("runs", "list", "--runs", tmp_path / "nothing", "--json").stdout == "[]\n"


def test_show(tmp_path) -> None:
    made(tmp_path, "one", completed(0, "a"), failed(1, "b"))
    shown = call("runs", "show", "latest", "--runs", tmp_path)
    assert shown.exit_code == 0
    for text in ("state      failed", "2: 1 completed, 1 failed", "Scenarios", "ValueError"):
        assert text in shown.stdout
    values = json.loads(call("runs", "show", "one", "--runs", tmp_path, "--json").stdout)
    assert (values["state"], values["run_id"], values["format"]) == ("failed", "one", 2)


def test_exports_hold_the_same_rows(tmp_path) -> None:
    run = make_run(tmp_path, "a")
    for fmt in ExportFormat:
        files = export_run(run, fmt, tmp_path / fmt.value)
        assert {path.name for path in files} == {
            "run.json",
            *(f"{name}.{fmt.value}" for name in ("scenarios", "profile", "orders", "fills", "trades", "equity")),
        }
    trades = run.trades
    csv = pd.read_csv(tmp_path / "csv" / "trades.csv")
    lines = [json.loads(line) for line in (tmp_path / "json" / "trades.json").read_text().splitlines()]
    parquet = pd.read_parquet(tmp_path / "parquet" / "trades.parquet")
    for column in ("net", "entry_price", "mae"):
        expected = trades[column].tolist()
        assert csv[column].tolist() == [row[column] for row in lines] == parquet[column].tolist() == expected
    times = [pd.Timestamp(row["exit_time"]).value for row in lines]
    assert times == [pd.Timestamp(text).value for text in csv["exit_time"]] == [t.value for t in trades["exit_time"]]
    assert [row["tp"] for row in lines] == [None] * len(trades)
    assert csv["exit_reason"].tolist() == [str(word) for word in trades["exit_reason"]]
    orders = pd.read_csv(tmp_path / "csv" / "orders.csv", dtype=str, keep_default_na=False)
    assert orders["done_tick"].tolist() == ["" if pd.isna(n) else str(n) for n in run.orders["done_tick"]]


def test_an_unfinished_run_is_exported_as_far_as_it_got(tmp_path) -> None:
    run_dir = made(tmp_path, "cut", completed(0, "a"), status="interrupted")
    export_run(RunData(run_dir), ExportFormat.CSV, tmp_path / "x", ["scenarios"])
    assert pd.read_csv(tmp_path / "x" / "scenarios.csv")["name"].tolist() == ["a"]


def test_export_refuses_what_it_cannot_do(tmp_path) -> None:
    made(tmp_path / "runs", "a", completed(0, "a"), completed(1, "b"))
    base = ("runs", "export", "a", "--format", "csv", "--runs", tmp_path / "runs")
    full = tmp_path / "full"
    full.mkdir()
    (full / "x").touch()
    assert "not empty" in call(*base, "--out", full).stderr
    done = call(*base, "--out", tmp_path / "new", "--table", "trade")
    assert (done.exit_code, "Did you mean 'trades'" in done.stderr) == (2, True)
    (tmp_path / "file").touch()
    assert call(*base, "--out", tmp_path / "file" / "below").exit_code == 2
    assert call(*base, "--out", tmp_path / "new", "--table", "trades").exit_code == 0


def test_delete_asks_and_moves_latest(tmp_path) -> None:
    made(tmp_path, "old", completed(0, "a"), completed(1, "b"))
    made(tmp_path, "new", completed(0, "a"), completed(1, "b"))
    assert call("runs", "delete", "latest", "--runs", tmp_path).exit_code == 1  # no answer
    assert call("runs", "delete", "latest", "--runs", tmp_path, input="n\n").exit_code == 1
    assert (tmp_path / "new").is_dir()
    assert call("runs", "delete", "latest", "--runs", tmp_path, input="y\n").exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest", "old"]
    assert (tmp_path / "latest").read_text() == "old\n"
    assert call("runs", "delete", "old", "--runs", tmp_path, "--yes").exit_code == 0
    assert list(tmp_path.iterdir()) == []


def test_delete_leaves_alone_what_is_in_use_or_elsewhere(tmp_path) -> None:
    root = tmp_path / "runs"
    run_dir = made(root, "a", completed(0, "a"), completed(1, "b"))
    lock = RunLock(run_dir)
    try:
        done = call("runs", "delete", "a", "--runs", root, "--yes")
    finally:
        lock.release()
    assert done.exit_code == 2
    assert "is being written by process" in done.stderr
    outside = made(tmp_path / "elsewhere", "b", completed(0, "a"), completed(1, "b"))
    done = call("runs", "delete", outside.path, "--runs", root, "--yes")
    assert (done.exit_code, "is no run folder of" in done.stderr) == (2, True)
    (root / "link").symlink_to(outside.path)
    with pytest.raises(ConfigError, match="no run folder"):
        delete_run(RunDir(root / "link"), root)
    assert call("runs", "delete", "link", "--runs", root, "--yes").exit_code == 2
    assert outside.info.is_file()
    assert run_dir.info.is_file()


def test_sql_over_the_tables(tmp_path) -> None:
    run = make_run(tmp_path, "a")
    glob = tmp_path / "runs" / "*" / "trades.parquet"
    ((total,),) = duckdb.sql(f"SELECT sum(net) FROM '{glob}'").fetchall()
    assert total == pytest.approx(run.trades["net"].sum())


def test_a_damaged_journal_does_not_hide_the_run(tmp_path) -> None:
    run_dir = made(tmp_path, "cut", completed(0, "a"), status="interrupted")
    (segment,) = run_dir.journal.glob("*.journal")
    flip_byte(segment, 0.9)
    (run,) = list_runs(tmp_path)
    assert (run.state, run.completed) == (RunState.PARTIAL, 0)
