"""What one catalog file holds: a Parquet table of one symbol and UTC day, and what is known about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from finiex_ray.core.arrow import to_numbers
from finiex_ray.core.errors import DataError
from finiex_ray.core.market import TickSegment, content_hash, freeze
from finiex_ray.core.time import format_utc

__all__ = ["DayInfo", "SourcePart", "day_info", "decode_info", "decode_ticks", "encode"]

_FORMAT: Final = 1
_KEY: Final = b"finiex"
_SCHEMA: Final = pa.schema(
    [("time_ns", pa.int64()), ("bid_points", pa.int64()), ("ask_points", pa.int64()), ("volume", pa.float64())]
)


@dataclass(frozen=True)
class SourcePart:
    """The ticks of one source file that fell into one UTC day. Parts of a day lie in its file one after the other."""

    name: str  # file name, relative to the folder that was imported
    sha256: str  # of the source file
    format: str  # importer
    tz: str  # zone that its times were read in
    crossed: str  # what was done with crossed quotes
    rows: int  # ticks of this part
    first_ns: int
    last_ns: int
    content_hash: str  # of this part's ticks


@dataclass(frozen=True)
class DayInfo:
    """What a catalog file says about its day, without its ticks."""

    symbol: str
    day: date
    digits: int
    rows: int
    first_ns: int
    last_ns: int
    content_hash: str
    sources: tuple[SourcePart, ...]


def day_info(symbol: str, day: date, digits: int, ticks: TickSegment, sources: Sequence[SourcePart]) -> DayInfo:
    """Describes the ticks of a day that holds at least one."""
    first, last = int(ticks.time_ns[0]), int(ticks.time_ns[-1])
    return DayInfo(symbol, day, digits, len(ticks.time_ns), first, last, content_hash(ticks), tuple(sources))


def encode(info: DayInfo, ticks: TickSegment) -> bytes:
    """The bytes of a catalog file; equal input gives equal bytes (with the same pyarrow)."""
    document: dict[str, Any] = {"format": _FORMAT, **asdict(info), "day": info.day.isoformat()}
    document |= {"first": format_utc(info.first_ns), "last": format_utc(info.last_ns)}
    document |= {
        "source": sorted({part.format for part in info.sources}),
        "tz": sorted({part.tz for part in info.sources}),
    }
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    table = pa.Table.from_arrays([pa.array(column) for column in ticks], schema=_SCHEMA.with_metadata({_KEY: text}))
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        use_dictionary=False,
        column_encoding=dict.fromkeys(("time_ns", "bid_points", "ask_points"), "DELTA_BINARY_PACKED"),
        write_page_checksum=True,
    )
    return bytes(sink.getvalue().to_pybytes())


def decode_info(parquet: Any, where: str) -> DayInfo:
    """What an open ``ParquetFile`` says about itself.

    Raises:
        DataError: If it is no catalog file, or one of a later format.
    """
    text = (parquet.metadata.metadata or {}).get(_KEY)
    if text is None:
        raise DataError(f"{where}: no catalog file (it has no 'finiex' metadata); import it with --format parquet")
    try:
        document = json.loads(text)
        if document["format"] != _FORMAT:
            raise DataError(f"{where}: catalog format {document['format']}, this version reads {_FORMAT}")
        parts = tuple(SourcePart(**part) for part in document["sources"])
        names = ("symbol", "digits", "rows", "first_ns", "last_ns", "content_hash")
        info = DayInfo(
            day=date.fromisoformat(document["day"]), sources=parts, **{name: document[name] for name in names}
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{where}: damaged: its metadata cannot be read ({error!r}); import the day again") from error
    if parquet.metadata.num_rows != info.rows:
        raise DataError(
            f"{where}: damaged: {parquet.metadata.num_rows} rows, its metadata says {info.rows}; import the day again"
        )
    return info


def decode_ticks(parquet: Any, where: str) -> TickSegment:
    """The ticks of an open ``ParquetFile``, frozen; page checksums are verified by the reader.

    Raises:
        DataError: If a column is missing or of another type.
    """
    table = parquet.read()
    if table.schema.remove_metadata() != _SCHEMA:
        found = ", ".join(f"{field.name} {field.type}" for field in table.schema)
        raise DataError(f"{where}: damaged: columns {found}; import the day again")
    try:
        return freeze(TickSegment(*map(to_numbers, table.columns)))
    except ValueError as error:
        raise DataError(f"{where}: damaged: {error}; import the day again") from error
