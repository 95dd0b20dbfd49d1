"""Names, import paths and parameters of workers: what is found, and what is said when it is not."""

from __future__ import annotations

import subprocess
import sys

import pytest
from own_access import OWN

from finiex_ray.config.models import TypedConfig
from finiex_ray.core.access import PluginAccess
from finiex_ray.core.errors import ConfigError, RegistryError
from finiex_ray.core.time import Timeframe
from finiex_ray.workers.base import Worker, WorkerParams
from finiex_ray.workers.registry import create_worker, describe, worker_type, worker_types
from finiex_ray.workers.tick_style import TickWorker

NO_WORKER = 42


class Half(TickWorker):
    """Half of the mid."""

    def compute(self, tick, bar_history, forming_bars):  # type: ignore[no-untyped-def]
        return tick.mid / 2


class Unfinished(TickWorker):
    """Lacks ``compute``."""


class NoOutputs(Worker):
    """Lacks ``outputs``."""

    def default_warmup_bars(self) -> int:
        return 1

    def compute(self, block):  # type: ignore[no-untyped-def]
        return {}


def _create(**config: object) -> Worker:
    return create_worker("rsi_fast", TypedConfig.model_validate(config))


def test_every_built_in_worker_is_found_under_its_name() -> None:
    shipped = {"atr", "bollinger", "envelope", "macd", "moving_average", "rsi", "stochastic"}
    assert shipped <= set(worker_types())
    for name, found in worker_types().items():
        assert issubclass(found, Worker)
        assert found.outputs, name
        assert found.__doc__


def test_a_worker_gets_its_parameters() -> None:
    worker = _create(type="rsi", period=7, timeframe="M15", live=False)
    assert worker.params.model_dump() == {
        "timeframe": Timeframe.M15, "live": False, "warmup_bars": None, "period": 7, "method": "wilder",
    }  # fmt: skip
    assert worker.warmup() == {Timeframe.M15: 70}
    assert _create(type="rsi", warmup_bars=3).warmup() == {Timeframe.M5: 3}


def test_an_import_path_gives_a_worker_and_a_tick_style_one_is_adapted() -> None:
    assert worker_type("finiex_ray.workers.rsi:Rsi") is worker_type("rsi")
    adapted = worker_type("test_worker_registry:Half", OWN)
    assert issubclass(adapted, Worker)
    assert adapted is worker_type("test_worker_registry:Half", OWN)
    assert adapted.outputs == ("value",)
    assert adapted(WorkerParams()).warmup() == {Timeframe.M5: 1}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rsj", r"unknown worker 'rsj'.*Did you mean 'rsi'\?"),
        ("zzzzzz", r"unknown worker 'zzzzzz'.*Known: atr, bollinger, envelope"),
        ("nowhere_at_all.module:Mine", r"no module named 'nowhere_at_all'"),
        ("finiex_ray.workers.nowhere:Mine", r"no module named 'finiex_ray.workers.nowhere'"),
        ("finiex_ray.workers.rsi:Rsl", r"'finiex_ray.workers.rsi' has no 'Rsl'. Did you mean 'Rsi'\?"),
        ("finiex_ray.workers.rsi:", r"is no import path; write it as 'package.module:Class'"),
        (":Rsi", r"is no import path"),
        ("a b:Rsi", r"is no import path"),
        ("finiex_ray.workers.rsi:RsiParams", r"is no worker: make it a subclass of Worker or TickWorker"),
        ("test_worker_registry:NO_WORKER", r"is no worker"),
        ("test_worker_registry:Unfinished", r"not complete: it lacks compute"),
        ("test_worker_registry:NoOutputs", r"not complete: it lacks outputs"),
    ],
)
def test_a_wrong_type_is_named_with_the_mend(name: str, message: str) -> None:
    with pytest.raises(RegistryError, match=message):
        worker_type(name, PluginAccess((*OWN.packages, "nowhere_at_all")))


def test_only_allowed_packages_are_imported() -> None:
    assert worker_type("finiex_ray.workers.rsi:Rsi") is worker_type("rsi")
    for packages in ((), ("test_worker", "my_package"), ("test_worker_registry.below",)):
        with pytest.raises(
            RegistryError, match=r"would import and run 'test_worker_registry'.*--allow-import test_worker_reg"
        ):
            worker_type("test_worker_registry:Half", PluginAccess(packages))
    assert worker_type("xml.dom.test_module:Half", PluginAccess(("xml.dom",), (("xml.dom.test_module:Half", Half),)))


def test_an_error_inside_a_users_module_travels_as_it_is(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "broken_worker_module.py").write_text("import not_installed_anywhere\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="not_installed_anywhere"):
        worker_type("broken_worker_module:Mine", PluginAccess(("broken_worker_module",)))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"perod": 9}, r"worker 'rsi_fast' \(rsi\): unknown parameter 'perod'. Did you mean 'period'\?"),
        ({"period": 1}, r"parameter 'period' = 1: .*greater than or equal to 2"),
        ({"period": "x"}, r"parameter 'period' = 'x': .*valid integer"),
        ({"timeframe": "M7"}, r"parameter 'timeframe' = 'M7': .*'M6'|parameter 'timeframe' = 'M7': .*'M5'"),
        ({"method": "willder"}, r"parameter 'method' = 'willder': .*'wilder' or 'simple'"),
        ({"period": 1, "perod": 2}, r"'period' = 1: .*; unknown parameter 'perod'"),
    ],
)
def test_a_wrong_parameter_is_named_with_value_and_mend(params: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        _create(type="rsi", **params)


def test_parameters_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"fast \(30\) must be less than slow \(26\)"):
        _create(type="macd", fast=30)


def test_parameters_can_be_listed() -> None:
    listed = {param.name: param for param in describe(worker_type("rsi"))}
    assert list(listed) == ["timeframe", "live", "warmup_bars", "period", "method"]
    assert listed["period"] == ("period", "int", "14", "Changes from close to close in the average.")
    assert listed["timeframe"].default == "M5"
    assert listed["warmup_bars"].type == "int | None"


def test_looking_up_one_name_imports_no_other_worker() -> None:
    code = (
        "import sys; from finiex_ray.workers.registry import worker_type; worker_type('atr');"
        "print('finiex_ray.workers.atr' in sys.modules, 'finiex_ray.workers.macd' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
