"""Any Parquet file with columns of time, bid and ask, mapped by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from finiex_ray.core.errors import ConfigError
from finiex_ray.core.market import FloatArray, IntArray, TickSegment
from finiex_ray.data.importers.base import Importer, ImportOptions, RawTicks, assemble, first_true, price_points, refuse
from finiex_ray.data.importers.text import epoch_ns, numbers, pick_columns, series
from finiex_ray.data.importers.times import UNIT_NS, local_to_utc, parse_stamps, parse_zone, to_utc

__all__ = ["ParquetImporter"]


class ParquetImporter(Importer):
    """Generic Parquet: times as timestamps, text, or numbers since the epoch (``time_format`` gives their unit)."""

    name = "parquet"
    suffixes = (".parquet", ".pq")
    takes = frozenset({"columns", "time_format"})

    def read(self, path: Path, options: ImportOptions) -> RawTicks:
        """Reads one file."""
        try:
            known = pq.read_schema(path).names
            picked = pick_columns(path, dict(options.columns), known)
            table = pq.read_table(
                path, columns=list(picked.values()), partitioning=None, page_checksum_verification=True
            )
        except (pa.ArrowException, OSError) as error:
            refuse(path, f"damaged Parquet: {error}")
        if not table.num_rows:
            refuse(path, "holds no ticks")
        columns = {role: table.column(name).combine_chunks() for role, name in picked.items()}
        for role, column in columns.items():
            if column.null_count:
                refuse(path, f"{role} is empty", 1 + int(np.argmax(column.is_null().to_numpy(zero_copy_only=False))))
        prices = (_floats(path, side, columns[side]) for side in ("bid", "ask"))
        bid, ask = (
            price_points(path, side, values, options, 1) for side, values in zip(("bid", "ask"), prices, strict=True)
        )
        volume = _floats(path, "volume", columns["volume"]) if "volume" in columns else np.zeros(len(bid))
        ticks = TickSegment(_times(path, options, columns["time"]), bid, ask, volume)
        return assemble(path, options, ticks, tz=options.tz or "UTC", first_row=1)


def _floats(path: Path, name: str, column: Any) -> FloatArray:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return numbers(path, name, column.cast(pa.string()), 1)
    try:
        values = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    except pa.ArrowException:
        refuse(path, f"{name} is of type {column.type}, not a number")
    bad = first_true(~np.isfinite(values))
    if bad is not None:
        refuse(path, f"{name} {values[bad]} is no number", bad + 1)
    return np.asarray(values, dtype=np.float64)


def _times(path: Path, options: ImportOptions, column: Any) -> IntArray:
    zone = parse_zone(options.tz) if options.tz else None
    if pa.types.is_timestamp(column.type):
        stamps = pc.cast(column, pa.timestamp("ns", column.type.tz)).cast(pa.int64()).to_numpy(zero_copy_only=False)
        if column.type.tz is not None:
            return to_utc(path, stamps, 1)
        if zone is None:
            raise ConfigError(f"{path}: its times carry no zone; say which one, for example --tz UTC", source="--tz")
        return local_to_utc(path, pd.DatetimeIndex(stamps.astype("datetime64[ns]")), zone, 1)
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or options.time_format in UNIT_NS:
        if options.time_format not in UNIT_NS:
            reason = f"{path}: its times are numbers; say their unit: s, ms, us or ns since the epoch"
            raise ConfigError(reason, source="--time-format")
        return epoch_ns(path, column.cast(pa.string()), options.time_format, 1)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return parse_stamps(path, series(column), zone, 1, options.time_format)
    return refuse(path, f"time is of type {column.type}, not a timestamp, a number or text")
