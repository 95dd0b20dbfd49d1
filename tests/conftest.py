"""Fixtures that every suite shares."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# Every Ray of the tests, also those of subprocesses, has a token of its own: never the one in the home folder.
os.environ["RAY_AUTH_MODE"] = "token"
os.environ["RAY_AUTH_TOKEN_PATH"] = str(Path(tempfile.mkdtemp(prefix="finiex-ray-tests-")) / "token")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real market data; tests that need it skip, loudly, where it is absent."""
    folder = Path(os.environ.get("FINIEX_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"REAL DATA ABSENT: {folder} is no folder; set FINIEX_SHARED_DATA")
    return folder


# The same examples on every run; FINIEX_EXAMPLES says how many a property (soak runs use thousands).
settings.register_profile(
    "finiex",
    max_examples=int(os.environ.get("FINIEX_EXAMPLES", "60")),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    print_blob=True,
)
settings.load_profile("finiex")


@pytest.fixture(scope="session")
def ray_session() -> Iterator[None]:
    """A Ray on this machine, started once for all tests that need one; executors find it and use it."""
    from finiex_ray.execution.ray_session import connect, import_ray

    connect("local", jobs=2)
    yield
    import_ray().shutdown()
