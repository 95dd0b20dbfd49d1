"""HistData ASCII ticks: ``YYYYMMDD HHMMSSmmm,bid,ask,volume`` without header, EST without daylight saving."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.compute as pc

from finiex_ray.core.market import TickSegment
from finiex_ray.data.importers.base import Importer, ImportOptions, RawTicks, assemble, first_true, price_points, refuse
from finiex_ray.data.importers.text import numbers, read_bytes, read_columns, series
from finiex_ray.data.importers.times import parse_stamps, parse_zone

__all__ = ["HistDataImporter"]

_NAME = re.compile(r"(?:DAT_ASCII|HISTDATA_COM_ASCII)_([A-Z]+)_T.*", re.IGNORECASE)


class HistDataImporter(Importer):
    """Monthly tick files, csv or the zip that holds it; times are EST (UTC-5 all year) unless ``tz`` says otherwise."""

    name = "histdata"
    suffixes = (".csv", ".zip")

    def stamped_symbol(self, path: Path) -> str | None:
        """The symbol in the name that HistData gives its files."""
        match = _NAME.fullmatch(path.name)
        return match[1].upper() if match else None

    def read(self, path: Path, options: ImportOptions) -> RawTicks:
        """Reads one file."""
        zone_name = options.tz or "EST"
        columns = read_columns(path, read_bytes(path), ",", ("time", "bid", "ask", "volume"), header=False)
        malformed = first_true(
            ~pc.match_substring_regex(columns["time"], r"^\d{8} \d{9}$").to_numpy(zero_copy_only=False)
        )
        if malformed is not None:
            refuse(
                path, f"{columns['time'][malformed].as_py()!r} is no time (expected YYYYMMDD HHMMSSmmm)", malformed + 1
            )
        time_ns = parse_stamps(path, series(columns["time"]), parse_zone(zone_name), 1, "%Y%m%d %H%M%S%f")
        bid, ask = (
            price_points(path, side, numbers(path, side, columns[side], 1), options, 1) for side in ("bid", "ask")
        )
        ticks = TickSegment(time_ns, bid, ask, numbers(path, "volume", columns["volume"], 1))
        return assemble(path, options, ticks, tz=zone_name, first_row=1)
