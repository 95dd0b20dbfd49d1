"""Statistics of one scenario as users of MetaTrader 5 and QuantStats know them, each with its definition."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from finiex_ray.core.market import FloatArray
from finiex_ray.report.html.daily import daily_returns, daily_statistics
from finiex_ray.report.html.statistic import Statistic, amount, count_of, number, percent_of, ratio_of, share, time_of

__all__ = ["StatisticGroup", "statistic_groups"]


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
        StatisticGroup("Risk and return, by day", daily_statistics(row, daily_returns(row, trades, balance))),
    ]


def _result(row: Mapping[str, Any], net: FloatArray, balance: float) -> list[Statistic]:
    won, lost = float(net[net > 0].sum()), float(net[net < 0].sum())
    profit, fall = number(row["net_profit"]), number(row["max_drawdown"])
    balances = balance + np.r_[0.0, np.cumsum(net)]
    peaks = np.maximum.accumulate(balances)
    return [
        amount("Total net profit", profit, "Gross + commission + swap of all trades = final less opening balance"),
        percent_of("Return", share(profit or 0.0, balance), "Net profit / opening balance"),
        amount("Gross profit", won, "Sum of the net of all trades that won"),
        amount("Gross loss", lost, "Sum of the net of all trades that lost"),
        amount("Before costs", row["gross"], "Profit of all trades before commission and swap"),
        amount("Commission", row["commission"], "Commission paid, as a negative amount"),
        amount("Swap", row["swap"], "Overnight interest, either sign"),
        ratio_of("Profit factor", row["profit_factor"], "Gross profit / −gross loss; none without losses"),
        amount("Expected payoff", row["expectancy"], "Mean net of a trade"),
        ratio_of(
            "Recovery factor",
            profit / fall if profit is not None and fall else None,
            "Net profit / maximal equity drawdown",
        ),
        amount("Opening balance", balance, "Deposit at the start"),
        amount("Final balance", row["final_balance"], "Balance at the last tick, where what is open has been closed"),
        amount("Equity drawdown, maximal", fall, "Largest fall of equity from a peak, every tick counted"),
        percent_of(
            "Equity drawdown, relative",
            row["max_drawdown_pct"],
            "Largest fall of equity in percent of its peak, every tick counted",
        ),
        amount("Equity run-up, maximal", row["max_runup"], "Largest rise of equity from a trough, every tick counted"),
        amount(
            "Balance drawdown, absolute", balance - float(balances.min()), "Opening balance less the lowest balance"
        ),
        amount("Balance drawdown, maximal", float((peaks - balances).max()), "Largest fall of the balance from a peak"),
        percent_of(
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
        count_of("Total trades", size, "Closed trades, those closed at the scenario's end too"),
        count_of("Orders", row["orders"], "Orders, changes and cancels sent"),
        count_of("Rejected orders", row["rejected"], "Orders that the broker refused"),
        count_of("Long trades", len(long), "Trades that bought first"),
        percent_of(
            "Long trades won",
            share((long > 0).sum(), len(long)),
            "Long trades with a net above zero, percent of long trades",
        ),
        count_of("Short trades", len(short), "Trades that sold first"),
        percent_of(
            "Short trades won",
            share((short > 0).sum(), len(short)),
            "Short trades with a net above zero, percent of short trades",
        ),
        count_of("Profit trades", len(won), "Trades with a net above zero"),
        percent_of("Profit trades, share", row["win_rate"], "Profit trades in percent of all: the win rate"),
        count_of("Loss trades", len(lost), "Trades with a net below zero"),
        amount("Largest profit trade", won.max() if len(won) else None, "Highest net of a trade"),
        amount("Largest loss trade", lost.min() if len(lost) else None, "Lowest net of a trade"),
        amount("Average profit trade", won.mean() if len(won) else None, "Mean net of profit trades"),
        amount("Average loss trade", lost.mean() if len(lost) else None, "Mean net of loss trades"),
        ratio_of(
            "Payoff ratio",
            -won.mean() / lost.mean() if len(won) and len(lost) else None,
            "Average profit trade / −average loss trade",
        ),
        time_of("Shortest holding time", held.min() if size else None, "Shortest time between entry and exit"),
        time_of("Average holding time", row["avg_trade_s"], "Mean time between entry and exit"),
        time_of("Longest holding time", row["max_trade_s"], "Longest time between entry and exit"),
        percent_of("Time in market", row["exposure"], "Percent of the window's time with a position"),
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
        count_of("Maximum consecutive wins", len(most_won), "Most profit trades one after the other"),
        amount("… their profit", sum(most_won) if won else None, "Net of the longest row of profit trades"),
        count_of("Maximum consecutive losses", len(most_lost), "Most loss trades one after the other"),
        amount("… their loss", sum(most_lost) if lost else None, "Net of the longest row of loss trades"),
        amount("Maximal consecutive profit", best, "Highest net of a row of profit trades"),
        amount("Maximal consecutive loss", worst, "Lowest net of a row of loss trades"),
        ratio_of(
            "Average consecutive wins",
            np.mean([len(each) for each in won]) if won else None,
            "Mean length of the rows of profit trades",
        ),
        ratio_of(
            "Average consecutive losses",
            np.mean([len(each) for each in lost]) if lost else None,
            "Mean length of the rows of loss trades",
        ),
        ratio_of(
            "Z-score",
            _z_score(sign),
            "How many standard deviations the number of rows of wins and losses lies from what "
            "chance gives (Wald-Wolfowitz runs test; below zero: rows are longer than chance)",
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
        ratio_of(
            "Sharpe ratio",
            row["sharpe"],
            "mean(r) / standard deviation(r), n − 1, where r = net of a trade / balance before it; not annualised, target zero",
        ),
        ratio_of("Sortino ratio", row["sortino"], "mean(r) / √mean(min(r, 0)²), r as for the Sharpe ratio"),
        percent_of(
            "AHPR",
            (float(growth.mean()) - 1.0) * 100.0 if len(growth) else None,
            "Mean of balance after / balance before a trade, less 1",
        ),
        percent_of(
            "GHPR",
            (float(np.exp(np.log(growth).mean())) - 1.0) * 100.0 if sound else None,
            "Geometric mean of balance after / balance before a trade, less 1",
        ),
        percent_of(
            "Kelly criterion",
            kelly,
            "Win rate − (1 − win rate) / payoff ratio: the share of capital that grows fastest",
        ),
        ratio_of(
            "LR correlation",
            _correlation(places, curve) if size > 1 else None,
            "Correlation of the balance after each trade with its regression line",
        ),
        amount("LR standard error", error, "Standard deviation of the balance from its regression line, n − 2"),
        ratio_of(
            "Correlation of MFE and profit",
            _correlation(trades["mfe"].to_numpy(dtype=float), net),
            "How much of the most favourable move ends up in the profit; 1 is best",
        ),
        ratio_of(
            "Correlation of MAE and profit",
            _correlation(-trades["mae"].to_numpy(dtype=float), net),
            "MAE counted below zero; near 1: losses come from trades that went against from the start",
        ),
    ]
