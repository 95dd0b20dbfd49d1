"""The peers' folder: their ticks, the fused loop (loaded into this process), and what `run.sh` prints of the others."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from bench.market import Market, from_peers, synthetic
from bench.support import ROOT, BenchTrade

FOLDER = Path(os.environ.get("PEERS_FOLDER", ROOT.parent / "shared" / "peers"))
HOME = Path(os.environ.get("PEERS_HOME", Path.home() / ".cache" / "finiex-peers"))
DATA = HOME / "data"
_TICKS = {"full": 1_000_000, "small": 100_000}
_NUDGE_PIPS = 1e-5  # a ten-thousandth of a point: lets a quote that touches a level count, whatever the floats round to


def present() -> bool:
    """Whether there are peers."""
    return (FOLDER / "run.sh").is_file()


def run_peers(mode: str, names: Sequence[str] = (), **environment: str) -> list[dict[str, Any]]:
    """What ``run.sh MODE NAMES`` prints, an object a line; sets the peers' environments up where they are missing."""
    command = ["bash", str(FOLDER / "run.sh"), mode, *names]
    variables = {**os.environ, "PEERS_HOME": str(HOME), **environment}
    done = subprocess.run(command, env=variables, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def window(name: str) -> Market:
    """The peers' window ``full`` (1,000,000 ticks) or ``small`` (100,000); synthetic ticks where there are no peers."""
    if not present():
        return synthetic(_TICKS[name])
    if not (DATA / f"{name}.npz").exists():
        run_peers("run", ["limit"], TICKS="1000", RUNS="1")
    return from_peers(DATA / f"{name}.npz")


def fused_loop(ticks: int, kind: str = "eager") -> FusedLoop | None:
    """The fused loop, or None where there are no peers."""
    return FusedLoop(ticks, kind) if present() else None


class FusedLoop:
    """The peers' fused numba loop on one of their files, in this process; its length is the number of ticks.

    Its prices are floats: 1.40874 + 0.0015 is more than 1.41024, so that a quote at exactly the stop loss would not trigger
    it. Stop loss and take profit are therefore a trifle nearer than asked for, which leaves everything else as it is.

    Args:
        ticks: With more than 100,000 the first ones of the full window (1,000,000 ticks), else of the small one.
        kind: ``eager`` (every value computed at every tick), ``lazy`` or ``thresh`` (price thresholds once a bar).
    """

    def __init__(self, ticks: int, kind: str = "eager") -> None:
        self._common, self._limit, self._kind = _module("common"), _module("limit_numba"), kind
        self._data = self._common.load(ticks)
        self._room = np.empty((1 << 16, 6))

    def __len__(self) -> int:
        return len(self._data["time"])

    def run(self, rsi_period: int = 14, sl_pips: float = 50.0, tp_pips: float = 100.0) -> int:
        """Runs once; the number of trades."""
        self._common.TP_PIPS = tp_pips - _NUDGE_PIPS
        trades, _ = self._limit.call(self._data, rsi_period, sl_pips - _NUDGE_PIPS, self._kind, self._room)
        return int(trades)

    def trades(self, rsi_period: int = 14, sl_pips: float = 50.0, tp_pips: float = 100.0) -> list[BenchTrade]:
        """The trades of a run, points."""
        rows = self._room[: self.run(rsi_period, sl_pips, tp_pips)]
        columns = np.rint(rows[:, :5] * [1, 1, 1, 1e5, 1e5]).astype(np.int64)
        return [BenchTrade(*row) for row in columns.tolist()]


class PlainLoop:
    """The peers' plain Python loop on one of their files, in this process."""

    def __init__(self, ticks: int) -> None:
        self._run = _module("pure_python").run(ticks)

    def run(self) -> int:
        """Runs once; the number of trades."""
        return int(self._run()[0])


def _module(name: str) -> ModuleType:
    """A module of the peers' folder; nothing is written into that folder, and no child process inherits the settings."""
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    settings = {"PEERS_DATA": str(DATA), "NBCACHE": "0"}
    os.environ.update(settings)
    try:
        return importlib.import_module(name)
    finally:
        sys.dont_write_bytecode = before
        for key in settings:
            del os.environ[key]
