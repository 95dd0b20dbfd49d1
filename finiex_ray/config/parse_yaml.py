"""The YAML that JSON could say: no aliases, merge keys, tags, octal or sexagesimal numbers, and no ``yes``/``no``.

It reads parser events, not nodes: an alias is seen as one (nested aliases can stand for gigabytes), and the depth is
bounded before anything recurses. A timestamp stays text, so that the models judge it as they judge a JSON string.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import yaml
from yaml.resolver import Resolver

from finiex_ray.config.messages import shorten
from finiex_ray.config.values import INTEGER, MAX_DEPTH, NUMBER, TOO_DEEP, Flaw, in_range, number, refuse
from finiex_ray.core.errors import ConfigError

__all__ = ["parse_yaml"]

_TAG: Final = "tag:yaml.org,2002:"
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_yaml(text: str, source: str) -> Any:
    """Plain values of a YAML text: dict, list, str, int, Decimal, bool, None.

    Args:
        text: The document.
        source: The file, for messages.

    Raises:
        ConfigError: If it has a syntax error or holds a value that is not taken; every such value is listed.
    """
    try:
        reader = _Reader(yaml.parse(text, Loader=_LOADER), source)
        tree = reader.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"is not valid YAML: {error.problem or error.context}{place}", source=source) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"is not valid YAML: {' '.join(str(error).split())}", source=source) from None
    if reader.flawed:
        raise refuse(tree, source)
    return tree


class _Reader:
    """Builds values from parser events."""

    def __init__(self, events: Iterator[yaml.Event], source: str) -> None:
        self._events, self._source = events, source
        self._resolve: Callable[..., str] = Resolver().resolve
        self.flawed = False

    def document(self) -> Any:
        tree: Any = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    message = f"holds a second YAML document{_place(event)}; only one is taken"
                    raise ConfigError(message, source=self._source)
                tree = self._value(next(self._events), 0)
        return tree

    def _flaw(self, event: yaml.Event, reason: str, key: str | None = None, rest: Any = None) -> Flaw:
        self.flawed = True
        return Flaw(reason + _place(event), key, rest)

    def _value(self, event: yaml.Event, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise ConfigError(TOO_DEEP + _place(event), source=self._source)
        if isinstance(event, yaml.AliasEvent):
            return self._flaw(event, "YAML aliases (*name) are not taken; write the value out, or use 'global'")
        if isinstance(event, yaml.ScalarEvent):
            value, reason = self._scalar(event)
            return self._flaw(event, reason) if reason else value
        value = self._items(depth) if isinstance(event, yaml.SequenceStartEvent) else self._pairs(depth)
        tag = event.tag if isinstance(event, yaml.CollectionStartEvent) else None
        if tag not in (None, "!", _TAG + "seq", _TAG + "map"):
            return self._flaw(event, f"the YAML tag {shorten(tag)} is not taken")
        return value

    def _items(self, depth: int) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._value(event, depth + 1))
        return found

    def _pairs(self, depth: int) -> Any:
        found: dict[str, Any] = {}
        flaws: list[Flaw] = []
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self._value(event, depth + 1)
                self._value(next(self._events), depth + 1)
                flaws.append(self._flaw(event, "a key must be plain text"))
                continue
            key = str(event.value)
            value = self._value(next(self._events), depth + 1)
            if key == "<<" and not event.style:
                reason = "YAML merge keys (<<) are not taken; use 'global' for what scenarios share"
                flaws.append(self._flaw(event, reason))
                continue
            if key in found:
                flaws.append(self._flaw(event, "this key stands twice in one object; keep one", key))
            found[key] = value
        whole: Any = found
        for flaw in reversed(flaws):
            flaw.rest = whole
            whole = flaw
        return whole

    def _scalar(self, event: yaml.ScalarEvent) -> tuple[Any, str]:
        """Value and "", or None and the reason of a refusal."""
        text = str(event.value)
        tag = _TAG + "str" if event.tag == "!" else event.tag or self._resolve(yaml.ScalarNode, text, event.implicit)
        kind = tag.removeprefix(_TAG)
        if kind == "str" and not event.style and not event.tag and NUMBER.fullmatch(text):
            kind = "float"  # YAML 1.1 takes 1e5 for text; JSON takes it for a number
        if kind in ("str", "timestamp", "value", "merge"):
            return text, ""
        if kind == "null":
            return None, ""
        if kind == "bool":
            if text.lower() in ("true", "false"):
                return text.lower() == "true", ""
            return None, f"{text!r} is ambiguous in YAML: write true or false, or put it in quotes"
        if kind not in ("int", "float"):
            return None, f"the YAML tag {shorten(tag)} is not taken"
        if not (INTEGER if kind == "int" else NUMBER).fullmatch(text):
            if "nan" in text.lower() or "inf" in text.lower():
                return None, f"must be a finite number (got {text})"
            return None, f"{shorten(text)} is ambiguous in YAML: write a plain decimal number, or put it in quotes"
        return (number(text), "") if in_range(text) else (None, f"number out of range (got {shorten(text)})")


def _place(event: yaml.Event) -> str:
    mark = event.start_mark
    return f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
