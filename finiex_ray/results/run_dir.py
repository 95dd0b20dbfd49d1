"""Where a run's files are: ``<root>/<run id>/``, and a pointer to the latest run beside it."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from finiex_ray.core.errors import ConfigError, suggest
from finiex_ray.results.files import write_atomic

__all__ = ["DEFAULT_ROOT", "LATEST", "RunDir", "create_run_dir", "find_run_dir", "new_run_id", "run_exists"]

DEFAULT_ROOT: Final = Path("runs")
LATEST: Final = "latest"
_RUN_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class RunDir:
    """The folder of one run.

    Args:
        path: The folder itself; its name is the run id.
    """

    path: Path

    @property
    def run_id(self) -> str:
        """Identifier of the run."""
        return self.path.name

    @property
    def info(self) -> Path:
        """``run.json``: configuration, versions, hashes, timings."""
        return self.path / "run.json"

    @property
    def journal(self) -> Path:
        """Folder of the journal, as long as the run is not finished: every result, the moment it comes."""
        return self.path / "journal"

    @property
    def parts(self) -> Path:
        """Folder of the parts, as long as the run is not finished: results of the journal as Parquet files."""
        return self.path / "parts"

    @property
    def lock(self) -> Path:
        """A file that the one writer of the run holds locked."""
        return self.path / "lock"

    @property
    def logs(self) -> Path:
        """Folder of the scenario logs."""
        return self.path / "logs"

    def table(self, name: str) -> Path:
        """The Parquet file of a table, for example ``trades``."""
        return self.path / f"{name}.parquet"

    def mark_latest(self) -> None:
        """Lets ``latest`` in the root folder name this run."""
        write_atomic(self.path.parent / LATEST, self.run_id + "\n")


def new_run_id(now: datetime | None = None) -> str:
    """A run id that sorts by time: UTC time and a random suffix, for example ``20260926T101112Z-3fa9c1``."""
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    return f"{moment:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def run_exists(root: Path, run_id: str) -> bool:
    """Whether there is a run of this name.

    Raises:
        ConfigError: If it is no name for a run folder.
    """
    if _RUN_ID.fullmatch(run_id) is None or run_id == LATEST:
        message = f"{run_id!r} is no name for a run folder: letters, digits, '.', '_' and '-', at most 100"
        raise ConfigError(message, source="--run-id")
    return (root / run_id / "run.json").is_file()


def create_run_dir(root: Path = DEFAULT_ROOT, run_id: str | None = None) -> RunDir:
    """Makes a new, empty run folder; never one that holds a run.

    Args:
        root: Folder of the run folders; made where it is missing.
        run_id: Its name, see `run_exists`; default: a new one.

    Raises:
        ConfigError: If the folder cannot be made.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        if run_id is None:
            folder = _new_folder(root)
        else:
            folder = root / run_id
            folder.mkdir(exist_ok=True)  # without a run.json no run has ever begun in it
        (folder / "logs").mkdir(exist_ok=True)
    except OSError as error:
        message = f"no run folder can be made here ({error.strerror}); choose another place with --out"
        raise ConfigError(message, source=str(root)) from error
    return RunDir(folder.resolve())


def _new_folder(root: Path) -> Path:
    while True:
        folder = root / new_run_id()
        try:
            folder.mkdir()
        except FileExistsError:  # another run of this very second drew the same suffix
            continue
        return folder


def find_run_dir(reference: str | Path = LATEST, root: Path = DEFAULT_ROOT) -> RunDir:
    """Finds a run by its folder, its id, or ``latest``.

    Args:
        reference: What names the run; a folder that holds a ``run.json`` comes first.
        root: Folder of the run folders, for ids and ``latest``.

    Raises:
        ConfigError: If there is no such run.
    """
    name = str(reference)
    if name == LATEST:
        pointer = root / LATEST
        if not pointer.is_file():
            raise ConfigError("there is no latest run here; run a scenario set first", source=str(root))
        name = pointer.read_text(encoding="utf-8").strip()
    for folder in (Path(name), root / name):
        if (folder / "run.json").is_file():
            return RunDir(folder.resolve())
    known = [folder.parent.name for folder in root.glob("*/run.json")] if root.is_dir() else []
    raise ConfigError(
        f"there is no run {name!r}: neither a run folder nor a run id.{suggest(name, known)}", source=str(root)
    )
