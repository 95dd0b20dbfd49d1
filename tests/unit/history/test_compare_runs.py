from __future__ import annotations

from history_runs import make_run, plant, write_fragile

from finiex_ray import open_run, run_set
from finiex_ray.history.compare import compare_runs


def test_the_same_set_run_twice_is_the_same(tmp_path) -> None:
    a, b = make_run(tmp_path, "a"), make_run(tmp_path, "b")
    found = compare_runs(a, b)
    assert (found.same, found.exit_code, found.versions) == (True, 0, ())


def test_configuration_metrics_totals_and_hashes(tmp_path) -> None:
    a = make_run(tmp_path, "a")
    b = make_run(tmp_path, "b", "logic.sl_points=200", "scenarios[day_24].max_ticks=100", "data.seed=7")
    found = compare_runs(a, b)
    assert found.exit_code == 1
    names = ("day_22", "day_23", "day_24", "day_25")
    assert {(each.path, each.a, each.b, each.scenarios) for each in found.config} == {
        ("logic.sl_points", "60", "200", names),
        ("max_ticks", "4000", "100", ("day_24",)),
    }
    (ticks,) = [each for each in found.metrics if each.metric == "ticks"]
    assert ticks == ("day_24", "ticks", 4_000, 100)
    totals = {each.metric: (each.a, each.b) for each in found.totals}
    assert totals["ticks"] == (16_000, 12_100)
    assert totals["net_profit USD"] == (
        round(float(a.scenarios["net_profit"].sum()), 8),
        round(float(b.scenarios["net_profit"].sum()), 8),
    )
    assert {each.scenario for each in found.hashes} == set(names)
    assert {each.inputs for each in found.hashes} == {("configuration",)}
    assert all(set(each.hashes) >= {"config_hash", "scenario_key"} for each in found.hashes)


def test_numbers_are_compared_by_value_and_execution_counts_as_configuration(tmp_path) -> None:
    a = make_run(tmp_path, "a", account={"balance": 10_000})
    b = make_run(tmp_path, "b", account={"balance": 10_000.00})
    assert compare_runs(a, b).same
    c = make_run(tmp_path, "c", "execution.block_ticks=64", account={"balance": 10_000})
    found = compare_runs(a, c)
    assert [(each.path, each.a, each.b) for each in found.config] == [("execution.block_ticks", "null", "64")]
    assert found.hashes == ()


def test_what_made_a_key_another_one(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    path = write_fragile(tmp_path, "compared")

    def go(run_id, *overrides):
        return run_set(path, executor="local", run_id=run_id, overrides=overrides, quiet=True, allow_imports=["."])

    a = go("a")
    with (tmp_path / "compared.py").open("a") as stream:
        stream.write("\n# a comment\n")
    b = go("b")
    found = compare_runs(a, b)
    assert {each.inputs for each in found.hashes} == {("strategy source",)}
    assert {each.hashes for each in found.hashes} == {("scenario_key",)}
    assert [each.metric for each in found.versions] == ["compared:Fragile"]
    data = compare_runs(b, go("c", "data.seed=8"))
    assert {each.inputs for each in data.hashes} == {("market data",)}
    assert [(each.path, each.a, each.b, each.scenarios) for each in data.config] == [("data.seed", "0", "8", ())]


def test_scenarios_of_one_run_only_and_changed_rows(tmp_path) -> None:
    a = make_run(tmp_path, "a")
    plant(make_run(tmp_path, "b").run_dir.table("scenarios"), 0, "name", "day_99")
    found = compare_runs(a, open_run("b", tmp_path / "runs"))
    assert (found.only_a, found.only_b, found.exit_code) == (("day_22",), ("day_99",), 1)
