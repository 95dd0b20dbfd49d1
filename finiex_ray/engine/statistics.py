"""Statistics of one scenario, from its records: each definition stands beside its formula."""

from __future__ import annotations

import numpy as np

from finiex_ray.core.records import LEDGER_COLUMNS as L
from finiex_ray.core.records import Records, words_of
from finiex_ray.kernels.trades import SUMS, sum_trades_nb

__all__ = ["scenario_statistics"]

_NS_PER_S = 1e9

Statistics = dict[str, float | int | None]


def scenario_statistics(
    orders: Records, trades: Records, account: np.void, opening_minor: int, minor_per_unit: int, window_ns: int
) -> Statistics:
    """Computes the statistics that a scenario row holds.

    Money is in the account currency. A statistic without a value (a profit factor without losses, a Sharpe ratio of
    fewer than two trades) is None.

    Args:
        orders: All orders (`ORDER_DTYPE`).
        trades: All closed trades (`TRADE_DTYPE`).
        account: The final account (`ACCOUNT_DTYPE`).
        opening_minor: Opening balance in minor units.
        minor_per_unit: Minor units in one unit of the account currency.
        window_ns: Time from the first to the last tick, ns.

    Returns:
        ``trades``, ``wins`` (net above 0), ``losses`` (net below 0), ``gross``, ``commission``, ``swap``, ``net_profit`` (gross +
        commission + swap), ``final_balance``, ``final_equity``, ``max_drawdown`` (largest fall of equity from a peak, every tick
        counted), ``max_drawdown_pct`` (largest fall in percent of its peak), ``max_runup``, ``profit_factor`` (net wins /
        net losses), ``expectancy`` (mean net per trade), ``win_rate`` (percent), ``sharpe`` and ``sortino`` (below), ``exposure``
        (percent of the time with a position), ``avg_trade_s``, ``max_trade_s``, ``orders``, ``rejected``.

        Sharpe and Sortino ratio are per trade, not annualised, for a target of zero. With the return of a trade r = net /
        balance before it: Sharpe = mean(r) / standard deviation of r (n − 1; Sharpe, "The Sharpe Ratio", 1994), Sortino =
        mean(r) / sqrt(mean(min(r, 0)²)) (Sortino and Price, 1994). Neither exists for fewer than two trades, or once the
        balance was zero or less.
    """
    unit, count = float(minor_per_unit), len(trades)
    sums = np.empty(SUMS)
    sum_trades_nb(
        words_of(trades), np.argsort(trades["entry_ns"], kind="stable"), words_of(orders), opening_minor, sums
    )
    wins, losses, won, lost, mean, spread, downside, held_ns, market_ns, longest_ns, sound, rejected = sums.tolist()
    held = account.item()
    judged = count > 1 and sound > 0
    return {
        "trades": count,
        "wins": int(wins),
        "losses": int(losses),
        "gross": held[L.gross_minor] / unit,
        "commission": held[L.commission_minor] / unit,
        "swap": held[L.swap_total_minor] / unit,
        "net_profit": (held[L.balance_minor] - opening_minor) / unit,
        "final_balance": held[L.balance_minor] / unit,
        "final_equity": held[L.equity] / unit,
        "max_drawdown": held[L.max_drawdown] / unit,
        "max_drawdown_pct": held[L.max_drawdown_share] * 100.0,
        "max_runup": held[L.max_runup] / unit,
        "profit_factor": won / lost if lost > 0 else None,
        "expectancy": (won - lost) / count / unit if count else None,
        "win_rate": wins / count * 100.0 if count else None,
        "sharpe": mean / spread if judged and spread > 0 else None,
        "sortino": mean / downside if judged and downside > 0 else None,
        "exposure": market_ns / window_ns * 100.0 if window_ns > 0 else 0.0,
        "avg_trade_s": held_ns / count / _NS_PER_S if count else None,
        "max_trade_s": longest_ns / _NS_PER_S if count else None,
        "orders": len(orders),
        "rejected": int(rejected),
    }
