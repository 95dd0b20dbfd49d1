"""Arrow arrays that are made from memory equal those that pyarrow makes."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finiex_ray.core.arrow import coded, filled_column, numbers, recoded, texts, to_numbers

WHOLE = st.integers(-(2**63), 2**63 - 1)
KINDS = {
    pa.int64(): WHOLE,
    pa.float64(): st.floats(allow_nan=False),
    pa.bool_(): st.booleans(),
    pa.string(): st.text(),
    pa.large_string(): st.text(),
    pa.dictionary(pa.int32(), pa.string()): st.sampled_from(["buy", "sell", "", "größer"]),
}


@given(st.data())
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_column_of_values_is_that_of_pyarrow(kind: pa.DataType, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.none() | KINDS[kind], max_size=20))
    made = filled_column(values, kind)
    made.validate(full=True)
    assert made.type == kind
    assert made.to_pylist() == values
    if pa.types.is_dictionary(kind):
        assert made.equals(pa.array(values, pa.string()).dictionary_encode())
    else:
        assert made.equals(pa.array(values, kind))


@given(st.lists(st.tuples(WHOLE, st.booleans()), max_size=20), st.integers(1, 3))
def test_numbers_may_be_any_view_and_be_missing(rows: list[tuple[int, bool]], step: int) -> None:
    values = np.array([value for value, _ in rows], np.int64)[::step]
    missing = np.array([flag for _, flag in rows], np.bool_)[::step]
    time = pa.timestamp("ns", tz="UTC")
    for kind in (None, time):
        made = numbers(values, missing, kind)
        made.validate(full=True)
        assert made.equals(pa.array(values, mask=missing).cast(kind or pa.int64()))
    assert numbers(values).equals(pa.array(values))
    assert numbers(values / 7).equals(pa.array(values / 7))


@given(st.lists(st.lists(WHOLE, max_size=5), max_size=4), st.integers(0, 6))
def test_numbers_come_back_from_one_piece_or_many(chunks: list[list[int]], first: int) -> None:
    column = pa.chunked_array(chunks, pa.int64())
    everything = [value for chunk in chunks for value in chunk]
    assert to_numbers(column).tolist() == everything
    assert to_numbers(column.slice(first)).tolist() == everything[first:]
    assert to_numbers(pa.array(np.array(everything, np.float64))).tolist() == list(map(float, everything))


def test_nulls_are_no_numbers() -> None:
    with pytest.raises(ValueError, match="1 values are null"):
        to_numbers(pa.array([1, None], pa.int64()))


def test_words_are_in_the_order_in_which_they_come_up() -> None:
    made = coded(["b", None, "a", "b"])
    assert made.dictionary.to_pylist() == ["b", "a"]
    assert texts(["ä", None]).to_pylist() == ["ä", None]


@given(
    st.lists(st.lists(st.none() | st.sampled_from(["buy", "sell", "", "größer"]), max_size=5), max_size=4), st.data()
)
def test_words_are_coded_anew_from_one_piece_or_many(chunks: list[list[str | None]], data: st.DataObject) -> None:
    column = pa.chunked_array([coded(chunk) for chunk in chunks], coded([]).type)
    places = slice(*sorted(data.draw(st.tuples(st.integers(0, 20), st.integers(0, 20)))))
    column = column.slice(places.start, places.stop - places.start)
    values = [value for chunk in chunks for value in chunk][places]
    for made in (recoded(column), recoded(coded(column.to_pylist()).slice(0))):
        made.validate(full=True)
        assert made.equals(pa.array(values, pa.string()).dictionary_encode())


def test_a_quiet_run_does_without_what_it_does_not_use(tmp_path: object) -> None:
    unused = {"pandas", "pyarrow.compute", "rich", "finiex_ray.checks", "finiex_ray.report"}
    code = (
        "import sys; from finiex_ray.api import run_set;"
        f"run_set('configs/scenario_sets/quickstart.json', executor='local', quiet=True, out={str(tmp_path)!r});"
        f"print(sorted({unused} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"
