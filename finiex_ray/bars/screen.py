"""`Screen`: the prices between which a strategy is sure to do nothing, span by span, so that only other ticks are computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from finiex_ray.bars.block import BarBlock, Block, price_columns
from finiex_ray.core.market import FloatArray, IntArray, read_only
from finiex_ray.kernels.levels import SLACK_HP, candidates_nb

__all__ = ["Level", "Screen", "find_candidates", "make_screen"]


class Level(NamedTuple):
    """Where an indicator reaches a value: `finiex_ray.kernels.levels` says what the numbers mean."""

    bars: BarBlock
    price_hp: FloatArray  # [spans of bars] half points


class Screen(NamedTuple):
    """A tick whose price is from ``low_hp`` to ``high_hp`` of its span has no action."""

    span_first: IntArray  # [k + 1] first tick of each span within the block, and the block's length
    low_hp: FloatArray  # [k] half points
    high_hp: FloatArray  # [k] half points


def make_screen(buy: Sequence[Level], sell: Sequence[Level], *, need_all: bool) -> Screen:
    """The screen of a logic that buys below levels and sells above levels.

    Args:
        buy: Levels below which each condition to buy may hold.
        sell: Levels above which each condition to sell may hold.
        need_all: True: all conditions must hold. False: one is enough.
    """
    levels = (*buy, *sell)
    span_first = np.unique(np.concatenate([level.bars.span_first for level in levels]))
    # Sells are turned over, so that each condition holds below its level. Each is spread over the finer spans of all.
    turn = np.array([1.0] * len(buy) + [-1.0] * len(sell)).reshape(-1, 1)
    own = turn * [
        level.price_hp[np.searchsorted(level.bars.span_first, span_first[:-1], side="right") - 1] for level in levels
    ]
    known = np.where(np.isfinite(own), own, 0.0)
    safe = known + SLACK_HP * (1.0 + np.abs(known) * 1e-12)
    # No value (NaN): no price does. Not sure (UNKNOWN): any may do.
    below = np.where(np.isnan(own), -np.inf, np.where(np.isinf(own), np.inf, safe))
    inner = np.minimum if need_all else np.maximum
    low, high = inner.reduce(below[: len(buy)]), -inner.reduce(below[len(buy) :])
    return Screen(read_only(span_first), read_only(low), read_only(high))


def find_candidates(block: Block, screen: Screen) -> IntArray:
    """Offsets of the ticks of a block that a screen lets through."""
    found = np.empty(len(block), np.int64)
    quotes = block.quotes
    count = candidates_nb(
        quotes.extremes,
        *price_columns(quotes, block.bar_price),
        block.offset,
        screen.span_first,
        screen.low_hp,
        screen.high_hp,
        found,
    )
    return read_only(found[:count])
