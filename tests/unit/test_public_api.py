"""What modules say is public is there, and in order."""

from __future__ import annotations

import importlib
import pkgutil
from types import FunctionType

import pytest

import finiex_ray

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(finiex_ray.__path__, "finiex_ray.")
    if not module.ispkg and not module.name.endswith(".__main__")
)
PACKAGES = sorted(module.name for module in pkgutil.walk_packages(finiex_ray.__path__, "finiex_ray.") if module.ispkg)


def _place(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions, each by name: the order that ruff keeps (RUF022)."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def test_the_walk_finds_every_room() -> None:
    rooms = {name.split(".")[1] for name in MODULES}
    assert rooms >= {"api", "bars", "cli", "config", "core", "data", "decisions", "display", "engine", "execution"}
    assert rooms >= {"kernels", "report", "results", "trading", "workers"}


@pytest.mark.parametrize("name", MODULES)
def test_all_is_sorted_and_there(name: str) -> None:
    module = importlib.import_module(name)
    assert hasattr(module, "__all__"), f"{name} has no __all__"
    assert list(module.__all__) == sorted(set(module.__all__), key=_place)
    absent = [each for each in module.__all__ if not hasattr(module, each)]
    assert absent == []


@pytest.mark.parametrize("name", MODULES)
def test_what_a_module_offers_is_its_own(name: str) -> None:
    """A class or function is public where it is defined, and nowhere else."""
    module = importlib.import_module(name)
    values = {each: getattr(module, each) for each in module.__all__}
    homes = {each: value.__module__ for each, value in values.items() if isinstance(value, type | FunctionType)}
    assert {each: home for each, home in homes.items() if home != name} == {}


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_say_what_they_hold_and_offer_nothing(name: str) -> None:
    package = importlib.import_module(name)
    assert package.__doc__
    assert not hasattr(package, "__all__")


def test_the_package_offers_its_names() -> None:
    assert finiex_ray.__all__ == sorted(finiex_ray.__all__)
    for name in finiex_ray.__all__:
        assert getattr(finiex_ray, name) is not None
    assert set(finiex_ray.__all__) == {
        "DecisionLogic",
        "RunData",
        "TickLogic",
        "TickWorker",
        "Worker",
        "__version__",
        "open_run",
        "resume_run",
        "run_set",
    }
