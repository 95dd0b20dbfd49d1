"""`Entry`: one result as the journal keeps it: the values of its rows, its log and its records, as bytes and back."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from finiex_ray.config.models import ScenarioConfig
from finiex_ray.core.records import EQUITY_DTYPE, FILL_DTYPE, ORDER_DTYPE, TRADE_DTYPE, Records
from finiex_ray.core.text import printable
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.results.rows import ProfileTimes, RowValues, profile_times, scenario_values
from finiex_ray.results.tables import RECORD_TABLES, Chunk

__all__ = ["Entry", "decode_entry", "encode_entry", "entry_log", "entry_place"]

_DTYPES: Final = {"orders": ORDER_DTYPE, "fills": FILL_DTYPE, "trades": TRADE_DTYPE, "equity": EQUITY_DTYPE}
_HEAD: Final = struct.Struct("<II")  # length of the JSON text, place of the scenario in the set
_to_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class Entry(NamedTuple):
    """What a run folder keeps of one result."""

    row: RowValues  # of the scenario table
    profile: ProfileTimes
    log: str
    scale: tuple[int, float, int]  # digits, volume step in lots, minor units in one unit of the account currency
    comments: Mapping[int, str]  # order id to text
    records: Mapping[str, Records]  # by table; empty for a scenario that never ran

    def chunk(self, table: str) -> Chunk | None:
        """The records of a table; None where there are none."""
        records = self.records.get(table)
        if records is None or not len(records):
            return None
        return Chunk(self.row[1], self.row[0], *self.scale, records, self.comments)


def encode_entry(
    result: ScenarioResult,
    config: ScenarioConfig | None,
    config_hash: str | None,
    key: str | None,
    log_name: str | None,
) -> bytes:
    """What a run folder keeps of a result, as bytes.

    Args:
        result: The result, successful or not.
        config: What ran; None for a scenario that could not be read.
        config_hash: Hash of its configuration.
        key: Hash of everything that its result depends on; None where that is not known.
        log_name: Name of its log file; None where logs are packed.
    """
    loop = result.loop
    tables = {} if loop is None else {name: getattr(loop, name) for name in RECORD_TABLES}
    head = [
        scenario_values(result, config, config_hash, key, log_name),
        profile_times(result),
        entry_log(result),
        [0, 0.0, 1] if loop is None else [loop.digits, loop.volume_step, loop.minor_per_unit],
        [] if loop is None else [[order_id, printable(text)] for order_id, text in loop.comments.items()],
        {name: len(records) for name, records in tables.items()},
    ]
    text = _to_json(head).encode()
    return b"".join([_HEAD.pack(len(text), result.index), text, *(records.tobytes() for records in tables.values())])


def decode_entry(payload: bytes) -> Entry:
    """The entry that `encode_entry` wrote; its records are views of the payload."""
    length, _ = _HEAD.unpack_from(payload)
    offset = _HEAD.size + length
    row, profile, log, scale, comments, lengths = json.loads(payload[_HEAD.size : offset])
    records = {}
    for name, count in lengths.items():
        dtype = _DTYPES[name]
        records[name] = np.frombuffer(payload, dtype, count, offset)
        offset += count * dtype.itemsize
    return Entry(row, profile, log, tuple(scale), dict(comments), records)


def entry_place(payload: bytes) -> int:
    """Index in the set of the scenario whose entry it is."""
    return int(_HEAD.unpack_from(payload)[1])


def entry_log(result: ScenarioResult) -> str:
    """The log buffer, and after it how the scenario ended."""
    lines = [printable(line, keep="\t") for line in result.log]
    if result.error is not None:
        place = "" if result.error.tick_index is None else f" at tick {result.error.tick_index}"
        lines.append(printable(f"FAILED{place}: {result.error.type}: {result.error.message}", keep="\n\t"))
        lines.append(printable(result.error.traceback.rstrip(), keep="\n\t"))
    ticks = result.loop.ticks if result.loop else 0
    lines.append(f"{result.status} after {result.execution_time_s:.3f} s, {ticks} ticks")
    return "\n".join(line for line in lines if line) + "\n"
