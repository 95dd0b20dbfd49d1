"""``--set path=value``: one value of a scenario set, changed from the command line.

=====================================  ================================================================================
path                                   what it changes
=====================================  ================================================================================
``name``, ``data``, ``data.seed``      the set itself
``global.account.balance``             what scenarios share; a scenario's own value still goes over it
``logic.lots``                         every scenario, over its own value too
``workers.rsi_fast.period``            every scenario that has this worker
``scenarios[0].max_ticks``             the scenario at this index of the file (from 0)
``scenarios[window_07].max_ticks``     the scenario of this name; quotes (``["0"]``) make a number a name
=====================================  ================================================================================

The value is read as JSON, else taken as text. An override changes exactly the value at its path: an object replaces
the whole object, another ``type`` keeps the other parameters, ``null`` drops a worker. Later ones win; those that name
a scenario win over those that do not. Every path and value is checked before a scenario is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from finiex_ray.config.layout import TOP_KEYS, GlobalSection
from finiex_ray.config.messages import dotted, keys_at, lines, printable
from finiex_ray.config.models import DataConfig
from finiex_ray.config.parse import parse_value
from finiex_ray.core.errors import ConfigError, suggest

__all__ = ["Override", "apply_to_scenario", "check_workers", "parse_override", "put"]

Tokens = tuple[int | str, ...]

_TOKEN: Final = re.compile(r'\.?(?P<name>[^.\[\]"]+)|\[(?:"(?P<quoted>[^"]*)"|(?P<index>\d+)|(?P<bare>[^\]"]+))\]')


@dataclass(frozen=True, slots=True)
class Override:
    """One parsed ``--set``.

    Attributes:
        text: As it was written.
        scope: ``name``, ``data``, ``global``, ``scenario`` (one of them) or ``every`` (scenario).
        scenario: Index or name, where the scope is ``scenario``.
        tokens: The path below the scope.
        value: The new value.
    """

    text: str
    scope: str
    scenario: int | str | None
    tokens: Tokens
    value: Any

    @property
    def source(self) -> str:
        """Its name in messages."""
        return f"--set {printable(self.text)}"


def parse_override(text: str) -> Override:
    """Reads ``path=value`` and checks the path and the value as far as they can be checked alone.

    Raises:
        ConfigError: If it is no ``path=value``, the path is unknown (with the nearest key), or the value is refused.
    """
    source = f"--set {printable(text)}"
    path, equals, written = text.partition("=")
    if not equals or not path.strip():
        raise ConfigError("must be path=value, for example logic.lots=0.2", source=source)
    tokens = _tokenize(path.strip(), source)
    try:
        value = parse_value(written)
    except ConfigError as error:
        raise ConfigError(error.reason, source=source, path=printable(path)) from None
    head, rest = tokens[0], tokens[1:]
    if head == "name":
        if rest:
            raise ConfigError("'name' has nothing below it", source=source, path=printable(path))
        return Override(text, "name", None, (), written)
    if head == "scenarios":
        if len(rest) < 2:
            message = "name one scenario and one of its values, for example scenarios[0].max_ticks=100"
            raise ConfigError(message, source=source, path=printable(path))
        override = Override(text, "scenario", rest[0], rest[1:], value)
    elif head in ("data", "global"):
        override = Override(text, str(head), None, rest, value)
    else:
        override = Override(text, "every", None, tokens, value)
    _check(override)
    return override


def _tokenize(path: str, source: str) -> Tokens:
    tokens: list[int | str] = []
    at = 0
    while at < len(path):
        found = _TOKEN.match(path, at)
        if found is None or (found["name"] is not None and (path[at] == ".") != (at > 0)):
            message = (
                f"cannot read the path at character {at + 1}; write it as workers.rsi_fast.period or scenarios[0].seed"
            )
            raise ConfigError(message, source=source, path=printable(path))
        names = (found["name"], found["quoted"], found["bare"])
        tokens.append(int(found["index"]) if found["index"] else next(name for name in names if name is not None))
        at = found.end()
    return tuple(tokens)


def _check(override: Override) -> None:
    model: type[BaseModel] = DataConfig if override.scope == "data" else GlobalSection
    tokens, value = override.tokens, override.value
    prefix = override.scope if override.scope in ("data", "global") else ""
    if override.scope == "data" and not tokens:
        tokens, value = ((), value) if isinstance(value, Mapping) else (("catalog",), value)
    for depth, token in enumerate(tokens):
        known = keys_at(model, tokens[:depth])
        if known and token not in known:
            if override.scope == "scenario" and tokens == ("name",):
                raise ConfigError("the name of a scenario cannot be set; change the file", source=override.source)
            names = [*known, *TOP_KEYS] if override.scope == "every" and depth == 0 else known
            path = dotted([*([prefix] if prefix else []), *tokens[: depth + 1]])
            raise ConfigError(f"unknown path.{suggest(str(token), names)}", source=override.source, path=path)
    if tokens[:1] == ("workers",) and len(tokens) == 2 and value is None:
        return
    partial: Any = value
    for token in reversed(tokens):
        partial = [partial] if isinstance(token, int) else {token: partial}
    try:
        model.model_validate(partial)
    except ValidationError as error:
        found = lines(error, model, source=override.source, prefix=prefix, keep=lambda detail: _own(detail, tokens))
        if found:
            raise ConfigError("\n".join(found)) from None


def _own(detail: Mapping[str, Any], tokens: Tokens) -> bool:
    """Whether an error is about the value itself, not about what the rest of its section would have to hold."""
    return detail["loc"][: len(tokens)] == tokens or detail["type"] not in ("missing", "value_error")


def check_workers(overrides: Sequence[Override], known: Collection[str]) -> None:
    """Refuses overrides of a worker that no scenario has.

    Args:
        overrides: All of them, in order.
        known: Names of the workers in `global` and in all scenarios.
    """
    names = set(known)
    for override in overrides:
        tokens = override.tokens
        if override.scope not in ("every", "scenario") or len(tokens) < 2 or tokens[0] != "workers":
            continue
        name = str(tokens[1])
        if len(tokens) == 2 and override.value is not None:
            names.add(name)
        elif name not in names:
            message = f"no scenario has a worker {name!r}.{suggest(name, names)}"
            raise ConfigError(message, source=override.source, path=dotted(tokens[:2]))


def apply_to_scenario(scenario: Mapping[str, Any], override: Override) -> Mapping[str, Any]:
    """The merged scenario with the override's value in it; the original is not changed.

    A path below a worker that the scenario does not have changes nothing where the override goes over every scenario.

    Raises:
        ConfigError: If the path cannot exist in this scenario.
    """
    tokens = override.tokens
    if tokens[0] == "workers" and len(tokens) >= 2 and isinstance(workers := scenario.get("workers", {}), Mapping):
        name = tokens[1]
        if len(tokens) == 2 and override.value is None:
            return {**scenario, "workers": {key: worker for key, worker in workers.items() if key != name}}
        if len(tokens) > 2 and name not in workers:
            if override.scope == "every":
                return scenario
            message = f"this scenario has no worker {name!r}.{suggest(str(name), workers)}"
            raise ConfigError(message, source=override.source, path=dotted(tokens[:2]))
    changed: Mapping[str, Any] = put(scenario, tokens, override)
    return changed


def put(root: Any, tokens: Tokens, override: Override) -> Any:
    """A copy of ``root`` with the override's value at ``tokens``; missing objects are made.

    Raises:
        ConfigError: If a list has no such index, or the path goes through a plain value.
    """
    if not tokens:
        return override.value
    token, rest = tokens[0], tokens[1:]
    if isinstance(root, list) and isinstance(token, int):
        if token >= len(root):
            message = f"the list has {len(root)} items, there is no index {token}"
            raise ConfigError(message, source=override.source)
        return [*root[:token], put(root[token], rest, override), *root[token + 1 :]]
    if (root is None or isinstance(root, Mapping)) and isinstance(token, str):
        here = dict(root or {})
        here[token] = put(here.get(token), rest, override)
        return here
    raise ConfigError(f"there is nothing at {token!r} that could be set", source=override.source)
