"""Python, the packages that this one needs, and whether Ray starts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from typing import Final

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from finiex_ray.doctor.finding import Finding, Verdict

__all__ = ["check_packages", "check_python", "check_ray"]

_PACKAGE: Final = "finiex-ray"
_RAY_START_S: Final = 120.0
_LAST_WORDS: Final = 300  # characters


def check_python(running: str = "", supported: str = "") -> Finding:
    """Whether this Python is a supported one.

    Args:
        running: Its version; default: that of this process.
        supported: The range; default: what the package says.
    """
    running = running or ".".join(map(str, sys.version_info[:3]))
    supported = supported or _supported()
    if SpecifierSet(supported).contains(running, prereleases=True):
        return Finding("python", Verdict.OK, f"{running} (supported: {supported})")
    mend = f"make an environment with a Python {supported}, and install finiex-ray there"
    return Finding("python", Verdict.FAIL, f"{running}, supported is {supported}", mend)


def _supported() -> str:
    try:
        return str(metadata(_PACKAGE)["Requires-Python"] or "")
    except PackageNotFoundError:
        return ""


def check_packages(required: list[str] | None = None) -> Iterator[Finding]:
    """Whether the packages are there, in versions that work.

    Args:
        required: Requirements as in a package's metadata; default: those of this package without its extras.
    """
    if required is None:
        try:
            required = requires(_PACKAGE) or []
        except PackageNotFoundError:
            mend = "install it: pip install . in its folder"
            yield Finding("packages", Verdict.WARN, "finiex-ray runs from its source and is not installed", mend)
            return
    found: list[str] = []
    for text in required:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            mend = f"pip install '{requirement.name}{requirement.specifier}'"
            yield Finding("packages", Verdict.FAIL, f"{requirement.name} is not installed", mend)
            continue
        if requirement.specifier.contains(installed, prereleases=True):
            found.append(f"{requirement.name} {installed}")
        else:
            mend = f"pip install '{requirement.name}{requirement.specifier}'"
            wanted = f"{requirement.name} {installed}, needed is {requirement.specifier}"
            yield Finding("packages", Verdict.FAIL, wanted, mend)
    yield Finding("packages", Verdict.OK, ", ".join(found))


def check_ray(command: list[str] | None = None, limit_s: float = _RAY_START_S) -> Finding:
    """Starts a Ray on this machine in another process, runs a task, and ends it.

    Args:
        command: What to run in place of the probe.
        limit_s: Seconds that it may take.
    """
    probe = command or [sys.executable, "-m", "finiex_ray.execution.ray_probe"]
    mend = "run with --executor local until it does; if memory or /dev/shm is short, mend that first"
    try:
        done = subprocess.run(probe, capture_output=True, text=True, timeout=limit_s, check=False)
    except subprocess.TimeoutExpired:
        return Finding("ray", Verdict.FAIL, f"did not start within {limit_s:.0f} s", mend)
    if done.returncode == 0:
        return Finding("ray", Verdict.OK, done.stdout.strip().splitlines()[-1])
    words = " ".join((done.stderr or done.stdout).split())[-_LAST_WORDS:]
    return Finding("ray", Verdict.FAIL, f"does not start here: {words}", mend)
