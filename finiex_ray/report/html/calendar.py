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
    exits = trades["exit_time"].dt
    net = _sums(trades, exits.year, exits.month)
    before, found = balance, {}
    shares: dict[tuple[int, int], _Sum] = {}
    for year in range(first.year, last.year + 1):
        at_new_year = before
        for month in range(1, 13):
            if (first.year, first.month) <= (year, month) <= (last.year, last.month):
                amount, number = net.get((year, month), (0.0, 0))
                shares[year, month] = _Sum(100.0 * amount / before if before > 0 else 0.0, amount, number)
                before += amount
        gain, count = before - at_new_year, sum(each.trades for (of, _), each in shares.items() if of == year)
        shares[year, 0] = _Sum(100.0 * gain / at_new_year if at_new_year > 0 else 0.0, gain, count)
    largest = max(abs(each.share) for (_, month), each in shares.items() if month)
    for year in range(first.year, last.year + 1):
        cells = [
            _month_cell(shares.get((year, month)), largest, f"{MONTHS[month - 1]} {year}") for month in range(1, 13)
        ]
        found[year] = [*cells, _month_cell(shares[year, 0], 0.0, str(year))]
    return found


class _Sum(NamedTuple):
    """What trades of a time came to."""

    share: float  # percent of the balance before
    amount: float
    trades: int


def _sums(trades: pd.DataFrame, *keys: Any) -> dict[tuple[int, int], tuple[float, int]]:
    """Net and number of trades by two keys."""
    net = trades["net"].groupby([key.to_numpy() for key in keys])
    sums: dict[Any, Any] = net.sum().to_dict()
    counts: dict[Any, Any] = net.count().to_dict()
    return {(int(one), int(other)): (float(sums[one, other]), int(counts[one, other])) for one, other in sums}


def _month_cell(value: _Sum | None, largest: float, name: str) -> Cell:
    if value is None:
        return _EMPTY
    share, amount, number = value
    text = _signed(percent(share, 2), share)
    return Cell(text, _shade(share, largest), f"{name}: {_signed(money(amount), amount)} in {number:,} trades")


def hour_table(trades: pd.DataFrame) -> list[list[Cell]]:
    """For each hour of the day (UTC) the seven weekdays and all: net of the trades that were entered then."""
    entries = trades["entry_time"].dt
    net = _sums(trades, entries.hour, entries.day_of_week)
    largest = max((abs(amount) for amount, _ in net.values()), default=0.0)
    table = []
    for hour in range(24):
        when = f"{hour:02d}:00 to {hour:02d}:59"
        cells = [_hour_cell(net.get((hour, day)), largest, f"{name} {when}") for day, name in enumerate(WEEKDAYS)]
        of_hour = [each for (of, _), each in net.items() if of == hour]
        total = (sum(amount for amount, _ in of_hour), sum(number for _, number in of_hour)) if of_hour else None
        table.append([*cells, _hour_cell(total, 0.0, when)])
    return table


def _hour_cell(value: tuple[float, int] | None, largest: float, name: str) -> Cell:
    if value is None:
        return _EMPTY
    amount, number = value
    return Cell(_signed(money(amount), amount), _shade(amount, largest), f"{name}: {number:,} trades")
