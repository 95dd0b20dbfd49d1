"""Dukascopy ``bi5``: LZMA of 20-byte big-endian rows, one file an hour at ``SYMBOL/YYYY/MM/DD/HHh_ticks.bi5``.

The month in the path counts from zero. Prices are points already, so ``digits`` must be those of Dukascopy.
"""

from __future__ import annotations

import lzma
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from finiex_ray.core.errors import ConfigError
from finiex_ray.core.market import TickSegment
from finiex_ray.core.time import NS_PER_MS, to_ns
from finiex_ray.data.importers.base import Importer, ImportOptions, RawTicks, assemble, first_true, refuse
from finiex_ray.data.importers.times import parse_zone

__all__ = ["DukascopyImporter"]

_PATH = re.compile(r"(?:^|/)([^/]+)/(\d{4})/(\d{2})/(\d{2})/(\d{2})h_ticks\.bi5$", re.IGNORECASE)
_ROW = np.dtype([("ms", ">u4"), ("ask", ">u4"), ("bid", ">u4"), ("ask_volume", ">f4"), ("bid_volume", ">f4")])
_MS_PER_HOUR = 3_600_000


class DukascopyImporter(Importer):
    """Hourly tick files of Dukascopy's data feed; times are UTC, volume is the sum of both sides as reported."""

    name = "dukascopy"
    suffixes = ("h_ticks.bi5",)

    def stamped_symbol(self, path: Path) -> str | None:
        """The symbol in the path."""
        match = _PATH.search(path.absolute().as_posix())
        return match[1].upper() if match else None

    def read(self, path: Path, options: ImportOptions) -> RawTicks:
        """Reads one hour; an empty file is an hour without ticks."""
        if options.tz is not None and parse_zone(options.tz) != UTC:
            raise ConfigError(f"{options.tz!r}: bi5 files are in UTC; leave the option out", source="--tz")
        hour_ns = _hour_ns(path)
        rows = np.frombuffer(_unpack(path), dtype=_ROW)
        late = first_true(rows["ms"] >= _MS_PER_HOUR)
        if late is not None:
            refuse(path, f"time {int(rows['ms'][late])} ms is outside of an hour", late + 1)
        for side in ("bid", "ask"):
            zero = first_true(rows[side] == 0)
            if zero is not None:
                refuse(path, f"{side} 0 is no price: it must be positive", zero + 1)
        time_ns = hour_ns + rows["ms"].astype(np.int64) * NS_PER_MS
        volume = rows["ask_volume"].astype(np.float64) + rows["bid_volume"].astype(np.float64)
        ticks = TickSegment(time_ns, rows["bid"].astype(np.int64), rows["ask"].astype(np.int64), volume)
        return assemble(path, options, ticks, tz="UTC", first_row=1)


def _hour_ns(path: Path) -> int:
    match = _PATH.search(path.absolute().as_posix())
    if match is None:
        refuse(path, "the path must end in SYMBOL/YYYY/MM/DD/HHh_ticks.bi5: it holds the hour")
    year, month, day, hour = (int(match[place]) for place in (2, 3, 4, 5))
    try:
        return to_ns(datetime(year, month + 1, day, hour, tzinfo=UTC))
    except ValueError as error:
        refuse(path, f"the path holds no hour ({error}); its month counts from 00")


def _unpack(path: Path) -> bytes:
    try:
        packed = path.read_bytes()
        data = lzma.decompress(packed) if packed else b""
    except (lzma.LZMAError, OSError) as error:
        refuse(path, f"damaged bi5: {error}")
    if len(data) % _ROW.itemsize:
        refuse(path, f"damaged bi5: {len(data)} bytes are no whole number of {_ROW.itemsize}-byte rows")
    return data
