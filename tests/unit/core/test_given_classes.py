"""Classes given in code: an import path where there is one, else a name that follows their source."""

from __future__ import annotations

import subprocess
import sys

import pytest
from engine_strategies import Zigzag

import finiex_ray as fr
from finiex_ray.core.access import NO_ACCESS, class_name
from finiex_ray.core.errors import ConfigError
from finiex_ray.decisions.registry import logic_type
from finiex_ray.experiment import Experiment


def local_class(points: int) -> type[fr.TickLogic]:
    if points == 1:

        class Own(fr.TickLogic):
            def on_tick(self, tick, values, trading):
                if tick.index == 1:
                    trading.buy("0.1")

    else:

        class Own(fr.TickLogic):  # type: ignore[no-redef]
            def on_tick(self, tick, values, trading):
                if tick.index == 2:
                    trading.buy("0.1")

    return Own


def test_a_class_of_a_module_has_its_import_path() -> None:
    assert class_name(Zigzag) == "engine_strategies:Zigzag"
    assert NO_ACCESS.with_classes(Zigzag).classes == ()


def test_another_body_is_another_name() -> None:
    one, two = local_class(1), local_class(2)
    names = class_name(one), class_name(two)
    assert names[0] != names[1]
    assert class_name(local_class(1)) == names[0]  # the same source, made anew
    access = NO_ACCESS.with_classes(one, two)
    assert [logic_type(name, access) for name in names] == [one, two]


NOTEBOOK = """
import finiex_ray as fr
from finiex_ray.core.access import class_name
from finiex_ray.decisions.base import LogicParams

class Base(fr.TickLogic):
    limit = {limit}
    def wanted(self, tick):
        return tick.index in {{1, 2, 3, "a", "b"}} and tick.index < self.limit

class Own(Base):
    class Params(LogicParams):
        level: float = {level}
    {comment}
    def on_tick(self, tick, values, trading):
        if self.wanted(tick):
            trading.buy("0.1", sl_points={points})

print(class_name(Own))
"""


def printed(**values: object) -> str:
    """In a process of its own, without a source file, as in a notebook."""
    text = NOTEBOOK.format(**{"limit": 5, "level": 1.0, "points": 30, "comment": "", **values})
    done = subprocess.run([sys.executable, "-"], input=text, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_name_follows_what_the_class_does_in_every_process() -> None:
    name = printed()
    assert name.startswith("__main__:Own#")
    assert printed() == name
    assert printed(comment="# only a comment\n") == name
    assert name not in {printed(limit=6), printed(level=2.0), printed(points=31)}


def test_an_experiment_takes_classes_in_place_of_names(tmp_path) -> None:
    window = {"name": "w", "symbol": "EURUSD", "start": "2025-09-24T08:00:00Z", "max_ticks": 200}
    exp = Experiment({"global": {"logic": {"type": local_class(1)}}, "scenarios": [window]})
    run = exp.run("local", out=tmp_path, quiet=True)
    assert list(run.scenarios["trades"]) == [1]
    with pytest.raises(ConfigError, match="no class"):
        Experiment({"global": {"logic": {"type": local_class}}, "scenarios": [window]})
