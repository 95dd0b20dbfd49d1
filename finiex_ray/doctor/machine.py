"""Memory, shared memory, disk, clock, and the cache of compiled kernels."""

from __future__ import annotations

import os
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from finiex_ray.display.numbers import data_size
from finiex_ray.doctor.finding import Finding, Verdict
from finiex_ray.kernels.jit import cache_root, cache_trusted, compiled_before

__all__ = ["available_memory", "check_cache", "check_clock", "check_disk", "check_memory", "check_shared_memory"]

_GIB: Final = 2**30
_LITTLE_MEMORY: Final = 2 * _GIB
_NO_MEMORY: Final = _GIB // 2
_STORE_SHARE: Final = 0.3  # of memory that Ray's object store takes
_LITTLE_DISK: Final = 2 * _GIB
_NO_DISK: Final = _GIB // 5
_ROLLOVER_ZONE: Final = "America/New_York"
_YEARS: Final = range(2024, 2100)


def available_memory(meminfo: Path = Path("/proc/meminfo")) -> tuple[int, int]:
    """Memory of the machine, and what of it is to be had; bytes."""
    try:
        lines = dict(line.split(":", 1) for line in meminfo.read_text(encoding="utf-8").splitlines() if ":" in line)
        total, free = (int(lines[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    except (OSError, KeyError, ValueError):
        total = free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    return total, free


def check_memory(total: int, free: int) -> Finding:
    """Whether there is memory for a few task processes (some 250 MB each, and their ticks)."""
    if not total:
        return Finding("memory", Verdict.WARN, "cannot be told on this system")
    found = f"{data_size(free)} of {data_size(total)} to be had"
    if free < _NO_MEMORY:
        return Finding("memory", Verdict.FAIL, found, "end other programs, or use a machine with more")
    if free < _LITTLE_MEMORY:
        return Finding(
            "memory", Verdict.WARN, found, "use few processes (--jobs 1), and see what a set needs: finiex-ray plan SET"
        )
    return Finding("memory", Verdict.OK, found)


def check_shared_memory(total_memory: int, folder: Path = Path("/dev/shm")) -> Finding:
    """Whether Ray's object store, which holds the ticks of a run, finds its place in shared memory."""
    if not folder.is_dir():
        verdict = Verdict.OK if sys.platform != "linux" else Verdict.WARN
        return Finding("shared memory", verdict, f"there is no {folder}; Ray keeps its objects in files")
    free = shutil.disk_usage(folder).free
    wanted = int(_STORE_SHARE * total_memory)
    found = f"{data_size(free)} free in {folder}, Ray's object store takes up to {data_size(wanted)}"
    if free < wanted:
        size = f"{max(1, wanted // _GIB)}g"
        mend = f"give it more: docker run --shm-size={size}, or mount -o remount,size={size} {folder}; until then it is slow"
        return Finding("shared memory", Verdict.WARN, found, mend)
    return Finding("shared memory", Verdict.OK, found)


def check_cache() -> Finding:
    """Whether compiled kernels are kept; without a cache each process compiles them anew."""
    folder = cache_root()
    mend = "name another folder with FINIEX_RAY_CACHE_DIR"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        return Finding("kernel cache", Verdict.FAIL, f"{folder} cannot be written to ({error.strerror})", mend)
    if not cache_trusted():
        found = f"{folder} can be written to by others, so what lies there is not used"
        return Finding("kernel cache", Verdict.WARN, found, f"chmod o-w {folder}, or {mend}")
    size = sum(path.stat().st_size for path in folder.rglob("*.nb[ci]"))
    state = "kernels are compiled" if compiled_before() else "the first run compiles the kernels (about 20 s)"
    return Finding("kernel cache", Verdict.OK, f"{folder}, {data_size(size)}; {state}")


def check_clock(now_s: float | None = None) -> Finding:
    """Whether the clock is plausible, and the zone of the daily rollover is known (rule R9); runs use UTC throughout."""
    now = datetime.fromtimestamp(time.time() if now_s is None else now_s, UTC)
    try:
        zone = ZoneInfo(_ROLLOVER_ZONE)
    except ZoneInfoNotFoundError:
        return Finding("clock", Verdict.FAIL, f"the time zone {_ROLLOVER_ZONE} is not known", "pip install tzdata")
    if now.year not in _YEARS:
        mend = "set the clock; run ids, tokens and certificates hang on it (results do not)"
        return Finding("clock", Verdict.WARN, f"{now:%Y-%m-%d %H:%M} UTC is not plausible", mend)
    local = now.astimezone()
    return Finding(
        "clock",
        Verdict.OK,
        f"{now:%Y-%m-%d %H:%M} UTC, {local:%H:%M %Z} here, {now.astimezone(zone):%H:%M} in New York",
    )


def check_disk(folder: Path, free: int | None = None) -> Finding:
    """Whether there is room for results.

    Args:
        folder: Where runs go; its nearest parent that exists counts.
        free: Bytes; default: what the system says.
    """
    place = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.is_dir())
    free = shutil.disk_usage(place).free if free is None else free
    found = f"{data_size(free)} free for {folder}"
    if free < _NO_DISK:
        return Finding(
            "disk", Verdict.FAIL, found, "free some space (finiex-ray runs delete RUN), or write elsewhere with --out"
        )
    if free < _LITTLE_DISK:
        return Finding("disk", Verdict.WARN, found, "old runs can go: finiex-ray runs list, finiex-ray runs delete RUN")
    return Finding("disk", Verdict.OK, found)
