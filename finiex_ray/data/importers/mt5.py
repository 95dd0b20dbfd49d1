"""MetaTrader 5 tick export: tab-separated ``<DATE> <TIME> <BID> <ASK> <LAST> <VOLUME> <FLAGS>`` in broker time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from finiex_ray.core.errors import ConfigError
from finiex_ray.core.market import FloatArray, TickSegment
from finiex_ray.data.importers.base import Importer, ImportOptions, RawTicks, assemble, first_true, price_points, refuse
from finiex_ray.data.importers.text import header_of, numbers, read_bytes, read_columns, series
from finiex_ray.data.importers.times import parse_stamps, parse_zone

__all__ = ["Mt5Importer"]

_NEEDED = ("<DATE>", "<TIME>", "<BID>", "<ASK>")


class Mt5Importer(Importer):
    """Exports of the terminal's tick window. An empty bid or ask repeats the last value; ``tz`` must be given."""

    name = "mt5"
    suffixes = (".csv", ".txt")

    def read(self, path: Path, options: ImportOptions) -> RawTicks:
        """Reads one export; rows before both sides have been quoted once are passed over, with a warning."""
        if options.tz is None:
            reason = (
                "MT5 exports are in broker time: say which zone that is, for example --tz UTC+2 or --tz Europe/Athens"
            )
            raise ConfigError(reason, source="--tz")
        zone = parse_zone(options.tz)
        data = read_bytes(path)
        names = header_of(data, "\t")
        missing = [name for name in _NEEDED if name not in names]
        if missing:
            refuse(
                path,
                f"no column {', '.join(missing)}: an MT5 export starts with <DATE>, <TIME>, … separated by tabs",
                1,
            )
        columns = read_columns(path, data, "\t", names, header=True)
        start = max(_first_quoted(path, columns[side]) for side in ("<BID>", "<ASK>"))
        row = 2 + start
        warnings = (f"{path.name}: {start} rows before the first complete quote passed over",) if start else ()
        dates = pc.replace_substring(columns["<DATE>"], ".", "-")
        stamps = series(pc.binary_join_element_wise(dates, columns["<TIME>"], "T").slice(start))
        time_ns = parse_stamps(path, stamps, zone, row)
        quotes = (_repeat_last(path, side, columns[f"<{side.upper()}>"], start) for side in ("bid", "ask"))
        bid, ask = (
            price_points(path, side, prices, options, row) for side, prices in zip(("bid", "ask"), quotes, strict=True)
        )
        volume = _volume(path, columns.get("<VOLUME>"), start, len(bid))
        return assemble(
            path, options, TickSegment(time_ns, bid, ask, volume), tz=options.tz, first_row=row, warnings=warnings
        )


def _first_quoted(path: Path, texts: Any) -> int:
    first = first_true(np.asarray(pc.not_equal(texts, "").to_numpy(zero_copy_only=False), dtype=bool))
    return first if first is not None else refuse(path, "no row holds a bid and an ask")


def _repeat_last(path: Path, side: str, texts: Any, start: int) -> FloatArray:
    filled = pc.fill_null_forward(pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts))
    return numbers(path, side, filled.slice(start), 2 + start)


def _volume(path: Path, texts: Any, start: int, count: int) -> FloatArray:
    if texts is None:
        return np.zeros(count)
    return numbers(path, "volume", pc.if_else(pc.equal(texts, ""), "0", texts).slice(start), 2 + start)
