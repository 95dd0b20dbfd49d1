"""`LevelBook`: what a worker knows of its levels from block to block (`finiex_ray.workers.base.Worker.level`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from finiex_ray.bars.block import Block
from finiex_ray.bars.screen import Level
from finiex_ray.core.market import FloatArray, IntArray
from finiex_ray.core.time import Timeframe

__all__ = ["LevelBook"]

Fill = Callable[[float, IntArray, FloatArray, FloatArray], None]


@dataclass
class _Page:
    consumed: IntArray
    means: FloatArray
    block: tuple[int, int] = (-1, 0)
    level: Level | None = None


class LevelBook:
    """Levels by the value asked for: each has a running state of its own, and is computed once a block, however often asked for.

    Args:
        timeframe: Timeframe of the worker's bars.
        means: How many floating-point numbers the state has.
    """

    def __init__(self, timeframe: Timeframe, means: int) -> None:
        self._timeframe, self._means = timeframe, means
        self._pages: dict[float, _Page] = {}

    def level(self, block: Block, value: float, fill: Fill) -> Level:
        """The level of ``value`` in a block; ``fill(value, consumed, means, out)`` computes it from the state so far."""
        page = self._pages.get(value)
        if page is None:
            page = self._pages[value] = _Page(np.zeros(1, np.int64), np.zeros(self._means))
        place = block.first_tick, len(block)
        if page.level is None or page.block != place:
            bars = block.bars[self._timeframe]
            out = np.empty(len(bars.span_closed))
            fill(value, page.consumed, page.means, out)
            page.block, page.level = place, Level(bars, out)
        return page.level
