from __future__ import annotations

import pytest
from history_runs import flip_byte, make_run, plant, write_fragile
from result_builders import completed, scenario, scenario_set

from finiex_ray import open_run, run_set
from finiex_ray.config.imports import allowed_imports
from finiex_ray.core.errors import ConfigError
from finiex_ray.history.files import file_problems
from finiex_ray.history.verify import chosen_scenarios, verify_run
from finiex_ray.results.journal import segment_files
from finiex_ray.results.reader import RunData
from finiex_ray.results.run_dir import create_run_dir
from finiex_ray.results.writer import ResultWriter


def test_an_untouched_run_is_as_saved_in_any_number_of_threads(tmp_path) -> None:
    run = make_run(tmp_path, "a")
    report = verify_run(run, jobs=2)
    assert (report.exit_code, report.files, report.differences, report.changed_inputs) == (0, [], [], [])
    assert report.checked == ["day_22", "day_23", "day_24", "day_25"]
    rows = sum(len(frame) for frame in (run.scenarios, run.orders, run.fills, run.trades, run.equity))
    assert report.rows == rows > 100


def test_one_changed_trade_is_found_with_its_place_and_both_values(tmp_path) -> None:
    run = make_run(tmp_path, "a")
    trades = run.trades
    row = len(trades) // 2
    name, trade_id = str(trades["scenario"].iloc[row]), int(trades["trade_id"].iloc[row])
    within = int((trades["scenario"].iloc[:row] == name).sum())
    before = plant(run.run_dir.table("trades"), row, "net", 1234.5)
    report = verify_run(open_run("a", tmp_path / "runs"))
    (found,) = report.differences
    assert (found.scenario, found.table, found.row, found.column) == (name, "trades", within, "net")
    assert (found.row_id, found.saved, found.recomputed) == (f"trade_id {trade_id}", "1234.5", repr(before))
    assert (report.exit_code, report.different, report.files) == (1, [name], [])


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("orders", "comment", "mine"),
        ("fills", "price", 1.0),
        ("equity", "equity_low", 0.0),
        ("scenarios", "sharpe", 9.9),
    ],
)
def test_every_table_is_compared(tmp_path, table, column, value) -> None:
    run = make_run(tmp_path, "a")
    plant(run.run_dir.table(table), 1, column, value)
    (found,) = verify_run(open_run("a", tmp_path / "runs")).differences
    assert (found.table, found.column, found.saved) == (table, column, repr(value))


def test_a_row_that_is_gone_is_found(tmp_path) -> None:
    import pyarrow.parquet as pq

    run = make_run(tmp_path, "a")
    path = run.run_dir.table("trades")
    table = pq.read_table(path)
    pq.write_table(table.slice(0, table.num_rows - 1), path)
    found = verify_run(open_run("a", tmp_path / "runs")).differences
    assert [(each.table, each.column, each.saved) for each in found] == [("trades", "whole row", "no such row")]


def test_some_scenarios_are_chosen_by_number_or_by_name(tmp_path) -> None:
    run = make_run(tmp_path, "a")
    assert chosen_scenarios(run, ["2"]) == ["day_22", "day_25"]
    assert chosen_scenarios(run, ["99"]) == list(run.scenarios["name"])
    assert chosen_scenarios(run, ["day_24", "day_22"]) == ["day_22", "day_24"]
    with pytest.raises(ConfigError, match="day_99"):
        chosen_scenarios(run, ["day_99"])
    with pytest.raises(ConfigError, match="1 or more"):
        chosen_scenarios(run, ["0"])
    plant(run.run_dir.table("scenarios"), 1, "sharpe", 9.9)
    assert verify_run(open_run("a", tmp_path / "runs"), ["day_22", "day_24"]).exit_code == 0
    assert verify_run(open_run("a", tmp_path / "runs"), ["day_23"]).exit_code == 1


def test_damaged_files_are_named(tmp_path) -> None:
    run = make_run(tmp_path, "a")
    flip_byte(run.run_dir.table("fills"), 0.3)
    report = verify_run(open_run("a", tmp_path / "runs"))
    assert report.exit_code == 1
    assert "fills.parquet: damaged" in report.files[0]


def test_sums_of_run_json_are_held_against_the_table(tmp_path) -> None:
    run = make_run(tmp_path, "a")
    assert file_problems(run) == []
    plant(run.run_dir.table("scenarios"), 0, "result_hash", "0" * 64)
    (run.run_dir.logs / "day_23.log").unlink()
    hashes, logs = file_problems(open_run("a", tmp_path / "runs"))
    assert "result_hash is" in hashes
    assert "1 logs are missing, for example day_23.log" in logs


def test_the_journal_of_an_unfinished_run_is_read_against_its_checksums(tmp_path) -> None:
    run_dir = create_run_dir(tmp_path / "runs", "cut")
    writer = ResultWriter(run_dir, scenario_set(*(scenario(name) for name in "abc")))
    writer.add(completed(0, "a"))
    writer.add(completed(1, "b"))
    writer.close("interrupted")
    assert file_problems(RunData(run_dir)) == []
    (segment,) = segment_files(run_dir.journal).values()
    flip_byte(segment, 0.9)
    (problem,) = file_problems(RunData(run_dir))
    assert "belong to no whole frame" in problem


def test_failures_are_compared_and_faults_are_left_alone(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    path = write_fragile(tmp_path, "verify_fragile")
    run = run_set(path, executor="local", run_id="f", quiet=True, allow_imports=["."])
    access = allowed_imports(["."], tmp_path)
    report = verify_run(run, access=access)
    assert (report.exit_code, report.checked) == (0, ["fine", "fails"])
    assert verify_run(run).not_checked.keys() == {"fine", "fails"}  # a run folder allows nothing by itself
    plant(run.run_dir.table("scenarios"), 1, "error_tick", 699)
    plant(run.run_dir.table("scenarios"), 0, "error_type", None)
    (found,) = verify_run(open_run("f"), access=access).differences
    assert (found.scenario, found.column, found.saved, found.recomputed) == ("fails", "error_tick", "699", "700")
    plant(run.run_dir.table("scenarios"), 1, "error_type", "WorkerCrashedError")
    report = verify_run(open_run("f"), access=access)
    assert "ended by WorkerCrashedError" in report.not_checked["fails"]


def test_a_changed_source_is_told(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    run = run_set(write_fragile(tmp_path, "verify_told"), executor="local", quiet=True, allow_imports=["."])
    with (tmp_path / "verify_told.py").open("a") as stream:
        stream.write("\n# a comment\n")
    report = verify_run(run, access=allowed_imports(["."], tmp_path))
    assert (report.exit_code, report.changed_inputs) == (0, ["fine", "fails"])
