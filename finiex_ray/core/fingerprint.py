"""A hash of what a class does: of its compiled code and its values, wherever its source may be (a notebook has no file)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from enum import Enum
from types import CodeType, FunctionType
from typing import Any

from pydantic import BaseModel

__all__ = ["class_fingerprint"]

_PLAIN = (bool, int, float, complex, str, bytes, type(None), Enum)


def class_fingerprint(found: type) -> str:
    """SHA-256 (hex) of the methods and values of a class, and of the classes of the same module that it is made from.

    It does not depend on names of variables, line numbers or comments, nor on what methods use from outside of their class; it
    is the same in every process of one Python version.
    """
    digest = hashlib.sha256()
    for text in _class(found, found.__module__, set()):
        digest.update(f"{len(text)}:{text};".encode())
    return digest.hexdigest()


def _class(found: type, module: str, seen: set[type]) -> Iterator[str]:
    if found in seen:
        return
    seen.add(found)
    for part in found.__mro__:
        if part.__module__ != module:
            yield f"class {part.__module__}:{part.__qualname__}"
            continue
        yield f"class {part.__qualname__.rpartition('.')[2]}"
        if issubclass(part, BaseModel):
            yield from (f"field {name} {field!r}" for name, field in part.model_fields.items())
        for name, value in sorted(vars(part).items()):
            yield from _attribute(name, value, module, seen)


def _attribute(name: str, value: Any, module: str, seen: set[type]) -> Iterator[str]:
    for way in ("wrapped", "__func__", "fget", "func"):  # pydantic's decorators, class and static methods, properties
        value = getattr(value, way, value) if not isinstance(value, type | FunctionType) else value
    if isinstance(value, FunctionType):
        yield f"function {name} {_values(value.__defaults__)} {_values(value.__kwdefaults__)}"
        yield from _code(value.__code__)
    elif name.startswith(("__", "_abc", "model_")):
        return
    elif isinstance(value, type):
        yield f"type {name}"
        yield from _class(value, module, seen)
    else:
        yield f"value {name} {_values(value)}"


def _code(code: CodeType) -> Iterator[str]:
    yield f"code {code.co_code.hex()} {code.co_names} {code.co_argcount} {code.co_kwonlyargcount} {code.co_flags}"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _code(constant)
        else:
            yield f"constant {_values(constant)}"


def _values(value: Any) -> str:
    """A text that is the same in every process: sets are sorted, of other objects the type counts."""
    if isinstance(value, _PLAIN):
        return f"{type(value).__name__} {value!r}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(_values(each) for each in value)}]"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(_values(each) for each in value))}}}"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_values(key)}: {_values(each)}' for key, each in value.items())}}}"
    return f"{type(value).__module__}.{type(value).__qualname__}"
