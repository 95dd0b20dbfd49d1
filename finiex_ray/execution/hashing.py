"""`set_hash`: one number for a whole set, equal exactly when every scenario came to the same result."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from finiex_ray.engine.result import ScenarioResult

__all__ = ["outcome", "set_hash"]


def outcome(result: ScenarioResult) -> tuple[str, str]:
    """Name and what counts of a result: its hash, or for a failed scenario the type of its error.

    Messages, tracebacks and times do not count: they may hold paths and numbers of one machine.
    """
    if result.success and result.loop is not None:
        return result.name, f"hash:{result.loop.result_hash}"
    return result.name, f"error:{'' if result.error is None else result.error.type}"


def set_hash(outcomes: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over the sorted outcomes: independent of their order and of the executor."""
    digest = hashlib.sha256()
    for name, text in sorted(outcomes):
        digest.update(f"{len(name)}:{name}={len(text)}:{text};".encode())
    return digest.hexdigest()
