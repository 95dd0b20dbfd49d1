"""Strategies that do harm: each one a way in which a scenario, its process or its machine can come to grief."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numba
from pydantic import Field

from finiex_ray.bars.tick import Tick
from finiex_ray.decisions.base import LogicParams
from finiex_ray.decisions.tick_style import TickLogic, Values
from finiex_ray.trading.api import TradingApi

RUNS = os.environ.get("FINIEX_FAULT_RUNS", "/nowhere")  # a folder in which each run of a scenario leaves a file

# Ways that a poisoned scenario ends, and the error that its row shows.
POISONS = {
    "exit": "SystemExit",
    "segfault": "WorkerCrashedError",
    "python_loop": "TimeLimitError",
    "kernel_loop": "TimeLimitError",
    "stubborn_loop": "TimeLimitError",
    "exception": "OddError",
    "memory": "OutOfMemoryError",
    "os_exit": "WorkerCrashedError",
    "abort": "WorkerCrashedError",
    "unprintable": "UnprintableError",
}


@numba.njit
def spin() -> int:
    """Never comes back, and holds the GIL."""
    count = 1
    while count > 0:
        count = count % 1_000_003 + 1
    return count


class OddError(Exception):
    """Cannot be pickled back: its constructor takes more than its message."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} and {second}")


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text for you")


class HarmParams(LogicParams):
    kind: str = ""
    tick: int = Field(20, ge=0)
    once: str = ""  # a file that is made first: with it there, nothing happens
    sleep_s: float = 0.0  # at the tick


class Harm(TickLogic):
    """Buys at tick 5, sells at tick 15, and at a tick does what it is told."""

    Params = HarmParams
    params: HarmParams

    def on_tick(self, tick: Tick, values: Values, trading: TradingApi) -> None:
        if tick.index == 0 and Path(RUNS).is_dir():
            (Path(RUNS) / f"{time.time_ns()}-{os.getpid()}").touch()
        if tick.index == 5:
            trading.buy("0.1")
        if tick.index == 15:
            trading.close_all()
        if tick.index == self.params.tick:
            time.sleep(self.params.sleep_s)
            if self.params.kind and not (self.params.once and self._happened()):
                getattr(self, f"_{self.params.kind}")()

    def _happened(self) -> bool:
        marker = Path(self.params.once)
        if marker.exists():
            return True
        marker.touch()
        return False

    def _exit(self) -> None:
        sys.exit(3)

    def _os_exit(self) -> None:
        os._exit(7)

    def _abort(self) -> None:
        os.abort()

    def _segfault(self) -> None:
        ctypes.string_at(0)

    def _kill(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def _python_loop(self) -> None:
        while True:
            pass

    def _kernel_loop(self) -> None:
        spin()

    def _stubborn_loop(self) -> None:
        while True:
            try:
                while True:
                    pass
            except Exception:  # noqa: BLE001 - that is the harm
                pass

    def _exception(self) -> None:
        raise OddError(1, 2)

    def _unprintable(self) -> None:
        raise UnprintableError

    def _memory(self) -> None:
        hoard: list[Any] = []
        while True:
            hoard.append(bytearray(32 * 2**20))
            time.sleep(0.005)

    def _huge_log(self) -> None:
        for number in range(200):
            self.log.info(f"{number} " + "x" * 10**6)
        self.log.info("\n".join("line" for _ in range(10**6)))

    def _huge_error(self) -> None:
        raise ValueError("y" * 50 * 10**6)
