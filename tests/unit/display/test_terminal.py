"""The display on a pseudo-terminal: what stands on its screen, by a terminal emulator."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest

TESTS = Path(__file__).resolve().parents[2]


class Terminal:
    """A process whose stderr is a terminal of some size, and which takes a step for each line of its stdin."""

    def __init__(self, columns: int, lines: int) -> None:
        self.screen = pyte.HistoryScreen(columns, lines, history=1_000)
        self._stream = pyte.ByteStream(self.screen)
        self._side, end = pty.openpty()
        self.resize(columns, lines)
        kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        environment = {**kept, "TERM": "xterm-256color", "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])}
        self.process = subprocess.Popen(
            [sys.executable, str(TESTS / "display_steps.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=end,
            env=environment,
            text=True,
        )
        os.close(end)
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                found = os.read(self._side, 65_536)
            except OSError:  # the process has ended
                return
            if not found:
                return
            with self._lock:
                self._stream.feed(found)

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._side, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.screen.resize(lines, columns)

    def step(self, name: str) -> list[str]:
        """The screen after a step."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().startswith("done"), name
        return self.lines()

    def lines(self) -> list[str]:
        """The screen, once nothing more comes."""
        before: list[str] | None = None
        while True:
            threading.Event().wait(0.1)
            with self._lock:
                now = [line.rstrip() for line in self.screen.display]
            if now == before:
                return now
            before = now

    @property
    def scrolled(self) -> list[str]:
        """What went off the top."""
        with self._lock:
            return [
                "".join(row[place].data for place in range(self.screen.columns)).rstrip()
                for row in self.screen.history.top
            ]

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(60) == 0
        self._reader.join(60)
        os.close(self._side)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal(120, 24)
    yield made
    made.close()


def test_what_stands_on_the_screen(terminal: Terminal) -> None:
    few = terminal.step("show 3")
    assert few[0].split() == ["scenario", "symbol", "ticks", "done", "rate", "ETA", "balance", "equity", "trades"]
    assert [line.split()[0] for line in few[1:4]] == ["scenario_0000", "scenario_0001", "scenario_0002"]
    assert few[1].split()[1:4] == ["EURUSD", "2,000", "10"]
    assert few[4] == ""
    assert few[5] == "100/2,000 done  90 completed  10 failed  3 running  1,897 waiting"
    assert few[6].endswith("25 %")
    assert few[7].startswith("10,000,000 of 40,000,000 ticks  1.00 M/s  10.0 s elapsed  ETA 30.0 s")
    assert few[7].endswith("memory 210 MB + 1.20 GB in 4 task processes")
    assert not any(few[8:])

    # More than the screen is high: the slowest, the rest in one line, all of the totals.
    many = terminal.step("show 1000")
    names = [line.split()[0] for line in many if line.startswith("scenario_")]
    assert names == [f"scenario_{place:04d}" for place in range(999, 999 - len(names), -1)]
    assert len(names) == 24 - 3 - 3 - 1
    (rest,) = (line for line in many if line.startswith("…"))
    assert rest == f"… and {1_000 - len(names)} more; the slowest are shown; half are beyond 12 %"
    assert many[-4].startswith("100/2,000 done")
    assert many[-1] == ""
    assert terminal.scrolled == []  # never higher than the screen

    # Failures stand above, and counted by type below.
    terminal.step("fail 3")
    failed = terminal.step("show 2")
    told = [line for line in [*terminal.scrolled, *failed] if line.startswith("failed: bad_")]
    assert told == [f"failed: bad_{place}: ValueError at tick 7: boom" for place in range(3)]
    assert "failed: 3 ValueError; last: bad_2: ValueError at tick 7: boom" in failed
    assert [line.split()[0] for line in failed if line.startswith("scenario_")] == ["scenario_0000", "scenario_0001"]

    # A smaller terminal: what does not fit is left out, nothing wraps.
    terminal.resize(50, 12)
    terminal.step("show 1000")
    small = terminal.step("show 1000")
    shown = [line for line in small if line.startswith("scenario_")]
    assert len(shown) == 12 - 4 - 3 - 1
    assert all("EURUSD" not in line and line.split()[2] == "%" for line in shown)
    assert all(len(line) <= 50 for line in small)
    terminal.resize(120, 24)
    assert len([line for line in terminal.step("show 3") if "EURUSD" in line]) == 3

    # At the end the picture goes; then the line of verify, which goes too.
    line = terminal.step("line")
    assert not any("done  90" in each or "EURUSD" in each for each in line)
    place = line.index("7/9 scenarios run again")
    assert line[place + 1] == "1,000 of 2,000 ticks  memory 12 MB"
    end = terminal.step("end")
    assert not any("run again" in each for each in end)
