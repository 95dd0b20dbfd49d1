"""`compare_runs`: what two runs have not in common: configuration, versions, metrics, and which hash of which scenario."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

import pandas as pd

from finiex_ray.config.models import ScenarioConfig
from finiex_ray.history.config_differences import ConfigDifference, config_differences
from finiex_ray.results.reader import RunData
from finiex_ray.results.rows import STATISTICS

__all__ = ["HashChange", "MetricDifference", "RunComparison", "compare_runs"]

_SAME, _DIFFERENT = 0, 1
_METRICS: Final = ("success", "error_type", "error_tick", "ticks", *STATISTICS)
_SUMS: Final = ("ticks", "trades", "wins", "losses", "orders", "rejected")
_MONEY: Final = ("gross", "commission", "swap", "net_profit")


class MetricDifference(NamedTuple):
    """A value of a scenario, or of the whole run, that is not the same."""

    scenario: str  # "" for the run
    metric: str
    a: Any
    b: Any


class HashChange(NamedTuple):
    """A scenario whose hashes are not the same."""

    scenario: str
    hashes: tuple[str, ...]  # of config_hash, scenario_key and result_hash those that differ
    inputs: tuple[str, ...]  # what the result depends on and is not the same


@dataclass(frozen=True)
class RunComparison:
    """What two runs have not in common; all empty for runs that say the same."""

    a: str
    b: str
    only_a: tuple[str, ...]  # scenarios that one of them has
    only_b: tuple[str, ...]
    versions: tuple[MetricDifference, ...]  # of packages, engine and strategy sources; alone they make no difference
    config: tuple[ConfigDifference, ...]
    totals: tuple[MetricDifference, ...]
    metrics: tuple[MetricDifference, ...]
    hashes: tuple[HashChange, ...]

    @property
    def same(self) -> bool:
        """Whether configuration and results are the same; versions do not count."""
        return not (self.only_a or self.only_b or self.config or self.totals or self.metrics or self.hashes)

    @property
    def exit_code(self) -> int:
        """0: the same. 1: not, as with diff."""
        return _SAME if self.same else _DIFFERENT

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        named = ("versions", "config", "totals", "metrics", "hashes")
        lists = {name: [each._asdict() for each in getattr(self, name)] for name in named}
        return {"same": self.same, **asdict(self), **lists}


def compare_runs(a: RunData, b: RunData) -> RunComparison:
    """Compares two runs; scenarios are the same ones when their names are.

    Args:
        a: One run.
        b: The other.

    Raises:
        DataError: If a run cannot be read.
    """
    left, right = a.scenarios.set_index("name"), b.scenarios.set_index("name")
    both = [name for name in left.index if name in right.index]
    return RunComparison(
        a=a.run_id,
        b=b.run_id,
        only_a=tuple(str(name) for name in left.index if name not in right.index),
        only_b=tuple(str(name) for name in right.index if name not in left.index),
        versions=tuple(_versions(a, b)),
        config=tuple(config_differences(a.config, b.config)),
        totals=tuple(_totals(left, right)),
        metrics=tuple(_metrics(left.loc[both], right.loc[both])),
        hashes=tuple(_hashes(a, b, left.loc[both], right.loc[both])),
    )


def _versions(a: RunData, b: RunData) -> Iterator[MetricDifference]:
    for group in ("versions", "sources"):
        left, right = a.info.get(group) or {}, b.info.get(group) or {}
        for name in sorted({*left, *right}):
            if left.get(name) != right.get(name):
                yield MetricDifference("", name, left.get(name), right.get(name))
    for name in ("engine", "data"):
        if a.info.get(name) != b.info.get(name):
            yield MetricDifference("", name, a.info.get(name), b.info.get(name))


def _totals(left: pd.DataFrame, right: pd.DataFrame) -> Iterator[MetricDifference]:
    for name, old in _sums(left).items():
        new = _sums(right).get(name)
        if old != new:
            yield MetricDifference("", name, old, new)
    for name, new in _sums(right).items():
        if name not in _sums(left):
            yield MetricDifference("", name, None, new)


def _sums(rows: pd.DataFrame) -> dict[str, Any]:
    done = rows[rows["success"].astype(bool)]
    found: dict[str, Any] = {"completed": len(done), "failed": len(rows) - len(done)}
    found |= {name: int(rows[name].sum()) for name in _SUMS}
    for currency, part in done.groupby("currency", observed=True):
        found |= {f"{name} {currency}": round(float(part[name].sum()), 8) for name in _MONEY}
        found[f"max_drawdown_pct {currency}"] = float(part["max_drawdown_pct"].max())
    return found


def _metrics(left: pd.DataFrame, right: pd.DataFrame) -> Iterator[MetricDifference]:
    columns = {name: (_plain(left[name]), _plain(right[name])) for name in _METRICS}
    for place, scenario in enumerate(left.index):
        for name, (old, new) in columns.items():
            if old[place] != new[place]:
                yield MetricDifference(str(scenario), name, old[place], new[place])


def _plain(column: pd.Series[Any]) -> list[Any]:
    return [None if pd.isna(value) else getattr(value, "item", lambda value=value: value)() for value in column]


def _hashes(a: RunData, b: RunData, left: pd.DataFrame, right: pd.DataFrame) -> Iterator[HashChange]:
    columns = {
        name: (_plain(left[name]), _plain(right[name])) for name in ("config_hash", "scenario_key", "result_hash")
    }
    configs = {each.name: each for each in a.config.scenarios}
    for place, name in enumerate(left.index):
        changed = tuple(kind for kind, (old, new) in columns.items() if old[place] != new[place])
        if changed:
            yield HashChange(str(name), changed, tuple(_inputs(a, b, changed, configs.get(str(name)))))


def _inputs(a: RunData, b: RunData, changed: tuple[str, ...], config: object) -> Iterator[str]:
    """What made a scenario's key another one. The key covers five things: that none of four has changed proves the fifth."""
    if "scenario_key" not in changed or not isinstance(config, ScenarioConfig):
        return
    told = False
    if "config_hash" in changed:
        told = True
        yield "configuration"
    if not ("engine" in a.info and "engine" in b.info):  # an older run, which did not save them
        if not told:
            yield "engine, strategy source, broker file or market data"
        return
    types = [*(worker.type for worker in config.workers.values()), config.logic.type]
    checks = {
        "engine": ("engine", None),
        "broker file": ("brokers", [config.account.broker]),
        "strategy source": ("sources", types),
    }
    for label, (key, names) in checks.items():
        old, new = a.info[key], b.info[key]
        if old != new if names is None else any(old.get(name) != new.get(name) for name in names):
            told = True
            yield label
    if not told:
        yield "market data"
