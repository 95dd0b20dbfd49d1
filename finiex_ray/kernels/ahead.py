"""Compiles the arrival of orders, two fifths of the engine, while another process compiles the rest: a program."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from finiex_ray.kernels.matching import arrivals_nb

__all__ = ["compile_arrivals"]


def compile_arrivals() -> None:
    """Compiles `arrivals_nb` for the account's memory as words of integers and of floats, and leaves it in the cache."""
    compiled: Any = arrivals_nb
    compiled.compile((numba.typeof(np.zeros(1, np.int64)), numba.typeof(np.zeros(1))))


if __name__ == "__main__":
    compile_arrivals()
