"""Rounding of booked amounts (rule R2) against exact fractions."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st
from oracle.account import rounded

from finiex_ray.kernels.booking import round_ratio_nb
from finiex_ray.kernels.jit import kernel


@kernel
def _rounded_nb(numerator: int, denominator: int) -> int:
    return round_ratio_nb(numerator, denominator)


@given(st.integers(-(2**60), 2**60), st.integers(1, 2**60))
@example(5, 2)
@example(-5, 2)
@example(0, 7)
@example(-1, 2)
@example(2**60, 2**60)
def test_r2_halves_go_away_from_zero(numerator: int, denominator: int) -> None:
    assert _rounded_nb(numerator, denominator) == rounded(Fraction(numerator, denominator))
