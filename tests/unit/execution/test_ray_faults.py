"""What Ray's errors mean."""

from __future__ import annotations

import pytest
from ray import exceptions

from finiex_ray.execution.ray_faults import Fault, classify, data_lost, fault_info

LOST = exceptions.ObjectLostError("ab", None, "")
WRAPPED = exceptions.RayTaskError("run_batch", "traceback", exceptions.GetTimeoutError("slow"))
OWN = exceptions.RayTaskError("run_batch", "traceback", ImportError("no module"))


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (exceptions.WorkerCrashedError(), Fault.CRASH),
        (exceptions.OutOfMemoryError("full"), Fault.MEMORY),
        (exceptions.NodeDiedError("gone"), Fault.LOST),
        (exceptions.GetTimeoutError("slow"), Fault.LOST),
        (LOST, Fault.LOST),
        (WRAPPED, Fault.LOST),
        (OWN, Fault.TASK),
        (exceptions.RuntimeEnvSetupError("no environment"), Fault.FATAL),
        (exceptions.LocalRayletDiedError(), Fault.FATAL),
    ],
)
def test_classes(error: BaseException, fault: Fault) -> None:
    assert classify(error) is fault


def test_data_is_lost_only_where_an_object_is() -> None:
    assert data_lost(LOST)
    assert data_lost(exceptions.RayTaskError("run_batch", "traceback", LOST))
    assert not data_lost(exceptions.NodeDiedError("gone"))


def test_the_error_of_a_crash_says_what_may_have_been() -> None:
    info = fault_info(exceptions.WorkerCrashedError(), Fault.CRASH, 2)
    assert info.type == "WorkerCrashedError"
    for part in ("2 tries", "SIGKILL", "segmentation fault", "os._exit", "out of memory", "--executor local"):
        assert part in info.message


def test_the_error_around_a_scenario_keeps_its_cause() -> None:
    info = fault_info(OWN, Fault.TASK, 1)
    assert info.type == "ImportError"
    assert "traceback" in info.traceback
