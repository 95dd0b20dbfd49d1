"""Fixtures that every suite shares."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# Every Ray of the tests, also those of subprocesses, has a token of its own: never the one in the home folder.
os.environ["RAY_AUTH_MODE"] = "token"
os.environ["RAY_AUTH_TOKEN_PATH"] = str(Path(tempfile.mkdtemp(prefix="finiex-ray-tests-")) / "token")

# Programs and Ray processes of the tests keep their bytecode: to compile the package takes a third of a second at each start.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    os.environ.setdefault("PYTHONPYCACHEPREFIX", str(ROOT / "build" / "bytecode"))

# Runs of the tests write no report, unless a test is about reports.
os.environ["FINIEX_RAY_REPORT"] = "0"

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # as a shell starts what runs in the background; children inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real market data; tests that need it skip, loudly, where it is absent."""
    folder = Path(os.environ.get("FINIEX_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"REAL DATA ABSENT: {folder} is no folder; set FINIEX_SHARED_DATA")
    return folder


# The same examples on every run; FINIEX_EXAMPLES says how many a property. With --hypothesis-seed N those of that seed.
settings.register_profile(
    "finiex",
    max_examples=int(os.environ.get("FINIEX_EXAMPLES", "60")),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    print_blob=True,
)
settings.register_profile("seeded", settings.get_profile("finiex"), derandomize=False)
settings.load_profile("finiex")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--hypothesis-seed") is not None:
        settings.load_profile("seeded")


@pytest.fixture(scope="session")
def ray_session() -> Iterator[None]:
    """A Ray on this machine, started once for all tests that need one; executors find it and use it."""
    from finiex_ray.execution.ray_session import connect, import_ray

    connect("local", jobs=2)
    yield
    import_ray().shutdown()
