"""`TickLoop`: the six steps of a tick, a block at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from finiex_ray.bars.block import Block
from finiex_ray.bars.tick import TickFailure
from finiex_ray.core.enums import Action, Wake
from finiex_ray.core.errors import StrategyContractError, TimeLimitError
from finiex_ray.core.market import IntArray
from finiex_ray.core.records import LEDGER_COLUMNS as L
from finiex_ray.core.time import NS_PER_S
from finiex_ray.decisions.base import Actions
from finiex_ray.engine.assemble import LiveScenario
from finiex_ray.engine.logger import ScenarioLogger
from finiex_ray.engine.market_events import MarketEvents
from finiex_ray.engine.observer import LoopObserver
from finiex_ray.engine.profile import Profiler
from finiex_ray.engine.python_lane import PythonLane, in_lane
from finiex_ray.engine.screening import Decider, screen_block
from finiex_ray.trading.api import TradingApi
from finiex_ray.trading.signals import make_signals
from finiex_ray.trading.simulator import NO_RATES
from finiex_ray.trading.views import WakeUp
from finiex_ray.workers.base import Outputs

__all__ = ["TickLoop", "decide", "scenario_block_ticks"]

_BLOCK_TICKS = 65_536  # a few arrays of this length stay in a processor's second cache
_SCREENED_BLOCK_TICKS = 2**20  # where arrays hold some ticks only


def scenario_block_ticks(chosen: int | None, *, screening: bool) -> int:
    """Ticks a block: the configured number, or what suits the way of computing."""
    return chosen or (_SCREENED_BLOCK_TICKS if screening else _BLOCK_TICKS)


def decide(decider: Decider, block: Block, outputs: Mapping[str, Outputs]) -> Actions:
    """The logic's action for each tick of a block.

    Raises:
        StrategyContractError: If it returned something else.
    """
    logic, roles = decider
    inputs = {**outputs, **{role: outputs[worker] for role, worker in roles.items()}}
    logic.see(block, inputs)
    actions = logic.decide(block, inputs)
    if not isinstance(actions, np.ndarray) or actions.dtype != np.int8 or actions.shape != (len(block),):
        seen = f"{actions.dtype} {actions.shape}" if isinstance(actions, np.ndarray) else type(actions).__name__
        raise StrategyContractError(
            f"{type(logic).__name__}.decide returned {seen}; expected an int8 array of shape ({len(block)},)"
        )
    return actions


class TickLoop:
    """Runs one scenario over its window.

    Args:
        scenario: The live objects.
        logger: The scenario's log.
        profiler: Collects times by operation.
        live_update: Called after each block with the ticks done so far; returns quickly, never waits.
        time_limit_s: Seconds after which the scenario is failed, or None.
        observer: Watches the run, for checks; None costs nothing.

    Attributes:
        tick: Index of the tick that is being processed: where a failure happened.
        ticks_done: Ticks that the account has been brought past.
    """

    def __init__(
        self,
        scenario: LiveScenario,
        logger: ScenarioLogger,
        profiler: Profiler,
        live_update: Callable[[int], None],
        time_limit_s: float | None,
        observer: LoopObserver | None = None,
    ) -> None:
        self._scenario = scenario
        self._observer = observer
        self._logger = logger
        self._profiler = profiler
        self._live_update = live_update
        self._deadline_ns = None if time_limit_s is None else profiler.clock() + round(time_limit_s * NS_PER_S)
        self._time_limit_s = time_limit_s
        self._trading = TradingApi(scenario.simulator)
        # A compiled policy never hands control back.
        logic = scenario.decider.logic
        self._wake = Wake.NONE if logic.policy() is not None else logic.wake_on
        self._market = MarketEvents(scenario.needs, self._wake, logic.session_gap_s)
        self._screening = scenario.screening and observer is None
        self._lane: PythonLane | None = None
        if scenario.python_lane and observer is None and in_lane(logic, self._wake):
            check = None if time_limit_s is None else self._check_tick
            self._lane = PythonLane(logic, scenario.simulator, self._trading, self._market, logger, profiler, check)
        self.tick = 0
        self.ticks_done = 0

    def run(self) -> None:
        """Runs to the end of the window and closes the account (rule R12); exceptions of user code pass through."""
        profiler = self._profiler
        block_ticks = scenario_block_ticks(self._scenario.block_ticks, screening=self._screening)
        for number, first, last in self._scenario.renderer.spans(block_ticks):
            segment = self._scenario.renderer.segments[number]
            self.tick = self.ticks_done
            self._logger.at(self.tick, int(segment.time_ns[first]))
            self._logger.workers.at(self.tick, int(segment.time_ns[first]))
            began = profiler.clock()
            block = self._scenario.renderer.render(number, first, last, self.ticks_done)
            began = profiler.lap("bar_rendering", began)
            failure = self._run_block(block, began)
            self._live_update(self.ticks_done)
            profiler.lap("live_update", profiler.clock())
            if failure is not None:
                raise failure
            self._check_time()
        if self.ticks_done:
            self._logger.at(self.ticks_done - 1, self._scenario.simulator.whole(L.last_ns))
        self._scenario.simulator.finish()

    def _run_block(self, block: Block, began: int) -> BaseException | None:
        """Steps 3 to 5 for one block; returns the exception of tick-style code, with the ticks before it done."""
        profiler = self._profiler
        failure: BaseException | None = None
        failed_ns = 0
        outputs: Mapping[str, Outputs]
        workers = self._scenario.workers
        offsets = screen_block(block, workers, [self._scenario.decider]) if self._screening else None
        seen = block if offsets is None else block.at(offsets)
        views = workers.histories(seen)
        began = profiler.lap("bar_history", began)
        try:
            outputs = workers.compute(seen, views)
        except TickFailure as caught:
            failure, outputs = caught.__cause__, caught.outputs
            offset = caught.tick - block.first_tick
            failed_ns, block = int(block.time_ns[offset]), block.head(offset)
            seen = block
        if len(block):
            actions = decide(self._scenario.decider, seen, outputs)
            signals = make_signals(actions, offsets)
            began = profiler.lap("worker_decision", began)
            watched = frozenset(self._observer.decided(block, outputs, actions)) if self._observer else frozenset()
            if self._lane is not None:
                self._go_lane(self._lane, block, began)
            else:
                self._advance(block, actions, signals, began, watched)
        if failure is not None:
            self.tick = self.ticks_done
            self._logger.at(self.tick, failed_ns)
        return failure

    def _advance(self, block: Block, actions: Actions, signals: IntArray, began: int, watched: frozenset[int]) -> None:
        """Steps 1 and 5: the account goes from wake-up to wake-up, and the logic trades at each."""
        simulator, logic, profiler = self._scenario.simulator, self._scenario.decider.logic, self._profiler
        market = self._market.enter(block) if self._wake else {}
        stops = iter([*(tick + 1 for tick in sorted(market.keys() | watched)), len(block)])
        stop = next(stops)
        rates, offset = self._rates(block), 0
        while offset < len(block):
            offset, reason = simulator.advance(block, signals, offset, stop, self._wake, rates)
            began = profiler.lap("trade_simulator", began)
            last = offset - 1
            reason |= market.get(last, Wake.NONE)
            if reason:
                self.tick = block.first_tick + last
                self.ticks_done = self.tick + 1  # also where the logic raises here
                bid, ask = int(block.bid_points[last]), int(block.ask_points[last])
                time_ns = int(block.time_ns[last])
                self._trading.at(bid, ask, self._market.until(self.tick))
                self._logger.at(self.tick, time_ns)
                logic.execute(
                    WakeUp(
                        self.tick,
                        last,
                        time_ns,
                        self._trading.bid,
                        self._trading.ask,
                        Action(int(actions[last])),
                        reason,
                    ),
                    self._trading,
                )
                began = profiler.lap("order_execution", began)
                if self._deadline_ns is not None:
                    self._check_time()
            if last in watched and self._observer:
                self._observer.settled(block.first_tick + last, simulator)
            if offset == stop:
                stop = next(stops, len(block))
        self.ticks_done = block.first_tick + len(block)

    def _go_lane(self, lane: PythonLane, block: Block, began: int) -> None:
        """Steps 1 and 5 for a tick-style logic that is called at every tick."""
        try:
            lane.run(block, self._rates(block), began)
        finally:
            self.tick, self.ticks_done = lane.tick, lane.tick + 1

    def _check_tick(self, tick: int) -> None:
        self.ticks_done = tick + 1
        self._check_time()

    def _rates(self, block: Block) -> IntArray:
        """Quotes of the conversion pair at each tick, where there is one."""
        return self._scenario.rates.at(block.time_ns) if self._scenario.rates else NO_RATES

    def _check_time(self) -> None:
        if self._deadline_ns is not None and self._profiler.clock() > self._deadline_ns:
            raise TimeLimitError(
                f"time limit of {self._time_limit_s} s reached after {self.ticks_done} ticks; "
                "raise execution.time_limit_s or shorten the window"
            )
