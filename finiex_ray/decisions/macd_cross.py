"""Trades when the MACD crosses its signal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from finiex_ray.bars.block import Block
from finiex_ray.decisions.base import Actions, Inputs, LogicParams
from finiex_ray.decisions.one_position import POLICY_PARAMS, OnePositionLogic, OnePositionParams
from finiex_ray.kernels.decisions import cross_nb

__all__ = ["MacdCross"]


class MacdCross(OnePositionLogic):
    """Buys on the tick on which ``macd`` comes from below ``signal`` to above it, sells mirrored; one position.

    On the forming bar a cross may come and go within one bar; give the worker ``live: false`` to act once a bar.
    """

    Params = OnePositionParams
    roles: ClassVar[Mapping[str, tuple[str, ...]]] = {"macd": ("macd", "signal")}
    policy_params: ClassVar[frozenset[str]] = POLICY_PARAMS

    def __init__(self, params: LogicParams) -> None:
        super().__init__(params)
        self._side = np.zeros(1, dtype=np.int64)

    def decide(self, block: Block, inputs: Inputs) -> Actions:
        """BUY or SELL where the lines cross, else NONE."""
        actions: Actions = np.empty(len(block), dtype=np.int8)
        cross_nb(inputs["macd"]["macd"], inputs["macd"]["signal"], self._side, actions)
        return actions
