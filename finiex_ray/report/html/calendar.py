"""Results by month, and by weekday and hour, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import pandas as pd

from finiex_ray.display.numbers import money, percent

__all__ = ["MONTHS", "WEEKDAYS", "Cell", "hour_table", "month_table"]

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SHADES: Final = 4


class Cell(NamedTuple):
    """A cell: its text, a shade from -4 (worst) to 4 (best), and what it says on hover."""

    text: str
    shade: int
    title: str


_EMPTY: Final = Cell("", 0, "")


def _shade(value: float, largest: float) -> int:
    if not value or not largest:
        return 0
    step = max(1, round(abs(value) / largest * _SHADES))
    return step if value > 0 else -step


def _signed(text: str, value: float) -> str:
    return f"+{text}" if value > 0 else text.replace("-", "−")


def month_table(row: Mapping[str, Any], trades: pd.DataFrame, balance: float) -> dict[int, list[Cell]]:
    """For each year of the window twelve months and the year: return of the balance, by exit time in UTC.

    Args:
        row: The scenario's row.
        trades: Its trades.
        balance: Its opening balance.
    """
    if row["first_time"] is None or pd.isna(row["first_time"]):
        return {}
    first, last = (pd.Timestamp(row[name]) for name in ("first_time", "last_time"))
    months = [
        (year, month)
        for year in range(first.year, last.year + 1)
        for month in range(1, 13)
        if (first.year, first.month) <= (year, month) <= (last.year, last.month)
    ]
    exits = trades["exit_time"].dt
    net = trades.groupby([exits.year, exits.month])["net"].agg(["sum", "count"])
    found: dict[int, list[Cell]] = {}
    returns: dict[tuple[int, int], tuple[float, float, int]] = {}
    before, at_new_year = balance, balance
    totals: dict[int, tuple[float, float, int]] = {}
    for year, month in months:
        amount, number = (
            (float(net.loc[(year, month), "sum"]), int(net.loc[(year, month), "count"]))
            if (year, month) in net.index
            else (0.0, 0)
        )
        returns[year, month] = (100.0 * amount / before if before > 0 else 0.0, amount, number)
        before += amount
        _, so_far, count = totals.get(year, (0.0, 0.0, 0))
        if not count and not so_far and year not in totals:
            at_new_year = before - amount
        totals[year] = (
            100.0 * (so_far + amount) / at_new_year if at_new_year > 0 else 0.0,
            so_far + amount,
            count + number,
        )
    largest = max(abs(share) for share, _, _ in returns.values())
    for year, total in totals.items():
        cells = [
            _month_cell(returns.get((year, month)), largest, f"{MONTHS[month - 1]} {year}") for month in range(1, 13)
        ]
        found[year] = [*cells, _month_cell(total, 0.0, str(year))]
    return found


def _month_cell(value: tuple[float, float, int] | None, largest: float, name: str) -> Cell:
    if value is None:
        return _EMPTY
    share, amount, number = value
    text = _signed(percent(share, 2), share)
    return Cell(text, _shade(share, largest), f"{name}: {_signed(money(amount), amount)} in {number:,} trades")


def hour_table(trades: pd.DataFrame) -> list[list[Cell]]:
    """For each hour of the day (UTC) the seven weekdays and all: net of the trades that were entered then."""
    entries = trades["entry_time"].dt
    net = trades.groupby([entries.hour, entries.day_of_week])["net"].agg(["sum", "count"])
    largest = float(net["sum"].abs().max()) if len(net) else 0.0
    table = []
    for hour in range(24):
        cells, total, trades_of_hour = [], 0.0, 0
        for day in range(7):
            if (hour, day) not in net.index:
                cells.append(_EMPTY)
                continue
            amount, number = float(net.loc[(hour, day), "sum"]), int(net.loc[(hour, day), "count"])
            total, trades_of_hour = total + amount, trades_of_hour + number
            title = f"{WEEKDAYS[day]} {hour:02d}:00 to {hour:02d}:59: {number:,} trades"
            cells.append(Cell(_signed(money(amount), amount), _shade(amount, largest), title))
        all_days = Cell(_signed(money(total), total), 0, f"{hour:02d}:00 to {hour:02d}:59: {trades_of_hour:,} trades")
        table.append([*cells, all_days if trades_of_hour else _EMPTY])
    return table
