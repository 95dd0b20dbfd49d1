"""Small versions of the fault scripts; ``make faults`` runs the long ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


def run(script: str, *arguments: str) -> str:
    command = [sys.executable, str(HERE / script), *arguments]
    environment = {**os.environ, "DEBUG_MODE": "0"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.ray
@pytest.mark.slow
def test_poisoned_scenarios_change_no_other() -> None:
    """Each kind once, also the one that uses up the machine's memory: it needs a Ray of its own."""
    out = run("poison.py", "50", "1")
    assert "40 sound scenarios, 0 changed; 10 poisoned" in out
    (memory,) = (line for line in out.splitlines() if line.startswith("memory"))
    assert "OutOfMemoryError" in memory
    assert "the node ran out of memory, with nothing beside this scenario" in memory


@pytest.mark.ray
@pytest.mark.slow
def test_killed_workers_cost_nothing() -> None:
    assert "undisturbed" in run("kill_workers.py", "8")


@pytest.mark.slow
def test_a_killed_driver_goes_on_where_it_was() -> None:
    assert "3 kills on local: tables equal each time" in run("kill_driver.py", "3", "local")


@pytest.mark.slow
def test_a_full_disk_stops_the_run_cleanly() -> None:
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        pytest.skip("NOT ROOT: a small disk cannot be mounted")
    assert "tables equal to those of a run with room" in run("disk_full.py", "16")


@pytest.mark.ray
@pytest.mark.slow
def test_a_small_object_store_spills() -> None:
    assert "were spilled to disk" in run("object_store.py", "20")
