"""`LoopObserver`: whoever watches a run from inside, for the checks; a run without one pays nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from finiex_ray.bars.block import Block
from finiex_ray.decisions.base import Actions
from finiex_ray.trading.simulator import TradeSimulator
from finiex_ray.workers.base import Outputs

__all__ = ["LoopObserver"]


class LoopObserver(Protocol):
    """Sees what workers and logic said, and the account at the ticks of its choice. It must change nothing it sees."""

    def decided(self, block: Block, outputs: Mapping[str, Outputs], actions: Actions) -> Collection[int]:
        """Called once a block, after the logic has decided and before the account moves.

        Args:
            block: The block.
            outputs: Worker name to its outputs; the arrays may be used again by the worker, so copy what you keep.
            actions: An action a tick.

        Returns:
            Offsets of the ticks in this block after which ``settled`` is to be called.
        """
        ...

    def settled(self, tick: int, simulator: TradeSimulator) -> None:
        """Called when the account has been brought past ``tick`` and the logic has traded at it."""
        ...
