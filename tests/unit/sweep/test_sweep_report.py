from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from report_pages import Page, check_page, painted
from report_runs import IMAGE, OPENER, real_sweep
from typer.testing import CliRunner

from finiex_ray.cli import app
from finiex_ray.core.errors import ConfigError
from finiex_ray.report.html.tables import plain
from finiex_ray.sweep.report_figures import short_names
from finiex_ray.sweep.results import SweepData, WalkForwardData


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> SweepData:
    return real_sweep(tmp_path_factory.mktemp("swept"))


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> WalkForwardData:
    forward = {"in_sample": 1, "out_of_sample": 1}
    made = real_sweep(tmp_path_factory.mktemp("walked"), walk_forward=forward, objective="net_profit")
    assert isinstance(made, WalkForwardData)
    return made


@pytest.fixture(scope="module")
def index(found: SweepData) -> Page:
    return Page(found.report())


def block(page: Page, key: str) -> dict[str, Any]:
    (only,) = (each for each in page.blocks if key in each)
    return only


def test_pages_are_those_of_a_report(found: SweepData, walked: WalkForwardData) -> None:
    for sweep, pages in ((found, 3), (walked, 2)):
        first = sweep.report()
        assert first == sweep.run_dir.path / "report" / "index.html"
        scenarios = sorted((first.parent / "scenarios").iterdir())
        assert len(scenarios) == pages
        for path in (first, *scenarios):
            check_page(path)
        shared = {path.name for path in (first.parent / "assets").iterdir()}
        assert shared == {"report.css", "report.js", "explore.js", "plotly.min.js"}
        drawn = [figure for path in (first, *scenarios) for figure in Page(path).figures()]
        assert len(drawn) >= 6
        for figure in drawn:
            go.Figure(painted(figure))  # raises where a name or a value is none of Plotly's


def test_names_are_text(found: SweepData, index: Page) -> None:
    assert f"sweep {OPENER}" in index.texts
    assert index.table("windows")["name"] == [f"t{found.best()['trial']:05d}_{name}" for name in ("one", OPENER, IMAGE)]
    assert not {"img", "b"} & {tag for tag, _ in index.tags}


def test_trials_are_those_of_the_sweep_the_best_first(found: SweepData, index: Page) -> None:
    shown = index.table("trials")
    assert shown["state"] == ["complete"] * 6 + ["failed"] * 6
    expected = [*found.ranked()["trial"], *found.trials[found.trials["state"] == "failed"]["trial"]]
    assert shown["trial"] == expected
    rows = found.trials.set_index("trial").loc[expected]
    for key in ("net_profit", "max_drawdown_pct", "logic.sl_points", "workers.rsi_fast.period", "trades"):
        assert shown[key] == plain(rows[key]), key


def test_the_cells_of_the_heat_map_hold_their_trials(found: SweepData, index: Page) -> None:
    spec = block(index, "params")
    places = {each["path"]: each for each in spec["params"]}
    stops, periods = places["logic.sl_points"], places["workers.rsi_fast.period"]
    assert stops["values"] == ["30", "60", "120"]
    net, drawdown = spec["metrics"][:2]
    assert (net["label"], net["maximize"], drawdown["maximize"]) == ("net_profit", True, False)
    for stop, period, value in zip(stops["codes"], periods["codes"], net["values"], strict=True):
        own = found.complete
        own = own[own["logic.sl_points"] == int(stops["values"][stop])]
        own = own[own["workers.rsi_fast.period"] == int(periods["values"][period])]
        assert value == pytest.approx(own["net_profit"].item())


def test_lines_of_the_parallel_coordinates_belong_to_rows(found: SweepData, index: Page) -> None:
    spec, shown = block(index, "fifths"), index.table("trials")
    assert [shown["trial"][row] for row in spec["rows"]] == found.ranked()["trial"].tolist()
    assert spec["fifths"] == sorted(spec["fifths"], reverse=True)
    axes = {axis["path"]: axis for axis in spec["axes"]}
    assert "logic.rsi_buy_threshold" not in axes  # one value completed alone
    values = found.ranked()["net_profit"].to_numpy()
    expected = (values - values.min()) / (values.max() - values.min())
    assert np.allclose(axes["net_profit"]["positions"], expected, atol=1e-4)


def test_the_best_so_far_and_the_front(found: SweepData, index: Page) -> None:
    lines = {trace["name"]: trace for figure in index.figures() for trace in figure["data"] if "name" in trace}
    done = found.complete
    best = done["net_profit"].cummax()
    line = dict(zip(lines["best so far"]["x"], lines["best so far"]["y"], strict=True))
    assert line[int(done["trial"].iloc[0])] == pytest.approx(best.iloc[0])
    assert line[int(done["trial"].iloc[-1])] == pytest.approx(best.iloc[-1])
    assert sorted(lines["on the front"]["x"]) == pytest.approx(sorted(found.pareto()["net_profit"]))


def test_a_failed_trial_is_told_once(found: SweepData, index: Page) -> None:
    text = " ".join(index.texts)
    assert len(found.failed) == 18
    assert text.count("and 2 more of the trial") == 6
    assert "rsi_buy_threshold (90" in text
    assert "6 complete" in " ".join(text.split())


def test_the_page_of_a_walk_forward_has_its_folds(walked: WalkForwardData) -> None:
    page = Page(walked.report())
    shown, folds = page.table("folds"), walked.folds
    for key in ("fold", "in_sample_per_day", "out_of_sample_per_day", "efficiency", "logic.sl_points"):
        if key in shown:  # a column without a value is left out
            assert shown[key] == plain(folds[key]), key
    (curve,) = (trace for figure in page.figures() for trace in figure["data"] if trace.get("name") == "equity")
    ends = [value for value in curve["y"] if value is not None][-1]
    assert ends == pytest.approx(10_000 + folds["out_of_sample_profit"].sum())
    records = page.table("windows")
    assert sum(records["net_profit"]) == pytest.approx(folds["out_of_sample_profit"].sum())


def test_pages_of_scenarios_have_bars_and_trades(found: SweepData) -> None:
    folder = found.report().parent
    name = f"t{found.best()['trial']:05d}_one"
    page = Page(folder / "scenarios" / f"{name}.html")
    traces = {trace["name"] for figure in page.figures() for trace in figure["data"]}
    assert {"M5", "band upper", "equity"} <= traces
    trades = found.trades[found.trades["scenario"] == name]
    assert page.table("trades")["net"] == plain(trades["net"])


def test_the_command_line(found: SweepData, tmp_path: Path) -> None:
    name = f"t{found.best()['trial']:05d}_one"
    done = CliRunner().invoke(
        app, ["report", str(found.run_dir.path), "--scenario", name, "--out", str(tmp_path / "pages")]
    )
    assert done.exit_code == 0, done.output
    assert [path.name for path in (tmp_path / "pages/scenarios").iterdir()] == [f"{name}.html"]
    with pytest.raises(ConfigError, match="no result of a scenario 'one'"):
        found.report(scenarios=["one"], out=tmp_path / "pages")


def test_names_are_as_short_as_they_can_be() -> None:
    paths = ["workers.fast.period", "workers.slow.period", "logic.sl_points"]
    assert list(short_names(paths).values()) == ["fast.period", "slow.period", "sl_points"]
