"""The Python lane: a tick-style logic goes tick by tick, and its account only where it matters.

Nothing is built for a tick but the tick. The account stays behind until something can happen to it, or until the logic
reads it or sends a request: then it is brought to the current tick first, so the logic sees what it would see anyway.
`execution.python_lane` switches this off, and tests compare both.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Final, TypeGuard

from finiex_ray.bars.block import Block
from finiex_ray.bars.tick import BlockTicks
from finiex_ray.core.enums import Wake
from finiex_ray.core.market import IntArray
from finiex_ray.decisions.base import DecisionLogic
from finiex_ray.decisions.tick_style import TickLogic
from finiex_ray.engine.logger import ScenarioLogger
from finiex_ray.engine.market_events import MarketEvents
from finiex_ray.engine.profile import Profiler
from finiex_ray.trading.api import TradingApi
from finiex_ray.trading.signals import NO_SIGNALS
from finiex_ray.trading.simulator import TradeSimulator

__all__ = ["PythonLane", "in_lane"]

_AHEAD: Final = 4_096  # ticks that are looked ahead at a time: a request makes the look useless


def in_lane(logic: DecisionLogic, wake: Wake) -> TypeGuard[TickLogic]:
    """Whether the lane can run a logic: one in tick style that is called at every tick."""
    return isinstance(logic, TickLogic) and Wake.TICK in wake and type(logic).execute is TickLogic.execute


class PythonLane:
    """Runs a logic through blocks.

    Args:
        logic: The logic.
        simulator: Its account.
        trading: What the logic sees of the account.
        market: What it is told of the market.
        logger: The scenario's log.
        profiler: Collects times by operation.
        check: Called after each tick with its index, or None; may raise.

    Attributes:
        tick: Index of the tick that came last: where a failure happened.
    """

    def __init__(
        self,
        logic: TickLogic,
        simulator: TradeSimulator,
        trading: TradingApi,
        market: MarketEvents,
        logger: ScenarioLogger,
        profiler: Profiler,
        check: Callable[[int], None] | None = None,
    ) -> None:
        self._logic, self._simulator, self._trading = logic, simulator, trading
        self._market, self._logger, self._profiler, self._check = market, logger, profiler, check
        self.tick = 0

    def run(self, block: Block, rates: IntArray, began: int) -> int:
        """Calls the logic for each tick of a block; returns the profiler's clock.

        Where it raises, the account has been brought to that tick.
        """
        logic, simulator, trading, profiler = self._logic, self._simulator, self._trading, self._profiler
        on_tick, check, base, count = logic.on_tick, self._check, block.first_tick, len(block)
        market = self._market
        market.enter(block)
        bid, ask = block.bid_points.data, block.ask_points.data  # one by one they are read faster than arrays
        moments, values = logic.moments()
        tick, done, offset = BlockTicks(block).tick(0), 0, 0

        def advance(last: int) -> None:
            nonlocal done, began
            began = profiler.lap("order_execution", began)
            simulator.advance(block, NO_SIGNALS, done, last, Wake.NONE, rates)
            began, done = profiler.lap("trade_simulator", began), last

        def stand_at(last: int, quiet: bool) -> None:
            advance(last)
            news = () if quiet else market.until(base + last - 1)
            trading.at(bid[last - 1], ask[last - 1], news, quiet=quiet)

        def bring() -> None:
            last = tick.index - base + 1
            if done < last:
                stand_at(last, quiet=True)

        def quotes() -> tuple[int, int]:
            here = tick.index - base
            return bid[here], ask[here]

        trading.follow(bring, quotes)
        self._logger.follow(lambda: (tick.index, tick.time_ns))
        try:
            while offset < count:
                if done < offset:
                    advance(offset)
                quiet_until, ahead = offset, min(count, offset + _AHEAD)
                if market.ahead is not None:
                    ahead = min(ahead, market.ahead - base)
                if offset < ahead and not trading.news:
                    quiet_until = simulator.quiet_until(block, offset, ahead, rates)
                if quiet_until == offset:
                    quiet_until += 1
                    stand_at(quiet_until, quiet=False)
                else:
                    trading.calm()
                trading.changed = False
                for tick, _ in islice(moments, quiet_until - offset):
                    on_tick(tick, values, trading)
                    if check is not None:
                        check(tick.index)
                    if trading.changed:
                        break
                offset = tick.index - base + 1
            if done < count:
                advance(count)
        except BaseException:
            bring()
            raise
        finally:
            trading.follow(None, None)
            self._logger.follow(None)
            self._logger.at(tick.index, tick.time_ns)
            self.tick = tick.index
        return profiler.lap("order_execution", began)
