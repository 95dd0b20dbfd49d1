"""JSON of the MT5 and Kraken collectors: ``metadata`` and ``ticks``; ``time_msc`` is broker time in ms."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from finiex_ray.core.errors import ConfigError
from finiex_ray.core.market import FloatArray, IntArray, TickSegment
from finiex_ray.core.time import NS_PER_MS
from finiex_ray.data.importers.base import Importer, ImportOptions, RawTicks, assemble, price_points, refuse
from finiex_ray.data.importers.times import local_to_utc, parse_zone

__all__ = ["CollectorImporter"]

_SYMBOL = re.compile(rb'"symbol"\s*:\s*"([^"]+)"')
_MS_PER_MINUTE = 60_000
_QUARTER = 15  # minutes: no zone is offset from another by less


class CollectorImporter(Importer):
    """Collector files; rows are tick numbers. Without ``tz`` the offset that the file is stamped with is used.

    The stamp is often wrong, so it is held against the median of ``time_msc - collected_msc`` (the device's clock
    is UTC), and a difference of a quarter of an hour or more is a warning.
    """

    name = "collector"
    suffixes = (".json",)

    def stamped_symbol(self, path: Path) -> str | None:
        """The symbol in the metadata."""
        try:
            with path.open("rb") as file:
                match = _SYMBOL.search(file.read(65_536))
        except OSError:
            return None  # ``read`` refuses it, with the reason
        return match[1].decode("utf-8", "replace") if match else None

    def read(self, path: Path, options: ImportOptions) -> RawTicks:
        """Reads one file."""
        metadata, ticks = _document(path)
        if not ticks:
            refuse(path, "holds no ticks")
        zone_name = options.tz or _stamped_zone(path, metadata)
        broker_ms = _integers(path, ticks, "time_msc")
        bad = int(np.argmax((broker_ms < 0) | (broker_ms > 2**42)))
        if not 0 <= broker_ms[bad] <= 2**42:
            refuse(path, f"time_msc {broker_ms[bad]} is no time in ms", bad + 1)
        local = pd.DatetimeIndex(broker_ms.astype("datetime64[ms]"))
        time_ns = local_to_utc(path, local, parse_zone(zone_name), 1)
        sides = {side: _floats(path, ticks, side) for side in ("bid", "ask")}
        bid, ask = (price_points(path, side, prices, options, 1) for side, prices in sides.items())
        volume = _floats(path, ticks, "real_volume") if "real_volume" in ticks[0] else np.zeros(len(bid))
        warnings = _warn_offset(path, ticks, broker_ms, time_ns) + _warn_digits(path, metadata, options)
        segment = TickSegment(time_ns, bid, ask, volume)
        return assemble(path, options, segment, tz=zone_name, first_row=1, warnings=warnings)


def _document(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    try:
        document = json.loads(path.read_bytes())
    except json.JSONDecodeError as error:
        refuse(path, f"no JSON: {error.msg}", error.lineno)
    except (UnicodeDecodeError, RecursionError, OSError) as error:
        refuse(path, f"no JSON: {error}")
    metadata, ticks = (
        (document.get(key) for key in ("metadata", "ticks")) if isinstance(document, dict) else (None, None)
    )
    if not isinstance(metadata, dict) or not isinstance(ticks, list):
        refuse(path, "no collector file: it needs 'metadata' and a list of 'ticks'")
    for place, tick in enumerate(ticks):
        if not isinstance(tick, dict):
            refuse(path, f"{tick!r} is no tick", place + 1)
    return metadata, ticks


def _values(path: Path, ticks: list[dict[str, Any]], key: str, kinds: tuple[type, ...]) -> list[Any]:
    values = [tick.get(key) for tick in ticks]
    for place, value in enumerate(values):
        if type(value) not in kinds:
            refuse(path, f"{key} {value!r} is no number" if value is not None else f"{key} is missing", place + 1)
    return values


def _integers(path: Path, ticks: list[dict[str, Any]], key: str) -> IntArray:
    values = _values(path, ticks, key, (int,))
    large = next((place for place, value in enumerate(values) if abs(value) >= 2**63), None)
    if large is not None:
        refuse(path, f"{key} {values[large]} is no time in ms", large + 1)
    return np.array(values, dtype=np.int64)


def _floats(path: Path, ticks: list[dict[str, Any]], key: str) -> FloatArray:
    return np.array(_values(path, ticks, key, (int, float)), dtype=np.float64)


def _stamped_zone(path: Path, metadata: dict[str, Any]) -> str:
    hours = metadata.get("broker_utc_offset_hours")
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not abs(hours) <= 14:
        raise ConfigError(f"{path} is stamped with no broker_utc_offset_hours; say the zone of time_msc", source="--tz")
    return _offset_name(round(hours * 60))


def _offset_name(minutes: int) -> str:
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}{f':{rest:02d}' if rest else ''}"


def _warn_offset(path: Path, ticks: list[dict[str, Any]], broker_ms: IntArray, time_ns: IntArray) -> tuple[str, ...]:
    if "collected_msc" not in ticks[0]:
        return ()
    used = float(np.median(broker_ms - time_ns // NS_PER_MS)) / _MS_PER_MINUTE
    measured = float(np.median(broker_ms - _integers(path, ticks, "collected_msc"))) / _MS_PER_MINUTE
    if abs(measured - used) < _QUARTER:
        return ()
    near = round(measured / _QUARTER) * _QUARTER
    warning = (
        f"{path.name}: WARNING: read as {_offset_name(round(used))}, but time_msc is {measured / 60:+.2f} h from the "
        f"device's UTC clock: if that clock is right, import with --tz {_offset_name(near)}"
    )
    return (warning,)


def _warn_digits(path: Path, metadata: dict[str, Any], options: ImportOptions) -> tuple[str, ...]:
    info = metadata.get("symbol_info")
    digits = info.get("digits") if isinstance(info, dict) else None
    if digits is None or digits == options.digits:
        return ()
    return (f"{path.name}: WARNING: stamped with {digits} digits, imported with {options.digits}",)
