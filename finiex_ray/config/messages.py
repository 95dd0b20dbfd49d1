"""From pydantic's errors to lines to act on: ``file: path: what is wrong (got value). Did you mean 'x'?``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from finiex_ray.core.errors import suggest

__all__ = ["child_path", "dotted", "join_lines", "keys_at", "line", "lines", "printable", "shorten"]

Location = Sequence[int | str]

_MAX_SHOWN: Final = 80  # characters of a value in a message
_MAX_LINES: Final = 50  # of one message
_PATTERNS: Final = {
    r"^[^\x00-\x1f\x7f/\\=+\-@][^\x00-\x1f\x7f/\\]*$": (
        "must have no slash, backslash or control character, and not begin with = + - @"
    ),
    r"^[A-Z0-9]{2,12}$": "must be 2 to 12 capital letters or digits",
    r"^[A-Za-z0-9][A-Za-z0-9._#+-]{0,31}$": "must be a letter or digit, then at most 31 of letters, digits, . _ # + -",
}


def shorten(value: Any) -> str:
    """A value as it would stand in a file, in at most 80 printable characters."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=_plain)
    except (TypeError, ValueError, RecursionError):
        text = repr(value)
    return printable(text)


def printable(text: str) -> str:
    """At most 80 characters of a text, control characters escaped."""
    text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return float(value) if str(float(value)) == str(value) else str(value)
    return str(value)


def child_path(path: str, key: str) -> str:
    """The path of a key below ``path``; a key with a dot, bracket, blank or control character is quoted."""
    if key and key.isprintable() and not any(char in key for char in '. []"'):
        return f"{path}.{key}" if path else key
    return f"{path}[{shorten(key)}]"


def dotted(location: Location) -> str:
    """``("scenarios", 2, "workers", "rsi", "period")`` as ``scenarios[2].workers.rsi.period``."""
    path = ""
    for part in location:
        path = f"{path}[{part}]" if isinstance(part, int) else child_path(path, part)
    return path


def line(source: str, path: str, message: str) -> str:
    """One line of an error: file, path and message, each left out where it is empty."""
    return ": ".join(part for part in (source, path, message) if part)


def join_lines(found: Sequence[str]) -> str:
    """All lines as one text; beyond 50, how many more there are."""
    text = "\n".join(found[:_MAX_LINES])
    return text if len(found) <= _MAX_LINES else f"{text}\n… and {len(found) - _MAX_LINES:,} more"


def lines(
    error: ValidationError,
    model: type[BaseModel],
    *,
    source: str = "",
    prefix: str = "",
    keep: Callable[[ErrorDetails], bool] | None = None,
) -> list[str]:
    """Every problem of a ValidationError as one line.

    Args:
        error: What pydantic raised.
        model: The model that was validated; it knows the valid keys.
        source: The file.
        prefix: The path of the validated value in the file, for example ``scenarios[2]``.
        keep: Says which of pydantic's errors are told (for partial sections); default: all.
    """
    return [
        line(source, _path(prefix, detail["loc"]), _message(detail, model))
        for detail in error.errors(include_url=False)
        if keep is None or keep(detail)
    ]


def _path(prefix: str, location: Location) -> str:
    below = dotted([part for part in location if part != "[key]"])
    if not prefix or not below:
        return prefix or below
    return prefix + below if below.startswith("[") else f"{prefix}.{below}"


def _message(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        known = keys_at(model, detail["loc"][:-1])
        return f"unknown key (got {shorten(value)}).{suggest(str(detail['loc'][-1]), known)}"
    if kind == "missing":
        return "is missing; add it"
    if kind == "string_pattern_mismatch" and context.get("pattern") in _PATTERNS:
        return f"{_PATTERNS[context['pattern']]} (got {shorten(value)})"
    if kind in ("literal_error", "enum"):
        near = suggest(value, _choices(str(context.get("expected", "")))) if isinstance(value, str) else ""
        return f"must be {context.get('expected')} (got {shorten(value)}).{near if 'Did' in near else ''}"
    if kind == "value_error":
        text = str(context.get("error", detail["msg"]))
        return text if isinstance(value, Mapping) else f"{text} (got {shorten(value)})"
    text = detail["msg"].replace("Input should be", "must be").replace("Input should have", "must have")
    text = text.replace("a valid ", "a ").replace("a integer", "an integer")
    if kind in ("model_type", "mapping_type", "model_attributes_type", "dict_type"):
        text = "must be an object of keys and values"
    return f"{text[0].lower()}{text[1:]} (got {shorten(value)})"


def _choices(expected: str) -> list[str]:
    return [part for part in expected.replace(" or ", ",").replace("'", "").replace(" ", "").split(",") if part]


def keys_at(model: type[BaseModel], location: Location) -> list[str]:
    """The keys that the model below ``location`` takes; empty where any key is taken, or none."""
    here: Any = model
    for part in location:
        here = _below(here, part)
    if not isinstance(here, type) or not issubclass(here, BaseModel) or here.model_config.get("extra") == "allow":
        return []
    return sorted(here.model_fields)


def _below(annotation: Any, part: int | str) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(part))
        return _model_of(field.annotation) if field else None
    if get_origin(annotation) is not None and get_args(annotation):
        return _model_of(get_args(annotation)[-1])
    return None


def _model_of(annotation: Any) -> Any:
    """Looks through ``X | None`` and ``Annotated[X, …]``."""
    if get_origin(annotation) is Annotated:
        return _model_of(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        inner = [part for part in get_args(annotation) if part is not type(None)]
        return _model_of(inner[0]) if len(inner) == 1 else None
    return annotation
