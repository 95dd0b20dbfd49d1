"""What the page of one scenario shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from finiex_ray.config.models import InvalidScenario, ScenarioConfig
from finiex_ray.core.text import printable
from finiex_ray.report.html import figures
from finiex_ray.report.html.calendar import MONTHS, WEEKDAYS, hour_table, month_table
from finiex_ray.report.html.market import MarketBars
from finiex_ray.report.html.render import render
from finiex_ray.report.html.statistics import statistic_groups
from finiex_ray.report.html.tables import make_table, order_columns, price_digits, trade_columns
from finiex_ray.report.html.timeline import timeline

__all__ = ["ScenarioData", "scenario_html"]

_MOST_LOG: Final = 200_000  # characters of the log that a page holds


@dataclass(frozen=True)
class ScenarioData:
    """Everything of one scenario that its page is made from."""

    row: Mapping[str, Any]  # of the scenario table; what is missing is None
    config: ScenarioConfig | InvalidScenario
    trades: pd.DataFrame
    orders: pd.DataFrame
    equity: pd.DataFrame
    log: str
    log_file: str  # where the whole log is, for people
    market: MarketBars | None
    note: str | None  # why there are no bars


def _without_zeros(numbers: pd.Series[Any]) -> pd.Series[Any]:
    """Identifiers, with those missing that are 0: none."""
    return numbers.astype("Int64").mask(numbers == 0)


def scenario_html(data: ScenarioData, frame: Mapping[str, Any]) -> str:
    """The page.

    Args:
        data: The scenario.
        frame: What every page of the report shows: run, links.
    """
    row, config = data.row, data.config
    currency = row["currency"] or ""
    trades = data.trades.assign(held_s=(data.trades["exit_time"] - data.trades["entry_time"]).dt.total_seconds())
    ran = isinstance(config, ScenarioConfig) and row["trades"] is not None
    balance = float(config.account.balance) if isinstance(config, ScenarioConfig) else 0.0
    orders = data.orders.assign(reason=data.orders["reason"].astype(object).replace("none", None))
    for name in ("target_id", "oco_id", "magic"):
        orders[name] = _without_zeros(orders[name])
    trades["magic"] = _without_zeros(trades["magic"])
    digits = price_digits(trades)
    notes = [*([data.note] if data.note else []), *(data.market.notes if data.market else ())]
    values = {
        **frame,
        "row": row,
        "currency": currency,
        "ran": ran,
        "notes": notes,
        "timeframe": data.market.timeframe.value if data.market else None,
        "groups": statistic_groups(row, data.trades, balance) if ran else [],
        "timeline": timeline(data.market, trades, data.equity, currency) if ran else None,
        "excursions": figures.excursions(trades, currency) if len(trades) else None,
        "months": month_table(row, trades, balance) if ran else {},
        "month_names": MONTHS,
        "hours": hour_table(trades) if len(trades) else [],
        "weekdays": WEEKDAYS,
        "trades": make_table("trades", f"Trades of {row['name']}", trades, trade_columns(currency, digits)),
        "orders": make_table(
            "orders", f"Orders of {row['name']}", orders, order_columns(max(digits, price_digits(orders)))
        ),
        "log": printable(data.log[-_MOST_LOG:], keep="\n\t"),
        "log_cut": len(data.log) > _MOST_LOG,
        "log_file": data.log_file,
        "config": json.dumps(config.model_dump(mode="json", exclude_none=True), indent=2, ensure_ascii=False),
    }
    return render("scenario.html", values)
