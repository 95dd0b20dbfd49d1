"""Keeps secrets of the environment out of results: what strategies log and raise may hold them without anyone's intent."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from finiex_ray.engine.result import ErrorInfo, ScenarioResult

__all__ = ["redacted"]

_NAME: Final = re.compile(
    r"TOKEN|SECRET|PASSW|PWD$|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CONNECTION_STRING", re.IGNORECASE
)
_NO_SECRET: Final = re.compile(r"_(PATH|FILE|DIR|MODE|URL|URI|ID|NAME)$", re.IGNORECASE)
# What `os.environ` holds, which is read for each result: through its own methods that takes as long as a short scenario's end.
_ENVIRONMENT: Final[Mapping[Any, Any]] = getattr(os.environ, "_data", os.environ)
_SHORTEST: Final = 8  # characters: shorter values stand in too many texts by chance


def redacted(result: ScenarioResult) -> ScenarioResult:
    """The result with ``[NAME]`` wherever the value of a secret variable of this process stands in a text of the strategy.

    A variable is secret by its name: token, secret, password, key, credential; values of 8 characters and more count.
    """
    found = _secrets(tuple(_ENVIRONMENT.items()))
    if not found:
        return result
    pattern = re.compile("|".join(re.escape(value) for value in sorted(found, key=len, reverse=True)))

    def clean(text: str) -> str:
        return pattern.sub(lambda match: f"[{found[match[0]]}]", text)

    error = result.error
    if error is not None:
        error = ErrorInfo(error.type, clean(error.message), clean(error.traceback), error.tick_index)
    loop = result.loop
    if loop is not None and loop.comments:
        loop = replace(loop, comments={order: clean(text) for order, text in loop.comments.items()})
    return replace(result, error=error, loop=loop, log=tuple(clean(line) for line in result.log))


@lru_cache(maxsize=4)
def _secrets(environment: tuple[tuple[str | bytes, str | bytes], ...]) -> Mapping[str, str]:
    """Secret values, and the names of their variables."""
    return {
        value: name
        for name, value in ((os.fsdecode(name), os.fsdecode(value)) for name, value in environment)
        if len(value) >= _SHORTEST and _NAME.search(name) and not _NO_SECRET.search(name)
    }
