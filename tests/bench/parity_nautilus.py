"""An outside judge: every fill of ours beside NautilusTrader's, on real and synthetic ticks.

The strategy is the peers': Wilder's RSI and a band of standard deviations, both on the forming bar at every tick; BUY if
rsi < 30 and mid < lower band, SELL if rsi > 70 and mid > upper band; orders fill on the next tick; an opposite signal
closes and reverses in one step; stop loss and take profit from the fill price; 0.1 lot. Besides the peers' own parameters
(14 on M5, 20 ± 2 on M30, 500 and 1,000 points) two faster variants run, so that there are trades to compare.

Here the strategy is `simple_consensus`, run through `finiex_ray.run_set`. There it is `nautilus_side.py`, in an interpreter
of its own: signals by plain formulas, fills by NautilusTrader's matching engine. The two meet in files of one folder.
A fill is equal when tick index, side, price and volume are. A difference must follow from one of `EXPLANATIONS`.

    python tests/bench/parity_nautilus.py --nautilus-python PATH [--shared FOLDER] [--out FILE]

PATH is a Python that has nautilus_trader (1.231.0 was used) and numpy; its default is ``PEERS_PYTHON`` of the environment.
FOLDER holds the real ticks; its default is ``FINIEX_SHARED_DATA``, then ``../shared/data`` beside the checkout. Ticks of
equal time get 1 ns more each on the other side, in file order: it delivers an order only once the clock has moved.

Where the spread is wider than the stop loss (rollover, news), a trade of the real ticks ends one tick after its entry; the
column "longer" counts the others. Prints a table, writes ``build/parity_nautilus.json``. Exit code 1: a difference has no
explanation, or fewer than 500 trades lasted longer; 2: a side could not run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import finiex_ray
from finiex_ray.config.models import DataConfig
from finiex_ray.core.market import TickSegment
from finiex_ray.core.time import to_ns
from finiex_ray.data.catalog import Catalog
from finiex_ray.data.importing import import_ticks
from finiex_ray.data.segments import concat_segments
from finiex_ray.data.source import open_source

ROOT = Path(__file__).resolve().parents[2]
LOTS, CONTRACT = 0.1, 100_000
LEAST_TRADES = 500

EXPLANATIONS = {
    "R6": "take profit: ours fills at its level; theirs reaches the exchange on the tick after the fill and, if that quote "
    "is already past the level, fills at the quote",
    "R7": "closing order and take profit on one tick: ours lets arrivals act first, at the quote; theirs matches resting "
    "orders first, at the level",
}


class Dataset(NamedTuple):
    """A window of ticks."""

    name: str
    catalog: str
    start: datetime
    max_ticks: int
    symbol: str = "EURUSD"
    digits: int = 5


class Variant(NamedTuple):
    """Parameters of the strategy; bars in minutes, distances in points."""

    name: str
    rsi_minutes: int
    rsi_period: int
    band_minutes: int
    band_period: int
    deviation: float
    sl_points: int
    tp_points: int


VARIANTS = (
    Variant("peers", 5, 14, 30, 20, 2.0, 500, 1_000),
    Variant("quick", 5, 6, 15, 20, 1.5, 100, 150),
    Variant("tight", 1, 14, 5, 20, 2.0, 40, 60),
)


class Fill(NamedTuple):
    """What is compared, and what explains a difference."""

    tick: int
    side: int  # 1 buy, -1 sell
    price: int  # points
    units: int
    kind: str  # entry, close_order, stop_loss, take_profit, scenario_end

    @property
    def compared(self) -> tuple[int, ...]:
        return self[:4]


class Quotes(NamedTuple):
    """Quotes from the start on, points."""

    bid: Any
    ask: Any

    def closing(self, fill: Fill) -> int:
        return int((self.ask if fill.side > 0 else self.bid)[fill.tick])


def explain(ours: Fill, theirs: Fill, entry: Fill | None, tp_points: int, quotes: Quotes) -> str | None:
    """The rule that a difference follows from, or None. ``entry`` is the entry before it."""
    if entry is None or ours[:2] != theirs[:2] or ours.units != theirs.units or theirs.kind != "take_profit":
        return None
    level, quote = entry.price + entry.side * tp_points, quotes.closing(ours)
    if (quote - level) * entry.side < 0:  # not reached at all
        return None
    if ours.kind == "take_profit" and ours.tick == entry.tick + 1 and (ours.price, theirs.price) == (level, quote):
        return "R6"
    if ours.kind == "close_order" and (ours.price, theirs.price) == (quote, level):
        return "R7"
    return None


class Comparison(NamedTuple):
    """Two lists of fills, one by one."""

    equal: int
    explained: Counter[str]
    unexplained: list[tuple[Fill | None, Fill | None]]


def compare(ours: Sequence[Fill], theirs: Sequence[Fill], tp_points: int, quotes: Quotes) -> Comparison:
    """Holds the fills against each other in their order."""
    found, entry = Comparison(0, Counter(), []), None
    for mine, other in zip_longest(ours, theirs):
        if mine is not None and other is not None and mine.compared == other.compared:
            found = found._replace(equal=found.equal + 1)
        else:
            rule = explain(mine, other, entry, tp_points, quotes) if mine and other else None
            if rule is None:
                found.unexplained.append((mine, other))
            else:
                found.explained[rule] += 1
        if mine is not None and mine.kind == "entry":
            entry = mine
    return found


def scenario_set(dataset: Dataset) -> dict[str, Any]:
    """The set that runs every variant on a dataset."""

    def scenario(variant: Variant) -> dict[str, Any]:
        return {
            "name": variant.name,
            "workers": {
                "rsi": {"type": "rsi", "period": variant.rsi_period, "timeframe": f"M{variant.rsi_minutes}"},
                "band": {
                    "type": "bollinger",
                    "period": variant.band_period,
                    "deviation": variant.deviation,
                    "timeframe": f"M{variant.band_minutes}",
                },
            },
            "logic": {"sl_points": variant.sl_points, "tp_points": variant.tp_points},
        }

    return {
        "name": f"parity_{dataset.name}",
        "data": {"catalog": dataset.catalog},
        "global": {
            "symbol": dataset.symbol,
            "start": dataset.start.isoformat(),
            "max_ticks": dataset.max_ticks,
            "logic": {"type": "simple_consensus", "lots": str(LOTS), "on_opposite": "reverse"},
            "account": {"broker": "mt5_fx", "balance": 1_000_000},
        },
        "scenarios": [scenario(variant) for variant in VARIANTS],
    }


def run_ours(dataset: Dataset, folder: Path) -> dict[str, list[Fill]]:
    """Our fills of every variant, through the public API."""
    path = folder / f"{dataset.name}.json"
    path.write_text(json.dumps(scenario_set(dataset)), encoding="utf-8")
    run = finiex_ray.run_set(path, executor="local", quiet=True, out=folder / "runs")
    failed = run.scenarios.loc[run.scenarios["status"] != "COMPLETED", ["name", "error_message"]]
    if len(failed):
        raise SystemExit(f"{dataset.name}: {failed.to_string(index=False)}")
    reasons = run.trades.set_index(["scenario", "position_id"])["exit_reason"].astype(str).to_dict()
    found: dict[str, list[Fill]] = {variant.name: [] for variant in VARIANTS}
    for row in run.fills.itertuples():
        if row.kind == "swap":  # a booking, no deal
            continue
        kind = "entry" if row.kind == "entry" else reasons[row.scenario, row.position_id]
        side = {"buy": 1, "sell": -1}[row.side]
        price, units = round(row.price * 10**dataset.digits), round(row.lots * CONTRACT)
        found[row.scenario].append(Fill(row.tick, side, price, units, kind))
    return found


def load_ticks(dataset: Dataset) -> tuple[TickSegment, int]:
    """Ticks from the day before the window (for warm-up bars) to its end; how many lie before the start."""

    def days() -> Iterator[TickSegment]:
        source = open_source(DataConfig(catalog=dataset.catalog), Path.cwd())
        day, left = max(dataset.start.date() - timedelta(days=1), source.first_day(dataset.symbol)), dataset.max_ticks
        while left > 0 and day <= source.last_day(dataset.symbol):
            segment = source.load(dataset.symbol, day)
            left -= int(np.count_nonzero(segment.time_ns >= to_ns(dataset.start)))
            day += timedelta(days=1)
            yield segment

    ticks = concat_segments(list(days()))
    first = int(np.searchsorted(ticks.time_ns, to_ns(dataset.start)))
    return TickSegment(*(column[: first + dataset.max_ticks] for column in ticks)), first


def run_theirs(python: str, datasets: Sequence[Dataset], folder: Path) -> dict[str, Any]:
    """NautilusTrader's fills, from its own interpreter; the ticks lie in the folder already."""
    job = {
        "lots": LOTS,
        "variants": [variant._asdict() for variant in VARIANTS],
        "datasets": [
            {"name": item.name, "symbol": item.symbol, "digits": item.digits, "start_ns": to_ns(item.start)}
            for item in datasets
        ],
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    script = Path(__file__).with_name("nautilus_side.py")
    done = subprocess.run([python, str(script), str(folder)], check=False, capture_output=True, text=True)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        print(f"{python} could not run {script.name}; it needs nautilus_trader and numpy", file=sys.stderr)
        raise SystemExit(2)
    answer: dict[str, Any] = json.loads((folder / "fills.json").read_text(encoding="utf-8"))
    return answer


def prepare(shared: Path, folder: Path) -> list[Dataset]:
    """The datasets; the real ticks go through importer and catalog."""
    catalog = Catalog(folder / "catalog")
    source = shared / "lean" / "forex" / "oanda" / "tick" / "eurusd"
    report = import_ticks(source, fmt="lean", symbol="EURUSD", digits=5, catalog=catalog)
    print(f"{report.files} Oanda files, {report.ticks_read:,} ticks")
    return [
        Dataset("oanda", catalog.uri, datetime(2014, 5, 1, 12, tzinfo=UTC), report.ticks_read),
        Dataset("synthetic", "synthetic", datetime(2025, 9, 23, tzinfo=UTC), 1_000_000),
    ]


def judge(datasets: Sequence[Dataset], python: str, folder: Path) -> dict[str, Any]:
    """Runs both sides and holds the fills against each other: a report with a row for each dataset and variant."""
    ours, quotes = {}, {}
    for dataset in datasets:
        ticks, first = load_ticks(dataset)
        np.savez(folder / f"{dataset.name}.npz", **ticks._asdict())
        quotes[dataset.name] = Quotes(ticks.bid_points[first:], ticks.ask_points[first:])
        ours[dataset.name] = run_ours(dataset, folder)
    answer = run_theirs(python, datasets, folder)
    rows = []
    for dataset in datasets:
        for variant in VARIANTS:
            result = answer["results"][f"{dataset.name}/{variant.name}"]
            mine, other = ours[dataset.name][variant.name], [Fill(*fill) for fill in result["fills"]]
            found = compare(mine, other, variant.tp_points, quotes[dataset.name])
            rows.append(
                {
                    "dataset": dataset.name,
                    "variant": variant.name,
                    "ticks": len(quotes[dataset.name].bid),
                    "trades_ours": _trades(mine),
                    "trades_theirs": _trades(other),
                    "trades_longer": _longer(mine),
                    "exits": dict(Counter(fill.kind for fill in mine if fill.kind != "entry")),
                    "fills_equal": found.equal,
                    "explained": dict(found.explained),
                    "unexplained": found.unexplained,
                    "left_open": result["left_open"],
                    "their_rejections": result["rejected"],
                }
            )
    return {"nautilus_trader": answer["version"], "finiex_ray": finiex_ray.__version__, "rows": rows}


def _trades(fills: Sequence[Fill]) -> int:
    return sum(fill.kind != "entry" for fill in fills)


def _longer(fills: Sequence[Fill]) -> int:
    """Trades that lasted more than a tick; entries and exits take turns."""
    return sum(after.tick > entry.tick + 1 for entry, after in zip(fills[::2], fills[1::2], strict=True))


def show(report: dict[str, Any]) -> None:
    """Prints the table."""
    print(f"finiex_ray {report['finiex_ray']} and NautilusTrader {report['nautilus_trader']}, fill by fill\n")
    line = "{:<10} {:<8} {:>9} {:>7} {:>7} {:>7} {:>11} {:>9} {:>11}"
    heads = ("dataset", "variant", "ticks", "ours", "theirs", "longer", "fills equal", "explained", "unexplained")
    print(line.format(*heads))
    for row in report["rows"]:
        print(
            line.format(
                row["dataset"], row["variant"], f"{row['ticks']:,}", row["trades_ours"], row["trades_theirs"],
                row["trades_longer"], row["fills_equal"], sum(row["explained"].values()), len(row["unexplained"]),
            )
        )  # fmt: skip
    trades = [sum(row[f"trades_{who}"] for row in report["rows"]) for who in ("ours", "theirs", "longer")]
    equal, exits, explained = 0, Counter(), Counter()
    for row in report["rows"]:
        equal += row["fills_equal"]
        exits.update(row["exits"])
        explained.update(row["explained"])
    unexplained = sum(len(row["unexplained"]) for row in report["rows"])
    print(line.format("all", "", "", *trades, equal, explained.total(), unexplained))
    print("\nexits: " + ", ".join(f"{kind} {count}" for kind, count in sorted(exits.items())))
    for rule, count in sorted(explained.items()):
        print(f"{rule}, {count} fills: {EXPLANATIONS[rule]}")
    for row in report["rows"]:
        for mine, other in row["unexplained"][:5]:
            print(f"UNEXPLAINED {row['dataset']}/{row['variant']}: ours {mine}, theirs {other}")
        if row["left_open"]:
            print(f"LEFT OPEN {row['dataset']}/{row['variant']}: {row['left_open']}")


def main() -> int:
    """Judges; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nautilus-python", default=os.environ.get("PEERS_PYTHON"), metavar="PATH")
    shared = os.environ.get("FINIEX_SHARED_DATA", ROOT.parent / "shared" / "data")
    parser.add_argument("--shared", type=Path, default=Path(shared), metavar="FOLDER")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "parity_nautilus.json", metavar="FILE")
    options = parser.parse_args()
    if not options.nautilus_python:
        parser.error("--nautilus-python is missing, and PEERS_PYTHON is not set")
    with tempfile.TemporaryDirectory(prefix="finiex-parity-") as name:
        report = judge(prepare(options.shared, Path(name)), options.nautilus_python, Path(name))
    show(report)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({**report, "explanations": EXPLANATIONS}, indent=1), encoding="utf-8")
    trades = sum(row["trades_longer"] for row in report["rows"])
    if trades < LEAST_TRADES:
        print(f"only {trades} trades lasted longer than a tick; at least {LEAST_TRADES} are wanted")
        return 1
    return int(any(row["unexplained"] or row["left_open"] for row in report["rows"]))


if __name__ == "__main__":
    sys.exit(main())
