"""`Recorder`: keeps what the workers and the logic of a run said, and the account's records at chosen ticks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finiex_ray.bars.block import Block
from finiex_ray.core.market import IntArray
from finiex_ray.core.records import Records
from finiex_ray.decisions.base import Actions
from finiex_ray.trading.simulator import TradeSimulator
from finiex_ray.workers.base import Outputs

__all__ = ["Recorder", "Tables"]

Tables = Mapping[str, Records]  # "orders", "fills", … to the records as they stood


class Recorder:
    """A ``LoopObserver`` that writes everything down.

    Args:
        watch: Ticks at which the account's records are kept.

    Attributes:
        blocks: First tick and length of each block.
        bar_ends: Ticks after which a new bar began, of any timeframe in use, inside a block.
        tables: The account's records at each watched tick, with the requests made at that tick.
    """

    def __init__(self, watch: Collection[int] = ()) -> None:
        self._watch = np.array(sorted(watch), dtype=np.int64)
        self._outputs: dict[tuple[str, str], list[NDArray[Any]]] = defaultdict(list)
        self._actions: list[Actions] = []
        self._times: list[IntArray] = []
        self.blocks: list[tuple[int, int]] = []
        self.bar_ends: set[int] = set()
        self.tables: dict[int, Tables] = {}

    def decided(self, block: Block, outputs: Mapping[str, Outputs], actions: Actions) -> list[int]:
        """Keeps copies; asks for the watched ticks of this block."""
        for worker, values in outputs.items():
            for output, array in values.items():
                self._outputs[worker, output].append(array.copy())
        self._actions.append(actions.copy())
        self._times.append(block.time_ns)
        self.blocks.append((block.first_tick, len(block)))
        for bars in block.bars.values():
            self.bar_ends.update((bars.span_first[1:-1] + (block.first_tick - 1)).tolist())
        first, last = np.searchsorted(self._watch, [block.first_tick, block.first_tick + len(block)])
        offsets: list[int] = (self._watch[first:last] - block.first_tick).tolist()
        return offsets

    def settled(self, tick: int, simulator: TradeSimulator) -> None:
        """Keeps the account's records as they stand."""
        self.tables[tick] = {
            "orders": simulator.orders().copy(),
            "fills": simulator.fills().copy(),
            "trades": simulator.trades().copy(),
            "positions": simulator.positions().copy(),
        }

    @property
    def ticks(self) -> int:
        """Ticks for which the logic decided."""
        return sum(length for _, length in self.blocks)

    def outputs(self) -> dict[tuple[str, str], NDArray[Any]]:
        """Worker and output name to the values, one a tick."""
        return {key: np.concatenate(parts) for key, parts in self._outputs.items()}

    def actions(self) -> Actions:
        """The logic's actions, one a tick."""
        return np.concatenate(self._actions) if self._actions else np.zeros(0, np.int8)

    def time_ns(self) -> IntArray:
        """The times of the ticks."""
        return np.concatenate(self._times) if self._times else np.zeros(0, np.int64)
