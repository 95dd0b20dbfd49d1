"""A scenario's key changes with everything that its result depends on, and with nothing else."""

from __future__ import annotations

import importlib
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from execution_support import WalkSource, brokers, scenario, scenario_set
from own_access import OWN

from finiex_ray.config.models import ScenarioConfig
from finiex_ray.core.access import PluginAccess
from finiex_ray.core.sources import source_digest
from finiex_ray.execution import keys as module
from finiex_ray.execution.coordinator import ExecutionCoordinator


def key(*scenarios: ScenarioConfig, source: WalkSource | None = None, find=brokers, access=OWN) -> str | None:
    """The key of the first one."""
    return ExecutionCoordinator(scenario_set(*scenarios), source or WalkSource(), find, access=access).keys().get(0)


ONE = scenario("one")


def test_a_key_is_of_the_scenario_and_not_of_its_neighbours_or_its_name() -> None:
    assert key(ONE) is not None
    assert key(ONE) == key(scenario("another name"))
    assert key(ONE) == key(scenario("one", execution={"block_ticks": 7}, live_stats={"enabled": False}))
    # A neighbour on the same window that needs more warm-up bars makes the shared bundle longer.
    more = scenario(
        "more", workers={"rsi_fast": {"type": "rsi", "timeframe": "M5", "warmup_bars": 200}}, logic=ONE.logic
    )
    more = more.model_copy(update={"workers": {**ONE.workers, "rsi_fast": more.workers["rsi_fast"]}})
    assert key(ONE, more) == key(ONE)
    assert key(more) != key(ONE)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 8},
        {"max_ticks": 999},
        {"start": "2025-09-16T14:00:30Z"},
        {"symbol": "GBPUSD"},
        {"logic": {"type": "aggressive_trend", "lots": 0.2}},
        {"account": {"balance": 5_000}},
    ],
)
def test_a_changed_scenario_has_another_key(change) -> None:
    assert key(scenario("one", **change)) not in (key(ONE), None)


def test_a_changed_broker_has_another_key() -> None:
    def dearer(name: str):
        return brokers(name).model_copy(update={"leverage": Decimal(7)})

    assert key(ONE, find=dearer) != key(ONE)


def test_changed_ticks_give_another_key_where_the_scenario_uses_them() -> None:
    class Corrected(WalkSource):
        days = ("2025-09-16",)

        def content_key(self, symbol: str, day) -> str:
            return f"{symbol} {day} {'corrected' if str(day) in self.days else ''}"

    class CorrectedElsewhere(Corrected):
        days = ("2025-09-25",)

    assert key(ONE, source=Corrected()) != key(ONE, source=CorrectedElsewhere())


def test_another_engine_gives_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key(ONE)
    monkeypatch.setattr(module, "engine_digest", lambda: "another")
    assert key(ONE) != before


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "own_strategies"
    (folder / "tools").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "tools" / "__init__.py").write_text("import json\nimport numpy\n")
    (folder / "tools" / "maths.py").write_text("def twice(x):\n    from own_helper import two\n    return two() * x\n")
    (folder / "logic.py").write_text("from .tools import maths\nfrom finiex_ray.decisions.base import DecisionLogic\n")
    (folder / "unrelated.py").write_text("")
    (tmp_path / "own_helper.py").write_text("def two():\n    return 2\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.startswith(("own_strategies", "own_helper"))]:
        del sys.modules[name]
    importlib.invalidate_caches()


@pytest.mark.parametrize(
    ("path", "matters"),
    [
        ("logic.py", True),
        ("__init__.py", True),
        ("tools/__init__.py", True),
        ("tools/maths.py", True),
        ("../own_helper.py", True),
        ("unrelated.py", False),
    ],
)
def test_a_strategys_source_is_all_of_ones_own_that_it_imports(package: Path, path: str, matters: bool) -> None:
    before = source_digest(["own_strategies.logic"])
    assert before is not None
    with (package / path).open("a") as stream:
        stream.write("# changed\n")
    assert (source_digest(["own_strategies.logic"]) != before) is matters


def test_a_source_out_of_reach_has_no_digest(package: Path) -> None:
    assert source_digest(["own_strategies.missing"]) is None
    assert source_digest([]) == source_digest([])
    assert source_digest(["__main__"]) is None
    (package / "logic.py").write_text("this is no Python")
    assert source_digest(["own_strategies.logic"]) is not None


def test_keys_of_a_class_without_a_source_are_unknown() -> None:
    odd = scenario("odd", workers={}, logic={"type": "execution_support:Raises"})
    assert key(odd) is not None
    module_of_a_notebook = type(sys)("module_of_a_notebook")
    module_of_a_notebook.Raises = importlib.import_module("execution_support").Raises  # type: ignore[attr-defined]
    sys.modules["module_of_a_notebook"] = module_of_a_notebook
    try:
        odd = scenario("odd", workers={}, logic={"type": "module_of_a_notebook:Raises"})
        assert key(odd, access=PluginAccess(("module_of_a_notebook",))) is None
    finally:
        del sys.modules["module_of_a_notebook"]
