"""Which ticks of a block a strategy has to be computed for: those at whose prices its logic can act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from finiex_ray.bars.block import Block
from finiex_ray.bars.screen import Screen, find_candidates
from finiex_ray.core.market import IntArray
from finiex_ray.decisions.base import DecisionLogic
from finiex_ray.workers.coordinator import WorkerCoordinator

__all__ = ["Decider", "can_screen", "screen_block"]


class Decider(NamedTuple):
    """A logic, and which worker plays each of its roles."""

    logic: DecisionLogic
    roles: Mapping[str, str]


def can_screen(workers: WorkerCoordinator, decider: Decider) -> bool:
    """Whether nobody but the logic sees the workers' values, and nobody but the compiled policy its actions."""
    return set(workers.workers) <= set(decider.roles.values()) and decider.logic.policy() is not None


def screen_block(block: Block, workers: WorkerCoordinator, deciders: Sequence[Decider]) -> IntArray | None:
    """Offsets of the ticks at which any of the logics can act, or None where one of them cannot tell.

    Args:
        block: The block.
        workers: The workers that the logics share.
        deciders: The logics.
    """
    views = workers.histories(block)
    screens = []
    for logic, roles in deciders:
        seen = {role: (workers.workers[name], views[name]) for role, name in roles.items()}
        screen = logic.screen(seen)
        if screen is None:
            return None
        screens.append(screen)
    first = screens[0]
    if len(screens) > 1 and all(np.array_equal(each.span_first, first.span_first) for each in screens):
        low, high = np.max([each.low_hp for each in screens], 0), np.min([each.high_hp for each in screens], 0)
        return find_candidates(block, Screen(first.span_first, low, high))
    found = [find_candidates(block, each) for each in screens]
    return found[0] if len(found) == 1 else np.unique(np.concatenate(found))
