"""A Ray head of one's own for a test: own ports, own folder, own token; ends with the test."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
_READY_S = 200


class Head(NamedTuple):
    gcs: str  # host:port
    http: str  # of the job server
    env: dict[str, str]  # for a client that may come in


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def client_environment(**values: str) -> dict[str, str]:
    """An environment that finds this interpreter's programs and this checkout, and no token."""
    dropped = ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS", "DEBUG_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
    kept = {key: value for key, value in os.environ.items() if key not in dropped}
    programs = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    return {**kept, "PATH": programs, "PYTHONPATH": str(ROOT), "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", **values}


@contextmanager
def ray_head(*, token: bool = True, dashboard: bool = True) -> Iterator[Head]:
    with tempfile.TemporaryDirectory(prefix="fnx-", ignore_cleanup_errors=True) as folder:
        secret = Path(folder, "token")
        secret.touch(0o600)
        secret.write_text(secrets.token_hex(32))
        auth = (
            {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(secret)} if token else {"RAY_AUTH_MODE": "disabled"}
        )
        environment = client_environment(**auth)
        gcs, http = free_port(), free_port()
        command = [
            *(str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", "--disable-usage-stats"),
            *(f"--port={gcs}", "--node-ip-address=127.0.0.1", f"--temp-dir={folder}/ray", "--num-cpus=2"),
            *(
                f"--include-dashboard={str(dashboard).lower()}",
                "--dashboard-host=127.0.0.1",
                f"--dashboard-port={http}",
            ),
            *(f"--dashboard-agent-listen-port={free_port()}", f"--dashboard-agent-grpc-port={free_port()}"),
            *(f"--ray-client-server-port={free_port()}", f"--object-store-memory={200 * 2**20}"),
        ]
        log = Path(folder, "head.log")
        with log.open("wb") as stream:
            process = subprocess.Popen(
                command, env=environment, cwd=folder, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            end_s = time.monotonic() + _READY_S
            while "Ray runtime started" not in log.read_text(errors="replace"):
                if process.poll() is not None or time.monotonic() > end_s:
                    raise RuntimeError(f"the head did not start:\n{log.read_text(errors='replace')[-3_000:]}")
                time.sleep(0.2)
            yield Head(f"127.0.0.1:{gcs}", f"http://127.0.0.1:{http}", environment)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(3)  # its raylet does not heed the signal: longer is not better
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
