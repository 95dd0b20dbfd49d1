from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from report_pages import Page, check_page, painted
from report_runs import CLOSER, FORMULA, HOSTILE, IMAGE, OPENER, large_run, real_run, report_of
from result_builders import completed, scenario, scenario_set
from typer.testing import CliRunner

from finiex_ray.api import report_run
from finiex_ray.cli import app
from finiex_ray.core.errors import ConfigError
from finiex_ray.core.time import NS_PER_DAY, Timeframe
from finiex_ray.report.html.calendar import hour_table, month_table
from finiex_ray.report.html.daily import daily_returns
from finiex_ray.report.html.market import MarketBars, display_timeframe
from finiex_ray.report.html.render import data_block
from finiex_ray.report.html.statistics import statistic_groups
from finiex_ray.report.html.tables import plain
from finiex_ray.report.html.timeline import timeline
from finiex_ray.results.reader import RunData, open_run
from finiex_ray.results.run_dir import create_run_dir
from finiex_ray.results.writer import ResultWriter


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunData:
    return real_run(tmp_path_factory.mktemp("html"))


@pytest.fixture(scope="module")
def folder(run: RunData) -> Path:
    return report_of(run)


def pages(folder: Path) -> list[Path]:
    return [folder / "index.html", *sorted((folder / "scenarios").iterdir())]


def test_pages_are_well_formed_and_hold_no_code(folder: Path) -> None:
    assert len(pages(folder)) == 6
    for path in pages(folder):
        check_page(path)


def test_names_and_messages_are_text(folder: Path, tmp_path: Path) -> None:
    index = Page(folder / "index.html")
    assert f"set {OPENER}" in index.texts
    assert set(HOSTILE) <= set(index.table("scenarios")["name"])
    assert not {"img", "b"} & {tag for tag, _ in index.tags}
    large = Page(report_of(large_run(tmp_path, 3, failures=2)) / "index.html")
    assert f"{OPENER} {CLOSER} 0" in large.texts
    assert f"{FORMULA} 000 {CLOSER}" in large.table("scenarios")["name"]


def test_a_data_block_cannot_be_left() -> None:
    text = data_block({CLOSER: [IMAGE, "<!--", "\u2028", float("nan"), float("inf")]})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {CLOSER: [IMAGE, "<!--", "\u2028", None, None]}


def test_the_tables_are_those_of_the_run(run: RunData, folder: Path) -> None:
    index = Page(folder / "index.html").table("scenarios")
    for key in ("name", "net_profit", "trades", "profit_factor", "sharpe", "max_drawdown_pct", "first_time", "ticks"):
        assert index[key] == plain(run.scenarios[key]), key
    assert index["status"] == [*["completed"] * 4, "ScenarioInvalidError"]
    week = Page(folder / "scenarios" / "week.html")
    trades, orders = (frame[frame["scenario"] == "week"] for frame in (run.trades, run.orders))
    assert len(trades) > 5
    shown = week.table("trades")
    for key in ("trade_id", "entry_time", "entry_price", "exit_price", "net", "mae", "mfe", "balance"):
        assert shown[key] == plain(trades[key]), key
    assert week.table("orders")["order_id"] == plain(orders["order_id"])


def test_charts_are_figures_that_plotly_knows(folder: Path) -> None:
    found = [figure for path in pages(folder) for figure in Page(path).figures()]
    assert len(found) >= 3 + 4
    for figure in found:
        go.Figure(painted(figure))  # raises where a name or a value is none of Plotly's


def test_bars_and_lines_are_those_of_the_market(run: RunData, folder: Path) -> None:
    timeline = Page(folder / "scenarios" / "week.html").figures()[0]
    traces = {trace["name"]: trace for trace in timeline["data"]}
    bars, upper, lower = traces["M5"], traces["band upper"]["y"], traces["band lower"]["y"]
    trades = run.trades[run.trades["scenario"] == "week"]
    starts = np.array(bars["x"])
    for trade in trades.itertuples():
        bar = int(np.searchsorted(starts, trade.entry_time.value // 1_000_000, side="right")) - 1
        assert bars["low"][bar] - 0.02 <= trade.entry_price <= bars["high"][bar] + 0.02
    assert all(low <= body <= high for low, body, high in zip(bars["low"], bars["open"], bars["high"], strict=True))
    middle = traces["band middle"]["y"]
    assert np.allclose((np.array(upper) + np.array(lower)) / 2, middle, atol=1e-7)
    assert all(0 <= value <= 100 for value in traces["rsi_fast rsi"]["y"])
    assert min(traces["drawdown"]["y"]) == pytest.approx(-run.scenarios["max_drawdown_pct"][0], abs=1e-3)


@pytest.mark.parametrize(
    ("days", "used", "expected"),
    [
        (1.0, ["M5", "M30"], "M5"),
        (30.0, ["M5", "M30"], "M30"),
        (0.05, ["M5"], "M1"),
        (365.0, ["M5"], "H6"),
        (1.0, [], "M1"),
        (1e-9, [], "S1"),
        (10_000.0, ["S1"], "D1"),
    ],
)
def test_the_timeframe_suits_the_window(days: float, used: list[str], expected: str) -> None:
    assert display_timeframe(int(days * NS_PER_DAY), [Timeframe(each) for each in used]) is Timeframe(expected)


def test_the_time_axis_leaves_out_what_has_no_bars() -> None:
    hours = np.array([0, 1, 2, 50, 51, 60, 200]) * 3_600_000
    flat = np.ones(len(hours))
    none = pd.DataFrame({"time": []})
    bars = MarketBars(Timeframe.H1, hours, flat, flat, flat, flat, (), ())
    axis = timeline(bars, none, none, "USD")["layout"]["xaxis"]
    assert [[value / 3_600_000 for value in each["bounds"]] for each in axis["rangebreaks"]] == [[3, 50], [61, 200]]
    daily = np.arange(400) * 3 * 24 * 3_600_000
    bars = MarketBars(Timeframe.D1, daily, *(np.ones(400),) * 4, (), ())
    assert len(timeline(bars, none, none, "USD")["layout"]["xaxis"]["rangebreaks"]) == 150


def test_a_thousand_scenarios_stay_small(tmp_path: Path) -> None:
    run = large_run(tmp_path, 1_000)
    folder = report_of(run)
    assert (folder / "index.html").stat().st_size < 5_000_000
    assert len(Page(folder / "index.html").table("scenarios")["name"]) == 1_020
    chosen = {path.stem for path in (folder / "scenarios").iterdir()}
    assert len(chosen) == 25
    net = run.scenarios.set_index("name")["net_profit"]
    assert {"scenario_00000", str(net.idxmax()), str(net.idxmin())} <= chosen
    assert sum(name.startswith("HYPERLINK") for name in chosen) == 5
    assert (folder / "assets" / "plotly.min.js").stat().st_size > 1_000_000
    assert [path.name for path in folder.rglob("*.js")].count("plotly.min.js") == 1


def test_pages_on_request_stay_until_the_results_change(tmp_path: Path) -> None:
    run = large_run(tmp_path, 28, failures=0)
    folder = report_of(run)
    first = {path.name for path in (folder / "scenarios").iterdir()}
    other = next(name for name in run.scenarios["name"] if f"{name}.html" not in first)
    report_of(run, scenarios=[other])
    now = {path.name for path in (folder / "scenarios").iterdir()}
    assert now == first | {f"{other}.html"}
    links = next(block for block in Page(folder / "index.html").blocks if block.get("name") == "scenarios")["links"]
    assert sum(link is not None for link in links) == 26
    manifest = json.loads((folder / "report.json").read_text())
    (folder / "report.json").write_text(json.dumps({**manifest, "result_hash": "other"}))
    report_of(run, scenarios=[other])
    assert [path.name for path in (folder / "scenarios").iterdir()] == [f"{other}.html"]
    report_of(run, every=True)
    assert len(list((folder / "scenarios").iterdir())) == 28


def test_a_foreign_manifest_deletes_nothing_else(tmp_path: Path) -> None:
    run = large_run(tmp_path, 2, failures=0)
    precious = tmp_path / "precious.html"
    precious.write_text("x")
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.json").write_text(
        json.dumps({"pages": {"0": "../precious.html", "1": "scenarios/../../precious.html"}})
    )
    report_of(run, out=out)
    assert precious.read_text() == "x"


def test_pages_say_why_there_are_no_bars(tmp_path: Path) -> None:
    run = large_run(tmp_path, 1, failures=0)  # whose workers, if any, were never run
    shutil.rmtree(run.run_dir.path / "logs")
    text = " ".join(Page(report_of(run) / "scenarios" / "scenario_00000.html").texts)
    assert "Bars and workers' lines cannot be drawn" in text or "have changed since the run" in text
    assert "the log cannot be read" in text


def test_statistics_against_numbers_by_hand() -> None:
    times = pd.to_datetime(["2025-09-22T01:00Z", "2025-09-22T03:00Z", "2025-09-23T01:00Z", "2025-09-25T01:00Z"])
    trades = pd.DataFrame(
        {
            "side": ["buy", "buy", "sell", "sell"],
            "entry_time": times,
            "exit_time": times + pd.Timedelta(hours=1),
            "net": [100.0, -50.0, 200.0, -25.0],
            "mae": [1.0, 4.0, 0.0, 3.0],
            "mfe": [3.0, 0.0, 5.0, 1.0],
        }
    )
    row = {
        "first_time": pd.Timestamp("2025-09-22T00:00Z"),
        "last_time": pd.Timestamp("2025-09-26T00:00Z"),
        **dict.fromkeys(("gross", "commission", "swap", "orders", "rejected", "exposure", "max_runup"), 0.0),
        **dict.fromkeys(("sharpe", "sortino", "profit_factor", "win_rate"), 1.0),
        "net_profit": 225.0,
        "max_drawdown": 50.0,
        "max_drawdown_pct": 5.0,
        "expectancy": 56.25,
        "final_balance": 1_225.0,
        "avg_trade_s": 3_600.0,
        "max_trade_s": 3_600.0,
    }
    groups = statistic_groups(row, trades, 1_000.0)
    found = {each.name: each.value for group in groups for each in group.statistics}
    assert all(each.definition for group in groups for each in group.statistics)
    assert found["Gross profit"] == 300.0
    assert found["Gross loss"] == -75.0
    assert found["Recovery factor"] == 4.5
    assert found["Balance drawdown, maximal"] == 50.0
    assert found["Balance drawdown, relative"] == pytest.approx(100 * 50 / 1_100)
    assert found["Long trades won"] == 50.0
    assert found["Payoff ratio"] == 4.0
    assert found["Kelly criterion"] == pytest.approx(100 * (0.5 - 0.5 / 4))
    assert found["Maximum consecutive wins"] == 1
    assert found["Maximal consecutive profit"] == 200.0
    # N = 4, R = 4, P = 8: (4 · 3.5 − 8) / sqrt(8 · 4 / 3)
    assert found["Z-score"] == pytest.approx(6 / (32 / 3) ** 0.5)
    assert found["GHPR"] == pytest.approx(100 * ((1_225 / 1_000) ** 0.25 - 1))
    returns = daily_returns(row, trades, 1_000.0)
    expected = [0.05, 200 / 1_050, 0.0, -25 / 1_250, 0.0]
    assert returns.tolist() == pytest.approx(expected)
    mean, spread = np.mean(expected), np.std(expected, ddof=1)
    assert found["Sharpe ratio, annual"] == pytest.approx(mean / spread * 252**0.5)
    assert found["CAGR"] == pytest.approx(100 * (1.225 ** (252 / 5) - 1))
    assert found["Value at risk, 95 %"] == pytest.approx(100 * np.quantile(expected, 0.05))
    assert found["Longest drawdown, days"] == 2
    assert found["Days won"] == pytest.approx(200 / 3)

    months = month_table(row, trades, 1_000.0)
    assert [cell.text for cell in months[2025] if cell.text] == ["+22.50 %", "+22.50 %"]
    hours = hour_table(trades)
    assert hours[1][0] == ("+100.00", 2, "Mon 01:00 to 01:59: 1 trades")
    assert [hours[1][day].text for day in (1, 3, 7)] == ["+200.00", "−25.00", "+275.00"]
    assert hours[2][7].text == ""


def test_a_scenario_without_trades_has_its_statistics() -> None:
    row = dict.fromkeys(("first_time", "last_time", "net_profit", "max_drawdown", "gross", "commission", "swap"))
    row |= dict.fromkeys(
        ("orders", "rejected", "exposure", "max_runup", "sharpe", "sortino", "profit_factor", "win_rate")
    )
    row |= dict.fromkeys(("max_drawdown_pct", "expectancy", "final_balance", "avg_trade_s", "max_trade_s"))
    times = pd.Series([], dtype="datetime64[ns, UTC]")
    none = pd.DataFrame({"side": [], "entry_time": times, "exit_time": times, "net": [], "mae": [], "mfe": []})
    groups = statistic_groups(row, none, 1_000.0)
    assert {each.text for group in groups for each in group.statistics} >= {"–", "0"}
    assert month_table(row, none, 1_000.0) == {}


def test_a_run_that_was_interrupted_has_a_report(tmp_path: Path) -> None:
    run_dir = create_run_dir(tmp_path)
    with (
        contextlib.suppress(KeyboardInterrupt),
        ResultWriter(run_dir, scenario_set(scenario("a"), scenario("b")), {}) as writer,
    ):
        writer.add(completed(0, "a"))
        raise KeyboardInterrupt
    folder = report_of(open_run(run_dir.path))
    assert Page(folder / "index.html").table("scenarios")["name"] == ["a"]
    assert "1 without a result" in " ".join(Page(folder / "index.html").texts)
    assert Page(folder / "scenarios" / "a.html").table("trades")["net"] == [2.9]


def test_unknown_scenarios_and_folders_are_told(run: RunData, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no result of a scenario 'weak'.*week"):
        report_run(run, scenarios=["weak"])
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="choose another place with --out"):
        report_run(run, out=tmp_path / "file")


def test_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FINIEX_RAY_REPORT", "1")
    quickstart = Path(__file__).parents[3] / "configs/scenario_sets/quickstart.json"
    runner = CliRunner()
    few = ["--only", "window_07", "--executor", "local", "--quiet", "--set", "max_ticks=500"]
    assert runner.invoke(app, ["run", str(quickstart), *few, "--run-id", "bare", "--no-report"]).exit_code == 0
    assert not (tmp_path / "runs/bare/report").exists()
    told = runner.invoke(
        app, ["run", str(quickstart), *(each for each in few if each != "--quiet"), "--run-id", "told"]
    )
    assert told.exit_code == 0
    assert f"Report:  {tmp_path}/runs/told/report/index.html" in told.output
    assert (tmp_path / "runs/told/report/index.html").is_file()
    done = runner.invoke(app, ["report", "bare", "--scenario", "window_07", "--out", "pages"])
    assert done.exit_code == 0
    assert done.stdout.strip() == "pages/index.html"
    assert (tmp_path / "pages/scenarios/window_07.html").is_file()
    assert runner.invoke(app, ["report", "bare", "--all", "--scenario", "window_07"]).exit_code == 2
    # A report that cannot be written is told, and the run is what it was.
    monkeypatch.setattr(
        "finiex_ray.report.html.site.asset_bytes", lambda name: (_ for _ in ()).throw(OSError(28, "full"))
    )
    done = runner.invoke(app, ["run", str(quickstart), *few])
    assert done.exit_code == 0
    assert "no report: " in done.output


def test_a_run_without_a_report_loads_no_templates() -> None:
    code = "import sys, finiex_ray.cli, finiex_ray.api\nprint(sorted({'jinja2', 'plotly'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
