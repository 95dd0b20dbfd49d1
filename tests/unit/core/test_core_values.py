"""Time, money, random streams, columns, record layouts, errors: the ground that everything stands on."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finiex_ray.core import records
from finiex_ray.core.errors import ConfigError, FiniexError, ScenarioInvalidError, suggest
from finiex_ray.core.market import TickSegment, content_hash, freeze, read_only
from finiex_ray.core.money import minor_digits, ratio, to_minor
from finiex_ray.core.random import generator, stream_seed
from finiex_ray.core.text import printable
from finiex_ray.core.time import NS_PER_DAY, Timeframe, day_of, day_start_ns, format_utc, to_ns

# Time (rule R1)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_r1_times_are_exact(moment: datetime) -> None:
    ns = to_ns(moment)
    assert (moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1) * 1_000 == pytest.approx(ns, abs=1e3)
    assert ns % 1_000 == 0
    assert datetime.fromisoformat(format_utc(ns)) == moment
    assert day_of(ns) == moment.date()
    assert day_start_ns(moment.date()) == ns // NS_PER_DAY * NS_PER_DAY


def test_r1_naive_times_are_refused_and_zones_are_converted() -> None:
    with pytest.raises(ValueError, match=r"2025-09-25T14:00:00 has no time zone; add one"):
        to_ns(datetime(2025, 9, 25, 14))
    tokyo = timezone(timedelta(hours=9))
    assert to_ns(datetime(2025, 9, 25, 9, tzinfo=tokyo)) == to_ns(datetime(2025, 9, 25, tzinfo=UTC))


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_500_000_000, "1970-01-01T00:00:01.500Z"),
        (1_000_001_000, "1970-01-01T00:00:01.000001Z"),
        (1_000_000_001, "1970-01-01T00:00:01.000000001Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
    ],
)
def test_times_are_written_with_as_many_digits_as_they_need(ns: int, text: str) -> None:
    assert format_utc(ns) == text


@pytest.mark.parametrize("timeframe", list(Timeframe))
def test_every_timeframe_divides_a_day(timeframe: Timeframe) -> None:
    assert NS_PER_DAY % timeframe.ns == 0


def test_days_before_the_epoch() -> None:
    assert day_of(-1) == date(1969, 12, 31)


# Money (rule R2)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("10000", "USD", 1_000_000),
        ("0.005", "USD", 1),
        ("-0.005", "USD", -1),
        ("0.0049999", "USD", 0),
        ("1.015", "EUR", 102),
        ("100.5", "JPY", 101),
        ("1.2345", "KWD", 1_235),
        ("0.000000015", "BTC", 2),
    ],
)
def test_r2_amounts_are_rounded_half_away_from_zero(amount: str, currency: str, minor: int) -> None:
    assert to_minor(Decimal(amount), currency) == minor


def test_minor_digits() -> None:
    assert {name: minor_digits(name) for name in ("USD", "JPY", "BHD", "BTC", "USDT", "XYZ")} == {
        "USD": 2, "JPY": 0, "BHD": 3, "BTC": 8, "USDT": 6, "XYZ": 2,
    }  # fmt: skip
    assert ratio(Fraction(6, 4)) == (3, 2)


# Random streams


def test_streams_are_fixed_for_ever() -> None:
    """These numbers may never change: results of older versions must stay reproducible."""
    assert stream_seed(0) == 4_246_866_556_266_386_882
    assert stream_seed(42, "latency") == 830_949_365_378_323_751
    first = generator(42, "latency").random(3).tolist()
    assert first == [0.7581378723441204, 0.6508741168732207, 0.058306800734965636]
    assert first != generator(43, "latency").random(3).tolist()
    assert first != generator(42, "other").random(3).tolist()


def test_stream_names_do_not_run_together() -> None:
    seeds = {
        stream_seed(1, "a", "b"),
        stream_seed(1, "ab"),
        stream_seed(1, "a"),
        stream_seed(11, "a"),
        stream_seed(1, "b", "a"),
    }
    assert len(seeds) == 5
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert stream_seed(np.int64(7), "x") == stream_seed(7, "x")  # type: ignore[arg-type]


# Columns


def _segment() -> TickSegment:
    column = np.arange(4, dtype=np.int64)
    return TickSegment(column, column + 10, column + 12, column * 0.5)


def test_frozen_columns_refuse_writes_and_share_memory() -> None:
    segment = _segment()
    frozen = freeze(segment)
    with pytest.raises(ValueError, match="read-only"):
        frozen.bid_points[0] = 1
    assert np.shares_memory(frozen.bid_points, segment.bid_points)
    strided = read_only(np.arange(10)[::2])
    assert strided.flags.c_contiguous
    assert strided.tolist() == [0, 2, 4, 6, 8]


def test_the_content_hash_is_of_the_content() -> None:
    base = content_hash(_segment())
    assert content_hash(freeze(_segment())) == base
    for number in range(4):
        columns = [column.copy() for column in _segment()]
        columns[number][2] += 1
        assert content_hash(TickSegment(*columns)) != base
    shifted = _segment()._replace(bid_points=_segment().ask_points, ask_points=_segment().bid_points)
    assert content_hash(shifted) != base


# Records


@pytest.mark.parametrize(
    ("dtype", "columns"),
    [
        (records.ORDER_DTYPE, records.ORDER_COLUMNS),
        (records.FILL_DTYPE, records.FILL_COLUMNS),
        (records.POSITION_DTYPE, records.POSITION_COLUMNS),
        (records.TRADE_DTYPE, records.TRADE_COLUMNS),
        (records.EQUITY_DTYPE, records.CURVE_COLUMNS),
        (records.LEDGER_DTYPE, records.LEDGER_COLUMNS),
    ],
)
def test_every_record_is_a_row_of_eight_byte_columns(dtype: np.dtype[np.void], columns: ModuleType) -> None:
    names = dtype.names or ()
    assert dtype.itemsize == 8 * len(names)
    assert [name for name in vars(columns) if not name.startswith("__")] == list(names)
    row = np.zeros(1, dtype)
    for number, name in enumerate(names):
        row[name] = number + 1
        matrix = row.view(np.int64 if dtype[name].kind == "i" else np.float64)
        assert matrix[getattr(columns, name)] == number + 1


# Errors and text


def test_errors_survive_a_process_border() -> None:
    config = ConfigError("is wrong", source="set.json", path="scenarios[2].symbol")
    assert str(config) == "set.json: scenarios[2].symbol: is wrong"
    invalid = ScenarioInvalidError(["one", "two"])
    for error in (config, invalid):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), copy.__dict__) == (type(error), str(error), error.__dict__)
        assert isinstance(copy, FiniexError)


def test_suggestions_name_the_nearest() -> None:
    assert "EURUSD" in suggest("EURUSDX", ["EURUSD", "USDJPY"])


def test_unprintable_text_cannot_steer_a_terminal() -> None:
    assert printable("plain ü €") == "plain ü €"
    assert printable("\x1b[2J\u202e\n", keep="\n") == "\\x1b[2J\\u202e\n"
