from __future__ import annotations

import json

import pandas as pd
import pyarrow.parquet as pq
import pytest
from result_builders import START_NS, completed, failed, loop, scenario, scenario_set

from finiex_ray.config.models import InvalidScenario
from finiex_ray.config.resolved import config_hash
from finiex_ray.core.errors import DataError
from finiex_ray.results import merge
from finiex_ray.results.reader import open_run
from finiex_ray.results.rows import STATISTICS
from finiex_ray.results.run_dir import RunDir, create_run_dir
from finiex_ray.results.writer import ResultWriter


@pytest.fixture
def run_dir(tmp_path) -> RunDir:
    return create_run_dir(tmp_path)


def test_what_is_written_is_read_back_in_human_units(run_dir) -> None:
    ran = scenario_set(scenario("one"), scenario("two"), InvalidScenario(name="three", reasons=("no symbol",)))
    with ResultWriter(run_dir, ran, {"executor": "local"}) as writer:
        writer.add(failed(2, "three", tick=None))
        writer.add(completed(1, "two"))
        writer.add(completed(0, "one", trades=2))
        writer.close(result_hash="ff")

    run = open_run(run_dir.path)
    assert run.config == ran
    assert run.info["status"] == "finished"
    assert (run.info["completed"], run.info["failed"], run.info["ticks"]) == (2, 1, 2_000)
    assert run.info["result_hash"] == "ff"
    assert run.info["versions"]["numpy"]

    rows = run.scenarios
    assert list(rows["name"]) == ["one", "two", "three"]
    assert list(rows["success"]) == [True, True, False]
    assert rows.loc[0, "config_hash"] == config_hash(ran.scenarios[0])
    assert rows.loc[0, "trades"] == 2
    assert rows["currency"].astype(object).fillna("").tolist() == ["USD", "USD", ""]
    assert rows["trades"].isna().tolist() == [False, False, True]
    assert rows.loc[0, "ticks_per_s"] == 2_000
    assert rows.loc[0, "first_time"] == pd.Timestamp(START_NS, tz="UTC")
    assert rows.loc[2, ["error_type", "error_message"]].tolist() == ["ValueError", "boom"]
    assert rows["error_tick"].isna().all()
    assert set(STATISTICS) == set(loop().statistics)

    trade = run.trades.iloc[0]
    assert list(run.trades["scenario"]) == ["one", "one", "two"]
    assert list(run.trades.columns[:2]) == ["scenario", "scenario_index"]
    assert (trade["entry_price"], trade["exit_price"], trade["lots"]) == (1.10003, 1.10013, 0.3)
    assert (trade["gross"], trade["commission"], trade["net"]) == (3.0, -0.1, 2.9)
    assert (trade["side"], trade["exit_reason"], trade["tp"]) == ("buy", "scenario_end", 1.2)
    assert pd.isna(trade["sl"])
    assert trade["mae"] == pytest.approx(0.00004)
    assert trade["exit_time"] == pd.Timestamp(START_NS + 5 * 10**9, tz="UTC")

    order = run.orders.iloc[0]
    assert (order["type"], order["state"], order["reason"]) == ("market", "filled", "none")
    assert (order["fill_price"], order["done_tick"]) == (1.10003, 1)
    assert run.fills.iloc[0]["kind"] == "entry"
    assert run.equity.iloc[0]["equity"] == 10_002.905
    assert set(run.profile["kind"]) == {"operation", "worker", "startup", "loop"}


def test_an_order_still_under_way_has_no_end(run_dir) -> None:
    with ResultWriter(run_dir, scenario_set(scenario("one"))) as writer:
        writer.add(completed(0, "one", pending=True))
    order = open_run(run_dir.path).orders.iloc[0]
    assert order[["done_tick", "done_time", "fill_price"]].isna().all()
    assert order["state"] == "pending"


def test_row_groups_are_bounded_and_order_is_that_of_the_set(run_dir, monkeypatch) -> None:
    monkeypatch.setattr(merge, "_PIECE_CELLS", 128)
    names = [f"s{number}" for number in range(11)]
    with ResultWriter(run_dir, scenario_set(*map(scenario, names))) as writer:
        for index in reversed(range(11)):
            writer.add(completed(index, names[index], trades=index))
    assert pq.ParquetFile(run_dir.table("trades")).num_row_groups > 5
    run = open_run(run_dir.path)
    assert list(run.scenarios["name"]) == names
    assert list(run.trades["scenario"]) == [names[index] for index in range(11) for _ in range(index)]


def test_an_interrupted_run_keeps_what_it_has(run_dir) -> None:
    def interrupted() -> None:
        with ResultWriter(run_dir, scenario_set(scenario("a"), scenario("b"))) as writer:
            writer.add(completed(0, "a"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    run = open_run("latest", run_dir.path.parent)
    assert run.info["status"] == "interrupted"
    assert list(run.scenarios["name"]) == ["a"]
    assert len(run.trades) == 1
    assert not list(run_dir.path.glob(".*"))


def test_a_crash_leaves_a_journal_that_can_be_read(run_dir) -> None:
    writer = ResultWriter(run_dir, scenario_set(scenario("a"), scenario("b")))
    writer.add(completed(1, "b"))
    writer.add(completed(0, "a"))
    (segment,) = run_dir.journal.iterdir()
    with segment.open("ab") as journal:
        journal.write(segment.read_bytes()[-200:-1])
    run = open_run(run_dir.path)
    assert run.info["status"] == "running"
    assert list(run.scenarios["name"]) == ["a", "b"]
    assert run.scenarios.loc[0, "first_time"] == pd.Timestamp(START_NS, tz="UTC")
    assert list(run.trades["scenario"]) == ["a", "b"]
    writer.close("interrupted")


def test_hostile_names_and_messages_stay_in_the_folder_and_are_escaped(run_dir) -> None:
    hostile = ["../../x", "../../X", "\x1b]0;owned\x07", "=cmd()|'\n"]
    ran = scenario_set(*(InvalidScenario(name=name, reasons=("r",)) for name in hostile))
    with ResultWriter(run_dir, ran) as writer:
        for index, name in enumerate(hostile):
            writer.add(failed(index, name, message="bad \x1b[31m\u202e\ud800 thing"))
    assert sorted(path.name for path in run_dir.logs.iterdir()) == ["0_owned.log", "X-1.log", "cmd.log", "x.log"]
    assert {path.name for path in run_dir.path.parent.iterdir()} == {run_dir.run_id, "latest"}
    run = open_run(run_dir.path)
    assert all(name.isprintable() for name in run.scenarios["name"])
    assert run.scenarios.loc[0, "error_message"] == "bad \\x1b[31m\\u202e\\ud800 thing"
    assert all("\x1b" not in path.read_text(encoding="utf-8") for path in run_dir.logs.iterdir())


def test_a_log_ends_with_the_failure_and_its_traceback(run_dir) -> None:
    with ResultWriter(run_dir, scenario_set(scenario("one"))) as writer:
        writer.add(failed(0, "one"))
    text = open_run(run_dir.path).log("one")
    assert "FAILED at tick 7: ValueError: boom\nTraceback (most recent call last):\n" in text
    assert text.endswith("FINISHED_WITH_ERROR after 0.100 s, 0 ticks\n")
    with pytest.raises(DataError, match="'two'"):
        open_run(run_dir.path).log("two")


def test_a_result_of_another_set_is_refused(run_dir) -> None:
    with ResultWriter(run_dir, scenario_set(scenario("one"))) as writer, pytest.raises(DataError, match="scenario 1"):
        writer.add(completed(1, "two"))


def test_damaged_files_are_named(run_dir) -> None:
    with ResultWriter(run_dir, scenario_set(scenario("one"))) as writer:
        writer.add(completed(0, "one"))
    path = run_dir.table("trades")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"trades\.parquet: damaged"):
        _ = open_run(run_dir.path).trades
    run_dir.table("orders").unlink()
    with pytest.raises(DataError, match=r"orders\.parquet: missing"):
        _ = open_run(run_dir.path).orders
    run_dir.info.write_text('{\n"format": 1,\n"conf')
    with pytest.raises(DataError, match=r"run\.json: damaged"):
        _ = open_run(run_dir.path).info


def test_run_json_is_plain_json(run_dir) -> None:
    with ResultWriter(run_dir, scenario_set(scenario("one"))) as writer:
        writer.add(completed(0, "one"))
    tree = json.loads(run_dir.info.read_text())
    assert tree["run_id"] == run_dir.run_id
    assert tree["config"]["scenarios"][0]["name"] == "one"
