from __future__ import annotations

import io
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from result_builders import completed, failed
from rich.console import Console

from finiex_ray.display.line import Rhythm, renewable
from finiex_ray.display.live import LiveDisplay
from finiex_ray.display.pace import Pace
from finiex_ray.engine.result import ProgressUpdate
from finiex_ray.execution.coordinator import Totals


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def totals(**values) -> Totals:
    defaults = {"completed": 3, "failed": 1, "running": 2, "waiting": 4, "ticks": 30_000, "ticks_total": 90_000}
    return Totals(**{**defaults, "elapsed_s": 10.0, **values})


def update(index: int, **values) -> ProgressUpdate:
    defaults = {"name": f"scenario_{index}", "symbol": "EURUSD", "status": "RUNNING", "ticks_done": 5_000}
    return ProgressUpdate(index, **{**defaults, "ticks_total": 20_000, "elapsed_s": 2.0, **values})


def console(*, terminal: bool, height: int = 20) -> Console:
    # A fake terminal needs a name: rich takes "dumb" and "unknown" ones for plain.
    environment = {"TERM": "xterm-256color", "COLUMNS": "140", "LINES": str(height)}
    return Console(
        file=io.StringIO(),
        force_terminal=terminal,
        width=140,
        height=height,
        legacy_windows=False,
        _environ=environment,
    )


def shown(display_console: Console) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", display_console.file.getvalue())


def test_plain_lines_come_at_most_every_two_seconds(clock) -> None:
    out = console(terminal=False)
    with LiveDisplay(console=out, clock=clock) as display:
        for _ in range(9):
            clock.now_s += 0.5
            display.update([update(0)], totals())
    lines = out.file.getvalue().splitlines()
    assert len(lines) == 2
    assert "4/10 done" in lines[0]
    assert "3 completed  1 failed  2 running  4 waiting" in lines[0]
    assert "30,000 of 90,000 ticks  3.00 k/s  10.0 s elapsed  ETA 20.0 s" in lines[0]


def test_the_table_has_a_row_for_each_running_scenario(clock) -> None:
    out = console(terminal=True)
    with LiveDisplay(console=out, clock=clock) as display:
        clock.now_s += 1
        display.update([update(0, balance=10_012.5, equity=10_013.25, trades=3), update(1)], totals())
    text = shown(out)
    row = next(line for line in text.splitlines() if "scenario_0" in line)
    for part in ("EURUSD", "5,000", "25 %", "2.50 k/s", "6.00 s", "10,012.50", "10,013.25", "3"):
        assert part in row
    assert "scenario_1" in text
    assert "4/10 done" in text


def test_exported_shares_and_bars_have_lines_of_their_own(clock) -> None:
    exported = {
        "operations": {"trade_simulator": 0.55, "worker_decision": 0.45},
        "bars": {"M5": (1.17331, 1.1735000000000002, 1.1733, 1.173335)},
    }
    out = console(terminal=True)
    with LiveDisplay(console=out, clock=clock) as display:
        clock.now_s += 1
        display.update([update(0, **exported), update(1)], totals())
    lines = shown(out).splitlines()
    assert any("scenario_0  trade_simulator 55 %  worker_decision 45 %" in line for line in lines)
    assert any("scenario_0  M5  open 1.17331  high 1.1735  low 1.1733  close 1.173335" in line for line in lines)
    small = console(terminal=True, height=8)  # room for two rows of scenarios
    with LiveDisplay(console=small, clock=clock) as display:
        clock.now_s += 1
        display.update([update(0, **exported), update(1)], totals())
    assert "scenario_1" in shown(small)
    assert "trade_simulator" not in shown(small)


def test_rows_are_bounded_by_the_screen(clock) -> None:
    out = console(terminal=True, height=12)
    with LiveDisplay(console=out, clock=clock) as display:
        clock.now_s += 1
        display.update([update(index) for index in range(50)], totals(running=50))
    text = shown(out)
    assert len(set(re.findall(r"scenario_\d+", text))) == 5
    assert "… and 45 more" in text


def test_a_scenario_that_has_not_begun_can_be_shown(clock) -> None:
    out = console(terminal=True)
    with LiveDisplay(console=out, clock=clock) as display:
        clock.now_s += 1
        display.update([update(0, ticks_done=0, ticks_total=0, elapsed_s=0.0)], totals(ticks=0, elapsed_s=0.0))
    assert "scenario_0" in shown(out)


def test_failures_are_told_at_once_and_escaped(clock) -> None:
    out = console(terminal=False)
    with LiveDisplay(console=out, clock=clock) as display:
        display.finished(completed(0, "fine"))
        display.finished(failed(1, "bad\x1b[2J", message="[red]\nboom"))
    assert out.file.getvalue() == "failed: bad\\x1b[2J: ValueError at tick 7: [red]\\nboom\n"


def test_a_flood_of_failures_is_cut(clock) -> None:
    out = console(terminal=False)
    with LiveDisplay(console=out, clock=clock) as display:
        for index in range(500):
            display.finished(failed(index, f"s{index}"))
    lines = out.file.getvalue().splitlines()
    assert len(lines) == 21
    assert lines[-1] == "further failures are in the summary"


def test_a_log_gets_fewer_lines_the_longer_it_takes_and_no_control_characters(clock) -> None:
    out = console(terminal=False)
    with LiveDisplay(console=out, clock=clock) as display:
        for second in range(4 * 3_600):
            clock.now_s += 0.25
            display.update([update(0)], totals(elapsed_s=second / 4))
    lines = out.file.getvalue().splitlines()
    assert 80 < len(lines) < 130
    assert "\x1b" not in out.file.getvalue()
    assert "\r" not in out.file.getvalue()


def test_a_console_that_only_pretends_to_be_a_terminal_gets_lines(monkeypatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as build servers set it, with stderr in a file
    pretended = console(terminal=True)
    assert renewable(pretended, given=True)
    assert not renewable(pretended)


def test_a_notebook_has_one_line_that_is_renewed_now_and_then(clock, monkeypatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr("finiex_ray.display.live.notebook_display", lambda: shown.append)
    with LiveDisplay(clock=clock) as display:
        for _ in range(40):
            clock.now_s += 0.25
            display.update([update(0)], totals())
    assert len(shown) == 5
    assert all("4/10 done" in text and "\n" not in text for text in shown)


def test_a_terminal_that_takes_nothing_holds_up_nobody_but_the_painter(clock) -> None:
    """`finished` comes from the thread of the run."""
    stopped = threading.Event()

    class Stuck(io.StringIO):
        def write(self, text: str) -> int:
            assert stopped.wait(60)
            return super().write(text)

    out = console(terminal=True)
    display = LiveDisplay(console=out, clock=clock)
    out.file = Stuck()
    clock.now_s += 1
    with ThreadPoolExecutor(2) as pool:
        painting = pool.submit(display.update, [update(0)], totals())
        running = pool.submit(lambda: [display.finished(failed(index, f"s{index}")) for index in range(30)])
        try:
            running.result(30)
            assert not painting.done()
        finally:
            stopped.set()
        painting.result(30)
    display.update([], totals())
    assert shown(out).count("failed: s") >= 20


def test_a_slow_terminal_is_written_to_less_often() -> None:
    now_s = [0.0]
    rhythm = Rhythm(lambda: now_s[0], moving=True)
    now_s[0] = 0.2
    assert rhythm.due
    with rhythm.painting():
        now_s[0] += 0.03
    now_s[0] += 2.9
    assert not rhythm.due  # it took 30 ms: a hundredth of the time
    now_s[0] += 0.2
    assert rhythm.due


def test_the_speed_is_that_of_the_last_moments() -> None:
    pace = Pace()
    assert pace.text(0, 1_000, 0.0).endswith("ETA –")
    assert "ETA 1:" in pace.text(100, 1_000, 10.0)  # 10 a second
    for second in range(11, 30):
        text = pace.text(100 + 20 * (second - 10), 1_000, float(second))
    assert text.startswith("480 of 1,000 ticks  20 /s")
    assert text.endswith("ETA 26.0 s")
    assert Pace().text(10, None, 2.0) == "10 ticks  5 /s  2.00 s elapsed  ETA –"


def test_no_color_is_honoured(clock, monkeypatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = Console(file=io.StringIO(), force_terminal=True, width=100)
    display = LiveDisplay(console=out, clock=clock)
    display.finished(failed(0, "bad"))
    assert "\x1b[31m" not in out.file.getvalue()
