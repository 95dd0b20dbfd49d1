"""A search over noise is flagged, a planted edge is not; walk-forward on real days, with its folds on Ray."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from sweep_support import PlantedSource, day_windows, experiment

import finiex_ray as fr
from finiex_ray.data.catalog import Catalog
from finiex_ray.data.importing import import_ticks

ROOT = Path(__file__).resolve().parents[3]
FIRST = date(2025, 9, 1)


def test_random_entries_on_a_market_without_drift_are_flagged(tmp_path: Path) -> None:
    logic = {"type": "sweep_support:RandomEntries", "lots": 1}
    exp = experiment(PlantedSource(), logic, day_windows(FIRST, 12))
    space = {"logic.entries": list(range(60))}
    found = exp.sweep(space, objective="annual_sharpe", executor="local", out=tmp_path, quiet=True, returns="H1")
    assert found.trials["trades"].min() > 20
    assert found.best()["net_profit"] > 0  # it looks good …
    report = found.overfitting()
    assert report.probabilistic_sharpe > 0.9  # … and taken alone it is good
    assert report.overfitted
    assert report.deflated_sharpe < 0.9
    assert report.overfitting_probability > 0.4
    assert "no more than such a search finds" in str(report)


def test_a_planted_edge_is_found_and_holds(tmp_path: Path) -> None:
    logic = {"type": "sweep_support:LongInHour", "lots": 1}
    exp = experiment(PlantedSource(edge_points=160, hour=9), logic, day_windows(FIRST, 18))
    space = {"logic.hour": list(range(24)), "logic.side": [-1, 1]}
    found = exp.sweep(space, objective="annual_sharpe", executor="local", out=tmp_path, quiet=True, returns="H1")
    assert found.best_params == {"logic.hour": 9, "logic.side": 1}
    report = found.overfitting()
    assert not report.overfitted
    assert report.deflated_sharpe > 0.99
    assert report.overfitting_probability < 0.05
    walk = exp.walk_forward(
        space, in_sample=4, out_of_sample=2, objective="net_profit", executor="local", out=tmp_path, quiet=True
    )
    assert list(walk.folds["logic.hour"]) == [9] * 7
    assert walk.efficiency > 0.5
    assert walk.stitched["equity"].iloc[-1] > 10_000


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
def test_walk_forward_on_the_real_days_with_folds_on_ray(shared_data: Path, tmp_path: Path) -> None:
    catalog = tmp_path / "catalog"
    source = shared_data / "lean" / "forex" / "oanda"
    import_ticks(source, fmt="lean", symbol="EURUSD", digits=5, catalog=Catalog(str(catalog)))
    days = ROOT / "configs" / "scenario_sets" / "eurusd_days.json"
    assert len(json.loads(days.read_text(encoding="utf-8"))["scenarios"]) == 12  # the first day gives the warm-up
    exp = fr.Experiment.from_file(days, overrides=[f"data.catalog={catalog}"])
    space = {"workers.rsi_fast.period": [7, 14], "logic.sl_points": [100, 200], "logic.tp_points": [150, 300]}
    options = {"in_sample": 4, "out_of_sample": 2, "objective": "net_profit", "out": tmp_path, "quiet": True}
    on_ray = exp.walk_forward(space, executor="ray", **options)
    assert on_ray.info["executor"] == "ray"
    assert on_ray.info["failed"] == 0
    assert len(on_ray.folds) == 4
    assert on_ray.info["scenarios"] == 4 * 8 * 4 + 4 * 2
    here = exp.walk_forward(space, executor="local", jobs=2, **options)
    pd.testing.assert_frame_equal(on_ray.folds, here.folds)
    pd.testing.assert_frame_equal(on_ray.trials, here.trials)
    columns = ["index", "fold", "sample", "trial", "window", "result_hash"]
    pd.testing.assert_frame_equal(on_ray.scenarios[columns], here.scenarios[columns], check_categorical=False)
    pd.testing.assert_frame_equal(on_ray.stitched, here.stitched, check_categorical=False)
    assert on_ray.stitched["equity"].iloc[-1] == pytest.approx(10_000 + on_ray.folds["out_of_sample_profit"].sum())
