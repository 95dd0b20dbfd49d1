"""Layout of the tables that hold records, and the way from record arrays to Arrow tables in human units.

Prices are float64 in price units, volumes in lots, money in the account currency, times ``timestamp[ns, UTC]``, codes
dictionary-encoded words; what is not set is null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from finiex_ray.core.arrow import numbers, texts
from finiex_ray.core.enums import ExitReason, FillKind, OrderState, OrderType, RejectReason, Side
from finiex_ray.core.market import FloatArray
from finiex_ray.core.records import FAR_FUTURE_NS, NO_PRICE, NO_TICK, Records
from finiex_ray.core.text import printable

__all__ = ["RECORD_TABLES", "TIME", "WORD", "Chunk", "Column", "record_schema", "record_table"]

TIME: Final = pa.timestamp("ns", tz="UTC")
WORD: Final = pa.dictionary(pa.int32(), pa.string())
_LOT_DECIMALS: Final = 10  # the finest volume step


class Unit(IntEnum):
    """How a field of a record becomes a column."""

    COMMENT = -1  # the strategy's own text for an order, null where it gave none
    COUNT = 0  # as it is
    TICK = 1  # null where it has not happened
    TIME = 2  # null where its tick column is
    PRICE = 3  # points to price, null where not set
    DISTANCE = 4  # points to a price difference
    LOTS = 5  # volume steps to lots
    MONEY = 6  # minor units to account currency


class OrderSide(IntEnum):
    """Side of an order; instructions (modify, cancel) have none."""

    SELL = -1
    NONE = 0
    BUY = 1


class Column(NamedTuple):
    """One column of a record table."""

    name: str
    field: str  # of the record
    unit: Unit | type[IntEnum]  # an enumeration: the code becomes its word


class Chunk(NamedTuple):
    """The records of one scenario, with what turns them into human units."""

    scenario: str
    scenario_index: int
    digits: int
    volume_step: float  # lots
    minor_per_unit: int
    records: Records
    comments: Mapping[int, str] = {}  # order id to text


def _columns(*specs: tuple[str, str, Unit | type[IntEnum]]) -> tuple[Column, ...]:
    return tuple(Column(*spec) for spec in specs)


RECORD_TABLES: Final[dict[str, tuple[Column, ...]]] = {
    "orders": _columns(
        ("order_id", "order_id", Unit.COUNT),
        ("type", "type", OrderType),
        ("side", "side", OrderSide),
        ("state", "state", OrderState),
        ("reason", "reason", RejectReason),
        ("lots", "volume_steps", Unit.LOTS),
        ("filled_lots", "filled_steps", Unit.LOTS),
        ("position_id", "position_id", Unit.COUNT),
        ("target_id", "target_id", Unit.COUNT),
        ("limit", "price_points", Unit.PRICE),
        ("stop", "stop_points", Unit.PRICE),
        ("sl", "sl_points", Unit.PRICE),
        ("tp", "tp_points", Unit.PRICE),
        ("sl_offset", "sl_offset_points", Unit.DISTANCE),
        ("tp_offset", "tp_offset_points", Unit.DISTANCE),
        ("trail", "trail_points", Unit.DISTANCE),
        ("good_till", "expire_ns", Unit.TIME),
        ("oco_id", "oco_id", Unit.COUNT),
        ("magic", "magic", Unit.COUNT),
        ("comment", "order_id", Unit.COMMENT),
        ("request_tick", "request_tick", Unit.COUNT),
        ("request_time", "request_ns", Unit.TIME),
        ("arrival_time", "arrival_ns", Unit.TIME),
        ("done_tick", "done_tick", Unit.TICK),
        ("done_time", "done_ns", Unit.TIME),
        ("fill_price", "fill_price_points", Unit.PRICE),
    ),
    "fills": _columns(
        ("order_id", "order_id", Unit.COUNT),
        ("position_id", "position_id", Unit.COUNT),
        ("kind", "kind", FillKind),
        ("side", "side", Side),
        ("lots", "volume_steps", Unit.LOTS),
        ("tick", "tick", Unit.COUNT),
        ("time", "time_ns", Unit.TIME),
        ("price", "price_points", Unit.PRICE),
        ("gross", "gross_minor", Unit.MONEY),
        ("commission", "commission_minor", Unit.MONEY),
        ("swap", "swap_minor", Unit.MONEY),
        ("balance", "balance_minor", Unit.MONEY),
    ),
    "trades": _columns(
        ("trade_id", "trade_id", Unit.COUNT),
        ("position_id", "position_id", Unit.COUNT),
        ("entry_order_id", "entry_order_id", Unit.COUNT),
        ("exit_order_id", "exit_order_id", Unit.COUNT),
        ("side", "side", Side),
        ("lots", "volume_steps", Unit.LOTS),
        ("entry_tick", "entry_tick", Unit.COUNT),
        ("entry_time", "entry_ns", Unit.TIME),
        ("entry_price", "entry_price_points", Unit.PRICE),
        ("exit_tick", "exit_tick", Unit.COUNT),
        ("exit_time", "exit_ns", Unit.TIME),
        ("exit_price", "exit_price_points", Unit.PRICE),
        ("exit_reason", "exit_reason", ExitReason),
        ("sl", "sl_points", Unit.PRICE),
        ("tp", "tp_points", Unit.PRICE),
        ("gross", "gross_minor", Unit.MONEY),
        ("commission", "commission_minor", Unit.MONEY),
        ("swap", "swap_minor", Unit.MONEY),
        ("net", "net_minor", Unit.MONEY),
        ("balance", "balance_minor", Unit.MONEY),
        ("mae", "mae_points", Unit.DISTANCE),
        ("mfe", "mfe_points", Unit.DISTANCE),
        ("magic", "magic", Unit.COUNT),
    ),
    "equity": _columns(
        ("tick", "tick", Unit.COUNT),
        ("time", "time_ns", Unit.TIME),
        ("balance", "balance", Unit.MONEY),
        ("equity", "equity", Unit.MONEY),
        ("equity_low", "equity_low", Unit.MONEY),
        ("equity_high", "equity_high", Unit.MONEY),
    ),
}


def record_schema(name: str) -> Any:
    """Arrow schema of a record table: scenario name and index, then its columns."""
    fields = [_field(column) for column in RECORD_TABLES[name]]
    return pa.schema([pa.field("scenario", WORD, False), pa.field("scenario_index", pa.int64(), False), *fields])


def _field(column: Column) -> Any:
    if not isinstance(column.unit, Unit):
        return pa.field(column.name, WORD, False)
    if column.unit is Unit.COMMENT:
        return pa.field(column.name, pa.string())
    if column.unit is Unit.TIME:
        return pa.field(column.name, TIME)
    if column.unit in (Unit.COUNT, Unit.TICK):
        return pa.field(column.name, pa.int64(), column.unit is Unit.TICK)
    return pa.field(column.name, pa.float64())


def record_table(name: str, chunks: Sequence[Chunk]) -> Any:
    """The records of many scenarios as one Arrow table.

    Args:
        name: The table, a key of `RECORD_TABLES`.
        chunks: At least one; the table keeps their order.
    """
    lengths = [len(chunk.records) for chunk in chunks]
    # As bytes: numpy would put records together field by field.
    dtype = chunks[0].records.dtype
    records = np.concatenate([chunk.records.view(f"V{dtype.itemsize}") for chunk in chunks]).view(dtype)
    scales = _Scales(
        price=np.repeat([10.0**chunk.digits for chunk in chunks], lengths),
        lots=np.repeat([chunk.volume_step for chunk in chunks], lengths),
        money=np.repeat([float(chunk.minor_per_unit) for chunk in chunks], lengths),
    )
    place = numbers(np.repeat(np.arange(len(chunks), dtype=np.int32), lengths))
    scenario = pa.DictionaryArray.from_arrays(place, texts([chunk.scenario for chunk in chunks]))
    index = np.repeat(np.array([chunk.scenario_index for chunk in chunks], dtype=np.int64), lengths)
    columns = [
        _comments(chunks) if column.unit is Unit.COMMENT else _array(column, records, scales)
        for column in RECORD_TABLES[name]
    ]
    return pa.Table.from_arrays([scenario, numbers(index), *columns], schema=record_schema(name))


def _comments(chunks: Sequence[Chunk]) -> Any:
    if not any(chunk.comments for chunk in chunks):
        return pa.nulls(sum(len(chunk.records) for chunk in chunks), pa.string())
    found = [chunk.comments.get(order_id) for chunk in chunks for order_id in chunk.records["order_id"].tolist()]
    return texts([None if text is None else printable(text) for text in found])


class _Scales(NamedTuple):
    """Divisors (price, money) and factor (lots) of every row."""

    price: FloatArray
    lots: FloatArray
    money: FloatArray


def _array(column: Column, records: Records, scales: _Scales) -> Any:
    values = np.ascontiguousarray(records[column.field])
    if not isinstance(column.unit, Unit):
        return _words(values, column.unit)
    match column.unit:
        case Unit.COUNT:
            return numbers(values)
        case Unit.TICK:
            return numbers(values, values == NO_TICK)
        case Unit.TIME:
            return numbers(values, _not_yet(column, records), TIME)
        case Unit.PRICE:
            return numbers(values / scales.price, values == NO_PRICE)
        case Unit.DISTANCE:
            return numbers(values / scales.price)
        case Unit.LOTS:
            return numbers(np.round(values * scales.lots, _LOT_DECIMALS))
        case Unit.MONEY:
            return numbers(values / scales.money)


def _not_yet(column: Column, records: Records) -> Any:
    """True where a time stands for something that has not happened."""
    if column.field == "done_ns":
        return records["done_tick"] == NO_TICK
    return records["expire_ns"] == FAR_FUTURE_NS if column.field == "expire_ns" else None


def _words(codes: Any, enumeration: type[IntEnum]) -> Any:
    members = sorted(enumeration)
    values = np.array([int(member) for member in members], dtype=np.int64)
    places = np.searchsorted(values, codes).astype(np.int32)
    return pa.DictionaryArray.from_arrays(numbers(places), texts([member.name.lower() for member in members]))
