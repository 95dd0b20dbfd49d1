"""Which decision logics there are, and how one is made from its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from finiex_ray.config.models import TypedConfig
from finiex_ray.core.access import NO_ACCESS, PluginAccess
from finiex_ray.core.errors import RegistryError
from finiex_ray.core.plugins import ParamInfo, PluginKind, check_params, describe_params, plugin_paths, resolve
from finiex_ray.decisions.base import DecisionLogic

__all__ = ["LOGICS", "create_logic", "describe", "logic_type", "logic_types"]

LOGICS: Final = PluginKind(
    noun="logic",
    group="finiex_ray.logics",
    builtin={
        "aggressive_trend": "finiex_ray.decisions.aggressive_trend:AggressiveTrend",
        "limit_entry": "finiex_ray.decisions.limit_entry:LimitEntry",
        "macd_cross": "finiex_ray.decisions.macd_cross:MacdCross",
        "scripted": "finiex_ray.decisions.scripted:Scripted",
        "simple_consensus": "finiex_ray.decisions.simple_consensus:SimpleConsensus",
        "two_sided_quote": "finiex_ray.decisions.limit_entry:TwoSidedQuote",
    },
)


def logic_type(name: str, access: PluginAccess = NO_ACCESS) -> type[DecisionLogic]:
    """The class that a registered name or an import path stands for.

    Raises:
        RegistryError: If there is no such class, it is no logic, or its package is not allowed.
    """
    found = resolve(LOGICS, name, access)
    if not (isinstance(found, type) and issubclass(found, DecisionLogic)):
        raise RegistryError(
            f"logic type '{name}' is no decision logic: make it a subclass of DecisionLogic or TickLogic"
        )
    lacking = ", ".join(sorted(found.__abstractmethods__))
    if lacking:
        raise RegistryError(f"logic type '{name}' is not complete: it lacks {lacking}")
    return found


def logic_types() -> Mapping[str, type[DecisionLogic]]:
    """Every registered logic by name, sorted (imports them all)."""
    return {name: logic_type(name) for name in plugin_paths(LOGICS)}


def create_logic(config: TypedConfig, access: PluginAccess = NO_ACCESS) -> DecisionLogic:
    """Makes a logic.

    Args:
        config: Its type and parameters.
        access: What the run may load.

    Raises:
        RegistryError: If the type is unknown or no logic.
        ConfigError: If a parameter is wrong.
    """
    found = logic_type(config.type, access)
    return found(check_params(found.Params, config.params, owner=f"logic ({config.type})"))


def describe(logic: type[DecisionLogic]) -> list[ParamInfo]:
    """The parameters of a logic: name, type, default, description."""
    return describe_params(logic.Params)
