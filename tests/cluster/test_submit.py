"""A run as a job of a real head, with a token: the plain way, and `finiex-ray submit` with its checks."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from heads import Head, client_environment, ray_head

from finiex_ray import run_set
from finiex_ray.execution.ray_auth import answers_without_token

pytestmark = pytest.mark.ray

STRATEGY = """
import time
from finiex_ray import TickLogic

class Raises(TickLogic):
    def on_tick(self, tick, values, trading):
        if tick.index == 500:
            raise ValueError("on purpose")

class Sleeps(TickLogic):
    def on_tick(self, tick, values, trading):
        time.sleep(1)
"""


@pytest.fixture(scope="module")
def head() -> Iterator[Head]:
    with ray_head() as started:
        yield started


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder as a user has it: a set that completes, one with a failing strategy, the strategy."""
    folder = tmp_path / "project"
    folder.mkdir()
    shared = {
        "symbol": "EURUSD",
        "start": "2025-09-24T08:00:00Z",
        "max_ticks": 2_000,
        "workers": {"rsi": {"type": "rsi"}, "band": {"type": "bollinger"}},
        "logic": {"type": "aggressive_trend"},
    }
    good = [{"name": f"s{number}", "workers": {"rsi": {"period": 5 + number}}} for number in range(6)]
    raises = {"name": "raises", "workers": {"rsi": None, "band": None}, "logic": {"type": "mine:Raises"}}
    (folder / "good.json").write_text(json.dumps({"global": shared, "scenarios": good}))
    (folder / "one_fails.json").write_text(json.dumps({"global": shared, "scenarios": [*good[:1], raises]}))
    slow = {**raises, "name": "sleeps", "logic": {"type": "mine:Sleeps"}}
    (folder / "slow.json").write_text(json.dumps({"global": shared, "scenarios": [slow]}))
    (folder / "mine.py").write_text(STRATEGY)
    return folder


def call(
    project: Path, head: Head, *command: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {**(env or head.env), "RAY_API_SERVER_ADDRESS": head.http}
    return subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=240
    )


def expected_hash(project: Path) -> str:
    return str(run_set(project / "good.json", executor="local", out=project / "runs", quiet=True).info["result_hash"])


def test_plain_ray_job_submit(project: Path, head: Head, tmp_path: Path) -> None:
    run = ["python", "-m", "finiex_ray", "run", "good.json", "--out", str(tmp_path / "out"), "--json"]
    done = call(project, head, "ray", "job", "submit", "--working-dir", ".", "--", *run)
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith('{"run_id"'))
    values = json.loads(line)
    assert (values["executor"], values["completed"]) == ("ray", 6)
    assert values["result_hash"] == expected_hash(project)


def test_submit_checks_runs_and_follows(project: Path, head: Head, tmp_path: Path) -> None:
    done = call(project, head, "finiex-ray", "submit", "good.json", "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout + done.stderr
    for told in ("all valid, 12,000 ticks", "working dir: ", "token accepted", "data and strategies found", "memory "):
        assert told in done.stderr
    assert f"result hash  {expected_hash(project)}" in done.stdout
    (job,) = re.findall(r"submitted: (\S+)", done.stderr)
    listed = call(project, head, "finiex-ray", "status").stdout
    assert re.search(rf"{job} +succeeded +0 +good\.json", listed)
    assert "check of good.json" in listed
    assert "status     succeeded" in call(project, head, "finiex-ray", "status", job).stdout
    assert "result hash" in call(project, head, "finiex-ray", "logs", job).stdout
    assert "had ended already" in call(project, head, "finiex-ray", "stop", job).stdout


def test_a_failing_scenario_is_exit_code_1(project: Path, head: Head, tmp_path: Path) -> None:
    options = ["--allow-import", "mine", "--out", str(tmp_path / "out"), "--no-check", "--no-wait"]
    sent = call(project, head, "finiex-ray", "submit", "one_fails.json", *options)
    assert sent.returncode == 0, sent.stderr
    done = call(project, head, "finiex-ray", "logs", sent.stdout.strip(), "--follow")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 completed, 1 failed" in done.stdout
    assert "on purpose" in done.stdout


def test_what_the_cluster_lacks_is_found_before_the_run(project: Path, head: Head, tmp_path: Path) -> None:
    (project / "ours").mkdir()
    (project / ".rayignore").write_text("ours\n")
    (project / "ours" / "ticks").mkdir()
    tree = json.loads((project / "good.json").read_text())
    (project / "far.json").write_text(json.dumps({**tree, "data": {"catalog": "ours"}}))
    done = call(project, head, "finiex-ray", "submit", "far.json", "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "has no symbol 'EURUSD'" in done.stderr  # here
    (project / "ours" / "ticks").rmdir()
    done = call(project, head, "finiex-ray", "submit", "far.json", "--out", str(tmp_path / "out"))
    assert done.returncode == 2, done.stderr
    assert "not to be had here" in done.stderr
    assert "the cluster cannot run this set (exit code 2)" in done.stderr
    assert "no tick catalog at" in done.stderr
    assert not (tmp_path / "out").exists()


def test_ctrl_c_leaves_the_job_and_stop_ends_it(project: Path, head: Head, tmp_path: Path) -> None:
    arguments = ["slow.json", "--allow-import", "mine", "--out", str(tmp_path / "out"), "--no-check"]
    environment = {**head.env, "RAY_API_SERVER_ADDRESS": head.http}
    watching = subprocess.Popen(
        ["finiex-ray", "submit", *arguments], cwd=project, env=environment, stderr=subprocess.PIPE, text=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    assert watching.stderr is not None
    told = ""
    while not told.startswith("submitted: "):
        told = watching.stderr.readline()
        assert told, "it ended before it had submitted"
    job = told.split()[1]
    watching.send_signal(signal.SIGINT)
    _, told = watching.communicate(timeout=60)
    assert watching.returncode == 130
    assert f"{job} goes on" in told
    assert re.search("status +(pending|running)", call(project, head, "finiex-ray", "status", job).stdout)
    assert "is being stopped" in call(project, head, "finiex-ray", "stop", job).stdout
    followed = call(project, head, "finiex-ray", "logs", job, "--follow")
    assert followed.returncode == 130
    assert "status     stopped" in call(project, head, "finiex-ray", "status", job).stdout


def test_nobody_without_the_token(project: Path, head: Head, tmp_path: Path) -> None:
    arguments = ["finiex-ray", "submit", "good.json", "--out", str(tmp_path / "out")]
    nobody = client_environment(HOME=str(tmp_path))
    done = call(project, head, *arguments, env=nobody)
    assert done.returncode == 2
    assert "wants a token; give its token with RAY_AUTH_TOKEN_PATH" in done.stderr
    wrong = call(project, head, *arguments, env={**nobody, "RAY_AUTH_TOKEN": "0" * 64})
    assert wrong.returncode == 2
    assert "refuses this token (403)" in wrong.stderr
    run = ["finiex-ray", "run", "good.json", "--address", head.gcs, "--quiet"]
    refused = call(project, head, *run, env=nobody)
    assert refused.returncode == 2
    assert "refuses this token, or there is none here" in refused.stderr
    plain = call(project, head, "ray", "job", "submit", "--", "python", "-V", env=nobody)
    assert plain.returncode != 0
    assert "token" in plain.stdout + plain.stderr
    assert not answers_without_token(head.gcs)


def test_a_cluster_without_a_token_is_refused_unless_told_so(project: Path, tmp_path: Path) -> None:
    with ray_head(token=False, dashboard=False) as head:
        assert answers_without_token(head.gcs)
        environment = {**head.env, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64}
        run = ["finiex-ray", "run", "good.json", "--address", head.gcs, "--out", str(tmp_path / "out"), "--quiet"]
        refused = call(project, head, *run, env=environment)
        assert refused.returncode == 2
        assert "asks for no token: whoever reaches its ports can run code" in refused.stderr
        told = call(project, head, *run, env={**head.env, "RAY_AUTH_MODE": "disabled"})
        assert told.returncode == 0, told.stderr
