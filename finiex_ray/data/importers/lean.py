"""LEAN tick zips: ``YYYYMMDD_quote.zip``, rows of ``milliseconds since midnight,bid,ask``, the date in the name."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from finiex_ray.core.market import TickSegment
from finiex_ray.data.importers.base import Importer, ImportOptions, RawTicks, assemble, first_true, price_points, refuse
from finiex_ray.data.importers.text import numbers, read_bytes, read_columns
from finiex_ray.data.importers.times import local_to_utc, parse_zone

__all__ = ["LeanImporter"]

_NAME = re.compile(r"(\d{8})_quote\.zip", re.IGNORECASE)
_MEMBER = re.compile(r"\d{8}_(.+)_tick_quote\.csv", re.IGNORECASE)
_MS_PER_DAY = 86_400_000


class LeanImporter(Importer):
    """Quotes of LEAN's forex and cfd folders; times are UTC unless ``tz`` says otherwise."""

    name = "lean"
    suffixes = ("_quote.zip",)

    def stamped_symbol(self, path: Path) -> str | None:
        """The symbol in the name of the zip's member."""
        try:
            with zipfile.ZipFile(path) as archive:
                matches = (_MEMBER.fullmatch(name) for name in archive.namelist())
                return next((match[1].upper() for match in matches if match), None)
        except (zipfile.BadZipFile, OSError):
            return None  # ``read`` refuses it, with the reason

    def read(self, path: Path, options: ImportOptions) -> RawTicks:
        """Reads one zip: one day of the source's zone."""
        match = _NAME.fullmatch(path.name)
        day = pd.to_datetime(match[1], format="%Y%m%d", errors="coerce") if match else pd.NaT
        if pd.isna(day):
            refuse(path, "the name must be YYYYMMDD_quote.zip: it holds the date")
        zone_name = options.tz or "UTC"
        columns = read_columns(path, read_bytes(path), ",", ("time", "bid", "ask"), header=False)
        ms = numbers(path, "time", columns["time"], 1)
        outside = first_true((ms < 0) | (ms >= _MS_PER_DAY))
        if outside is not None:
            refuse(path, f"time {ms[outside]:.12g} ms is outside of a day", outside + 1)
        local = pd.DatetimeIndex(np.rint(ms * 1e6).astype("timedelta64[ns]") + day.to_datetime64())
        bid, ask = (
            price_points(path, side, numbers(path, side, columns[side], 1), options, 1) for side in ("bid", "ask")
        )
        ticks = TickSegment(local_to_utc(path, local, parse_zone(zone_name), 1), bid, ask, np.zeros(len(bid)))
        return assemble(path, options, ticks, tz=zone_name, first_row=1)
