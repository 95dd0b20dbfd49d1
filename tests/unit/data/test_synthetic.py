"""The synthetic market: the same bytes always, days that join, a week that closes."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pytest

from finiex_ray.core.errors import DataError
from finiex_ray.core.market import content_hash
from finiex_ray.core.time import NS_PER_DAY, day_start_ns, to_ns
from finiex_ray.data.quality import check
from finiex_ray.data.synthetic import SyntheticMarket

MARKET = SyntheticMarket(0)
THURSDAY = date(2025, 9, 25)
PINNED = "36321f75c45edeba4534f85eac64b31ad3582c89775760bc0db39d8409ae8cda"


def test_two_instances_and_two_calls_give_the_same_bytes() -> None:
    first = content_hash(MARKET.load("EURUSD", THURSDAY))
    SyntheticMarket(0).load("EURUSD", date(2011, 3, 3))  # what was made before does not matter
    assert (
        first
        == content_hash(MARKET.load("EURUSD", THURSDAY))
        == content_hash(SyntheticMarket(0).load("EURUSD", THURSDAY))
    )


def test_the_bytes_of_a_day_are_pinned() -> None:
    assert content_hash(MARKET.load("EURUSD", THURSDAY)) == PINNED


def test_seed_symbol_and_day_each_make_another_day() -> None:
    days = [
        (MARKET, "EURUSD", THURSDAY),
        (SyntheticMarket(1), "EURUSD", THURSDAY),
        (MARKET, "GBPUSD", THURSDAY),
        (MARKET, "EURUSD", THURSDAY + timedelta(days=1)),
    ]
    assert len({content_hash(market.load(symbol, day)) for market, symbol, day in days}) == 4
    assert len({market.content_key(symbol, day) for market, symbol, day in days}) == 4
    assert MARKET.content_key("EURUSD", THURSDAY) == SyntheticMarket(0).content_key("EURUSD", THURSDAY)


@pytest.mark.parametrize("symbol", MARKET.symbols())
def test_a_full_day_is_in_order_never_crossed_and_of_its_day(symbol: str) -> None:
    ticks = MARKET.load(symbol, THURSDAY)
    assert 25_000 < len(ticks.time_ns) < 160_000
    assert (np.diff(ticks.time_ns) >= 0).all()
    assert (np.diff(ticks.time_ns) == 0).any()
    assert (ticks.ask_points > ticks.bid_points).all()
    assert (ticks.bid_points > 0).all()
    assert ticks.time_ns[0] >= day_start_ns(THURSDAY)
    assert ticks.time_ns[-1] < day_start_ns(THURSDAY) + NS_PER_DAY
    assert (ticks.time_ns % 1_000_000 == 0).all()
    assert not any(column.flags.writeable for column in ticks)


@pytest.mark.parametrize("symbol", MARKET.symbols())
def test_two_weeks_pass_the_quality_check(symbol: str) -> None:
    days = [date(2025, 9, 15) + timedelta(days=step) for step in range(14)]
    report = check(((day, MARKET.load(symbol, day)) for day in days), MARKET.digits(symbol))
    assert report.clean
    assert report.score > 99
    assert report.gaps == 0
    assert report.weekend_gaps == (0 if symbol == "BTCUSD" else 2)


def test_days_join_without_a_jump() -> None:
    for step in range(4):
        today, tomorrow = (MARKET.load("EURUSD", date(2025, 9, 22) + timedelta(days=step + add)) for add in (0, 1))
        assert abs(int(tomorrow.bid_points[0] - today.bid_points[-1])) < 40


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        ("2025-07-04", None, "2025-07-04T21:00:00+00:00"),
        ("2025-07-06", "2025-07-06T21:00:00+00:00", None),
        ("2025-01-10", None, "2025-01-10T22:00:00+00:00"),
        ("2025-01-12", "2025-01-12T22:00:00+00:00", None),
    ],
)
def test_the_week_opens_and_closes_at_five_in_new_york(day: str, opens: str | None, closes: str | None) -> None:
    ticks = MARKET.load("EURUSD", date.fromisoformat(day))
    if opens:
        begin = to_ns(datetime.fromisoformat(opens))
        assert begin <= ticks.time_ns[0] < begin + 60 * 10**9
    if closes:
        end = to_ns(datetime.fromisoformat(closes))
        assert end - 60 * 10**9 < ticks.time_ns[-1] < end


def test_saturdays_and_days_out_of_range_are_empty() -> None:
    saturday = date(2025, 9, 27)
    assert not MARKET.has_day("EURUSD", saturday)
    assert len(MARKET.load("EURUSD", saturday).time_ns) == 0
    assert MARKET.has_day("BTCUSD", saturday)
    assert len(MARKET.load("BTCUSD", saturday).time_ns) > 20_000
    for day in (MARKET.first_day("EURUSD") - timedelta(days=3), MARKET.last_day("EURUSD") + timedelta(days=3)):
        assert not MARKET.has_day("EURUSD", day)
        assert len(MARKET.load("EURUSD", day).time_ns) == 0
    for day in (MARKET.first_day("EURUSD"), MARKET.last_day("EURUSD")):
        assert len(MARKET.load("EURUSD", day).time_ns) > 10_000


def test_the_quickstart_window_has_its_ticks() -> None:
    afternoon = MARKET.load("GBPUSD", THURSDAY).time_ns >= to_ns(datetime.fromisoformat("2025-09-25T14:00:00+00:00"))
    assert int(afternoon.sum()) >= 20_000


def test_daily_moves_are_those_of_a_currency() -> None:
    opens = [
        int(MARKET.load("EURUSD", date(2024, 1, 1) + timedelta(days=7 * week)).bid_points[0]) for week in range(52)
    ]
    weekly = float(np.std(np.diff(np.log(opens))))
    assert 0.006 < weekly < 0.020  # 0.5 % a day is about 1.1 % a week


def test_an_unknown_symbol_is_told_with_the_nearest() -> None:
    for use in (MARKET.digits, MARKET.first_day, MARKET.last_day):
        with pytest.raises(DataError, match="Did you mean 'EURUSD'"):
            use("EURUSX")
