"""The table of what a catalog holds."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from finiex_ray.core.text import printable
from finiex_ray.core.time import format_utc
from finiex_ray.data.catalog import Catalog

__all__ = ["catalog_table"]


def catalog_table(catalog: Catalog) -> Table:
    """A row for each symbol: digits, days, ticks, first and last time.

    Raises:
        DataError: If a file of the catalog is damaged.
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("symbol", no_wrap=True)
    for name in ("digits", "days", "ticks"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("first tick", no_wrap=True)
    table.add_column("last tick", no_wrap=True)
    for symbol in catalog.symbols():
        infos = [catalog.info(symbol, day) for day in catalog.days(symbol)]
        table.add_row(
            Text(printable(symbol)),
            str(infos[0].digits),
            f"{len(infos):,}",
            f"{sum(info.rows for info in infos):,}",
            format_utc(infos[0].first_ns),
            format_utc(infos[-1].last_ns),
        )
    return table
