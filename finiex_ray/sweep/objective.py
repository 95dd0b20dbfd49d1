"""What a sweep looks for: a statistic or a measure of each window, over all windows of a trial."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from finiex_ray.config.messages import shorten
from finiex_ray.core.access import NO_ACCESS, PluginAccess
from finiex_ray.core.errors import ConfigError, suggest
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.engine.wanted import measure_function
from finiex_ray.results.rows import STATISTICS
from finiex_ray.sweep.measures import MEASURES

__all__ = ["Aggregate", "Direction", "Objective", "objectives_of"]

Direction = Literal["maximize", "minimize"]
Aggregate = Literal["mean", "median", "min", "max", "sum"]
ObjectiveLike = str | Mapping[str, Any] | Callable[[ScenarioResult], float | None]

_SMALL_IS_GOOD: Final = frozenset({"max_drawdown", "max_drawdown_pct", "losses", "rejected"})
_ADDS_UP: Final = frozenset(
    {"commission", "gross", "losses", "net_profit", "orders", "rejected", "swap", "trades", "wins"}
)
_AGGREGATES: Final[Mapping[str, Callable[[Sequence[float]], Any]]] = {
    "mean": np.mean,
    "median": np.median,
    "min": min,
    "max": max,
    "sum": math.fsum,
}


@dataclass(frozen=True)
class Objective:
    """One number to make large or small.

    Attributes:
        name: Its column in the tables.
        measure: None for a statistic of the scenario row; else the measure (a function or its import path).
        direction: ``maximize`` or ``minimize``.
        aggregate: How the windows of a trial become one number; by default amounts and counts are summed, of drawdowns the
            largest counts, of all else the mean.
        empty: Value of a window in which it has none (a Sharpe ratio without trades); None: such a trial has no value.
    """

    name: str
    measure: str | Callable[[ScenarioResult], float | None] | None
    direction: Direction
    aggregate: Aggregate
    empty: float | None = 0.0

    def over(self, values: Sequence[float | None]) -> float | None:
        """The value of a trial from those of its windows."""
        filled = [self.empty if value is None else value for value in values]
        known = [value for value in filled if value is not None]
        return float(_AGGREGATES[self.aggregate](known)) if known and len(known) == len(filled) else None

    def better(self, value: float, than: float | None) -> bool:
        """Whether a value is better than another."""
        return than is None or (value > than if self.direction == "maximize" else value < than)

    @property
    def worst(self) -> float:
        """What is worse than every value."""
        return -math.inf if self.direction == "maximize" else math.inf

    def describe(self) -> dict[str, Any]:
        """As it stands in a sweep file."""
        metric = self.name if self.measure is None or self.name in MEASURES else self.measure
        text = metric if isinstance(metric, str) else self.name
        return {"metric": text, "direction": self.direction, "aggregate": self.aggregate, "empty": self.empty}


def objectives_of(
    given: ObjectiveLike | Sequence[ObjectiveLike], access: PluginAccess = NO_ACCESS
) -> tuple[Objective, ...]:
    """Reads one or more objectives.

    Args:
        given: Each is the name of a statistic or a measure (``-`` before it: make it small), an import path
            ``"package.module:function"`` or a function of a `ScenarioResult`, or an object with ``metric``, ``direction``,
            ``aggregate`` and ``empty``.
        access: What may be loaded.

    Raises:
        ConfigError: If one is unknown or given twice.
        RegistryError: If an import path leads nowhere.
    """
    several = isinstance(given, Sequence) and not isinstance(given, str)
    found = tuple(_objective(each, access) for each in (given if several else [given]))  # type: ignore[union-attr]
    names = [each.name for each in found]
    if not found or len(set(names)) < len(names):
        raise ConfigError(f"needs different objectives, at least one (got {shorten(names)})", source="objective")
    return found


def _objective(given: Any, access: PluginAccess) -> Objective:
    options: dict[str, Any] = {}
    metric = given
    if isinstance(given, Mapping):
        options = {key: value for key, value in given.items() if key != "metric"}
        metric = given.get("metric")
        unknown = set(options) - {"direction", "aggregate", "empty"}
        if metric is None or unknown:
            raise ConfigError(
                f"takes metric, direction, aggregate and empty (got {shorten(given)})", source="objective"
            )
    if isinstance(metric, str) and metric.startswith("-"):
        metric, options = metric[1:], {"direction": "minimize", **options}
    name, measure = _named(metric, access)
    options.setdefault("direction", "minimize" if name in _SMALL_IS_GOOD else "maximize")
    drawdown = name in ("max_drawdown", "max_drawdown_pct")
    options.setdefault("aggregate", "sum" if name in _ADDS_UP else "max" if drawdown else "mean")
    for key, allowed in (("direction", ("maximize", "minimize")), ("aggregate", tuple(_AGGREGATES))):
        if key in options and options[key] not in allowed:
            raise ConfigError(
                f"must be one of {', '.join(allowed)} (got {shorten(options[key])})", source="objective", path=key
            )
    if "empty" in options and options["empty"] is not None:
        options["empty"] = float(options["empty"])
    return Objective(name, measure, **options)


def _named(metric: Any, access: PluginAccess) -> tuple[str, str | Callable[[ScenarioResult], float | None] | None]:
    if callable(metric):
        return getattr(metric, "__name__", "objective").strip("<>"), metric
    if not isinstance(metric, str):
        raise ConfigError(f"must be a name or a function (got {shorten(metric)})", source="objective")
    if metric in STATISTICS:
        return metric, None
    if metric in MEASURES:
        return metric, MEASURES[metric]
    if ":" in metric:
        measure_function(metric, access)  # told now, not by every scenario
        return metric.rpartition(":")[2], metric
    raise ConfigError(
        f"no statistic or measure is named {metric!r}.{suggest(metric, [*STATISTICS, *MEASURES])}", source="objective"
    )
