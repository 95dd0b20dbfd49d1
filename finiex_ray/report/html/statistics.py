"""Statistics of one scenario as users of MetaTrader 5 and QuantStats know them, each with its definition."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import groupby
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from finiex_ray.core.market import FloatArray
from finiex_ray.display.numbers import count, duration, money, percent, ratio

__all__ = ["Statistic", "StatisticGroup", "daily_returns", "statistic_groups"]

_WORKDAYS: Final = 252
_ALL_DAYS: Final = 365
_DASH: Final = "–"


class Statistic(NamedTuple):
    """One line of a page."""

    name: str
    value: float | None
    text: str
    definition: str


class StatisticGroup(NamedTuple):
    """Statistics under one heading."""

    title: str
    statistics: list[Statistic]


def statistic_groups(row: Mapping[str, Any], trades: pd.DataFrame, balance: float) -> list[StatisticGroup]:
    """The statistics of a scenario.

    Args:
        row: Its row of the scenario table.
        trades: Its rows of the trade table, in closing order.
        balance: Its opening balance.
    """
    net = trades["net"].to_numpy(dtype=float)
    return [
        StatisticGroup("Result", _result(row, net, balance)),
        StatisticGroup("Trades", _trades(row, trades, net)),
        StatisticGroup("In a row", _runs(net)),
        StatisticGroup("Risk and return, per trade", _per_trade(row, trades, net, balance)),
        StatisticGroup("Risk and return, by day", _by_day(row, daily_returns(row, trades, balance))),
    ]


def _amount(name: str, value: float | None, definition: str) -> Statistic:
    value = _number(value)
    return Statistic(name, value, money(value), definition)


def _ratio(name: str, value: float | None, definition: str) -> Statistic:
    value = _number(value)
    return Statistic(name, value, ratio(value), definition)


def _percent(name: str, value: float | None, definition: str) -> Statistic:
    value = _number(value)
    return Statistic(name, value, percent(value, 2), definition)


def _count(name: str, value: float | None, definition: str) -> Statistic:
    value = _number(value)
    return Statistic(name, value, count(value), definition)


def _time(name: str, value: float | None, definition: str) -> Statistic:
    value = _number(value)
    return Statistic(name, value, duration(value), definition)


def _number(value: Any) -> float | None:
    if value is None or value is pd.NA:
        return None
    return float(value) if math.isfinite(value) else None


def _share(part: float, whole: float) -> float | None:
    return 100.0 * part / whole if whole else None


def _result(row: Mapping[str, Any], net: FloatArray, balance: float) -> list[Statistic]:
    won, lost = float(net[net > 0].sum()), float(net[net < 0].sum())
    profit, fall = _number(row["net_profit"]), _number(row["max_drawdown"])
    balances = balance + np.r_[0.0, np.cumsum(net)]
    peaks = np.maximum.accumulate(balances)
    return [
        _amount("Total net profit", profit, "Gross + commission + swap of all trades = final less opening balance"),
        _percent("Return", _share(profit or 0.0, balance), "Net profit / opening balance"),
        _amount("Gross profit", won, "Sum of the net of all trades that won"),
        _amount("Gross loss", lost, "Sum of the net of all trades that lost"),
        _amount("Before costs", row["gross"], "Profit of all trades before commission and swap"),
        _amount("Commission", row["commission"], "Commission paid, as a negative amount"),
        _amount("Swap", row["swap"], "Overnight interest, either sign"),
        _ratio("Profit factor", row["profit_factor"], "Gross profit / −gross loss; none without losses"),
        _amount("Expected payoff", row["expectancy"], "Mean net of a trade"),
        _ratio(
            "Recovery factor",
            profit / fall if profit is not None and fall else None,
            "Net profit / maximal equity drawdown",
        ),
        _amount("Opening balance", balance, "Deposit at the start"),
        _amount("Final balance", row["final_balance"], "Balance at the last tick, where what is open has been closed"),
        _amount("Equity drawdown, maximal", fall, "Largest fall of equity from a peak, every tick counted"),
        _percent(
            "Equity drawdown, relative",
            row["max_drawdown_pct"],
            "Largest fall of equity in percent of its peak, every tick counted",
        ),
        _amount("Equity run-up, maximal", row["max_runup"], "Largest rise of equity from a trough, every tick counted"),
        _amount(
            "Balance drawdown, absolute", balance - float(balances.min()), "Opening balance less the lowest balance"
        ),
        _amount(
            "Balance drawdown, maximal", float((peaks - balances).max()), "Largest fall of the balance from a peak"
        ),
        _percent(
            "Balance drawdown, relative",
            float(((peaks - balances) / peaks).max()) * 100.0 if peaks.min() > 0 else None,
            "Largest fall of the balance in percent of its peak",
        ),
    ]


def _trades(row: Mapping[str, Any], trades: pd.DataFrame, net: FloatArray) -> list[Statistic]:
    side = trades["side"].astype(str).to_numpy()
    held = (trades["exit_time"] - trades["entry_time"]).dt.total_seconds().to_numpy(dtype=float)
    long, short, won, lost = net[side == "buy"], net[side == "sell"], net[net > 0], net[net < 0]
    size = len(net)
    return [
        _count("Total trades", size, "Closed trades, those closed at the scenario's end too"),
        _count("Orders", row["orders"], "Orders, changes and cancels sent"),
        _count("Rejected orders", row["rejected"], "Orders that the broker refused"),
        _count("Long trades", len(long), "Trades that bought first"),
        _percent(
            "Long trades won",
            _share((long > 0).sum(), len(long)),
            "Long trades with a net above zero, percent of long trades",
        ),
        _count("Short trades", len(short), "Trades that sold first"),
        _percent(
            "Short trades won",
            _share((short > 0).sum(), len(short)),
            "Short trades with a net above zero, percent of short trades",
        ),
        _count("Profit trades", len(won), "Trades with a net above zero"),
        _percent("Profit trades, share", row["win_rate"], "Profit trades in percent of all: the win rate"),
        _count("Loss trades", len(lost), "Trades with a net below zero"),
        _amount("Largest profit trade", won.max() if len(won) else None, "Highest net of a trade"),
        _amount("Largest loss trade", lost.min() if len(lost) else None, "Lowest net of a trade"),
        _amount("Average profit trade", won.mean() if len(won) else None, "Mean net of profit trades"),
        _amount("Average loss trade", lost.mean() if len(lost) else None, "Mean net of loss trades"),
        _ratio(
            "Payoff ratio",
            -won.mean() / lost.mean() if len(won) and len(lost) else None,
            "Average profit trade / −average loss trade",
        ),
        _time("Shortest holding time", held.min() if size else None, "Shortest time between entry and exit"),
        _time("Average holding time", row["avg_trade_s"], "Mean time between entry and exit"),
        _time("Longest holding time", row["max_trade_s"], "Longest time between entry and exit"),
        _percent("Time in market", row["exposure"], "Percent of the window's time with a position"),
    ]


def _runs(net: FloatArray) -> list[Statistic]:
    sign = np.sign(net)
    runs = [
        (key, [net[place] for place, _ in items]) for key, items in groupby(enumerate(sign), key=lambda item: item[1])
    ]
    won = [values for key, values in runs if key > 0]
    lost = [values for key, values in runs if key < 0]
    most_won, most_lost = max(won, key=len, default=[]), max(lost, key=len, default=[])
    best, worst = max(map(sum, won), default=None), min(map(sum, lost), default=None)
    return [
        _count("Maximum consecutive wins", len(most_won), "Most profit trades one after the other"),
        _amount("… their profit", sum(most_won) if won else None, "Net of the longest row of profit trades"),
        _count("Maximum consecutive losses", len(most_lost), "Most loss trades one after the other"),
        _amount("… their loss", sum(most_lost) if lost else None, "Net of the longest row of loss trades"),
        _amount("Maximal consecutive profit", best, "Highest net of a row of profit trades"),
        _amount("Maximal consecutive loss", worst, "Lowest net of a row of loss trades"),
        _ratio(
            "Average consecutive wins",
            np.mean([len(each) for each in won]) if won else None,
            "Mean length of the rows of profit trades",
        ),
        _ratio(
            "Average consecutive losses",
            np.mean([len(each) for each in lost]) if lost else None,
            "Mean length of the rows of loss trades",
        ),
        _ratio(
            "Z-score",
            _z_score(sign),
            "How many standard deviations the number of rows of wins and losses lies from what chance gives (Wald-Wolfowitz runs test; below zero: rows are longer than chance)",
        ),
    ]


def _z_score(sign: FloatArray) -> float | None:
    """(N (R − 0.5) − P) / sqrt(P (P − N) / (N − 1)) with N trades, R runs, P = 2 · wins · losses (as MetaTrader 5 has it)."""
    judged = sign[sign != 0]
    size, wins = len(judged), int((judged > 0).sum())
    product = 2.0 * wins * (size - wins)
    if size < 2 or product <= size:
        return None
    runs = 1 + int(np.count_nonzero(np.diff(judged)))
    return float((size * (runs - 0.5) - product) / math.sqrt(product * (product - size) / (size - 1)))


def _correlation(left: FloatArray, right: FloatArray) -> float | None:
    if len(left) < 3 or not left.std() or not right.std():
        return None
    return float(np.corrcoef(left, right)[0, 1])


def _per_trade(row: Mapping[str, Any], trades: pd.DataFrame, net: FloatArray, balance: float) -> list[Statistic]:
    curve = balance + np.r_[0.0, np.cumsum(net)]
    before = curve[:-1]
    size, growth = len(net), 1.0 + net / before if (before > 0).all() else np.empty(0)
    sound = bool(len(growth)) and bool((growth > 0).all())
    places = np.arange(len(curve), dtype=float)
    slope = np.polyfit(places, curve, 1) if size > 1 else None
    error = (
        None
        if slope is None or size < 2
        else math.sqrt(float(((curve - np.polyval(slope, places)) ** 2).sum()) / (size - 1))
    )
    won, lost = net[net > 0], net[net < 0]
    kelly = None
    if len(won) and len(lost):
        rate = len(won) / size
        kelly = 100.0 * (rate - (1.0 - rate) / (won.mean() / -lost.mean()))
    return [
        _ratio(
            "Sharpe ratio",
            row["sharpe"],
            "mean(r) / standard deviation(r), n − 1, where r = net of a trade / balance before it; not annualised, target zero",
        ),
        _ratio("Sortino ratio", row["sortino"], "mean(r) / √mean(min(r, 0)²), r as for the Sharpe ratio"),
        _percent(
            "AHPR",
            (float(growth.mean()) - 1.0) * 100.0 if len(growth) else None,
            "Mean of balance after / balance before a trade, less 1",
        ),
        _percent(
            "GHPR",
            (float(np.exp(np.log(growth).mean())) - 1.0) * 100.0 if sound else None,
            "Geometric mean of balance after / balance before a trade, less 1",
        ),
        _percent(
            "Kelly criterion",
            kelly,
            "Win rate − (1 − win rate) / payoff ratio: the share of capital that grows fastest",
        ),
        _ratio(
            "LR correlation",
            _correlation(places, curve) if size > 1 else None,
            "Correlation of the balance after each trade with its regression line",
        ),
        _amount("LR standard error", error, "Standard deviation of the balance from its regression line, n − 2"),
        _ratio(
            "Correlation of MFE and profit",
            _correlation(trades["mfe"].to_numpy(dtype=float), net),
            "How much of the most favourable move ends up in the profit; 1 is best",
        ),
        _ratio(
            "Correlation of MAE and profit",
            _correlation(-trades["mae"].to_numpy(dtype=float), net),
            "MAE counted below zero; near 1: losses come from trades that went against from the start",
        ),
    ]


def daily_returns(row: Mapping[str, Any], trades: pd.DataFrame, balance: float) -> pd.Series[float]:
    """Return of each UTC day of the window: net of the trades closed on it / balance at its start.

    Saturdays and Sundays are left out where no trade closed on one.
    """
    if row["first_time"] is None or pd.isna(row["first_time"]):
        return pd.Series(dtype=float)
    days = pd.date_range(
        pd.Timestamp(row["first_time"]).normalize(), pd.Timestamp(row["last_time"]).normalize(), freq="D"
    )
    net = trades.groupby(trades["exit_time"].dt.normalize())["net"].sum().reindex(days, fill_value=0.0)
    before = balance + net.cumsum().shift(1, fill_value=0.0)
    returns = (net / before).where(before > 0)
    weekend = returns.index.day_of_week >= 5
    return returns if (net[weekend] != 0).any() else returns[~weekend]


def _by_day(row: Mapping[str, Any], returns: pd.Series[float]) -> list[Statistic]:
    r = returns.dropna().to_numpy(dtype=float)
    size = len(r)
    year = _ALL_DAYS if size and bool((returns.index.day_of_week >= 5).any()) else _WORKDAYS  # type: ignore[attr-defined]
    curve = np.cumprod(1.0 + r)
    below = curve / np.maximum.accumulate(np.r_[1.0, curve])[1:] - 1.0 if size else np.empty(0)
    total = float(curve[-1]) if size else 1.0
    enough = size >= 2
    spread = float(r.std(ddof=1)) if enough else 0.0
    downside = math.sqrt(float((np.minimum(r, 0.0) ** 2).mean())) if size else 0.0
    grown = total ** (year / size) - 1.0 if enough and total > 0 else None
    fall = (_number(row["max_drawdown_pct"]) or 0.0) / 100.0
    var = float(np.quantile(r, 0.05)) if enough else None
    tail = r[r <= var] if var is not None else np.empty(0)
    ulcer = math.sqrt(float((below**2).mean())) if enough else None
    gains, losses = float(r[r > 0].sum()), -float(r[r < 0].sum())
    root = math.sqrt(year)
    why = f"{year} days a year; a day's return is the net of the trades closed on it (UTC) / balance at its start"

    def hundred(value: float | None) -> float | None:
        return None if value is None else 100.0 * value

    return [
        _count("Days", size, "Days of the window; weekends count where trades closed on them"),
        _percent("CAGR", hundred(grown), f"Compound annual growth: (1 + return)^(days a year / days) − 1. {why}"),
        _percent(
            "Volatility, annual",
            hundred(spread * root) if enough else None,
            f"Standard deviation of daily returns · √days a year. {why}",
        ),
        _ratio(
            "Sharpe ratio, annual",
            float(r.mean()) / spread * root if enough and spread else None,
            f"mean / standard deviation of daily returns · √days a year, risk-free rate zero. {why}",
        ),
        _ratio(
            "Sortino ratio, annual",
            float(r.mean()) / downside * root if enough and downside else None,
            f"mean / √mean(min(r, 0)²) of daily returns · √days a year. {why}",
        ),
        _ratio("Calmar ratio", grown / fall if grown is not None and fall else None, "CAGR / relative equity drawdown"),
        _ratio(
            "Omega", gains / losses if losses else None, "Sum of gains / sum of losses of daily returns, threshold zero"
        ),
        _percent("Value at risk, 95 %", hundred(var), "5 % quantile of daily returns"),
        _percent(
            "Expected shortfall, 95 %",
            hundred(float(tail.mean()) if len(tail) else None),
            "Mean of the daily returns at or below the value at risk (CVaR)",
        ),
        _percent("Ulcer index", hundred(ulcer), "√mean(drawdown²) of the daily balance"),
        _count("Longest drawdown, days", _longest(below), "Most days in a row below the highest daily balance"),
        _percent("Best day", hundred(float(r.max()) if size else None), "Highest daily return"),
        _percent("Worst day", hundred(float(r.min()) if size else None), "Lowest daily return"),
        _percent(
            "Days won",
            _share(float((r > 0).sum()), float((r != 0).sum())),
            "Days with a return above zero, percent of days with trades",
        ),
        _ratio("Tail ratio", _tail_ratio(r) if enough else None, "95 % quantile / −5 % quantile of daily returns"),
        _ratio("Skew", float(pd.Series(r).skew()) if size > 2 and spread else None, "Skewness of daily returns"),
        _ratio(
            "Kurtosis", float(pd.Series(r).kurt()) if size > 3 and spread else None, "Excess kurtosis of daily returns"
        ),
    ]


def _tail_ratio(r: FloatArray) -> float | None:
    low = float(np.quantile(r, 0.05))
    return float(np.quantile(r, 0.95)) / -low if low < 0 else None


def _longest(below: FloatArray) -> int:
    return max((len(list(items)) for under, items in groupby(below < -1e-12) if under), default=0)
