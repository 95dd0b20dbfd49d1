"""`Finding`: what a check of the machine came to."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

__all__ = ["Finding", "Verdict"]


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"  # runs work, but not as well as they could, or not as one may think
    FAIL = "fail"  # runs, or some of them, do not work


class Finding(NamedTuple):
    """One line of ``finiex-ray doctor``."""

    name: str
    verdict: Verdict
    found: str
    mend: str = ""  # what to do about it; "" where nothing has to be done
