"""The space of a sweep: a domain for each parameter path, and constraints between parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final

import numpy as np

from finiex_ray.config.messages import shorten
from finiex_ray.core.errors import ConfigError
from finiex_ray.sweep.constraints import Constraint, parse_constraint

__all__ = ["Choice", "Domain", "Integers", "Params", "Space", "Uniform", "choice", "integers", "log_uniform", "uniform"]

Params = dict[str, Any]

_KINDS: Final = ("uniform", "integers", "choice")
_POLICY: Final = frozenset({"lots", "sl_points", "tp_points", "trail_points", "on_opposite", "min_free_margin"})


@dataclass(frozen=True)
class Uniform:
    """Real numbers from ``low`` to ``high``, both included; with ``step`` only ``low + k · step``."""

    low: float
    high: float
    step: float | None = None
    log: bool = False  # drawn so that the logarithm is uniform

    def __post_init__(self) -> None:
        _check_range(self, self.low, self.high, self.step, self.log)

    def grid(self) -> list[float]:
        """The values of a grid.

        Raises:
            ConfigError: If there is no step.
        """
        if self.step is None:
            raise ConfigError(
                f"uniform({self.low}, {self.high}) has no step: a grid needs one, or a list of values; "
                "or search at random or with Optuna"
            )
        return [self._at(number) for number in range(self._count())]

    def draw(self, rng: np.random.Generator) -> float:
        """A random value."""
        if self.step is not None:
            return self._at(int(rng.integers(self._count())))
        if self.log:
            return float(math.exp(rng.uniform(math.log(self.low), math.log(self.high))))
        return float(rng.uniform(self.low, self.high))

    def _count(self) -> int:
        return math.floor((self.high - self.low) / (self.step or 1.0) + 1e-9) + 1

    def _at(self, number: int) -> float:
        return float(np.round(self.low + number * (self.step or 1.0), 12))


@dataclass(frozen=True)
class Integers:
    """Whole numbers from ``low`` to ``high``, both included, by ``step``."""

    low: int
    high: int
    step: int = 1
    log: bool = False

    def __post_init__(self) -> None:
        if any(isinstance(value, bool) or not isinstance(value, int) for value in (self.low, self.high, self.step)):
            raise ConfigError(f"integers({self.low!r}, {self.high!r}) with step {self.step!r} needs whole numbers")
        _check_range(self, self.low, self.high, self.step, self.log)

    def grid(self) -> list[int]:
        """The values of a grid."""
        return list(range(self.low, self.high + 1, self.step))

    def draw(self, rng: np.random.Generator) -> int:
        """A random value."""
        if self.log:
            return min(self.high, int(math.exp(rng.uniform(math.log(self.low), math.log(self.high + 1)))))
        return self.low + self.step * int(rng.integers((self.high - self.low) // self.step + 1))


@dataclass(frozen=True)
class Choice:
    """Some values, each as likely; numbers in order count as an ordered scale."""

    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ConfigError("a choice needs at least one value")
        if len({shorten(value) for value in self.values}) < len(self.values):
            raise ConfigError(f"a choice names a value twice: {shorten(list(self.values))}")

    @property
    def ordered(self) -> bool:
        """Whether the values are numbers from small to large."""
        numbers = [value for value in self.values if isinstance(value, int | float) and not isinstance(value, bool)]
        return len(numbers) == len(self.values) and numbers == sorted(numbers)

    def grid(self) -> list[Any]:
        """The values of a grid."""
        return list(self.values)

    def draw(self, rng: np.random.Generator) -> Any:
        """A random value."""
        return self.values[int(rng.integers(len(self.values)))]


Domain = Uniform | Integers | Choice


def _check_range(domain: Domain, low: float, high: float, step: float | None, log: bool) -> None:
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ConfigError(f"{domain}: low must not be above high, and both must be finite")
    if step is not None and not (math.isfinite(step) and step > 0):
        raise ConfigError(f"{domain}: the step must be above 0")
    if log and (low <= 0 or (step is not None and step != 1) or (isinstance(domain, Uniform) and step is not None)):
        raise ConfigError(f"{domain}: a logarithmic range starts above 0 and has no step")


def uniform(low: float, high: float, *, step: float | None = None, log: bool = False) -> Uniform:
    """Real numbers from ``low`` to ``high``."""
    return Uniform(float(low), float(high), None if step is None else float(step), log)


def log_uniform(low: float, high: float) -> Uniform:
    """Real numbers from ``low`` to ``high``, each order of magnitude as likely."""
    return Uniform(float(low), float(high), log=True)


def integers(low: int, high: int, *, step: int = 1, log: bool = False) -> Integers:
    """Whole numbers from ``low`` to ``high``, both included."""
    return Integers(low, high, step, log)


def choice(*values: Any) -> Choice:
    """Some values."""
    return Choice(values)


def _domain(path: str, given: Any) -> Domain:
    """A domain as code or a file gives it: an object, a list of values, or one fixed value."""
    try:
        if isinstance(given, Uniform | Integers | Choice):
            return given
        if isinstance(given, Mapping):
            return _from_mapping(given)
        if isinstance(given, list | tuple | range | np.ndarray):
            return Choice(tuple(_plain(value) for value in given))
        return Choice((_plain(given),))
    except ConfigError as error:
        raise ConfigError(error.reason, source="space", path=path) from None


def _from_mapping(given: Mapping[str, Any]) -> Domain:
    kinds = [kind for kind in _KINDS if kind in given]
    if len(kinds) != 1:
        raise ConfigError(
            f'write one of {{"uniform": [low, high]}}, {{"integers": …}}, {{"choice": […]}} (got {shorten(given)})'
        )
    kind = kinds[0]
    options = {key: _plain(value) for key, value in given.items() if key != kind}
    values = given[kind]
    if kind == "choice" and isinstance(values, list | tuple) and not options:
        return Choice(tuple(_plain(value) for value in values))
    if kind == "choice" or set(options) - {"step", "log"} or not isinstance(values, list | tuple) or len(values) != 2:
        raise ConfigError(
            f"{kind} takes {'a list' if kind == 'choice' else '[low, high], step and log'} (got {shorten(given)})"
        )
    low, high = (_plain(value) for value in values)
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in (low, high)):
        raise ConfigError(f"{kind} needs two numbers (got {shorten(values)})")
    return uniform(low, high, **options) if kind == "uniform" else integers(low, high, **options)


def _plain(value: Any) -> Any:
    """A value as JSON would say it: numpy numbers and Decimals become Python numbers."""
    if isinstance(value, np.generic):
        return value.item()
    return float(value) if type(value).__name__ == "Decimal" else value


@dataclass(frozen=True)
class Space:
    """What a sweep varies.

    Attributes:
        domains: Parameter path (as ``--set`` takes it, for example ``workers.rsi_fast.period``) to domain.
        constraints: What must hold between parameters; points where one does not are left out.
    """

    domains: Mapping[str, Domain]
    constraints: tuple[Constraint, ...] = field(default=())

    @classmethod
    def of(
        cls, given: Mapping[str, Any], constraints: Sequence[str | Callable[[Mapping[str, Any]], bool]] = ()
    ) -> Space:
        """Reads a space from code or from a file.

        Args:
            given: Path to a domain, a list of values, one value, or ``{"uniform" | "integers": [low, high], "step", "log"}``.
            constraints: Expressions such as ``"workers.fast.period < workers.slow.period"`` (a path may be cut to an
                unambiguous end: ``"fast.period < slow.period"``), or functions of the parameters.

        Raises:
            ConfigError: If a domain or a constraint cannot be used.
        """
        if not given:
            raise ConfigError("is empty: name at least one parameter and its values", source="space")
        domains = {path: _domain(path, each) for path, each in given.items()}
        return cls(domains, tuple(parse_constraint(each, domains) for each in constraints))

    def allows(self, params: Params) -> bool:
        """Whether every constraint holds."""
        return all(constraint.holds(params) for constraint in self.constraints)

    def axes(self) -> list[str]:
        """The paths, those first whose change costs most: workers, then the decision, then stops, volume and account.

        A grid whose last axes change fastest shares workers and decisions between neighbours.
        """
        return sorted(self.domains, key=_cost)

    def grid(self) -> Iterator[Params]:
        """Every point of the grid that the constraints allow, in the order of `axes`.

        Raises:
            ConfigError: If a domain has no finite grid.
        """
        axes = self.axes()
        values = []
        for path in axes:
            try:
                values.append(self.domains[path].grid())
            except ConfigError as error:
                raise ConfigError(error.reason, source="space", path=path) from None
        for point in product(*values):
            params = dict(zip(axes, point, strict=True))
            if self.allows(params):
                yield params

    def draw(self, rng: np.random.Generator) -> Params:
        """A random point; it need not be allowed."""
        return {path: domain.draw(rng) for path, domain in self.domains.items()}

    def sharing_key(self, params: Params) -> tuple[str, ...]:
        """Points in the order of this key share workers and decisions with their neighbours."""
        return tuple(shorten(params[path]) for path in self.axes())


def _cost(path: str) -> int:
    head, _, rest = path.partition(".")
    if head == "workers":
        return 0
    if head == "logic":
        return 2 if rest in _POLICY else 1
    return 3
