"""Work for the tests of clusters: plain Python, slow enough to be hit in the middle; and a run that keeps time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from finiex_ray.config.load import load_broker
from finiex_ray.config.models import ScenarioSet
from finiex_ray.config.resolve import resolve_set
from finiex_ray.core.access import PluginAccess
from finiex_ray.data.source import TickSource
from finiex_ray.data.synthetic import SyntheticMarket
from finiex_ray.execution.coordinator import ExecutionCoordinator, RunSummary

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests"))  # where engine_strategies lies
ACCESS = PluginAccess(("engine_strategies",))


def scenario_set(count: int, *, ticks: int = 20_000, load: str = "driver", days: int = 8) -> ScenarioSet:
    """Scenarios over some days of two symbols, each some tenths of a second long."""
    scenarios = [
        {
            "name": f"s{number:03d}",
            "symbol": ("EURUSD", "GBPUSD")[number % 2],
            "start": datetime(2025, 9, 1 + number % days, 6, tzinfo=UTC).isoformat(),
            "seed": number,
        }
        for number in range(count)
    ]
    shared = {
        "max_ticks": ticks,
        "logic": {"type": "engine_strategies:Zigzag"},
        "account": {"latency": {"kind": "uniform", "ms": 5, "max_ms": 90}},
    }
    tree = {"name": "faults", "data": {"load": load}, "global": shared, "scenarios": scenarios}
    return resolve_set(tree, "faults", [], [])


class Watch:
    """Results as they come: each once, and how long nothing came."""

    def __init__(self, at: dict[int, Callable[[], None]]) -> None:
        self._at = at
        self.names: list[str] = []
        self.gaps_s: list[float] = []  # the longest wait for a result after each event
        self._last_s = time.monotonic()

    def __call__(self, result: Any) -> None:
        now = time.monotonic()
        if self.gaps_s:
            self.gaps_s[-1] = max(self.gaps_s[-1], now - self._last_s)
        self._last_s = now
        self.names.append(result.name)
        event = self._at.get(len(self.names))
        if event is not None:
            event()
            self._last_s = time.monotonic()
            self.gaps_s.append(0.0)


def run(executor: Any, chosen: ScenarioSet, watch: Watch, source: TickSource | None = None) -> RunSummary:
    """Runs a set on the Ray that this process is connected to, or in this process."""
    coordinator = ExecutionCoordinator(
        chosen,
        source or SyntheticMarket(chosen.data.seed),
        lambda name: load_broker(name, Path("set.json"))[0],
        executor=executor,
        access=ACCESS,
    )
    return coordinator.run(watch)
