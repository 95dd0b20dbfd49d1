from __future__ import annotations

import math

import numpy as np
import pytest

from finiex_ray import choice, integers, log_uniform, uniform
from finiex_ray.core.errors import ConfigError
from finiex_ray.core.random import generator
from finiex_ray.sweep.search import GridSearch, RandomSearch
from finiex_ray.sweep.space import Choice, Integers, Space, Uniform


def test_domains_of_code_and_of_files_are_the_same() -> None:
    code = Space.of(
        {"a": [1, 2], "b": uniform(0, 1, step=0.25), "c": integers(1, 9, step=2), "d": choice("x", "y"), "e": 5}
    )
    file = Space.of(
        {
            "a": {"choice": [1, 2]},
            "b": {"uniform": [0, 1], "step": 0.25},
            "c": {"integers": [1, 9], "step": 2},
            "d": {"choice": ["x", "y"]},
            "e": [5],
        }
    )
    assert code == file
    assert code.domains["b"].grid() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert code.domains["c"].grid() == [1, 3, 5, 7, 9]
    assert Space.of({"a": np.arange(3)}).domains["a"] == Choice((0, 1, 2))
    assert uniform(0.1, 0.7, step=0.1).grid() == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]


@pytest.mark.parametrize(
    "domain",
    [
        uniform(2, 3),
        uniform(2, 3, step=0.3),
        log_uniform(1e-3, 10),
        integers(3, 17, step=7),
        integers(1, 500, log=True),
    ],
)
def test_draws_stay_inside_and_reach_both_ends(domain: Uniform | Integers) -> None:
    rng = generator(1, "test")
    drawn = [domain.draw(rng) for _ in range(4_000)]
    assert domain.low <= min(drawn) <= max(drawn) <= domain.high
    if isinstance(domain, Integers) or domain.step:
        grid = set(domain.grid())
        assert set(drawn) <= grid
        assert min(drawn) == min(grid)
    if domain.log:
        middle = math.sqrt(domain.low * domain.high)
        assert 0.45 < np.mean(np.array(drawn) < middle) < 0.55


def test_a_grid_varies_what_costs_least_fastest() -> None:
    space = Space.of(
        {"account.balance": [1, 2], "logic.sl_points": [1, 2], "logic.x": [1, 2], "workers.a.period": [1, 2]}
    )
    points = list(space.grid())
    assert len(points) == 16
    assert [point["workers.a.period"] for point in points] == [1] * 8 + [2] * 8
    assert [point["account.balance"] for point in points] == [1, 2] * 8
    assert sorted(points, key=space.sharing_key) == points


def test_constraints() -> None:
    given = {"workers.fast.period": [5, 10, 20], "workers.slow.period": [10, 20], "logic.sl_points": [1, 2]}
    space = Space.of(given, ["fast.period < slow.period and not sl_points == 2", "workers.slow.period - 5 * 2 >= 0"])
    assert [(p["workers.fast.period"], p["workers.slow.period"]) for p in space.grid()] == [(5, 10), (5, 20), (10, 20)]
    by_function = Space.of(given, [lambda params: params["workers.fast.period"] == 20])
    assert GridSearch(by_function).total == 4
    assert len(GridSearch(space).ask(100)) == GridSearch(space).total == 3


@pytest.mark.parametrize(
    ("given", "constraints", "message"),
    [
        ({}, (), "is empty"),
        ({"a": []}, (), "at least one value"),
        ({"a": [1, 1]}, (), "twice"),
        ({"a": {"uniform": [1]}}, (), r"\[low, high\]"),
        ({"a": {"uniform": [1, "x"]}}, (), "two numbers"),
        ({"a": {"between": [1, 2]}}, (), "write one of"),
        ({"a": {"uniform": [1, 2], "stop": 3}}, (), "step and log"),
        ({"a": {"integers": [1.5, 2]}}, (), "whole numbers"),
        ({"a": {"uniform": [2, 1]}}, (), "must not be above"),
        ({"a": {"uniform": [0, 1], "log": True}}, (), "starts above 0"),
        ({"a": {"uniform": [0, 1], "step": 0}}, (), "step must be above 0"),
        ({"a": [1]}, ["b < 2"], "'b' is no parameter"),
        ({"x.a": [1], "y.a": [1]}, ["a < 2"], "could be x.a or y.a"),
        ({"a": [1]}, ["a <"], "cannot be read"),
        ({"a": [1]}, ["__import__('os')"], "cannot stand here"),
        ({"a": [1]}, ["a[0] < 1"], "cannot stand here"),
        ({"a": ["x"]}, ["a < 1"], "cannot be worked out"),
        ({"a": [1]}, ["a > 1"], "leave no point"),
        ({"a": uniform(0, 1)}, (), "has no step"),
    ],
)
def test_what_is_no_space_is_told(given: dict, constraints: tuple, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        GridSearch(Space.of(given, constraints)).ask(10)


def test_random_search_repeats_nothing_and_repeats_itself() -> None:
    space = Space.of({"a": [1, 2, 3], "b": integers(1, 4)}, ["a < b"])
    first, again = (RandomSearch(space, 500, seed=4).ask(1_000) for _ in range(2))
    assert first == again
    assert len({(t.params["a"], t.params["b"]) for t in first}) == len(first) == 6  # all that there are
    assert RandomSearch(space, 3, seed=5).ask(10) != first[:3]
    parts = RandomSearch(space, 6, seed=4)
    assert parts.ask(2) + parts.ask(9) == first
