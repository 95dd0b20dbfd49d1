"""Names and import paths of logics, and how their roles are bound to workers."""

from __future__ import annotations

import pytest
from own_access import OWN

from finiex_ray.config.models import TypedConfig
from finiex_ray.core.errors import RegistryError, ScenarioInvalidError
from finiex_ray.decisions.base import DecisionLogic
from finiex_ray.decisions.binding import bind_roles
from finiex_ray.decisions.registry import create_logic, describe, logic_type, logic_types
from finiex_ray.decisions.tick_style import TickLogic
from finiex_ray.workers.base import Worker
from finiex_ray.workers.registry import create_worker


class Mine(TickLogic):
    """A logic of a user."""

    def on_tick(self, tick, values, trading):  # type: ignore[no-untyped-def]
        return None


def test_every_built_in_logic_is_found_under_its_name() -> None:
    assert {"aggressive_trend", "limit_entry", "macd_cross", "scripted", "simple_consensus", "two_sided_quote"} <= set(
        logic_types()
    )
    for found in logic_types().values():
        assert issubclass(found, DecisionLogic)
        assert found.__doc__
        assert describe(found)[0].name == "inputs"
        assert all(param.description for param in describe(found))


def test_an_import_path_gives_a_logic() -> None:
    assert (
        logic_type("test_logic_registry:Mine", OWN) is Mine
        or logic_type("test_logic_registry:Mine", OWN).__name__ == "Mine"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("agressive_trend", r"unknown logic 'agressive_trend'.*Did you mean 'aggressive_trend'\?"),
        ("finiex_ray.workers.rsi:Rsi", r"is no decision logic"),
        ("finiex_ray.decisions.tick_style:TickLogic", r"not complete: it lacks on_tick"),
    ],
)
def test_a_wrong_type_is_named_with_the_mend(name: str, message: str) -> None:
    with pytest.raises(RegistryError, match=message):
        logic_type(name)


def _workers(**types: str) -> dict[str, Worker]:
    return {name: create_worker(name, TypedConfig(type=each)) for name, each in types.items()}


def _logic(**inputs: str) -> DecisionLogic:
    return create_logic(TypedConfig.model_validate({"type": "aggressive_trend", "inputs": inputs}))


def test_roles_go_to_the_only_worker_that_fits() -> None:
    workers = _workers(fast="rsi", main="envelope", other="macd")
    assert bind_roles(_logic(), workers) == {"rsi": "fast", "band": "main"}


def test_roles_go_to_the_worker_that_is_named() -> None:
    workers = _workers(fast="rsi", slow="rsi", wide="envelope", narrow="bollinger")
    assert bind_roles(_logic(rsi="slow", band="narrow"), workers) == {"rsi": "slow", "band": "narrow"}


@pytest.mark.parametrize(
    ("types", "inputs", "reasons"),
    [
        (
            {"fast": "rsi", "slow": "rsi", "main": "envelope"},
            {},
            ['more than one worker can play the role \'rsi\' (fast, slow); name one: "inputs": {"rsi": "fast"}'],
        ),
        (
            {"fast": "rsi", "other": "macd"},
            {},
            [
                (
                    "no worker can play the role 'band', which needs the outputs upper, lower; add one "
                    "(workers here: fast (rsi), other (macd, signal, histogram))"
                )
            ],
        ),
        (
            {"fast": "rsi", "main": "envelope"},
            {"rsi": "fasd", "bend": "main"},
            [
                "logic input 'bend' is no role of AggressiveTrend. Did you mean 'band'?",
                "logic input 'rsi' names worker 'fasd', which the scenario does not have. Did you mean 'fast'?",
            ],
        ),
        (
            {"fast": "rsi", "main": "envelope"},
            {"rsi": "main"},
            ["logic input 'rsi' needs a worker with rsi; 'main' has upper, middle, lower (workers that fit: fast)"],
        ),
    ],
)
def test_every_role_that_cannot_be_bound_is_a_reason(
    types: dict[str, str], inputs: dict[str, str], reasons: list[str]
) -> None:
    with pytest.raises(ScenarioInvalidError) as caught:
        bind_roles(_logic(**inputs), _workers(**types))
    assert list(caught.value.reasons) == reasons
