"""Figures over all scenarios of a run, from its tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

__all__ = ["CurrencyMetrics", "ProfileLine", "RunMetrics", "profile_lines", "run_metrics"]


@dataclass(frozen=True)
class CurrencyMetrics:
    """Money over all completed scenarios whose account is in one currency; amounts in that currency."""

    currency: str
    scenarios: int
    net_profit: float  # sum
    gross: float  # sum
    commission: float  # sum, zero or negative
    swap: float  # sum
    best: tuple[str, float]  # scenario and its net profit
    worst: tuple[str, float]
    median: float  # of the scenarios' net profits
    quartiles: tuple[float, float]  # 25 % and 75 %
    profitable: int  # scenarios with a net profit above 0
    max_drawdown_pct: float  # largest of all scenarios, percent


@dataclass(frozen=True)
class RunMetrics:
    """Counts of a run, and its money by currency."""

    scenarios: int
    completed: int
    failed: int
    ticks: int
    trades: int
    wins: int
    orders: int
    rejected: int
    execution_time_s: float  # sum over the scenarios: task time, not wall time
    money: tuple[CurrencyMetrics, ...]  # by currency, in alphabetical order

    @property
    def win_rate(self) -> float | None:
        """Percent of trades that were won."""
        return 100.0 * self.wins / self.trades if self.trades else None

    @property
    def ticks_per_task_s(self) -> float | None:
        """Ticks per second of task time: the speed of one core while a scenario runs."""
        return self.ticks / self.execution_time_s if self.execution_time_s > 0 else None


def run_metrics(scenarios: pd.DataFrame) -> RunMetrics:
    """Adds up a scenario table (`RunData.scenarios`)."""
    done = scenarios[scenarios["success"]]
    currencies = sorted(done["currency"].dropna().unique())
    return RunMetrics(
        scenarios=len(scenarios),
        completed=len(done),
        failed=len(scenarios) - len(done),
        ticks=int(scenarios["ticks"].sum()),
        trades=int(scenarios["trades"].sum()),
        wins=int(scenarios["wins"].sum()),
        orders=int(scenarios["orders"].sum()),
        rejected=int(scenarios["rejected"].sum()),
        execution_time_s=float(scenarios["execution_time_s"].sum()),
        money=tuple(_money(str(currency), done[done["currency"] == currency]) for currency in currencies),
    )


def _money(currency: str, rows: pd.DataFrame) -> CurrencyMetrics:
    net = rows["net_profit"].reset_index(drop=True)
    names = rows["name"].reset_index(drop=True)
    best, worst = int(net.argmax()), int(net.argmin())
    low, median, high = (float(value) for value in net.quantile([0.25, 0.5, 0.75]))
    return CurrencyMetrics(
        currency=currency,
        scenarios=len(rows),
        net_profit=float(net.sum()),
        gross=float(rows["gross"].sum()),
        commission=float(rows["commission"].sum()),
        swap=float(rows["swap"].sum()),
        best=(str(names[best]), float(net[best])),
        worst=(str(names[worst]), float(net[worst])),
        median=median,
        quartiles=(low, high),
        profitable=int((net > 0).sum()),
        max_drawdown_pct=float(rows["max_drawdown_pct"].max()),
    )


class ProfileLine(NamedTuple):
    """Time of one operation over all scenarios."""

    operation: str
    total_s: float
    calls: int
    per_call_s: float
    per_tick_s: float | None
    share: float  # percent of all operations of its kind


def profile_lines(profile: pd.DataFrame, kind: str) -> list[ProfileLine]:
    """Adds up a profile table (`RunData.profile`).

    Args:
        profile: The table.
        kind: ``operation``, ``worker``, ``startup`` or ``loop``.
    """
    rows = profile[profile["kind"] == kind]
    if rows.empty:
        return []
    sums = rows.groupby("operation", observed=True, sort=False)[["calls", "total_ns", "ticks"]].sum()
    all_ns = int(sums["total_ns"].sum())
    found = []
    for operation, calls, total_ns, ticks in sums.itertuples():
        total_s = int(total_ns) / 1e9
        per_call_s = total_s / int(calls) if calls else 0.0
        per_tick_s = total_s / int(ticks) if ticks else None
        share = 100.0 * int(total_ns) / all_ns if all_ns else 0.0
        found.append(ProfileLine(str(operation), total_s, int(calls), per_call_s, per_tick_s, share))
    return found
