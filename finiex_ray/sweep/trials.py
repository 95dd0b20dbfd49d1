"""From a trial to scenarios: the parameters put into each window's configuration."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pydantic import ValidationError

from finiex_ray.config.messages import join_lines, lines
from finiex_ray.config.models import ScenarioConfig, TypedConfig
from finiex_ray.config.overrides import Override, apply_to_scenario, check_workers, parse_override
from finiex_ray.core.errors import ConfigError
from finiex_ray.sweep.search import params_key
from finiex_ray.sweep.space import Choice, Params, Space

__all__ = ["TrialMaker", "scenario_name", "with_params"]

_MOST_SECTIONS: Final = 4_096
_FIXED: Final = frozenset({"name", "enabled", "start", "end", "execution", "live_stats"})


class TrialMaker:
    """Makes the configuration of a trial on a window.

    Args:
        space: The space; its paths are checked here.
        windows: The windows that trials run on.

    Raises:
        ConfigError: If a path is unknown, or names what cannot be swept.
    """

    def __init__(self, space: Space, windows: Sequence[ScenarioConfig]) -> None:
        workers = {name for window in windows for name in window.workers}
        self._sections: dict[str, dict[str, Override]] = {}
        for path, domain in space.domains.items():
            sample = domain.values[0] if isinstance(domain, Choice) else domain.low
            override = _override(path, sample, "space", workers)
            self._sections.setdefault(str(override.tokens[0]), {})[path] = override
        self._windows: list[ScenarioConfig] = []
        self._trees: dict[int, Mapping[str, Any]] = {}
        self._bases: dict[int, ScenarioConfig] = {}
        self._made: dict[tuple[int, str, str], Any] = {}
        self._workers: dict[tuple[str, str], TypedConfig] = {}

    def config(self, window: ScenarioConfig, params: Params, name: str) -> ScenarioConfig:
        """The window's configuration with the parameters in it, without profile and live updates.

        Sections that are equal are the same objects in all configurations, so that whoever plans, hashes or sends many of
        them looks at each section once.

        Raises:
            ConfigError: If a value is refused.
        """
        base = self._base(window)
        changed: dict[str, Any] = {"name": name}
        for section, overrides in self._sections.items():
            key = (id(base), section, params_key({path: params[path] for path in overrides}))
            if key not in self._made:
                if len(self._made) >= _MOST_SECTIONS:
                    self._made.clear()
                own = [replace(each, value=params[path]) for path, each in overrides.items()]
                made = getattr(_configure(self._trees[id(window)], own, name, params), section)
                self._made[key] = self._shared_workers(made) if section == "workers" else made
            changed[section] = self._made[key]
        return base.model_copy(update=changed)

    def _base(self, window: ScenarioConfig) -> ScenarioConfig:
        if id(window) not in self._bases:
            tree = self._trees[id(window)] = _bare_tree(window)
            self._bases[id(window)] = _configure(tree, (), window.name, {})
            self._windows.append(window)  # so that its identity stays taken
        return self._bases[id(window)]

    def _shared_workers(self, workers: Mapping[str, TypedConfig]) -> dict[str, TypedConfig]:
        """The same workers, each as the first one that was equal to it."""
        return {
            name: self._workers.setdefault((name, worker.model_dump_json()), worker) for name, worker in workers.items()
        }


def _bare_tree(window: ScenarioConfig) -> dict[str, Any]:
    tree = window.model_dump()
    tree["execution"] = {**tree["execution"], "profile": False}
    tree["live_stats"] = {**tree["live_stats"], "enabled": False}
    return tree


def _configure(
    tree: Mapping[str, Any], overrides: Iterable[Override], name: str, params: Mapping[str, Any]
) -> ScenarioConfig:
    try:
        for override in overrides:
            tree = apply_to_scenario(tree, override)
        return ScenarioConfig.model_validate({**tree, "name": name})
    except ValidationError as error:
        raise ConfigError(f"{dict(params)}: {join_lines(lines(error, ScenarioConfig))}", source="space") from None


def _override(path: str, sample: Any, source: str, workers: Iterable[str]) -> Override:
    try:
        override = parse_override(f"{path}={json.dumps(sample)}")
        check_workers([override], set(workers))
    except ConfigError as error:
        raise ConfigError(error.reason, source=source, path=path) from None
    if override.scope != "every" or override.tokens[0] in _FIXED:
        message = "cannot be varied; name a value of the scenario, for example workers.rsi_fast.period or logic.lots"
        raise ConfigError(message, source=source, path=path)
    return override


def scenario_name(fold: str, trial: int, window: str) -> str:
    """Name of a trial's scenario on a window; ``fold`` is empty in a plain sweep."""
    return "_".join(part for part in (fold, f"t{trial:05d}", window) if part)


def with_params(window: ScenarioConfig, params: Mapping[str, Any], *, name: str | None = None) -> ScenarioConfig:
    """A window's configuration with parameters in it, all else as it is.

    Args:
        window: The configuration.
        params: Path to value.
        name: Another name for it.

    Raises:
        ConfigError: If a path is unknown or a value is refused.
    """
    overrides = []
    for path, value in params.items():
        override = _override(path, value, "params", window.workers)
        overrides.append(Override(override.text, override.scope, override.scenario, override.tokens, value))
    return _configure(window.model_dump(), overrides, name or window.name, params)
