"""`run_batch`: scenarios on one window share bars, and equal workers and decisions; each account runs by itself.

What is shared changes no byte of a result: `execution.share_batches` switches it off, and tests compare both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

from finiex_ray.bars.block import Block
from finiex_ray.bars.rates import RateReader
from finiex_ray.bars.renderer import BarRenderer
from finiex_ray.bars.window import MarketWindow
from finiex_ray.config.models import ScenarioConfig
from finiex_ray.core.enums import ScenarioStatus, Wake
from finiex_ray.core.market import IntArray
from finiex_ray.core.time import NS_PER_S, Timeframe
from finiex_ray.decisions.registry import create_logic
from finiex_ray.engine.assemble import build_strategy, open_account, warmup_needs
from finiex_ray.engine.logger import ScenarioLogger
from finiex_ray.engine.profile import Clock, Profiler
from finiex_ray.engine.result import OperationTime, Profile, ScenarioResult, ScenarioTask, TickLoopResult
from finiex_ray.engine.run import Progress, completed_line, loop_result, opening_line, run_scenario, warmup_lines
from finiex_ray.engine.screening import Decider, can_screen, screen_block
from finiex_ray.engine.tick_loop import decide, scenario_block_ticks
from finiex_ray.engine.wanted import take_wanted
from finiex_ray.trading.policy import OnePositionPolicy
from finiex_ray.trading.signals import make_signals
from finiex_ray.trading.simulator import NO_RATES, TradeSimulator, Way, make_way
from finiex_ray.workers.coordinator import WorkerCoordinator

__all__ = ["run_batch"]

_GATHERED = 4_000_000  # ticks and signals that wait for the accounts at most: about 100 MB


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
    policy: OnePositionPolicy
    logger: ScenarioLogger
    simulator: TradeSimulator | None = None  # from its first tick to its result
    loop: partial[TickLoopResult] | None = None  # at its end, as the next two
    completed: str = ""  # the last line of its log
    took_ns: int = 0  # for these


class _Now:
    """Tick and time that log lines speak of. The loggers hold this and not the batch, which would hold itself through them."""

    place = -1, 0

    def __call__(self) -> tuple[int, int]:
        return self.place


@dataclass
class _Strategy:
    """Scenarios with equal workers: the workers, and each distinct decision with its accounts."""

    workers: WorkerCoordinator
    needs: Mapping[Timeframe, int]
    deciders: list[Decider] = field(default_factory=list)
    accounts: list[list[_Account]] = field(default_factory=list)  # by decider
    ways: list[list[Way]] = field(default_factory=list)  # by block and decider, that the accounts are still to go
    warmup: Sequence[str] = ()  # what each log says of it
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
        self._now = _Now()
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
                needs = warmup_needs(workers)
                self._strategies[workers_key] = _Strategy(coordinator, needs, warmup=warmup_lines(needs))
            strategy = self._strategies[workers_key]
            self._places[key] = strategy, len(strategy.deciders)
            strategy.deciders.append(decider)
            strategy.accounts.append([])
            strategy.screening &= self._execution.screen_prices and can_screen(strategy.workers, decider)
        strategy, number = self._places[key]
        logger = ScenarioLogger()
        logger.info(opening_line(config, self._window))
        for line in strategy.warmup:
            logger.info(line)
        logger.follow(self._now)
        logger.workers.follow(self._now)
        strategy.accounts[number].append(_Account(task, policy, logger))

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
        tick = gathered = last_ns = 0
        screening = all(strategy.screening for strategy in self._strategies.values())
        block_ticks = scenario_block_ticks(self._execution.block_ticks, screening=screening)
        for number, first, last in self._renderer.spans(block_ticks):
            began = clock()
            block = self._renderer.render(number, first, last, tick)
            rates = self._rates.at(block.time_ns) if self._rates else NO_RATES
            profiler.lap("bar_rendering", began)
            self._now.place, last_ns = (tick, int(block.time_ns[0])), int(block.time_ns[-1])
            for key, strategy in list(self._strategies.items()):
                try:
                    gathered += len(block) + self._decide(strategy, block, rates)
                except (Exception, SystemExit):  # noqa: BLE001 - strategy code may raise anything
                    del self._strategies[key]
            tick += last - first
            if gathered >= _GATHERED:
                self._bring()
                gathered = 0
        results_ns = self._bring(tick)
        loop_ns = clock() - began_loop - results_ns
        if tick:
            self._now.place = tick - 1, last_ns
        return self._results(loop_ns)

    def _decide(self, strategy: _Strategy, block: Block, rates: IntArray) -> int:
        """Computes the workers and the decisions of a block; returns how many signals there are."""
        profiler = self._profiler
        began = profiler.clock()
        offsets = screen_block(block, strategy.workers, strategy.deciders) if strategy.screening else None
        seen = block if offsets is None else block.at(offsets)
        views = strategy.workers.histories(seen)
        began = profiler.lap("bar_history", began)
        outputs = strategy.workers.compute(seen, views)
        signals = [make_signals(decide(decider, seen, outputs), offsets) for decider in strategy.deciders]
        profiler.lap("worker_decision", began)
        strategy.ways.append([make_way(block, each, 0, len(block), Wake.NONE, rates) for each in signals])
        return sum(map(len, signals))

    def _bring(self, ticks: int | None = None) -> int:
        """Brings each account through what was gathered, one after the other: its memory is in the processor's cache then.

        Args:
            ticks: Ticks of the scenario, where this was the last of them: the accounts come to their results.

        Returns:
            Time that the results took, ns.
        """
        began, results_ns = self._profiler.clock(), 0
        for strategy in self._strategies.values():
            for number, accounts in enumerate(strategy.accounts):
                kept, ways = [], [each[number] for each in strategy.ways]
                for account in accounts:
                    with suppress(Exception, SystemExit):  # what is wrong here is wrong when it runs by itself
                        self._bring_one(account, ways, ticks)
                        kept.append(account)
                        results_ns += account.took_ns
                strategy.accounts[number] = kept
            strategy.ways.clear()
        self._profiler.lap("trade_simulator", began + results_ns)
        return results_ns

    def _bring_one(self, account: _Account, ways: Sequence[Way], ticks: int | None) -> None:
        simulator = account.simulator or self._account(account.task, account.policy)
        for way in ways:
            simulator.go(way)
        if ticks is None:
            account.simulator = simulator
            return
        simulator.finish()
        began = self._clock()
        account.loop = loop_result(simulator, self._window, ticks, copied=True)
        account.completed = completed_line(simulator, ticks, account.task.config)
        account.simulator = None
        simulator.release()
        account.took_ns = self._clock() - began

    def _results(self, loop_ns: int) -> dict[int, ScenarioResult]:
        results = {}
        sharers = sum(len(accounts) for strategy in self._strategies.values() for accounts in strategy.accounts)
        shared_ns = (self._clock() - self._began) // max(1, sharers)
        for strategy in self._strategies.values():
            workers = {name: OperationTime(*timing) for name, timing in strategy.workers.timings.items()}
            own = sum(map(len, strategy.accounts))
            profile = _shared_profile(self._profiler.profile({}, loop_ns), sharers, workers, own)
            for account in chain.from_iterable(strategy.accounts):
                results[account.task.index] = self._result(account, profile, shared_ns / NS_PER_S)
            strategy.workers.close()
        return results

    def _result(self, account: _Account, profile: Profile, took_s: float) -> ScenarioResult:
        task, logger = account.task, account.logger
        logger.info(account.completed)
        result = ScenarioResult(
            index=task.index,
            name=task.config.name,
            symbol=task.config.symbol,
            status=ScenarioStatus.COMPLETED,
            execution_time_s=took_s,
            loop=account.loop(profile=profile) if account.loop else None,
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
