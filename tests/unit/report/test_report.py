from __future__ import annotations

import io

import pytest
from result_builders import completed, failed, scenario, scenario_set
from rich.console import Console

from finiex_ray.config.models import AccountConfig, InvalidScenario
from finiex_ray.display import numbers
from finiex_ray.report.console import print_summary
from finiex_ray.report.metrics import profile_lines, run_metrics
from finiex_ray.report.plugins import plugin_table
from finiex_ray.results.reader import RunData, open_run
from finiex_ray.results.run_dir import create_run_dir
from finiex_ray.results.writer import ResultWriter


@pytest.fixture
def run(tmp_path) -> RunData:
    euro = scenario("euro", account=AccountConfig(currency="EUR"))
    bad = InvalidScenario(name="bad\x1b[2J", reasons=("r",))
    run_dir = create_run_dir(tmp_path)
    with ResultWriter(run_dir, scenario_set(scenario("a"), euro, scenario("b"), bad), {"executor": "local"}) as writer:
        for index, name in enumerate(["a", "euro", "b"]):
            writer.add(completed(index, name))
        writer.add(failed(3, "bad\x1b[2J", message="[bold]no[/] \x1b[31mred"))
        writer.close(wall_s=2.0, result_hash="ee" * 32)
    return open_run(run_dir.path)


def text_of(run: RunData, *, terminal: bool = False, rows: int = 40) -> str:
    out = io.StringIO()
    print_summary(
        run, Console(file=out, width=160, force_terminal=terminal, color_system="standard" if terminal else None), rows
    )
    return out.getvalue()


def test_money_is_added_up_by_currency(run) -> None:
    metrics = run_metrics(run.scenarios)
    assert (metrics.scenarios, metrics.completed, metrics.failed) == (4, 3, 1)
    assert (metrics.ticks, metrics.trades, metrics.wins) == (3_000, 3, 3)
    assert [(money.currency, money.scenarios, money.net_profit) for money in metrics.money] == [
        ("EUR", 1, 2.9),
        ("USD", 2, 5.8),
    ]
    assert metrics.win_rate == 100.0


def test_a_run_without_results_has_metrics(run) -> None:
    metrics = run_metrics(run.scenarios.iloc[:0])
    assert (metrics.scenarios, metrics.ticks, metrics.win_rate, metrics.money) == (0, 0, None, ())


def test_the_profile_is_added_up(run) -> None:
    simulator, bars = profile_lines(run.profile, "operation")
    assert (simulator.operation, simulator.calls) == ("trade_simulator", 6)
    assert simulator.total_s == pytest.approx(0.0018)
    assert simulator.per_call_s == pytest.approx(0.0003)
    assert simulator.per_tick_s == pytest.approx(600e-9)
    assert (simulator.share, bars.share) == (pytest.approx(60.0), pytest.approx(40.0))
    assert profile_lines(run.profile, "nothing") == []


def test_the_summary_says_what_happened(run) -> None:
    text = text_of(run)
    for part in (
        "trade_simulator",
        "rsi_fast",
        "Start-up",
        "600 ns",
        "3 completed, 1 failed",
        "1.50 k/s overall",
        "ee" * 32,
        str(run.run_dir.path),
        "ValueError at tick 7: [bold]no[/]",
    ):
        assert part in text
    assert text.index("bad") < text.index("euro"), "failures come first"
    assert "\x1b" not in text


def test_colour_is_for_terminals_and_names_cannot_steer_them(run) -> None:
    text = text_of(run, terminal=True)
    assert "\x1b[1;31mfailed" in text
    assert "\x1b[2J" not in text
    assert "bad\\x1b[2J" in text


def test_long_lists_are_cut(run) -> None:
    text = text_of(run, rows=2)
    assert "… and 2 more in scenarios.parquet" in text


def test_plugins_are_listed_with_their_parameters() -> None:
    out = io.StringIO()
    console = Console(file=out, width=200)
    console.print(plugin_table("workers"))
    console.print(plugin_table("logics"))
    text = out.getvalue()
    for part in ("rsi", "period", "14", "aggressive_trend", "rsi_buy_threshold"):
        assert part in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (0.0, "0 s"),
        (2.5e-9, "2.50 ns"),
        (8.5e-7, "850 ns"),
        (0.0123, "12.3 ms"),
        (4.556, "4.56 s"),
        (59.96, "1:00"),
        (3_725, "1:02:05"),
        (262_925, "3 d 01:02:05"),
    ],
)
def test_durations(seconds, text) -> None:
    assert numbers.duration(seconds) == text


def test_numbers_have_separators_and_units() -> None:
    assert numbers.count(1_234_567) == "1,234,567"
    assert numbers.money(-1_234.5) == "-1,234.50"
    assert numbers.percent(12.34) == "12.3 %"
    assert [numbers.rate(value) for value in (12, 1_500, 2.5e7, 3e9)] == ["12 /s", "1.50 k/s", "25.0 M/s", "3.00 G/s"]
    assert {numbers.count(None), numbers.rate(None), numbers.ratio(float("inf"))} == {"–"}
