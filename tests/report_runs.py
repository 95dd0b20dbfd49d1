"""Runs that reports are written of, for tests of the pages."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from result_builders import completed, failed, scenario, scenario_set

from finiex_ray import run_set
from finiex_ray.api import report_run
from finiex_ray.config.models import InvalidScenario
from finiex_ray.results.reader import RunData, open_run
from finiex_ray.results.run_dir import create_run_dir
from finiex_ray.results.writer import ResultWriter
from finiex_ray.sweep.results import SweepData
from finiex_ray.sweep_file import run_sweep_file

# What a name may hold in a set that runs …
OPENER = "<script>window.stolen = 1<!--"
IMAGE = '"><img src=x onerror="window.stolen = 1">'
QUOTES = "'><b onmouseover=window.stolen=1>&amp;{{ 7 * 7 }}"
HOSTILE = (OPENER, IMAGE, QUOTES)
# … and in one that was refused, or in an error's message.
CLOSER = '</script><img src=x onerror="window.stolen = 1">'
FORMULA = "=HYPERLINK(1)"


def real_run(folder: Path) -> RunData:
    """Real scenarios on the synthetic market, some with names that try to break out, and one that cannot run."""
    workers = {
        "rsi_fast": {"type": "rsi", "period": 14, "timeframe": "M5"},
        "band": {"type": "bollinger", "period": 20, "timeframe": "M30"},
    }
    logic = {"type": "aggressive_trend", "lots": 0.1, "sl_points": 300, "tp_points": 450}
    day = {"start": "2025-09-25T00:00:00Z", "end": "2025-09-26T00:00:00Z"}
    scenarios = [
        {"name": "week", "symbol": "USDJPY", "start": "2025-09-22T00:00:00Z", "end": "2025-09-27T00:00:00Z"},
        *({"name": name, "symbol": "EURUSD", **day, "seed": place} for place, name in enumerate(HOSTILE)),
        {"name": "no data", "symbol": "NOSUCH", "start": "2025-09-25T00:00:00Z", "max_ticks": 10},
    ]
    tree = {"name": f"set {OPENER}", "global": {"workers": workers, "logic": logic}, "scenarios": scenarios}
    path = folder / "set.json"
    path.write_text(json.dumps(tree), encoding="utf-8")
    return run_set(path, executor="local", out=folder / "runs", quiet=True)


def real_sweep(folder: Path, **changes: object) -> SweepData:
    """A small sweep on windows of the synthetic market; half of its trials fail, and names try to break out."""
    names = ("one", OPENER, IMAGE)
    windows = [
        {
            "name": name,
            "symbol": "EURUSD",
            "start": f"2025-09-{15 + place}T06:00:00Z",
            "end": f"2025-09-{15 + place}T12:00:00Z",
        }
        for place, name in enumerate(names)
    ]
    workers = {"rsi_fast": {"type": "rsi", "period": 14, "timeframe": "M5"}}
    workers["band"] = {"type": "bollinger", "period": 20, "timeframe": "M5"}
    logic = {"type": "aggressive_trend", "lots": 0.1, "sl_points": 60, "tp_points": 90}
    tree = {"name": "windows", "global": {"workers": workers, "logic": logic}, "scenarios": windows}
    (folder / "windows.json").write_text(json.dumps(tree), encoding="utf-8")
    sweep = {
        "name": f"sweep {OPENER}",
        "set": "windows.json",
        "space": {
            "workers.rsi_fast.period": [5, 9],
            "logic.sl_points": [30, 60, 120],
            "logic.rsi_buy_threshold": [40, 90],
        },
        "objective": ["net_profit", "max_drawdown_pct"],
        **changes,
    }
    path = folder / "sweep.json"
    path.write_text(json.dumps(sweep), encoding="utf-8")
    return run_sweep_file(path, executor="local", out=folder / "runs", quiet=True)


def large_run(folder: Path, scenarios: int, failures: int = 20) -> RunData:
    """A run of many scenarios whose results are made by hand."""
    names = [f"scenario_{place:05d}" for place in range(scenarios)]
    bad = [f"{FORMULA} {place:03d} {CLOSER}" for place in range(failures)]
    made = [scenario(name) for name in names]
    whole = scenario_set(*made, *(InvalidScenario(name=name, reasons=("r",)) for name in bad))
    run_dir = create_run_dir(folder)
    with ResultWriter(run_dir, whole, {"executor": "local"}) as writer:
        for index, name in enumerate(names):
            result = completed(index, name)
            assert result.loop is not None
            net = float((index * 7_919) % 1_001 - 480)
            statistics = {**result.loop.statistics, "net_profit": net, "max_drawdown_pct": index % 37 / 3.0}
            writer.add(replace(result, loop=replace(result.loop, statistics=statistics)))
        for place, name in enumerate(bad):
            writer.add(failed(scenarios + place, name, message=f"{OPENER} {CLOSER} {place}"))
        writer.close(wall_s=2.0, result_hash="ee" * 32)
    return open_run(run_dir.path)


def report_of(run: RunData, **options: object) -> Path:
    """The folder of a report."""
    return report_run(run, **options).parent  # type: ignore[arg-type]
