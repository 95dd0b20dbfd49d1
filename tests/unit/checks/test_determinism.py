from __future__ import annotations

import pickle
from typing import Any

import pytest
from execution_support import WalkSource, brokers, failing, scenario, scenario_set
from own_access import OWN

from finiex_ray.checks import determinism
from finiex_ray.checks.determinism import check_determinism
from finiex_ray.checks.rerun import run_with_hash_seed
from finiex_ray.checks.verdict import CheckReport
from finiex_ray.config.models import ScenarioConfig
from finiex_ray.core.errors import ExecutionError, ScenarioInvalidError
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.plan import plan_scenarios


def cheat(name: str, **values: Any) -> ScenarioConfig:
    return scenario(name, workers={}, logic={"type": f"checks_strategies:{name}"}, max_ticks=3_000, **values)


def check(*scenarios: ScenarioConfig, ray: bool = False) -> CheckReport:
    return check_determinism(scenario_set(*scenarios), WalkSource(), brokers, access=OWN, ray=ray)


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out the fresh processes, for tests that are not about them."""
    monkeypatch.setattr(determinism, "_HASH_RUNS", 0)


def test_honest_scenarios_are_clean_in_every_way() -> None:
    report = check(scenario("shipped"), cheat("Honest"), scenario("long", max_ticks=4_000))
    assert [each.sentence() for each in report.differences] == []
    assert [each.runs for each in report.scenarios] == [6, 6, 6]
    assert report.exit_code == 0
    assert report.as_json()["clean"] == 3


@pytest.mark.ray
@pytest.mark.usefixtures("in_process", "ray_session")
def test_ray_is_held_against_the_first_run_too() -> None:
    report = check(cheat("Honest"), cheat("Unseeded"), ray=True)
    assert [each.verdict for each in report.scenarios] == ["clean", "different"]
    assert report.scenarios[0].runs == 5
    assert "on Ray" in [each.run for each in report.differences]


@pytest.mark.usefixtures("in_process")
def test_dice_without_a_seed_are_caught() -> None:
    report = check(cheat("Unseeded"), cheat("Honest"))
    assert report.exit_code == 1
    assert [each.verdict for each in report.scenarios] == ["different", "clean"]
    difference = report.differences[0]
    assert (difference.scenario, difference.subject, difference.run) == ("Unseeded", "orders", "run again")
    assert difference.output.startswith("row ")
    assert difference.output.endswith(", volume_steps")
    assert difference.tick is not None
    assert difference.tick % 50 == 0
    assert difference.time is not None
    assert difference.time.startswith("2025-09-")
    assert {difference.expected, difference.found} <= {"10", "20", "30", "40"}


@pytest.mark.usefixtures("in_process")
def test_a_logic_that_hangs_on_the_block_size_is_caught() -> None:
    report = check(cheat("ByBlock"))
    assert [each.run for each in report.differences] == ["blocks of 1009 ticks"]


def test_the_order_of_a_set_of_strings_is_caught() -> None:
    report = check(cheat("SetOrder"))
    assert report.exit_code == 1
    assert {each.run.partition("=")[0] for each in report.differences} == {"PYTHONHASHSEED"}
    assert report.differences[0].output in {"row 0, request_tick", "row 0, side", "row 0"}


@pytest.mark.usefixtures("in_process")
def test_a_scenario_that_always_fails_is_not_checked() -> None:
    report = check(cheat("Broken"))
    assert report.exit_code == 2
    assert report.scenarios[0].failure == "ValueError: no luck (tick 300)"


@pytest.mark.usefixtures("in_process")
def test_a_scenario_that_fails_once_is_a_difference(tmp_path: Any) -> None:
    report = check(failing("once", "Raises", once=str(tmp_path / "marker"), tick=10))
    assert report.exit_code == 1
    assert report.differences[0].subject == "scenario"
    assert "an error in the strategy" in report.differences[0].expected
    assert report.differences[0].found == "completed"


def test_an_invalid_set_is_bad_input() -> None:
    with pytest.raises(ScenarioInvalidError, match="no worker can play"):
        check(scenario("bad", workers={}))


def test_a_fresh_process_that_dies_is_told() -> None:
    source = WalkSource()
    plan = plan_scenarios(scenario_set(failing("dies", "Dies")), SegmentCache(source), brokers, OWN)
    with pytest.raises(ExecutionError, match="exit code 7"):
        list(run_with_hash_seed(source, plan.runnable, 1))


def test_plans_can_be_pickled() -> None:
    plan = plan_scenarios(scenario_set(scenario("one")), SegmentCache(WalkSource()), brokers, OWN)
    copy = pickle.loads(pickle.dumps(plan))
    assert copy.runnable == plan.runnable
