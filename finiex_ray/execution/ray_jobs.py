"""Jobs on a Ray cluster: a client that has been checked, submission, logs as they come, and the driver's own exit code."""

from __future__ import annotations

import asyncio
import logging
import os
import shlex
import sys
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from finiex_ray.core.errors import ConfigError, ExecutionError
from finiex_ray.execution.ray_auth import MODE, NO_TOKEN_HINT, refuse_open, token_wanted
from finiex_ray.execution.ray_session import import_ray

__all__ = ["Job", "JobClient", "WorkingDir", "pack_working_dir"]

_ANSWER_S: Final = 20.0
_POLL_S: Final = 0.5
_RETRIES: Final = 5  # of a log stream that broke off
_MIB: Final = 2**20
_SIZE_LIMIT: Final = 100 * _MIB  # of what Ray takes over HTTP
_LARGEST: Final = 3
_KEY: Final = "finiex_ray"  # in a job's metadata: the set that it runs
_PAST: Final = {401, 403}
_INSTALL: Final = "install it: pip install 'finiex-ray[cluster]'"


class WorkingDir(NamedTuple):
    """What would be uploaded of a folder, after .gitignore and .rayignore."""

    path: Path
    size: int  # bytes, packed
    files: int


class Job(NamedTuple):
    """What is known of a job."""

    job_id: str
    status: str  # PENDING, RUNNING, SUCCEEDED, FAILED or STOPPED
    scenario_set: str  # "" for one that `finiex-ray submit` has not made
    entrypoint: str
    message: str
    exit_code: int | None  # of the driver, where it has ended by itself
    began_s: float | None  # seconds since the epoch
    ended_s: float | None

    @property
    def over(self) -> bool:
        """Whether it runs no more."""
        return self.status in ("SUCCEEDED", "FAILED", "STOPPED")

    @property
    def result(self) -> int:
        """Exit code for whoever waited: the driver's own, else 1 for a job that failed, 130 for one that was stopped."""
        if self.exit_code is not None and self.exit_code >= 0:
            return self.exit_code
        return {"SUCCEEDED": 0, "STOPPED": 130}.get(self.status, 1)


def pack_working_dir(folder: Path) -> WorkingDir:
    """Packs a folder as Ray will, to see whether it may be sent.

    Raises:
        ConfigError: If it is too large; the message names the largest files.
    """
    import_ray()
    from ray._private.runtime_env.packaging import create_package

    ignore = os.environ.get("RAY_RUNTIME_ENV_IGNORE_GITIGNORE", "0") != "1"
    with TemporaryDirectory(prefix="finiex-ray-submit-") as scratch:
        target = Path(scratch, "package.zip")
        create_package(str(folder), target, include_gitignore=ignore, logger=_quiet())
        with zipfile.ZipFile(target) as package:
            found = sorted(package.infolist(), key=lambda each: -each.file_size)
        size = target.stat().st_size
    if size >= _SIZE_LIMIT:
        named = ", ".join(f"{each.filename} ({each.file_size / _MIB:.0f} MiB)" for each in found[:_LARGEST])
        raise ConfigError(
            f"{size / _MIB:.0f} MiB to upload, Ray takes less than {_SIZE_LIMIT / _MIB:.0f} MiB; largest: {named}. Name what is "
            "not needed in .rayignore, and keep market data where the cluster reads it",
            source=f"--working-dir {folder}",
        )
    return WorkingDir(folder, size, len(found))


class JobClient:
    """The job server of a cluster.

    Args:
        address: ``http://host:port`` of its dashboard (port 8265 by default).

    Raises:
        ConfigError: If the address is none.
        ExecutionError: If nobody answers, the token is refused, the cluster asks for none, or its Ray is another version.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        if not self.address.startswith(("http://", "https://")):
            raise ConfigError(
                f"{address!r} is no address of a job server; write http://host:8265, as for ray job submit",
                source="--address",
            )
        self._ray = import_ray()
        self._probe()
        try:
            from ray.job_submission import JobSubmissionClient

            with self._told(), _calm():
                self._client = JobSubmissionClient(self.address)
        except (ImportError, RuntimeError) as error:
            raise ExecutionError(f"cannot talk to job servers here ({error}); {_INSTALL}") from error

    def _probe(self) -> None:
        """Asks for the version without a token, then with it."""
        import requests

        url = f"{self.address}/api/version"
        try:
            bare = requests.get(url, timeout=_ANSWER_S)
        except requests.exceptions.RequestException as error:
            reason = type(error).__name__
            raise ExecutionError(
                f"nobody answers at {self.address} ({reason}); is the head up, and its dashboard port open or forwarded?"
            ) from error
        if bare.status_code not in _PAST:
            if token_wanted():
                raise refuse_open(f"the cluster at {self.address}")
            answer = bare
        else:
            answer = requests.get(url, headers=self._header(), timeout=_ANSWER_S)
        if answer.status_code in _PAST:
            raise ExecutionError(
                f"the cluster at {self.address} refuses this token ({answer.status_code}); {NO_TOKEN_HINT}"
            )
        try:
            self.ray_version = str(answer.json()["ray_version"])
        except (ValueError, KeyError, TypeError) as error:
            raise ExecutionError(f"what answers at {self.address} is no Ray job server") from error
        if self.ray_version != self._ray.__version__:
            raise ExecutionError(
                f"the cluster at {self.address} runs Ray {self.ray_version}, here is {self._ray.__version__}; install the same "
                "version on both sides"
            )

    def _header(self) -> dict[str, str]:
        from ray._private.authentication.http_token_authentication import get_auth_headers_if_auth_enabled

        try:
            headers: dict[str, str] = get_auth_headers_if_auth_enabled({})
        except (RuntimeError, self._ray.exceptions.RayError) as error:
            raise ExecutionError(f"the cluster at {self.address} wants a token; {NO_TOKEN_HINT}") from error
        if not headers:
            off = "" if token_wanted() else f" (and {MODE} is not token)"
            raise ExecutionError(f"the cluster at {self.address} wants a token{off}; {NO_TOKEN_HINT}")
        return headers

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What the client raises, as our own error."""
        import requests

        try:
            yield
        except (requests.exceptions.RequestException, ConnectionError, self._ray.exceptions.RayError) as error:
            raise ExecutionError(f"the cluster at {self.address} did not answer: {error}") from error
        except RuntimeError as error:
            if "404" in str(error) or "does not exist" in str(error):
                raise ExecutionError(f"{self.address} has no such job; see finiex-ray status") from error
            raise ExecutionError(f"the cluster at {self.address} refused: {_short(error)}") from error

    def submit(self, arguments: Sequence[str], working_dir: Path, scenario_set: str) -> str:
        """Starts ``python -m finiex_ray`` with arguments on the cluster's head.

        Args:
            arguments: What follows the program's name.
            working_dir: Folder that is uploaded and becomes the current one.
            scenario_set: What the job runs, for lists of jobs.

        Returns:
            The job's id.
        """
        entrypoint = shlex.join(["python", "-m", "finiex_ray", *arguments])
        with self._told(), _calm():
            return str(
                self._client.submit_job(
                    entrypoint=entrypoint,
                    runtime_env={"working_dir": str(working_dir)},
                    metadata={_KEY: scenario_set},
                )
            )

    def job(self, job_id: str) -> Job:
        """What is known of a job."""
        with self._told():
            return _job(job_id, self._client.get_job_info(job_id))

    def jobs(self) -> list[Job]:
        """The jobs that the cluster remembers, the newest first."""
        with self._told():
            found = [_job(each.submission_id, each) for each in self._client.list_jobs() if each.submission_id]
        return sorted(found, key=lambda each: -(each.began_s or 0.0))

    def logs(self, job_id: str) -> str:
        """What a job has printed so far."""
        with self._told():
            return str(self._client.get_job_logs(job_id))

    def stop(self, job_id: str) -> bool:
        """Stops a job; False where there was nothing to stop."""
        with self._told():
            return bool(self._client.stop_job(job_id))

    def follow(self, job_id: str, show: Callable[[str], None]) -> Job:
        """Shows what a job prints as it comes, until the job is over.

        A stream that breaks off is taken up again where it was.

        Args:
            job_id: The job.
            show: Gets pieces of text.
        """
        shown = tries = 0
        while True:
            shown, broke = self._tail(job_id, show, shown)
            job = self.job(job_id)
            if job.over:
                rest = self.logs(job_id)[shown:]
                if rest:
                    show(rest)
                return job
            tries = tries + 1 if broke else 0
            if tries > _RETRIES:
                raise ExecutionError(
                    f"the log of {job_id} broke off {tries} times; the job goes on: finiex-ray logs {job_id}"
                )
            time.sleep(_POLL_S)

    def _tail(self, job_id: str, show: Callable[[str], None], shown: int) -> tuple[int, bool]:
        """Follows a log once; returns how many characters have been shown, and whether the stream broke off."""
        from aiohttp import ClientError

        async def read() -> bool:
            nonlocal shown
            seen = 0
            try:
                async for piece in self._client.tail_job_logs(job_id):
                    seen += len(piece)
                    if seen > shown:
                        show(piece[-(seen - shown) :])
                        shown = seen
            except (RuntimeError, ClientError, OSError):
                return True
            return False

        with _calm():
            broke = asyncio.run(read())
        return shown, broke

    def ask(self, arguments: Sequence[str], working_dir: Path, scenario_set: str) -> tuple[int, str]:
        """Runs a short command on the cluster; returns its exit code and what it printed."""
        job_id = self.submit(arguments, working_dir, f"check of {scenario_set}")
        while not (job := self.job(job_id)).over:
            time.sleep(_POLL_S)
        text = self.logs(job_id)
        if job.exit_code is None:
            text += f"\n{job.message}"
        return job.result, text


def _job(job_id: str, info: Any) -> Job:
    def seconds(stamp: int | None) -> float | None:
        return stamp / 1000 if stamp else None

    return Job(
        job_id=job_id,
        status=getattr(info.status, "value", str(info.status)),
        scenario_set=(info.metadata or {}).get(_KEY, ""),
        entrypoint=info.entrypoint,
        message=info.message or "",
        exit_code=info.driver_exit_code,
        began_s=seconds(info.start_time),
        ended_s=seconds(info.end_time),
    )


def _short(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1][:400] if lines else type(error).__name__


def _quiet() -> logging.Logger:
    logger = logging.getLogger("finiex_ray.submit")
    logger.setLevel(logging.ERROR)
    return logger


@contextmanager
def _calm(
    names: Iterable[str] = (
        "ray.dashboard.modules.dashboard_sdk",
        "ray.dashboard.modules.job.sdk",
        "ray._private.runtime_env.packaging",
    ),
) -> Iterator[None]:
    """Ray's own notes about packing and uploading stay away."""
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
        sys.stderr.flush()
