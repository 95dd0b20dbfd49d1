"""`delete_run`: takes a run folder away, and never anything else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from finiex_ray.core.errors import ConfigError
from finiex_ray.history.listing import run_ids
from finiex_ray.results.files import write_atomic
from finiex_ray.results.lock import RunLock
from finiex_ray.results.run_dir import LATEST, RunDir

__all__ = ["check_deletable", "delete_run"]


def check_deletable(run_dir: RunDir, root: Path) -> None:
    """Makes sure that a folder is a run of this folder of runs.

    Raises:
        ConfigError: If it lies elsewhere, or is a link.
    """
    here = root.resolve()
    inside = run_dir.path.parent == here and not (here / run_dir.run_id).is_symlink()
    if not inside or not run_dir.info.is_file():
        message = f"is no run folder of {here}; name that folder with --out, or delete it by hand"
        raise ConfigError(message, source=str(run_dir.path))


def delete_run(run_dir: RunDir, root: Path) -> None:
    """Deletes a run. It disappears whole: its folder gets another name first, which no command takes for a run.

    Args:
        run_dir: The run.
        root: The folder of runs that it lies in.

    Raises:
        ConfigError: If it is no run of this folder, a process writes it, or the system does not let it go.
    """
    check_deletable(run_dir, root)
    lock = RunLock(run_dir)
    try:
        doomed = run_dir.path.with_name(f".deleted-{run_dir.run_id}")
        os.replace(run_dir.path, doomed)  # noqa: PTH105 - the same on every system
    except OSError as error:
        raise ConfigError(f"cannot be deleted ({error.strerror})", source=str(run_dir.path)) from error
    finally:
        lock.release()
    shutil.rmtree(doomed, ignore_errors=True)
    _renew_latest(run_dir, root)
    if doomed.exists():
        raise ConfigError("is gone from the list, but files of it could not be deleted", source=str(doomed))


def _renew_latest(run_dir: RunDir, root: Path) -> None:
    pointer = root / LATEST
    if not pointer.is_file() or pointer.read_text(encoding="utf-8").strip() != run_dir.run_id:
        return
    left = run_ids(root)
    if left:
        write_atomic(pointer, left[0] + "\n")
    else:
        pointer.unlink()
