"""Where trials come from: grid and random search, behind one ask-and-tell interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final

from finiex_ray.config.messages import shorten
from finiex_ray.core.errors import ConfigError
from finiex_ray.core.random import generator
from finiex_ray.sweep.space import Params, Space

__all__ = ["GridSearch", "RandomSearch", "Search", "Trial", "TrialState", "params_key"]

_MOST_DRAWS: Final = 10_000  # in a row that break a constraint or were there already


class TrialState(StrEnum):
    """How a trial ended."""

    COMPLETE = "complete"
    PRUNED = "pruned"  # stopped after some of its windows: the others were better there
    PARTIAL = "partial"  # the sweep was interrupted before all of its windows were run
    FAILED = "failed"  # a window failed, or the objective had no value


@dataclass(frozen=True)
class Trial:
    """One point of the space."""

    number: int  # from 0, in the order of the search
    params: Params


class Search(ABC):
    """Gives out trials and is told what they came to. Given the same answers it gives the same trials."""

    @abstractmethod
    def ask(self, most: int) -> list[Trial]:
        """The next trials, at most so many; none when the search is over. All of them are told before the next call."""

    def tell(self, trial: Trial, values: Sequence[float] | None, state: TrialState) -> None:  # noqa: B027 - a grid need not know
        """Takes the objectives of a trial, in the order in which trials were asked for; None where it has none."""

    def prune(self, trial: Trial, step: int, value: float) -> bool:  # noqa: ARG002 - for searches that prune
        """Whether to stop a trial whose windows 0 to ``step`` came to ``value``; called in the order of the trials."""
        return False

    @property
    def prunes(self) -> bool:
        """Whether windows are run one after the other, with `prune` after each."""
        return False

    @property
    def total(self) -> int | None:
        """Trials in all, where it is known."""
        return None


class _Listed(Search):
    """A search whose trials do not depend on the answers."""

    def __init__(self, points: Iterator[Params]) -> None:
        self._points = enumerate(points)

    def ask(self, most: int) -> list[Trial]:
        return [Trial(number, params) for number, params in islice(self._points, most)]


class GridSearch(_Listed):
    """Every point of the grid that the constraints allow.

    Args:
        space: The space.
        trials: At most so many, the first of the grid; default: all.

    Raises:
        ConfigError: If a domain has no finite grid, or the constraints leave no point.
    """

    def __init__(self, space: Space, trials: int | None = None) -> None:
        if next(space.grid(), None) is None:
            raise ConfigError("leave no point of the grid", source="constraints")
        super().__init__(islice(space.grid(), trials))
        self._count = (
            sum(1 for _ in islice(space.grid(), trials))
            if space.constraints
            else min(_size(space), trials or _size(space))
        )

    @property
    def total(self) -> int:
        """Trials in all."""
        return self._count


def _size(space: Space) -> int:
    size = 1
    for domain in space.domains.values():
        size *= len(domain.grid())
    return size


class RandomSearch(_Listed):
    """Random points, none twice, until there are enough, or the space has no new ones.

    Args:
        space: The space.
        trials: How many.
        seed: Seed of the draws.
    """

    def __init__(self, space: Space, trials: int, seed: int = 0) -> None:
        self._trials = trials
        super().__init__(islice(self._draws(space, seed), trials))

    @staticmethod
    def _draws(space: Space, seed: int) -> Iterator[Params]:
        rng, seen, misses = generator(seed, "sweep", "random"), set[str](), 0
        while misses < _MOST_DRAWS:
            params = space.draw(rng)
            key = params_key(params)
            if key in seen or not space.allows(params):
                misses += 1
                continue
            misses = 0
            seen.add(key)
            yield params
        if not seen:
            raise ConfigError(f"left none of {_MOST_DRAWS:,} random points", source="constraints")

    @property
    def total(self) -> int:
        """Trials in all (fewer where the space has fewer points)."""
        return self._trials


def params_key(params: Params) -> str:
    """Parameters as one text, equal for equal ones."""
    return "|".join(f"{path}={shorten(value)}" for path, value in params.items())
