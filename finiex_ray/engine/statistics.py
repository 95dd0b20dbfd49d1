"""Statistics of one scenario, from its records: each definition stands beside its formula."""

from __future__ import annotations

import math

import numpy as np

from finiex_ray.core.enums import OrderState
from finiex_ray.core.market import FloatArray
from finiex_ray.core.records import Records

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
        net losses), ``expectancy`` (mean net per trade), ``win_rate`` (percent), ``sharpe``, ``sortino`` (see
        `_risk_ratios`), ``exposure`` (percent of the time with a position), ``avg_trade_s``, ``max_trade_s``, ``orders``,
        ``rejected``.
    """
    unit = float(minor_per_unit)
    net = trades["net_minor"].astype(np.float64)
    won, lost = float(net[net > 0].sum()), float(-net[net < 0].sum())
    sharpe, sortino = _risk_ratios(trades, net, opening_minor)
    durations = (trades["exit_ns"] - trades["entry_ns"]) / _NS_PER_S
    return {
        "trades": len(trades),
        "wins": int((net > 0).sum()),
        "losses": int((net < 0).sum()),
        "gross": float(account["gross_minor"]) / unit,
        "commission": float(account["commission_minor"]) / unit,
        "swap": float(account["swap_total_minor"]) / unit,
        "net_profit": float(account["balance_minor"] - opening_minor) / unit,
        "final_balance": float(account["balance_minor"]) / unit,
        "final_equity": float(account["equity"]) / unit,
        "max_drawdown": float(account["max_drawdown"]) / unit,
        "max_drawdown_pct": float(account["max_drawdown_share"]) * 100.0,
        "max_runup": float(account["max_runup"]) / unit,
        "profit_factor": won / lost if lost > 0 else None,
        "expectancy": float(net.mean()) / unit if len(net) else None,
        "win_rate": float((net > 0).mean()) * 100.0 if len(net) else None,
        "sharpe": sharpe,
        "sortino": sortino,
        "exposure": _time_in_market(trades) / window_ns * 100.0 if window_ns > 0 else 0.0,
        "avg_trade_s": float(durations.mean()) if len(durations) else None,
        "max_trade_s": float(durations.max()) if len(durations) else None,
        "orders": len(orders),
        "rejected": int((orders["state"] == OrderState.REJECTED).sum()),
    }


def _risk_ratios(trades: Records, net: FloatArray, opening_minor: int) -> tuple[float | None, float | None]:
    """Sharpe and Sortino ratio per trade, not annualised, for a target of zero.

    With the return of a trade r = net / balance before it: Sharpe = mean(r) / standard deviation of r (n − 1; Sharpe,
    "The Sharpe Ratio", 1994), Sortino = mean(r) / sqrt(mean(min(r, 0)²)) (Sortino and Price, 1994).
    """
    if len(net) < 2:
        return None, None
    before = np.concatenate([[float(opening_minor)], trades["balance_minor"][:-1].astype(np.float64)])
    if (before <= 0).any():
        return None, None
    returns = net / before
    mean, spread = float(returns.mean()), float(returns.std(ddof=1))
    downside = math.sqrt(float((np.minimum(returns, 0.0) ** 2).mean()))
    return (mean / spread if spread > 0 else None), (mean / downside if downside > 0 else None)


def _time_in_market(trades: Records) -> int:
    """Nanoseconds during which at least one position was open."""
    if not len(trades):
        return 0
    order = np.argsort(trades["entry_ns"], kind="stable")
    entry, exit_ = trades["entry_ns"][order], trades["exit_ns"][order]
    reached = np.maximum.accumulate(exit_)
    # Each trade adds the part of its life that no earlier one covers.
    covered = np.concatenate([entry[:1], np.maximum(reached[:-1], entry[1:])])
    return int(np.maximum(exit_ - covered, 0).sum())
