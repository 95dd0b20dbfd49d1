"""The client of job servers against servers that are odd, and submissions that must not be sent."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ray

from finiex_ray.core.errors import ConfigError, ExecutionError, ScenarioInvalidError
from finiex_ray.execution import ray_jobs
from finiex_ray.execution.ray_jobs import Job, JobClient, pack_working_dir
from finiex_ray.results.run_info import versions
from finiex_ray.submission import Submission, check_here, check_there, send

Answer = tuple[int, str]
VERSION = json.dumps({"version": "4", "ray_version": ray.__version__, "ray_commit": "x", "session_name": "s"})


@pytest.fixture
def server() -> Iterator[Callable[[Answer, Answer], str]]:
    """A server that answers all requests alike: one answer without a token, one with it."""
    answers: list[Answer] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            token = any(name in self.headers for name in ("authorization", "x-ray-authorization"))
            code, body = answers[1 if token else 0]
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()

        def answer(without: Answer, with_token: Answer) -> str:
            answers[:] = [without, with_token]
            return f"http://127.0.0.1:{http.server_port}"

        yield answer
        http.shutdown()


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "a" * 64)
    monkeypatch.setattr(
        JobClient, "_header", lambda self: {"x-ray-authorization": "Bearer aaaa"}
    )  # this process has read its token already


@pytest.mark.parametrize(
    ("without", "with_token", "message"),
    [
        ((200, VERSION), (200, VERSION), r"asks for no token: whoever reaches its ports.*RAY_AUTH_MODE=disabled"),
        ((401, ""), (403, ""), r"refuses this token \(403\); give its token with RAY_AUTH_TOKEN_PATH"),
        ((401, ""), (200, VERSION.replace(ray.__version__, "1.2.3")), r"runs Ray 1\.2\.3, here is .*same version"),
        ((401, ""), (200, "<html>"), "is no Ray job server"),
        ((401, ""), (200, "[]"), "is no Ray job server"),
        ((401, ""), (200, "{}"), "is no Ray job server"),
    ],
)
def test_a_server_that_does_not_fit_is_left(
    server: Callable[[Answer, Answer], str], without: Answer, with_token: Answer, message: str
) -> None:
    with pytest.raises(ExecutionError, match=message):
        JobClient(server(without, with_token))


def test_the_user_may_want_a_server_without_a_token(
    server: Callable[[Answer, Answer], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    client = JobClient(server((200, VERSION), (200, VERSION)) + "/")
    assert client.ray_version == ray.__version__
    assert not client.address.endswith("/")


class Server:
    """Stands for Ray's client: a log that breaks off, and jobs that end."""

    def __init__(self, *streams: list[str | Exception], codes: list[int | None]) -> None:
        self.streams, self.codes = list(streams), codes
        self.log = ""

    async def tail_job_logs(self, job_id: str) -> AsyncIterator[str]:
        for piece in self.streams.pop(0) if self.streams else []:
            if isinstance(piece, Exception):
                raise piece
            self.log = self.log if self.log.startswith(piece) else self.log + piece
            yield piece

    def get_job_info(self, job_id: str) -> Any:
        code = self.codes.pop(0) if len(self.codes) > 1 else self.codes[0]
        status = "RUNNING" if code is None else "SUCCEEDED" if code == 0 else "FAILED"
        return SimpleNamespace(
            status=status, metadata=None, entrypoint="e", message=None, driver_exit_code=code, start_time=1, end_time=2
        )

    def get_job_logs(self, job_id: str) -> str:
        return "one\ntwo\nthree\n"


def client_of(fake: Any, monkeypatch: pytest.MonkeyPatch) -> JobClient:
    client = object.__new__(JobClient)
    client.address, client.ray_version = "http://head:8265", ray.__version__
    client._ray, client._client = ray, fake
    monkeypatch.setattr(ray_jobs, "_POLL_S", 0.0)
    return client


def test_a_log_that_breaks_off_is_taken_up_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Server(["one\n", RuntimeError("closed")], ["one\n", "two\n"], codes=[None, 3])
    shown: list[str] = []
    ended = client_of(fake, monkeypatch).follow("job", shown.append)
    assert "".join(shown) == "one\ntwo\nthree\n"
    assert (ended.over, ended.result) == (True, 3)


def test_a_log_that_always_breaks_off_leaves_the_job_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Server(*([OSError("gone")] for _ in range(9)), codes=[None])
    with pytest.raises(ExecutionError, match=r"broke off 6 times; the job goes on: finiex-ray logs job"):
        client_of(fake, monkeypatch).follow("job", lambda text: None)


@pytest.mark.parametrize(
    ("status", "code", "result"),
    [
        ("SUCCEEDED", 0, 0),
        ("FAILED", 1, 1),
        ("FAILED", 2, 2),
        ("FAILED", None, 1),
        ("STOPPED", None, 130),
        ("FAILED", -9, 1),
    ],
)
def test_the_exit_code_is_the_drivers_own(status: str, code: int | None, result: int) -> None:
    assert Job("j", status, "", "", "", code, None, None).result == result


def test_an_unknown_job_and_a_server_that_went_away_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(job_id: str) -> Any:
        raise RuntimeError("Request failed with status code 404: Job j does not exist.")

    def gone(job_id: str) -> Any:
        raise ConnectionError("refused")

    for call, message in ((unknown, "has no such job; see finiex-ray status"), (gone, "did not answer: refused")):
        with pytest.raises(ExecutionError, match=message):
            client_of(SimpleNamespace(get_job_info=call), monkeypatch).job("j")


def test_what_is_too_large_is_named_before_it_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name, size in (("small.py", 10), ("ticks.bin", 400_000), ("ignored.bin", 900_000)):
        (tmp_path / name).write_bytes(os.urandom(size))
    (tmp_path / ".rayignore").write_text("ignored.bin\n")
    found = pack_working_dir(tmp_path)
    assert 400_000 < found.size < 500_000
    assert found.files == 3
    monkeypatch.setattr(ray_jobs, "_SIZE_LIMIT", 300_000)
    with pytest.raises(ConfigError, match=r"largest: ticks\.bin.*\.rayignore"):
        pack_working_dir(tmp_path)


@pytest.fixture
def submission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Submission:
    window = {"symbol": "EURUSD", "start": "2025-09-24T08:00:00Z", "max_ticks": 500}
    scenario = {**window, "name": "a", "logic": {"type": "scripted", "orders": []}}
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "one.json").write_text(json.dumps({"scenarios": [scenario, {**scenario, "name": "b c"}]}))
    monkeypatch.chdir(tmp_path)
    return Submission(
        Path("sets/one.json"), Path(), "/data/runs", ("b c",), ("seed=3",), ("mine", "."), ("--fail-fast",)
    )


def test_what_is_sent(submission: Submission, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []

    def submit_job(**values: Any) -> str:
        sent.append(values)
        return "id"

    told: list[str] = []
    check_here(submission, told.append)
    assert told[0] == "set: one, 1 scenarios"
    assert told[1] == "scenarios: all valid, 500 ticks"
    assert send(submission, client_of(SimpleNamespace(submit_job=submit_job), monkeypatch)) == "id"
    assert sent == [
        {
            "entrypoint": "python -m finiex_ray run sets/one.json '--only=b c' --set=seed=3 --allow-import=mine --allow-import=. "
            "--executor=ray --out=/data/runs --fail-fast",
            "runtime_env": {"working_dir": "."},
            "metadata": {"finiex_ray": "one.json"},
        }
    ]


def test_nothing_of_the_environment_is_sent(submission: Submission, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_API_KEY", "hunter2-hunter2")
    sent: list[Any] = []
    fake = SimpleNamespace(submit_job=lambda **values: sent.append(values) or "id")
    send(submission, client_of(fake, monkeypatch))
    assert "hunter2" not in str(sent)


def test_an_invalid_scenario_is_not_sent(submission: Submission, tmp_path: Path) -> None:
    path = tmp_path / "sets" / "one.json"
    path.write_text(path.read_text().replace("EURUSD", "EURUSX"))
    with pytest.raises(ScenarioInvalidError, match=r"b c: .*EURUSX"):
        check_here(submission, lambda line: None)


@pytest.mark.parametrize(
    ("code", "printed", "message"),
    [
        (1, "/usr/bin/python: No module named finiex_ray", "the cluster has no finiex_ray: install it in the image"),
        (
            2,
            "error: no tick catalog at /x",
            r"cannot run this set \(exit code 2\).*\n.*no tick catalog at /x\nA job sees.*--set data=",
        ),
        (0, "something else", r"cannot run this set \(exit code 0\)"),
        (
            0,
            json.dumps({"cpus": 1, "versions": {**versions(), "finiex_ray": "0.0.9"}}),
            r"finiex_ray is 0\.0\.9 on the cluster",
        ),
    ],
)
def test_a_cluster_that_does_not_fit_is_found_first(
    code: int, printed: str, message: str, submission: Submission
) -> None:
    client: Any = SimpleNamespace(ask=lambda *_: (code, printed))
    with pytest.raises(ExecutionError, match=message):
        check_there(submission, client, lambda line: None)


def test_versions_that_may_differ_are_told(submission: Submission) -> None:
    told: list[str] = []
    line = json.dumps({"cpus": 8, "versions": {**versions(), "numba": "0.1"}})
    client: Any = SimpleNamespace(ask=lambda *_: (0, f"noise\n{line}\n{{broken"))
    assert check_there(submission, client, told.append)["cpus"] == 8
    assert "8 CPUs; data and strategies found" in told[0]
    assert "differs in numba 0.1" in told[1]
