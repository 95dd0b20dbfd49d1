"""The decision-logic contract: block style (`DecisionLogic`); `finiex_ray.decisions.tick_style` holds the tick style."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from finiex_ray.bars.block import Block
from finiex_ray.bars.screen import Screen
from finiex_ray.core.enums import Wake
from finiex_ray.core.log import SILENT, StrategyLog
from finiex_ray.core.market import FloatArray
from finiex_ray.trading.api import TradingApi
from finiex_ray.trading.policy import OnePositionPolicy
from finiex_ray.trading.views import WakeUp
from finiex_ray.workers.base import Worker

__all__ = ["Actions", "DecisionLogic", "Inputs", "LogicParams"]

Actions = NDArray[np.int8]
Inputs = Mapping[str, Mapping[str, FloatArray]]


WakeName = Literal["actions", "fills", "bars", "gaps", "every_tick"]
_WAKES: Final[Mapping[WakeName, Wake]] = {
    "actions": Wake.ACTION,
    "fills": Wake.FILL,
    "bars": Wake.BAR,
    "gaps": Wake.GAP,
    "every_tick": Wake.TICK,
}


class LogicParams(BaseModel):
    """Base of all logic parameters: frozen, unknown keys refused, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    inputs: Mapping[str, str] = Field(
        default_factory=dict,
        description='Role to worker name, where more than one worker could play a role (for example {"rsi": "rsi_fast"}).',
    )
    wake_on: tuple[WakeName, ...] | None = Field(
        None,
        min_length=1,
        description="When a logic that trades by itself is called: actions, fills, bars, gaps, every_tick; default: as it says.",
    )


class DecisionLogic(ABC):
    """A strategy in block style: the workers' arrays in, an action a tick out, once a block.

    Trading is done either by a compiled policy (return a `OnePositionPolicy`, or to enter by limit orders a `QuotePolicy`,
    from ``policy``: the strategy then never leaves machine code) or, where ``policy`` returns None, by ``execute``, which is
    called at each wake-up.

    Attributes:
        Params: The pydantic model of the parameters.
        roles: Role name to the outputs that a worker must have to play it, for example ``{"rsi": ("rsi",)}``. A role is
            bound to the one worker that has these outputs, or to the one named in the ``inputs`` parameter.
        policy_params: Names of parameters that ``policy`` alone reads. Scenarios of a sweep that differ in these only share
            their decisions.
        log: The scenario's log.
        wake_on: When ``execute`` is called (only where ``policy`` returns None); the parameter of that name goes before.
        session_gap_s: Simulated seconds without a tick from which on the next one begins a session (``Wake.GAP``).
    """

    Params: ClassVar[type[LogicParams]] = LogicParams
    roles: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    policy_params: ClassVar[frozenset[str]] = frozenset()
    wake_on: Wake = Wake.ACTION
    session_gap_s: float = 3_600.0

    def __init__(self, params: LogicParams) -> None:
        self.params = params
        self.log: StrategyLog = SILENT
        if params.wake_on is not None:
            self.wake_on = reduce(or_, (_WAKES[name] for name in params.wake_on))

    def see(self, block: Block, inputs: Inputs) -> None:  # noqa: B027 - for those that need the block in ``execute``
        """Takes in a block; called once a block, just before ``decide`` and with the same arguments."""

    @abstractmethod
    def decide(self, block: Block, inputs: Inputs) -> Actions:
        """Decides for every tick of a block; called once a block, after the workers, in order of time.

        Args:
            block: Ticks and bars; its arrays are read-only.
            inputs: For each role (and each worker name) its outputs, float64 arrays with one value a tick.

        Returns:
            An int8 array with one `Action` a tick. It must not depend on anything after that tick.
        """

    def screen(self, workers: Mapping[str, tuple[Worker, Block]]) -> Screen | None:  # noqa: ARG002 - for those that know
        """The prices between which ``decide`` is sure to give NONE, so that the other ticks alone are computed.

        Called once a block, before the workers. Answer only where an action depends on nothing but the tick's own outputs.

        Args:
            workers: For each role its worker, and the block as that worker sees it.

        Returns:
            The screen, or None (the default): every tick is computed.
        """
        return None

    def policy(self) -> OnePositionPolicy | None:
        """The compiled policy that trades the actions, or None to be called through ``execute``."""
        return None

    def execute(self, wake: WakeUp, trading: TradingApi) -> None:  # noqa: B027 - not needed beside a policy
        """Trades at a wake-up; called in order of time, with the account as it stands after that tick.

        Args:
            wake: The tick, why control came back, and the action decided for that tick.
            trading: Account, positions and orders as of that tick, and the ways to send requests.
        """
