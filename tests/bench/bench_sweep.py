"""A grid of 10 × 10 × 10 × 10 over one real EURUSD week: time, memory of the driver, and 50 points run singly.

    python tests/bench/bench_sweep.py --executor local --jobs 2
    python tests/bench/bench_sweep.py --executor ray
    python tests/bench/bench_sweep.py --search          # Optuna with a twentieth of the trials, over 8 days

Needs the real data (FINIEX_SHARED_DATA, default ../shared/data). ``--trials`` takes the first points of the grid only.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

import finiex_ray as fr
from finiex_ray.data.catalog import Catalog
from finiex_ray.data.importing import import_ticks
from finiex_ray.sweep_file import run_sweep_file

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("FINIEX_SHARED_DATA", ROOT.parent / "shared" / "data"))
WEEK = ROOT / "configs" / "sweeps" / "eurusd_week_grid.json"
SINGLES = 50


def rss_mb() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 2**20


class Memory(threading.Thread):
    """Samples the resident memory of this process twice a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.samples: list[float] = []
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(0.5):
            self.samples.append(rss_mb())

    def stop(self) -> list[float]:
        self._ended.set()
        self.join()
        return self.samples


def make_catalog(folder: Path) -> None:
    catalog = Catalog(str(folder / "catalogs" / "eurusd"))
    import_ticks(SHARED / "lean" / "forex" / "oanda", fmt="lean", symbol="EURUSD", digits=5, catalog=catalog)


def grid(arguments: argparse.Namespace, folder: Path) -> None:
    warm = run_sweep_file(WEEK, executor="local", trials=2, quiet=True, out=folder / "warm")
    print(
        f"data: one week, {int(warm.scenarios['ticks'].iloc[0]):,} ticks; {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"
    )
    memory = Memory()
    memory.start()
    began, cpu = time.perf_counter(), time.process_time()
    found = run_sweep_file(
        WEEK, executor=arguments.executor, jobs=arguments.jobs, trials=arguments.trials, out=folder / "runs"
    )
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    samples = memory.stop()
    info = found.info
    print(
        f"{arguments.executor}: {info['scenarios']:,} scenarios, {info['failed']} failed, {wall:.1f} s wall, "
        f"{cpu:.1f} s CPU of this process, {info['scenarios'] / wall:,.0f} scenarios/s, "
        f"{info['ticks'] / wall / 1e6:,.1f} million ticks/s"
    )
    tenths = [np.median(part) for part in np.array_split(samples, 10) if len(part)]
    print(
        "driver memory, median MB of each tenth:",
        " ".join(f"{value:.0f}" for value in tenths),
        f"(largest {max(samples):.0f})",
    )
    print("best:", found.best_params, f"net profit {found.best()['net_profit']:.2f}")
    rows = found.scenarios.set_index("trial")
    exp = fr.Experiment.from_file(ROOT / "configs" / "scenario_sets" / "eurusd_week.json")
    equal = 0
    for number in random.Random(1).sample(range(len(found.trials)), min(SINGLES, len(found.trials))):
        row = found.trials.iloc[number]
        single = exp.with_params({path: row[path].item() for path in found.params}).run(
            "local", out=folder / "singles", quiet=True
        )
        equal += (
            single.info["completed"] == 1
            and single.scenarios["result_hash"].iloc[0] == rows.loc[row["trial"], "result_hash"]
        )
    print(f"{equal} of {SINGLES} run singly have the same result hash")


def search(arguments: argparse.Namespace, folder: Path) -> None:
    """The grid's best over 8 days, and what Optuna finds with a twentieth of its trials."""
    days = ROOT / "configs" / "scenario_sets" / "eurusd_days.json"
    names = [each.name for each in fr.Experiment.from_file(days).windows]
    weekdays = [name for name in names if not name.endswith("sun")][:8]
    limit = [] if arguments.ticks is None else [f"max_ticks={arguments.ticks}"]
    exp = fr.Experiment.from_file(days, only=weekdays, overrides=limit)
    space = {
        "workers.rsi_fast.period": fr.integers(5, 23, step=2),
        "workers.bollinger_main.deviation": fr.uniform(1.0, 2.8, step=0.2),
        "logic.sl_points": fr.integers(50, 500, step=50),
        "logic.tp_points": fr.integers(50, 500, step=50),
    }
    options = {
        "objective": "net_profit",
        "executor": arguments.executor,
        "jobs": arguments.jobs,
        "out": folder / "runs",
        "quiet": True,
    }
    began = time.perf_counter()
    whole = exp.sweep(space, **options)
    top = whole.best()["net_profit"]
    print(
        f"grid: {len(whole.trials):,} trials × {len(weekdays)} windows in {time.perf_counter() - began:.0f} s, best {top:.2f}"
    )
    for seed in range(arguments.seeds):
        began = time.perf_counter()
        found = exp.sweep(space, search={"type": "optuna", "batch": 20}, trials=500, seed=seed, **options)
        best = found.best()["net_profit"]
        rank = int((whole.trials["net_profit"] > best).sum()) + 1
        print(
            f"Optuna, seed {seed}: 500 trials in {time.perf_counter() - began:.0f} s, best {best:.2f}, "
            f"{100 * best / top:.1f} % of the grid's, rank {rank} of {len(whole.trials):,}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executor", default="local", choices=("local", "ray"))
    parser.add_argument("--jobs", type=int, default=None)
    parser.add_argument("--trials", type=int, default=None)
    parser.add_argument("--search", action="store_true")
    parser.add_argument("--ticks", type=int, default=None, help="with --search: most ticks of a window")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_catalog(folder)
        os.chdir(folder)
        (search if arguments.search else grid)(arguments, folder)


if __name__ == "__main__":
    main()
