"""Walk-forward: optimise over some windows, trade the next ones with what was found, move on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from finiex_ray.config.models import ScenarioConfig
from finiex_ray.core.errors import ConfigError
from finiex_ray.sweep.config import WalkForwardConfig

__all__ = ["Fold", "make_folds"]


@dataclass(frozen=True)
class Fold:
    """One step of a walk-forward."""

    name: str  # "" for a plain sweep
    in_sample: tuple[ScenarioConfig, ...]
    out_of_sample: tuple[ScenarioConfig, ...]


def make_folds(windows: Sequence[ScenarioConfig], config: WalkForwardConfig) -> list[Fold]:
    """Cuts windows, ordered by their start, into folds; every out-of-sample window is in one fold where the step allows it.

    Args:
        windows: The windows, of one symbol or of several that start together.
        config: Lengths in windows; ``anchored`` folds all begin at the first window.

    Raises:
        ConfigError: If there are too few windows, or a window overlaps the one before.
    """
    ordered = sorted(windows, key=lambda each: (each.start, each.symbol, each.name))
    for before, after in pairwise(ordered):
        if before.symbol == after.symbol and (before.end is None or before.end > after.start):
            message = f"windows '{before.name}' and '{after.name}' overlap, or the first has no end"
            raise ConfigError(message, source="walk_forward")
    step = config.step or config.out_of_sample
    starts = range(0, len(ordered) - config.in_sample - config.out_of_sample + 1, step)
    if not starts:
        needed = config.in_sample + config.out_of_sample
        raise ConfigError(f"needs {needed} windows for one fold, the set has {len(ordered)}", source="walk_forward")
    folds = []
    for number, start in enumerate(starts):
        split = start + config.in_sample
        chosen = ordered[0 if config.anchored else start : split]
        folds.append(
            Fold(f"fold_{number + 1:02d}", tuple(chosen), tuple(ordered[split : split + config.out_of_sample]))
        )
    return folds
