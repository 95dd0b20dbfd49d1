"""What a set may import, and the classes that are handed over in code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from finiex_ray.config.imports import allowed_imports
from finiex_ray.core.access import NO_ACCESS, PluginAccess, class_name
from finiex_ray.core.errors import ConfigError, RegistryError
from finiex_ray.core.plugins import plugin_paths, resolve
from finiex_ray.decisions.registry import LOGICS, logic_type
from finiex_ray.decisions.tick_style import TickLogic
from finiex_ray.workers.registry import WORKERS, worker_type
from finiex_ray.workers.rsi import Rsi

ROOT = Path(__file__).resolve().parents[3]


def test_a_package_allows_what_is_below_it_and_nothing_beside_it() -> None:
    access = PluginAccess(("mine.live",))
    assert [name for name in ("mine.live", "mine.live.fast", "mine", "mine.lively", "os") if access.allows(name)] == [
        "mine.live",
        "mine.live.fast",
    ]
    assert NO_ACCESS.allows("finiex_ray.workers.rsi")
    assert not NO_ACCESS.allows("finiex_ray_extra")


@pytest.mark.parametrize("name", ["this:s", "antigravity:fly", "os:system", "subprocess:Popen", "json.tool:main"])
def test_what_a_file_names_is_not_imported(name: str) -> None:
    module = name.partition(":")[0]
    before = module in sys.modules
    with pytest.raises(RegistryError, match=f"would import and run '{module}'.*--allow-import"):
        worker_type(name)
    with pytest.raises(RegistryError, match=f"would import and run '{module}'"):
        logic_type(name)
    assert (module in sys.modules) == before


def test_a_class_that_is_allowed_and_no_strategy_is_refused_uncalled() -> None:
    with pytest.raises(RegistryError, match="is no worker"):
        worker_type("subprocess:Popen", PluginAccess(("subprocess",)))


def test_entry_points_need_no_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    from finiex_ray.core import plugins

    point = EntryPoint("theirs", "engine_strategies:Range", WORKERS.group)
    monkeypatch.setattr(plugins, "_entry_points", lambda group: {point.name: point})
    assert plugin_paths(WORKERS)["theirs"] == "engine_strategies:Range"
    assert resolve(WORKERS, "theirs").__name__ == "Range"  # type: ignore[attr-defined]
    with pytest.raises(RegistryError, match="would import and run"):
        resolve(WORKERS, "engine_strategies:Range")


def test_dot_stands_for_what_lies_in_the_folder(tmp_path: Path) -> None:
    for name in (
        "one.py",
        "two/__init__.py",
        "three/inner.py",
        "set.json",
        "no-module.py",
        ".hidden/x.py",
        "empty/notes.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert allowed_imports(["."], tmp_path).packages == ("one", "three", "two")
    assert allowed_imports(["mine", ".", "mine"], tmp_path).packages == ("mine", "one", "three", "two")


@pytest.mark.parametrize("name", ["", "a b", "../mine", "mine:Class", "mine.py/", "1st", "a..b", ".."])
def test_what_is_no_module_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--allow-import: .* is no module"):
        allowed_imports([name], tmp_path)


class Importable(TickLogic):
    def on_tick(self, tick, values, trading):  # type: ignore[no-untyped-def]
        pass


def test_classes_handed_over_need_no_permission() -> None:
    class Local(TickLogic):
        def on_tick(self, tick, values, trading):  # type: ignore[no-untyped-def]
            pass

    access = NO_ACCESS.with_classes(Importable, Local, Rsi)
    assert access.packages == (Importable.__module__, "finiex_ray.workers.rsi")
    assert [name for name, _ in access.classes] == [class_name(Local)]
    assert logic_type(class_name(Local), access) is Local
    assert logic_type(class_name(Importable), access) is Importable
    assert resolve(LOGICS, class_name(Local), access) is Local


NOTEBOOK = """
from finiex_ray.core.access import NO_ACCESS, class_name
from finiex_ray.decisions.tick_style import TickLogic
from finiex_ray.workers.tick_style import TickWorker
from finiex_ray.workers.base import WorkerParams
from execution_support import WalkSource, brokers, scenario, scenario_set
from finiex_ray.execution.coordinator import ExecutionCoordinator

STEP = 40

class Mid(TickWorker):
    outputs = ("mid",)
    def default_warmup_bars(self):
        return 1
    def compute(self, tick, bar_history, forming_bars):
        return tick.mid

class Flip(TickLogic):
    roles = {"mid": ("mid",)}
    def on_tick(self, tick, values, trading):
        if tick.index % STEP == 3:
            trading.buy("0.1") if values["mid"] > 1.1 else trading.sell("0.1")
        elif tick.index % STEP == 30:
            trading.close_all()

if __name__ == "__main__":
    one = scenario("one", workers={"m": {"type": class_name(Mid)}}, logic={"type": class_name(Flip)})
    assert one.logic.type == "__main__:Flip"
    hashes = set()
    for executor in ("local", "ray"):
        results = []
        access = NO_ACCESS.with_classes(Mid, Flip)
        coordinator = ExecutionCoordinator(scenario_set(one), WalkSource(), brokers, executor=executor, access=access, jobs=1)
        summary = coordinator.run(results.append)
        assert results[0].error is None, results[0].error
        assert len(results[0].loop.trades) > 10
        hashes.add(summary.set_hash)
    print("hashes", len(hashes))
"""


@pytest.mark.ray
def test_classes_of_a_notebook_run_here_and_on_ray(tmp_path: Path) -> None:
    import os

    script = tmp_path / "notebook.py"
    script.write_text(NOTEBOOK)
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    environment = {key: value for key, value in os.environ.items() if key != "RAY_ADDRESS"}
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "hashes 1" in done.stdout
