"""Sweeps from space to tables, on a small walk."""

from __future__ import annotations

import math
import os
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from execution_support import WalkSource
from sweep_support import broken_measure, profit_of_longs, walk_experiment

import finiex_ray as fr
from finiex_ray.config.models import DataConfig, DataLoad
from finiex_ray.core.errors import ConfigError
from finiex_ray.core.market import TickSegment
from finiex_ray.execution.local import LocalExecutor
from finiex_ray.history.verify import verify_run
from finiex_ray.report import performance
from finiex_ray.results.journal import segment_files
from finiex_ray.sweep import runner, session
from finiex_ray.sweep.results import SweepData, WalkForwardData, open_run

SPACE = {
    "workers.rsi_fast.period": [7, 14],
    "logic.sl_points": [40, 80],
    "logic.rsi_buy_threshold": fr.uniform(20, 40, step=10),
}


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> SweepData:
    out = tmp_path_factory.mktemp("runs")
    objectives = ["net_profit", "max_drawdown_pct", "annual_sharpe"]
    return walk_experiment().sweep(SPACE, objective=objectives, executor="local", out=out, quiet=True, returns="H1")


def test_every_point_runs_on_every_window(grid: SweepData) -> None:
    assert len(grid.trials) == 12
    assert len(grid.scenarios) == 36
    assert grid.info["status"] == "finished"
    assert (grid.info["trials"], grid.info["scenarios"], grid.info["failed"]) == (12, 36, 0)
    assert set(grid.trials["state"]) == {"complete"}
    assert grid.failed.empty
    assert len(grid.scenarios[["trial", "window"]].drop_duplicates()) == 36
    sums = grid.scenarios.groupby("trial")["net_profit"].sum()
    assert grid.trials.set_index("trial")["net_profit"].to_numpy() == pytest.approx(sums.to_numpy())
    assert len(grid.trials[list(SPACE)].drop_duplicates()) == 12


def test_a_trial_is_the_scenario_run_singly(grid: SweepData, tmp_path: Path) -> None:
    for number in (0, 5, 11):
        row = grid.trials.iloc[number]
        params = {path: row[path].item() for path in SPACE}
        single = walk_experiment().with_params(params).run("local", out=tmp_path, quiet=True)
        own = grid.scenarios[grid.scenarios["trial"] == number].sort_values("window")
        assert list(own["result_hash"]) == list(single.scenarios.sort_values("name")["result_hash"])
        assert list(own["config_hash"]) == list(single.scenarios.sort_values("name")["config_hash"])


def test_the_best_trial_has_its_records(grid: SweepData) -> None:
    best = grid.best()
    assert best["net_profit"] == grid.trials["net_profit"].max()
    assert grid.best("max_drawdown_pct")["max_drawdown_pct"] == grid.trials["max_drawdown_pct"].min()
    own = grid.scenarios[grid.scenarios["trial"] == best["trial"]]
    assert len(grid.trades) == own["trades"].sum()
    assert grid.trades["net"].sum() == pytest.approx(own["net_profit"].sum())
    assert set(grid.equity["scenario"]) == set(own["name"])
    assert set(grid.best_params) == set(SPACE)
    assert all(type(value) in (int, float) for value in grid.best_params.values())
    front = grid.pareto()
    assert best["trial"] in set(front["trial"])


def test_returns_are_the_changes_of_the_balance(grid: SweepData) -> None:
    returns = grid.returns[(grid.returns["trial"] == 3)]
    row = grid.scenarios[(grid.scenarios["trial"] == 3)].set_index("window")
    for window, part in returns.groupby("window", observed=True):
        assert len(part) == 12  # hours
        assert part["balance"].iloc[-1] == row.loc[window, "final_balance"]
        assert np.prod(1 + part["return"]) == pytest.approx(row.loc[window, "final_balance"] / 10_000)
    matrix = grid.returns_matrix()
    assert matrix.shape == (36, 12)
    first = matrix.xs("w16", level="window")[3].to_numpy()
    assert row.loc["w16", "annual_sharpe"] == pytest.approx(performance.sharpe(first, 252 * 24))


def test_the_returns_come_from_the_trades(grid: SweepData) -> None:
    """By another way: sums of the trades of the best trial by hour of their exit."""
    trial = grid.best()["trial"]
    trades = grid.trades[grid.trades["scenario"].str.endswith("w17")]
    by_hour = trades.groupby(trades["exit_time"].dt.floor("h"))["net"].sum()
    own = grid.returns[(grid.returns["trial"] == trial) & (grid.returns["window"] == "w17")].set_index("start")[
        "balance"
    ]
    change = own.diff().fillna(own.iloc[0] - 10_000)
    assert by_hour[by_hour != 0].to_dict() == pytest.approx(change[change.abs() > 1e-9].to_dict())


def test_figures_and_report(grid: SweepData) -> None:
    figure = grid.heatmap("period", "sl_points", "net_profit")
    z = np.asarray(figure.data[0].z, dtype=float)
    cell = grid.trials[(grid.trials["workers.rsi_fast.period"] == 14) & (grid.trials["logic.sl_points"] == 80)]
    assert z[1, 1] == pytest.approx(cell["net_profit"].mean())
    assert np.asarray(grid.heatmap("period", "sl_points", "profit_factor", aggregate="max").data[0].z).shape == (2, 2)
    assert len(grid.parallel().data[0].dimensions) == 4
    importance = grid.importance()
    assert set(importance.index) == set(SPACE)
    assert 0 <= importance.min() <= importance.max() <= 1
    page = grid.report().read_text(encoding="utf-8")
    assert "logic.sl_points" in page
    assert "<script src=" not in page
    assert "default-src 'none'" in page  # nothing is fetched
    with pytest.raises(ConfigError, match="no parameter"):
        grid.heatmap("perod", "sl_points")
    with pytest.raises(ConfigError, match="net_profit"):
        grid.metric("net_profi")


def test_a_run_that_is_opened_again_is_the_same(grid: SweepData) -> None:
    again = fr.open_run(grid.run_dir.path)
    assert type(again) is SweepData
    pd.testing.assert_frame_equal(again.trials, grid.trials)
    assert fr.open_run("latest", grid.run_dir.path.parent).run_id == grid.run_id


def test_in_and_out_of_sample(grid: SweepData) -> None:
    table = grid.in_out(0.67)
    rows = grid.scenarios.pivot_table(index="trial", columns="window", values="net_profit", observed=True)
    assert table["in_sample"].to_dict() == pytest.approx(rows[["w16", "w17"]].mean(axis=1).to_dict())
    assert table["out_of_sample"].to_dict() == pytest.approx(rows["w18"].to_dict())
    assert table["in_sample_rank"].is_monotonic_increasing


def test_own_measures_in_the_task(tmp_path: Path) -> None:
    exp = walk_experiment(2)
    space = {"logic.sl_points": [40, 80]}
    by_function = exp.sweep(space, objective=profit_of_longs, executor="local", out=tmp_path, quiet=True)
    by_path = exp.sweep(space, objective="sweep_support:profit_of_longs", executor="local", out=tmp_path, quiet=True)
    assert list(by_function.trials["profit_of_longs"]) == list(by_path.trials["profit_of_longs"])
    trades = by_function.trades[by_function.trades["side"] == "buy"]
    assert by_function.best()["profit_of_longs"] == pytest.approx(trades["net"].sum() / 2)


def test_failures_are_rows_and_the_rest_goes_on(tmp_path: Path) -> None:
    exp = walk_experiment(2)
    thresholds = [30.0, 80.0]  # above the selling threshold: refused by the logic
    found = exp.sweep(
        {"logic.rsi_buy_threshold": thresholds}, objective="net_profit", executor="local", out=tmp_path, quiet=True
    )
    assert list(found.trials["state"]) == ["complete", "failed"]
    assert list(found.failed["trial"]) == [1, 1]
    assert "rsi_buy_threshold" in found.failed.iloc[0]["error_message"]
    with pytest.raises(ConfigError, match=r"no scenario of the first 1 trials completed: .*no luck with"):
        exp.sweep({"logic.sl_points": [40]}, objective=broken_measure, executor="local", out=tmp_path, quiet=True)


@pytest.mark.parametrize(
    ("space", "options", "message"),
    [
        ({"workers.rsi_slow.period": [7]}, {}, "Did you mean 'rsi_fast'"),
        ({"account.balanze": [7]}, {}, "Did you mean 'balance'"),
        ({"global.seed": [7]}, {}, "cannot be varied"),
        ({"start": ["2025-09-16T14:00:00Z"]}, {}, "cannot be varied"),
        ({"logic.sl_points": [40]}, {"search": "random"}, "needs 'trials'"),
        ({"logic.sl_points": [40]}, {"search": "gird"}, "grid"),
        ({"logic.sl_points": [40]}, {"objective": "sharp"}, "sharpe"),
        ({"logic.sl_point": [40]}, {}, "Did you mean 'sl_points'"),
    ],
)
def test_mistakes_are_told_before_anything_runs(space: dict, options: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        walk_experiment(1).sweep(space, executor="local", out=tmp_path, quiet=True, **options)


def test_evaluate_neighbourhood_and_stress(grid: SweepData) -> None:
    exp = walk_experiment()
    found = exp.evaluate(grid.best_params, objective=["net_profit", "annual_sharpe"])
    assert found["net_profit"] == pytest.approx(grid.best()["net_profit"])
    near = exp.neighbourhood(grid.best_params, objective="net_profit", executor="local")
    assert near.iloc[0]["net_profit"] == pytest.approx(grid.best()["net_profit"])
    period = near[near["parameter"] == "workers.rsi_fast.period"]
    assert set(period["value"]) & {grid.best_params["workers.rsi_fast.period"]} == set()
    assert len(period) >= 4
    stressed = exp.stress(grid.best_params, objective="net_profit").set_index("step")
    assert stressed.loc["as it is", "net_profit"] == pytest.approx(grid.best()["net_profit"])
    assert len(stressed) == 11
    assert stressed["net_profit"].nunique() > 5
    with pytest.raises(ConfigError, match="failed: ScenarioInvalidError"):
        exp.evaluate({"logic.lots": 0})


def interrupt_after(monkeypatch: pytest.MonkeyPatch, results: int) -> None:
    plain, left = LocalExecutor.run, [results]

    def run(self, planned):
        for result in plain(self, planned):
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
            yield result

    monkeypatch.setattr(LocalExecutor, "run", run)


@pytest.mark.parametrize(
    "search", ["grid", "random", {"type": "optuna", "batch": 4}, {"type": "optuna", "batch": 4, "pruner": "median"}]
)
def test_an_interrupted_sweep_goes_on_and_ends_the_same(
    search: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exp = walk_experiment()
    options = {"search": search, "trials": 10, "objective": "net_profit", "executor": "local", "seed": 3, "quiet": True}
    monkeypatch.setattr(runner, "_ROUND_SCENARIOS", 9)
    whole = exp.sweep(SPACE, out=tmp_path / "whole", **options)
    with monkeypatch.context() as patch:
        interrupt_after(patch, 14)
        with pytest.raises(KeyboardInterrupt) as caught:
            exp.sweep(SPACE, out=tmp_path / "cut", **options)
    assert "is kept in" in caught.value.__notes__[0]
    cut = fr.open_run("latest", tmp_path / "cut")
    assert cut.info["status"] == "interrupted"
    assert len(cut.scenarios) == 14
    assert len(cut.trades) == 0
    if search in ("grid", "random"):
        assert (
            list(cut.trials["state"]) == ["complete"] * 3 + ["partial"] * 3
        )  # two rounds of three trials on three windows
        assert cut.best_params in cut.trials[list(SPACE)].to_dict("records")
        cut.heatmap("period", "sl_points")
        cut.report()
    ran: list[int] = []
    plain = LocalExecutor.run

    def counted(self, planned):
        ran.extend(each.task.index for each in planned if not each.task.wanted.records)
        yield from plain(self, planned)

    monkeypatch.setattr(LocalExecutor, "run", counted)
    resumed = exp.sweep(SPACE, out=tmp_path / "cut", resume="latest", **options)
    assert resumed.run_id == cut.run_id
    assert len(ran) == len(whole.scenarios) - 14
    pd.testing.assert_frame_equal(resumed.trials, whole.trials)
    columns = ["index", "trial", "window", "net_profit", "result_hash", "config_hash"]
    pd.testing.assert_frame_equal(resumed.scenarios[columns], whole.scenarios[columns])
    pd.testing.assert_frame_equal(resumed.returns, whole.returns)
    with pytest.raises(ConfigError, match="is finished"):
        exp.sweep(SPACE, out=tmp_path / "cut", resume="latest", **options)


def test_a_sweep_goes_on_only_as_it_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exp = walk_experiment(1)
    with monkeypatch.context() as patch:
        interrupt_after(patch, 1)
        with pytest.raises(KeyboardInterrupt):
            exp.sweep({"logic.sl_points": [40, 80]}, executor="local", out=tmp_path, quiet=True)
    with pytest.raises(ConfigError, match="other values of space"):
        exp.sweep({"logic.sl_points": [40, 90]}, executor="local", out=tmp_path, quiet=True, resume="latest")
    another = walk_experiment(1, lots=0.2)
    with pytest.raises(ConfigError, match=r"other values of inputs.configuration; "):
        another.sweep({"logic.sl_points": [40, 80]}, executor="local", out=tmp_path, quiet=True, resume="latest")
    with monkeypatch.context() as patch:
        patch.setattr(WalkSource, "content_key", lambda self, symbol, day: f"{symbol} {day} imported again")
        with pytest.raises(ConfigError, match=r"other values of inputs.data; "):
            exp.sweep({"logic.sl_points": [40, 80]}, executor="local", out=tmp_path, quiet=True, resume="latest")
    with monkeypatch.context() as patch:
        patch.setattr(session, "engine_digest", lambda: "of another version")
        with pytest.raises(ConfigError, match=r"other values of inputs.engine; "):
            exp.sweep({"logic.sl_points": [40, 80]}, executor="local", out=tmp_path, quiet=True, resume="latest")
    journal = fr.open_run("latest", tmp_path).run_dir.journal
    segment = next(iter(segment_files(journal).values()))
    content = segment.read_bytes()
    segment.write_bytes(content + content[content.rindex(content[:4]) : -9])  # cut off by a crash
    resumed = exp.sweep({"logic.sl_points": [40, 80]}, executor="local", out=tmp_path, quiet=True, resume="latest")
    assert len(resumed.scenarios) == 2


def test_pruning_saves_windows(tmp_path: Path) -> None:
    exp = walk_experiment(5)
    search = {"type": "optuna", "pruner": "median", "batch": 5}
    space = {"workers.rsi_fast.period": fr.integers(5, 30), "logic.sl_points": fr.integers(20, 200)}
    found = exp.sweep(
        space, search=search, trials=20, objective="net_profit", executor="local", out=tmp_path, quiet=True, seed=1
    )
    pruned = found.trials[found.trials["state"] == "pruned"]
    assert len(pruned) > 0
    assert pruned["windows"].max() < 5
    assert set(found.trials.loc[found.trials["state"] == "complete", "windows"]) == {5}
    assert found.best()["state"] == "complete"


def test_several_objectives_with_optuna(tmp_path: Path) -> None:
    space = {"workers.rsi_fast.period": fr.integers(5, 30), "logic.sl_points": fr.integers(20, 200)}
    found = walk_experiment(1).sweep(
        space,
        search={"type": "optuna", "batch": 6},
        trials=18,
        objective=["net_profit", "max_drawdown_pct"],
        executor="local",
        out=tmp_path,
        quiet=True,
    )
    assert len(found.trials) == 18
    front = found.pareto()
    assert 1 <= len(front) < 18
    assert front["net_profit"].is_monotonic_decreasing
    assert front["max_drawdown_pct"].is_monotonic_decreasing


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
def test_ray_gives_the_same(grid: SweepData, tmp_path: Path) -> None:
    objectives = ["net_profit", "max_drawdown_pct", "annual_sharpe"]
    found = walk_experiment().sweep(SPACE, objective=objectives, executor="ray", out=tmp_path, quiet=True, returns="H1")
    assert found.info["executor"] == "ray"
    pd.testing.assert_frame_equal(found.trials, grid.trials)
    columns = ["index", "trial", "window", "result_hash", "annual_sharpe"]
    pd.testing.assert_frame_equal(found.scenarios[columns], grid.scenarios[columns])
    pd.testing.assert_frame_equal(found.returns, grid.returns, check_categorical=False)
    options = {
        "search": {"type": "optuna", "batch": 4},
        "trials": 8,
        "objective": "net_profit",
        "seed": 5,
        "quiet": True,
    }
    local, ray = (walk_experiment().sweep(SPACE, executor=name, out=tmp_path, **options) for name in ("local", "ray"))
    pd.testing.assert_frame_equal(local.trials, ray.trials)


class _SignedSource(WalkSource):
    """Leaves a file for each process that loads a day."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def load(self, symbol: str, day: date) -> TickSegment:
        (self._folder / str(os.getpid())).touch()
        return super().load(symbol, day)


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
@pytest.mark.parametrize("load", list(DataLoad))
def test_who_loads_the_data_of_a_sweep_is_what_was_asked_for(load: DataLoad, tmp_path: Path) -> None:
    config = walk_experiment(1).config.model_copy(update={"data": DataConfig(load=load)})
    signed = tmp_path / "signed"
    signed.mkdir()
    exp = fr.Experiment(config, source=_SignedSource(signed))
    found = exp.sweep({"logic.sl_points": [40, 80]}, executor="ray", out=tmp_path, quiet=True)
    assert found.info["failed"] == 0
    others = {path.name for path in signed.iterdir()} - {str(os.getpid())}
    assert bool(others) == (load is DataLoad.CLUSTER)


def test_a_walk_forward_trades_what_it_has_not_seen(tmp_path: Path) -> None:
    exp = walk_experiment(5)
    options = {"objective": "net_profit", "executor": "local", "out": tmp_path, "quiet": True}
    found = exp.walk_forward(SPACE, in_sample=2, **options)
    assert type(fr.open_run(found.run_dir.path)) is WalkForwardData
    assert list(found.folds["fold"]) == ["fold_01", "fold_02", "fold_03"]
    assert list(found.folds["out_of_sample"]) == ["w18", "w19", "w22"]
    sweep = exp.sweep(SPACE, **options)
    profit = sweep.scenarios.pivot_table(index="trial", columns="window", values="net_profit", observed=True)
    for (fold, inside, outside), row in zip(
        [(1, ["w16", "w17"], "w18"), (2, ["w17", "w18"], "w19"), (3, ["w18", "w19"], "w22")],
        found.folds.to_dict("records"),
        strict=True,
    ):
        best = profit[inside].sum(axis=1).idxmax()
        assert row["trial"] == best, fold
        assert row["out_of_sample_profit"] == pytest.approx(profit.loc[best, outside])
        if row["in_sample_per_day"] > 0:
            assert row["efficiency"] == pytest.approx(row["out_of_sample_per_day"] / row["in_sample_per_day"])
    total = found.folds["out_of_sample_profit"].sum()
    assert found.stitched["equity"].iloc[-1] == pytest.approx(10_000 + total)
    assert found.trades["net"].sum() == pytest.approx(total)
    assert found.stitched["time"].is_monotonic_increasing
    assert math.isnan(found.efficiency) or abs(found.efficiency) < 100
    anchored = exp.walk_forward(SPACE, in_sample=2, step=2, anchored=True, **options)
    assert list(anchored.folds["in_sample"]) == ["w16 … w17", "w16 … w19"]
    assert "Folds" in anchored.report().read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="needs 6 windows"):
        exp.walk_forward(SPACE, in_sample=5, **options)


def test_a_sweep_is_not_run_again_as_if_it_were_a_set(tmp_path: Path) -> None:
    walk_experiment(1).sweep({"logic.sl_points": [40, 80]}, executor="local", out=tmp_path, quiet=True)
    with pytest.raises(ConfigError, match="is a sweep"):
        verify_run(open_run("latest", tmp_path))
