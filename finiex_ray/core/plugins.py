"""Plug-ins: from a name to a class (built-in, entry point or import path), from parameters to their checked model."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticUndefined

from finiex_ray.core.access import NO_ACCESS, PluginAccess
from finiex_ray.core.errors import ConfigError, RegistryError, suggest

__all__ = [
    "ParamInfo",
    "PluginKind",
    "check_params",
    "describe_params",
    "plugin_paths",
    "resolve",
]

_Params = TypeVar("_Params", bound=BaseModel)
_MISTAKES: Final = {"extra_forbidden", "missing"}


@dataclass(frozen=True)
class PluginKind:
    """One sort of plug-in."""

    noun: str  # as it stands in messages, for example "worker"
    group: str  # entry point group that other packages register theirs in
    builtin: Mapping[str, str]  # name to "module:Class", imported when asked for


class ParamInfo(NamedTuple):
    """One parameter, as ``finiex-ray list`` shows it."""

    name: str
    type: str
    default: str  # "" where the parameter is required
    description: str


@cache
def _entry_points(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


def plugin_paths(kind: PluginKind) -> dict[str, str]:
    """Every registered name with its import path, sorted; a built-in name is never replaced by an entry point."""
    found = {name: point.value for name, point in _entry_points(kind.group).items()}
    return dict(sorted({**found, **kind.builtin}.items()))


def resolve(kind: PluginKind, name: str, access: PluginAccess = NO_ACCESS) -> object:
    """Finds what a registered name or an import path stands for.

    Args:
        kind: The sort of plug-in.
        name: A registered name, or ``"package.module:Class"``.
        access: What the run may load. Registered names need no permission.

    Raises:
        RegistryError: If the name is unknown, its package is not allowed, or its module or attribute cannot be found.
            An exception raised by the module itself travels as it is.
    """
    handed_over = access.handed_over(name)
    if handed_over is not None:
        return handed_over
    if name in kind.builtin:
        return _builtin(kind.builtin[name])
    paths = plugin_paths(kind)
    path = paths.get(name, name)
    if ":" not in path:
        hint = "use a registered name or an import path 'package.module:Class'."
        raise RegistryError(f"unknown {kind.noun} '{name}'; {hint}{suggest(name, paths)}")
    module_name, _, attribute = path.partition(":")
    if not module_name or not all(part.isidentifier() for part in [*module_name.split("."), *attribute.split(".")]):
        raise RegistryError(f"{kind.noun} type '{name}' is no import path; write it as 'package.module:Class'")
    if name not in paths:
        _check_allowed(kind, name, module_name, access)
    return _attribute(_module(kind, name, module_name), attribute, f"{kind.noun} type '{name}'")


@cache
def _builtin(path: str) -> object:
    module_name, _, attribute = path.partition(":")
    found: object = getattr(importlib.import_module(module_name), attribute)
    return found


def _check_allowed(kind: PluginKind, name: str, module_name: str, access: PluginAccess) -> None:
    if not access.allows(module_name):
        top = module_name.partition(".")[0]
        listed = f"; allowed are {', '.join(access.packages)}" if access.packages else ""
        raise RegistryError(
            f"{kind.noun} type '{name}' would import and run '{module_name}', which this run does not allow{listed}. "
            f'If you trust it, add --allow-import {top} (in Python: allow_imports=["{top}"])'
        )


def _module(kind: PluginKind, name: str, module_name: str) -> object:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or module_name
        if module_name == missing or module_name.startswith(f"{missing}."):
            raise RegistryError(
                f"{kind.noun} type '{name}': no module named '{missing}'; check the spelling and that it is installed"
            ) from error
        raise


def _attribute(place: object, path: str, where: str) -> object:
    for part in path.split("."):
        try:
            place = getattr(place, part)
        except AttributeError as error:
            module = getattr(place, "__name__", str(place))
            classes = [key for key, value in vars(place).items() if isinstance(value, type)]
            raise RegistryError(f"{where}: '{module}' has no '{part}'.{suggest(part, classes)}") from error
    return place


def check_params(model: type[_Params], values: Mapping[str, Any], *, owner: str) -> _Params:
    """Checks parameters against their model.

    Args:
        model: The parameter model of the plug-in.
        values: Parameter name to value.
        owner: Whose parameters they are, for messages: ``worker 'rsi_fast' (rsi)``.

    Raises:
        ConfigError: Names every wrong parameter with its value and what is allowed; ``path`` is set where one is wrong.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        details = error.errors(include_url=False)
        lines = [_sentence(detail, model) for detail in details]
        path = ".".join(str(part) for part in details[0]["loc"]) if len(details) == 1 else ""
        raise ConfigError(f"{owner}: {'; '.join(lines)}", path=path) from error


def _sentence(detail: ErrorDetails, model: type[BaseModel]) -> str:
    name = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden" and len(detail["loc"]) == 1:
        return f"unknown parameter '{name}'.{suggest(name, model.model_fields)}"
    if detail["type"] in _MISTAKES:
        return f"parameter '{name}': {detail['msg']}"
    return f"parameter '{name}' = {detail['input']!r}: {detail['msg']}" if name else detail["msg"]


def describe_params(model: type[BaseModel]) -> list[ParamInfo]:
    """The parameters of a model, in the order of their definition."""
    return [
        ParamInfo(name, _type_name(field), _default(field), field.description or "")
        for name, field in model.model_fields.items()
    ]


def _type_name(field: FieldInfo) -> str:
    annotation = field.annotation
    return annotation.__name__ if type(annotation) is type else str(getattr(annotation, "__name__", annotation))


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    return "" if value is PydanticUndefined else str(getattr(value, "value", value))
