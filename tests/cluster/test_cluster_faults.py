"""Nodes that die and networks that are cut cost time and nothing else. The scripts print recovery times."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
MOST_S = 900  # a machine may be busy: nothing here is about speed
pytestmark = [pytest.mark.ray, pytest.mark.slow]


def outcome(script: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, str(HERE / script), *arguments]
    environment = {key: value for key, value in os.environ.items() if key != "RAY_ADDRESS"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        told, _ = process.communicate(timeout=MOST_S)
    except subprocess.TimeoutExpired:
        process.terminate()  # it takes its nodes and networks with it
        told, _ = process.communicate()
        pytest.fail(f"{script} did not end within {MOST_S} s:\n{told[-2_000:]}")
    lines = [line for line in told.splitlines() if line.startswith('{"scenarios"')]
    assert lines, told[-3_000:]
    found: dict[str, Any] = json.loads(lines[-1])
    assert process.returncode == 0, found
    return found


def test_two_nodes_killed_in_mid_run() -> None:
    found = outcome("node_faults.py", "--scenarios", "32", "--ticks", "6000")
    assert found["results"] == found["different"] == 32
    assert (found["failed"], found["same_hash"], found["nodes_killed"]) == (0, True, 2)


def test_a_cable_cut_in_mid_run() -> None:
    if os.geteuid() or shutil.which("ip") is None:
        pytest.skip("NO NETWORK NAMESPACES: they need root and the ip command")
    if subprocess.run(["ip", "netns", "add", "finiex-probe"], capture_output=True, check=False).returncode:
        pytest.skip("NO NETWORK NAMESPACES: this machine does not allow them")
    subprocess.run(["ip", "netns", "del", "finiex-probe"], check=True)
    found = outcome("network_cut.py", "--scenarios", "24", "--ticks", "6000")
    assert found["results"] == found["different"] == 24
    assert (found["failed"], found["same_hash"], found["cuts"], found["nodes_left"]) == (0, True, 1, 2)
