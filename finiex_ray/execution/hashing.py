"""`set_hash`: one number for a whole set, equal exactly when every scenario came to the same result."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from finiex_ray.engine.result import ScenarioResult

__all__ = ["Outcome", "is_success", "outcome", "outcome_of", "set_hash"]

Outcome = tuple[str, str]  # name of a scenario, and what counts of its result


def outcome(result: ScenarioResult) -> Outcome:
    """Name and what counts of a result: its hash, or for a failed scenario the type of its error.

    Messages, tracebacks and times do not count: they may hold paths and numbers of one machine.
    """
    result_hash = None if result.loop is None else result.loop.result_hash
    return outcome_of(result.name, result.success, result_hash, None if result.error is None else result.error.type)


def outcome_of(name: str, success: bool, result_hash: str | None, error_type: str | None) -> Outcome:
    """The same from what a run folder says of a result."""
    if success and result_hash is not None:
        return name, f"{_HASH}{result_hash}"
    return name, f"error:{error_type or ''}"


def is_success(found: Outcome) -> bool:
    """Whether it is the outcome of a scenario that ran to its end."""
    return found[1].startswith(_HASH)


_HASH: Final = "hash:"


def set_hash(outcomes: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over the sorted outcomes: independent of their order and of the executor."""
    digest = hashlib.sha256()
    for name, text in sorted(outcomes):
        digest.update(f"{len(name)}:{name}={len(text)}:{text};".encode())
    return digest.hexdigest()
