from __future__ import annotations

import numpy as np
import pytest

from finiex_ray.checks.compare import action_text, first_record, first_unequal, value_text
from finiex_ray.core.records import FILL_DTYPE, NO_PRICE, NO_TICK, ORDER_DTYPE


@pytest.mark.parametrize(
    ("true", "other", "expected"),
    [
        ([1.0, 2.0], [1.0, 2.0], None),
        ([1.0, 2.0], [1.0, np.nextafter(2.0, 3.0)], 1),
        ([0.0], [-0.0], 0),
        ([np.nan], [-np.nan], None),
        ([np.nan], [1.0], 0),
        ([], [], None),
    ],
)
def test_first_unequal(true, other, expected) -> None:
    assert first_unequal(np.array(true), np.array(other)) == expected
    assert first_unequal(np.array(other), np.array(true)) == expected


def orders(count: int) -> np.ndarray:
    rows = np.zeros(count, ORDER_DTYPE)
    rows["order_id"] = np.arange(count) + 1
    rows["request_tick"], rows["done_tick"] = np.arange(count) * 100, np.arange(count) * 100 + 7
    return rows


def test_the_first_record_is_the_earliest_one_in_time() -> None:
    fills = np.zeros(2, FILL_DTYPE)
    fills["tick"] = [7, 107]
    true = {"orders": orders(3), "fills": fills}
    other = {"orders": orders(3), "fills": fills.copy()}
    assert first_record(true, other) is None
    other["orders"]["fill_price_points"][2] = 5  # decided at tick 207
    other["fills"]["price_points"][1] = 9
    found = first_record(true, other)
    assert found is not None
    assert (found.place, found.tick, found.expected, found.found) == ("fills row 1, price_points", 107, "0", "9")
    other["orders"]["side"][1] = -1
    found = first_record(true, other)
    assert found is not None
    assert (found.place, found.tick) == ("orders row 1, side", 100)


@pytest.mark.parametrize("swap", [False, True])
def test_a_row_too_many(swap: bool) -> None:
    one, two = {"orders": orders(1)}, {"orders": orders(2)}
    found = first_record(two, one) if swap else first_record(one, two)
    assert found is not None
    assert (found.place, found.tick) == ("orders row 1", 100)
    texts = (found.expected, found.found) if swap else (found.found, found.expected)
    assert "order_id=2" in texts[0]
    assert texts[1] == "no such row"


def test_an_order_that_is_under_way_counts_at_its_request() -> None:
    one, two = orders(2), orders(2)
    one["done_tick"][1] = NO_TICK
    found = first_record({"orders": one}, {"orders": two})
    assert found is not None
    assert (found.place, found.tick) == ("orders row 1, done_tick", 100)


def test_texts() -> None:
    assert value_text(np.float64(0.1)) == "0.1"
    assert value_text(np.int64(NO_PRICE)) == "not set"
    assert action_text(np.int8(-1)) == "SELL"
    assert action_text(np.int8(9)) == "9"
