"""`run_batch`: scenarios on one window share bars, and equal workers and decisions; each account runs by itself.

What is shared changes no byte of a result: `execution.share_batches` switches it off, and tests compare both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from finiex_ray.bars.block import Block
from finiex_ray.bars.rates import RateReader
from finiex_ray.bars.renderer import BarRenderer
from finiex_ray.bars.window import MarketWindow
from finiex_ray.config.models import ScenarioConfig
from finiex_ray.core.enums import ScenarioStatus, Wake
from finiex_ray.core.market import IntArray
from finiex_ray.core.records import LEDGER_COLUMNS
from finiex_ray.core.time import NS_PER_S, Timeframe
from finiex_ray.decisions.registry import create_logic
from finiex_ray.engine.assemble import build_strategy, open_account, warmup_needs
from finiex_ray.engine.logger import ScenarioLogger
from finiex_ray.engine.profile import Clock, Profiler
from finiex_ray.engine.result import OperationTime, Profile, ScenarioResult, ScenarioTask
from finiex_ray.engine.run import Progress, completed_line, loop_result, opening_line, run_scenario, warmup_lines
from finiex_ray.engine.screening import Decider, can_screen, screen_block
from finiex_ray.engine.tick_loop import decide, scenario_block_ticks
from finiex_ray.engine.wanted import take_wanted
from finiex_ray.trading.policy import OnePositionPolicy
from finiex_ray.trading.signals import make_signals
from finiex_ray.trading.simulator import NO_RATES, TradeSimulator
from finiex_ray.workers.coordinator import WorkerCoordinator

__all__ = ["run_batch"]


def run_batch(
    tasks: Sequence[ScenarioTask],
    window: MarketWindow,
    *,
    clock: Clock,
    progress: Progress | None = None,
    data_ns: int = 0,
) -> Iterator[ScenarioResult]:
    """Runs scenarios on one window; a result for each, in order. See `finiex_ray.engine.run.run_scenario`.

    Args:
        tasks: Scenarios with the same symbol, start, end and bar price.
        window: Their market data, with the bars that the longest warm-up needs.
        clock: A clock in ns, not going back.
        progress: Receives live updates of the scenarios that run by themselves.
        data_ns: Time that fetching the window took.
    """
    shared: dict[int, ScenarioResult] = {}
    for group in _groups(tasks):
        shared.update(_Shared(group, window, clock, data_ns).run())
    for task in tasks:
        result = shared.get(task.index)
        if result is None:
            result = run_scenario(task, window, clock=clock, progress=progress, data_ns=data_ns)
        yield result


@dataclass
class _Account:
    """One scenario of a group."""

    task: ScenarioTask
    simulator: TradeSimulator
    logger: ScenarioLogger


@dataclass
class _Strategy:
    """Scenarios with equal workers: the workers, and each distinct decision with its accounts."""

    workers: WorkerCoordinator
    needs: Mapping[Timeframe, int]
    deciders: list[Decider] = field(default_factory=list)
    accounts: list[list[_Account]] = field(default_factory=list)  # by decider
    screening: bool = True


def _groups(tasks: Sequence[ScenarioTask]) -> Iterator[list[ScenarioTask]]:
    """Scenarios that can share, where there is more than one; they are executed in the same way."""
    groups: dict[Hashable, list[ScenarioTask]] = defaultdict(list)
    for task in tasks:
        execution = task.config.execution
        if execution.share_batches and execution.time_limit_s is None:
            groups[execution].append(task)
    return (group for group in groups.values() if len(group) > 1)


class _Shared:
    """Runs scenarios that share a window block by block.

    A scenario whose strategy raises is left out of the results: by itself it comes to the same failure, at the tick where
    it is its own.
    """

    def __init__(self, tasks: Sequence[ScenarioTask], window: MarketWindow, clock: Clock, data_ns: int) -> None:
        self._window, self._clock, self._began = window, clock, clock()
        self._execution = tasks[0].config.execution
        self._profiler = Profiler(clock, self._execution.profile)
        self._profiler.add_startup("data", data_ns)
        self._strategies: dict[Hashable, _Strategy] = {}
        self._places: dict[Hashable, tuple[_Strategy, int]] = {}  # of each distinct decision
        self._workers_keys: dict[int, Hashable] = {}  # by the identity of the section: most scenarios share one
        self._opened: list[tuple[ScenarioConfig, TradeSimulator]] = []
        self._now = -1, 0  # tick and time that log lines speak of
        with self._profiler.startup("strategy"):
            for task in tasks:
                with suppress(Exception, SystemExit):  # strategy code may raise anything
                    self._place(task)
        needs: dict[Timeframe, int] = {}
        for strategy in self._strategies.values():
            for timeframe, bars in strategy.needs.items():
                needs[timeframe] = max(needs.get(timeframe, 0), bars)
        for strategy in self._strategies.values():
            strategy.workers.history = needs
        with self._profiler.startup("bars"):
            self._renderer = BarRenderer(window, needs, runs=self._execution.skip_runs)
            self._rates = RateReader(window.conversion) if window.conversion else None

    def _place(self, task: ScenarioTask) -> None:
        """Puts a scenario with those that decide alike, if a compiled policy trades for it."""
        config = task.config
        logic = create_logic(config.logic, task.access)
        policy = logic.policy()
        if policy is None:
            return
        own = {name: value for name, value in vars(logic.params).items() if name not in logic.policy_params}
        workers_key = self._workers_key(config)
        key = (workers_key, type(logic), repr(own))
        if key not in self._places:
            workers, logic, roles = build_strategy(config, task.access)
            decider = Decider(logic, roles)
            if workers_key not in self._strategies:
                clock = self._clock if self._execution.profile else None
                parallel = self._execution.parallel_workers
                coordinator = WorkerCoordinator(workers, parallel=parallel, clock=clock)
                self._strategies[workers_key] = _Strategy(coordinator, warmup_needs(workers))
            strategy = self._strategies[workers_key]
            self._places[key] = strategy, len(strategy.deciders)
            strategy.deciders.append(decider)
            strategy.accounts.append([])
            strategy.screening &= self._execution.screen_prices and can_screen(strategy.workers, decider)
        strategy, number = self._places[key]
        logger = ScenarioLogger()
        for line in (opening_line(config, self._window), *warmup_lines(strategy.needs)):
            logger.info(line)
        logger.follow(self._place_now)
        logger.workers.follow(self._place_now)
        strategy.accounts[number].append(_Account(task, self._account(task, policy), logger))

    def _place_now(self) -> tuple[int, int]:
        return self._now

    def _workers_key(self, config: ScenarioConfig) -> Hashable:
        place = id(config.workers)
        if place not in self._workers_keys:
            self._workers_keys[place] = tuple((name, repr(typed)) for name, typed in config.workers.items())
        return self._workers_keys[place]

    def _account(self, task: ScenarioTask, policy: OnePositionPolicy) -> TradeSimulator:
        """An account at its start; those that differ in their policy only are copied."""
        config = task.config
        for known, simulator in self._opened:
            if known.seed == config.seed and (known.account is config.account or known.account == config.account):
                return simulator.twin(policy)
        simulator = open_account(task, self._window, None)
        self._opened.append((config, simulator))
        return simulator.twin(policy)

    def run(self) -> dict[int, ScenarioResult]:
        """Results by scenario, of those that completed."""
        profiler, clock = self._profiler, self._clock
        for strategy in self._strategies.values():
            for decider, accounts in zip(strategy.deciders, strategy.accounts, strict=True):
                _connect_logs(strategy, decider, accounts)
        began_loop = clock()
        tick = 0
        screening = all(strategy.screening for strategy in self._strategies.values())
        block_ticks = scenario_block_ticks(self._execution.block_ticks, screening=screening)
        for number, first, last in self._renderer.spans(block_ticks):
            began = clock()
            block = self._renderer.render(number, first, last, tick)
            rates = self._rates.at(block.time_ns) if self._rates else NO_RATES
            profiler.lap("bar_rendering", began)
            for key, strategy in list(self._strategies.items()):
                try:
                    self._run_block(strategy, block, rates, tick)
                except (Exception, SystemExit):  # noqa: BLE001 - strategy code may raise anything
                    del self._strategies[key]
            tick += last - first
        accounts = [each for strategy in self._strategies.values() for each in chain.from_iterable(strategy.accounts)]
        for each in accounts:
            each.simulator.finish()
        loop_ns = clock() - began_loop
        if accounts and tick:
            self._now = tick - 1, accounts[0].simulator.whole(LEDGER_COLUMNS.last_ns)
        results = {}
        for strategy in self._strategies.values():
            workers = {name: OperationTime(*timing) for name, timing in strategy.workers.timings.items()}
            own = sum(map(len, strategy.accounts))
            profile = _shared_profile(profiler.profile({}, loop_ns), len(accounts), workers, own)
            for each in chain.from_iterable(strategy.accounts):
                results[each.task.index] = self._result(each, tick, profile, len(accounts))
            strategy.workers.close()
        return results

    def _run_block(self, strategy: _Strategy, block: Block, rates: IntArray, tick: int) -> None:
        profiler, time_ns = self._profiler, int(block.time_ns[0])
        self._now = tick, time_ns
        began = profiler.clock()
        offsets = screen_block(block, strategy.workers, strategy.deciders) if strategy.screening else None
        seen = block if offsets is None else block.at(offsets)
        views = strategy.workers.histories(seen)
        began = profiler.lap("bar_history", began)
        outputs = strategy.workers.compute(seen, views)
        for decider, accounts in zip(strategy.deciders, strategy.accounts, strict=True):
            signals = make_signals(decide(decider, seen, outputs), offsets)
            began = profiler.lap("worker_decision", began)
            for account in accounts:
                account.simulator.advance(block, signals, 0, len(block), Wake.NONE, rates)
            began = profiler.lap("trade_simulator", began)

    def _result(self, account: _Account, ticks: int, profile: Profile, sharers: int) -> ScenarioResult:
        began = self._clock()
        loop = loop_result(account.simulator, self._window, ticks, profile)
        task, logger = account.task, account.logger
        logger.info(completed_line(account.simulator, ticks, task.config))
        shared_ns = (began - self._began) // sharers
        result = ScenarioResult(
            index=task.index,
            name=task.config.name,
            symbol=task.config.symbol,
            status=ScenarioStatus.COMPLETED,
            execution_time_s=(shared_ns + self._clock() - began) / NS_PER_S,
            loop=loop,
            log=logger.lines(),
        )
        return take_wanted(result, task, self._window)


class _LogFan:
    """Writes what shared code logs into the log of every scenario that shares it."""

    def __init__(self, logs: Sequence[Any]) -> None:
        self._logs = logs

    def __getattr__(self, level: str) -> Any:
        def write(*arguments: object) -> None:
            for log in self._logs:
                getattr(log, level)(*arguments)

        return write


def _connect_logs(strategy: _Strategy, decider: Decider, accounts: Sequence[_Account]) -> None:
    decider.logic.log = _LogFan([each.logger for each in accounts])
    everyone = [each.logger.workers for each in chain.from_iterable(strategy.accounts)]
    for worker in strategy.workers.workers.values():
        worker.log = _LogFan(everyone)


def _shared_profile(profile: Profile, sharers: int, workers: Mapping[str, OperationTime], own: int) -> Profile:
    """What fell to each of the scenarios: an even share of the time, the calls as they were."""
    return Profile(
        operations={
            name: OperationTime(each.calls, each.total_ns // sharers) for name, each in profile.operations.items()
        },
        workers={name: OperationTime(each.calls, each.total_ns // own) for name, each in workers.items()},
        startup_ns={name: ns // sharers for name, ns in profile.startup_ns.items()},
        loop_ns=profile.loop_ns // sharers,
    )
