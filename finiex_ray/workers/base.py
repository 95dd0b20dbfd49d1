"""The worker contract: block style (`Worker`) and tick style (`TickWorker`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from finiex_ray.bars.block import Block
from finiex_ray.bars.screen import Level
from finiex_ray.core.log import SILENT, StrategyLog
from finiex_ray.core.market import FloatArray
from finiex_ray.core.time import Timeframe

__all__ = ["Outputs", "Worker", "WorkerParams", "new_output"]

Outputs = Mapping[str, FloatArray]


class WorkerParams(BaseModel):
    """Base of all worker parameters: frozen, unknown keys refused, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    timeframe: Timeframe = Field(Timeframe.M5, description="Timeframe of the bars that the worker reads.")
    live: bool = Field(
        True, description="True: recomputed on the forming bar at every tick. False: value of the last closed bar."
    )
    warmup_bars: int | None = Field(
        None, ge=1, description="Closed bars to load from before the start; default: what the worker needs to settle."
    )


class Worker(ABC):
    """An indicator in block style: arrays in, arrays out, once a block.

    Subclass it, set ``Params`` and ``outputs``, write ``warmup_bars`` and ``compute``. An instance serves one scenario
    (or one batch of scenarios with the same window and the same parameters) and may keep state from block to block. The
    values must not depend on the block size, and ``compute`` must not use anything that happened after the tick it
    speaks for: ``finiex-ray check lookahead`` and the contract suite in ``tests/contract`` prove both.

    Attributes:
        Params: The pydantic model of the parameters.
        outputs: Names of the arrays that ``compute`` returns.
        log: The scenario's log.
    """

    Params: ClassVar[type[WorkerParams]] = WorkerParams
    outputs: ClassVar[tuple[str, ...]]

    def __init__(self, params: WorkerParams) -> None:
        self.params = params
        self.log: StrategyLog = SILENT

    def warmup(self) -> Mapping[Timeframe, int]:
        """Closed bars that must lie before the first tick, by timeframe (rule R14)."""
        return {self.params.timeframe: self.params.warmup_bars or self.default_warmup_bars()}

    @abstractmethod
    def default_warmup_bars(self) -> int:
        """How many closed bars of ``params.timeframe`` the worker needs before its first value is settled (1 or more)."""

    @abstractmethod
    def compute(self, block: Block) -> Outputs:
        """Computes every output for every tick of a block; called once a block, in order of time.

        Args:
            block: Ticks and bars; its arrays are read-only.

        Returns:
            For each name in ``outputs`` a float64 array with one value a tick, in the unit that the worker documents.
        """

    def level(self, block: Block, output: str, value: float) -> Level | None:  # noqa: ARG002 - for those that know
        """Where in each span of a block an output reaches a value, so that ticks far from it need not be computed.

        Called once a block for each question, before ``compute``. Answer only where, within a span, the output depends on
        the tick's price alone and never falls as it rises.

        Args:
            block: Ticks and bars.
            output: Name of an output, or ``position``: the price's place between ``lower`` (0) and ``upper`` (1).
            value: The value asked for.

        Returns:
            The level, or None (the default): not known, every tick is computed.
        """
        return None


def new_output(block: Block) -> FloatArray:
    """An uninitialised float64 array with one entry for each tick of ``block``."""
    return np.empty(len(block), dtype=np.float64)
