"""Any delimited text with a header and columns of time, bid and ask, mapped by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from finiex_ray.core.errors import ConfigError
from finiex_ray.core.market import IntArray, TickSegment
from finiex_ray.data.importers.base import Importer, ImportOptions, RawTicks, assemble, price_points, refuse
from finiex_ray.data.importers.text import epoch_ns, header_of, numbers, pick_columns, read_bytes, read_columns, series
from finiex_ray.data.importers.times import UNIT_NS, parse_stamps, parse_zone

__all__ = ["CsvImporter", "read_mapped"]


class CsvImporter(Importer):
    """Generic CSV. Columns are found by ``columns``, else by their names; times without a zone need ``tz``."""

    name = "csv"
    suffixes = (".csv", ".txt", ".zip")
    takes = frozenset({"columns", "time_format", "delimiter"})

    def read(self, path: Path, options: ImportOptions) -> RawTicks:
        """Reads one file with a header."""
        data = read_bytes(path)
        if not data.strip():
            refuse(path, "is empty")
        delimiter = options.delimiter or ","
        if len(delimiter) != 1:
            raise ConfigError(f"{delimiter!r} must be one character", source="--delimiter")
        names = header_of(data, delimiter)
        picked = pick_columns(path, dict(options.columns), names)
        columns = read_columns(path, data, delimiter, names, header=True)
        return read_mapped(path, options, {role: columns[name] for role, name in picked.items()}, first_row=2)


def read_mapped(path: Path, options: ImportOptions, columns: dict[str, Any], *, first_row: int) -> RawTicks:
    """Makes ticks of text columns called ``time``, ``bid``, ``ask`` and perhaps ``volume``."""
    time_ns = _times(path, options, columns["time"], first_row)
    sides = {side: numbers(path, side, columns[side], first_row) for side in ("bid", "ask")}
    bid, ask = (price_points(path, side, prices, options, first_row) for side, prices in sides.items())
    volume = numbers(path, "volume", columns["volume"], first_row) if "volume" in columns else np.zeros(len(bid))
    ticks = TickSegment(time_ns, bid, ask, volume)
    return assemble(path, options, ticks, tz=options.tz or "UTC", first_row=first_row)


def _times(path: Path, options: ImportOptions, texts: Any, first_row: int) -> IntArray:
    if options.time_format in UNIT_NS:
        return epoch_ns(path, texts, options.time_format, first_row)
    zone = parse_zone(options.tz) if options.tz else None
    return parse_stamps(path, series(texts), zone, first_row, options.time_format)
