from __future__ import annotations

import pytest
from own_access import OWN
from sweep_support import profit_of_longs

from finiex_ray.core.errors import ConfigError, RegistryError
from finiex_ray.sweep.objective import objectives_of


def test_objectives_have_the_direction_and_the_aggregate_of_their_kind() -> None:
    found = objectives_of(["net_profit", "max_drawdown_pct", "sharpe", "-exposure", "annual_sharpe", profit_of_longs])
    assert [each.direction for each in found] == [
        "maximize",
        "minimize",
        "maximize",
        "minimize",
        "maximize",
        "maximize",
    ]
    assert [each.aggregate for each in found] == ["sum", "max", "mean", "mean", "mean", "mean"]
    assert [each.measure is None for each in found] == [True, True, True, True, False, False]
    assert found[4].measure == "finiex_ray.sweep.measures:annual_sharpe"
    (by_path,) = objectives_of(
        {"metric": "sweep_support:profit_of_longs", "aggregate": "min", "direction": "minimize"}, OWN
    )
    assert (by_path.name, by_path.aggregate, by_path.direction) == ("profit_of_longs", "min", "minimize")


def test_windows_without_a_value() -> None:
    (counts_as_zero,) = objectives_of("sharpe")
    assert counts_as_zero.over([1.0, None]) == 0.5
    (has_none,) = objectives_of({"metric": "sharpe", "empty": None})
    assert has_none.over([1.0, None]) is None
    (median,) = objectives_of({"metric": "sharpe", "aggregate": "median"})
    assert median.over([5.0, 1.0, 2.0]) == 2.0
    assert counts_as_zero.better(2.0, 1.0)
    assert objectives_of("-sharpe")[0].better(1.0, 2.0)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ("sharp", ConfigError, "Did you mean 'sharpe'"),
        ([], ConfigError, "at least one"),
        (["sharpe", "sharpe"], ConfigError, "different"),
        ({"metric": "sharpe", "way": 1}, ConfigError, "takes metric"),
        ({"metric": "sharpe", "direction": "up"}, ConfigError, "maximize, minimize"),
        (3, ConfigError, "name or a function"),
        ("json:loads", RegistryError, "--allow-import json"),
        ("sweep_support:absent", RegistryError, "absent"),
        ("sweep_support:GAP_S", RegistryError, "cannot be called"),
    ],
)
def test_what_is_no_objective_is_told(given: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        objectives_of(given, OWN)  # type: ignore[arg-type]
