"""How `global` values reach each scenario: its own values go over them, as deep as its section says.

============================  ====================================================================================
section                       what a scenario's own value does
============================  ====================================================================================
``workers``                   Merged by worker name, then by parameter. A worker with another ``type`` replaces
                              the global one whole; ``null`` drops it; a new name adds one.
``logic``                     Merged by parameter; with another ``type`` it replaces the global one whole.
``account``                   Merged by key; ``latency`` and ``conversion_rates`` are replaced whole.
``execution, live_stats``     Merged by key.
everything else               Replaced: ``symbol, start, end, max_ticks, bar_price, seed, enabled``; ``null``
                              unsets ``end`` or ``max_ticks``.
============================  ====================================================================================

A parameter that is a list or an object is always replaced whole. ``--set`` comes after all of this.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from finiex_ray.config.messages import child_path
from finiex_ray.core.errors import ConfigError, suggest

__all__ = ["MERGE_DEPTH", "Depth", "merge_scenario"]

Depth = Literal["per_worker", "per_parameter", "per_key", "replace"]

MERGE_DEPTH: Final[Mapping[str, Depth]] = {
    "workers": "per_worker",
    "logic": "per_parameter",
    "account": "per_key",
    "execution": "per_key",
    "live_stats": "per_key",
}
"""Depth of the merge by section; a section that is not listed is replaced."""


def merge_scenario(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Puts a scenario's own values over the global ones; neither is changed, nothing is validated.

    A value of the wrong kind replaces the global one, so that validation finds it.

    Raises:
        ConfigError: If a worker is dropped that `global` does not have.
    """
    merged = dict(shared)
    for key, value in own.items():
        depth = MERGE_DEPTH.get(key, "replace")
        if depth == "replace" or not isinstance(value, Mapping):
            merged[key] = value
        elif depth == "per_worker":
            merged[key] = _merge_workers(shared.get(key), value)
        elif depth == "per_parameter":
            merged[key] = _merge_typed(shared.get(key), value)
        else:
            base = shared.get(key)
            merged[key] = {**base, **value} if isinstance(base, Mapping) else value
    return merged


def _merge_workers(shared: object, own: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = dict(shared) if isinstance(shared, Mapping) else {}
    for name, worker in own.items():
        if worker is not None:
            merged[name] = _merge_typed(merged.get(name), worker)
        elif name in merged:
            del merged[name]
        else:
            message = f"null drops a worker of 'global', but it has no worker {name!r}.{suggest(name, merged)}"
            raise ConfigError(message, path=child_path("workers", name))
    return merged


def _merge_typed(shared: object, own: Any) -> Any:
    if not isinstance(shared, Mapping) or not isinstance(own, Mapping):
        return own
    if "type" in own and own["type"] != shared.get("type", own["type"]):
        return own
    return {**shared, **own}
