"""From configuration to live objects: everything a scenario needs is built here, in the process that runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from finiex_ray.bars.rates import RateReader
from finiex_ray.bars.renderer import BarRenderer
from finiex_ray.bars.window import MarketWindow
from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.models import AccountConfig, ScenarioConfig
from finiex_ray.core.access import NO_ACCESS, PluginAccess
from finiex_ray.core.errors import ConfigError, RegistryError, ScenarioInvalidError
from finiex_ray.core.time import Timeframe
from finiex_ray.decisions.base import DecisionLogic
from finiex_ray.decisions.binding import bind_roles, wake_reasons
from finiex_ray.decisions.registry import create_logic
from finiex_ray.engine.logger import ScenarioLogger
from finiex_ray.engine.profile import Profiler
from finiex_ray.engine.result import ScenarioTask
from finiex_ray.engine.screening import Decider, can_screen
from finiex_ray.trading.policy import OnePositionPolicy
from finiex_ray.trading.simulator import TradeSimulator
from finiex_ray.trading.terms import TradingTerms, make_terms
from finiex_ray.workers.base import Worker
from finiex_ray.workers.coordinator import WorkerCoordinator
from finiex_ray.workers.registry import create_worker

__all__ = [
    "LiveScenario",
    "assemble",
    "build_strategy",
    "open_account",
    "strategy_needs",
    "trading_terms",
    "warmup_needs",
]

_Part = TypeVar("_Part")


@dataclass(frozen=True)
class LiveScenario:
    """The live objects of one scenario."""

    renderer: BarRenderer
    workers: WorkerCoordinator
    decider: Decider
    screening: bool  # whether workers are computed only at prices at which the logic can act
    simulator: TradeSimulator
    needs: Mapping[Timeframe, int]
    rates: RateReader | None  # where profits are converted with the quotes of a pair
    block_ticks: int | None
    python_lane: bool  # whether a tick-style logic may run in the lane


def build_strategy(
    config: ScenarioConfig, access: PluginAccess = NO_ACCESS
) -> tuple[dict[str, Worker], DecisionLogic, Mapping[str, str]]:
    """Makes workers and logic and binds them.

    Raises:
        ScenarioInvalidError: With every reason that was found.
    """
    reasons: list[str] = []
    workers: dict[str, Worker] = {}
    for name, typed in config.workers.items():
        try:
            workers[name] = create_worker(name, typed, access)
        except (ConfigError, RegistryError) as error:
            reasons.append(f"workers.{name}: {error}")
    logic = None
    try:
        logic = create_logic(config.logic, access)
    except (ConfigError, RegistryError) as error:
        reasons.append(f"logic: {error}")
    if logic is not None:
        reasons += wake_reasons(logic)
    if reasons or logic is None:
        raise ScenarioInvalidError(reasons)
    return workers, logic, bind_roles(logic, workers)


def warmup_needs(workers: Mapping[str, Worker]) -> dict[Timeframe, int]:
    """Closed bars that lie before the first tick, by timeframe: the most that any of the workers asks for (rule R14)."""
    needs: dict[Timeframe, int] = {}
    for worker in workers.values():
        for timeframe, bars in worker.warmup().items():
            needs[timeframe] = max(needs.get(timeframe, 0), bars)
    return needs


def strategy_needs(config: ScenarioConfig, access: PluginAccess = NO_ACCESS) -> Mapping[Timeframe, int]:
    """Warm-up bars that the scenario's workers need, by timeframe (rule R14).

    Raises:
        ScenarioInvalidError: With every reason why the strategy cannot be built.
    """
    workers, _, _ = build_strategy(config, access)
    return warmup_needs(workers)


def trading_terms(config: ScenarioConfig, broker: BrokerSpec, digits: int) -> TradingTerms:
    """What the scenario's symbol costs on its account.

    Raises:
        ScenarioInvalidError: With every reason why this account cannot trade this symbol.
    """
    return _terms(config.symbol, _Same(config.account), _Same(broker), digits)


class _Same(Generic[_Part]):
    """A section as a key: equal to itself alone, which takes no look into it."""

    __slots__ = ("part",)

    def __init__(self, part: _Part) -> None:
        self.part = part

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.part is self.part

    def __hash__(self) -> int:
        return id(self.part)


@lru_cache(64)  # the scenarios of a set share a few accounts and brokers
def _terms(symbol: str, account: _Same[AccountConfig], broker: _Same[BrokerSpec], digits: int) -> TradingTerms:
    return make_terms(symbol, account.part, broker.part, digits)


def open_account(task: ScenarioTask, window: MarketWindow, policy: OnePositionPolicy | None) -> TradeSimulator:
    """The simulated account of a scenario, at its start.

    Raises:
        ScenarioInvalidError: If this account cannot trade this symbol.
    """
    terms = trading_terms(task.config, task.broker, window.digits)
    terms.check_range(window.highest_points, max(window.highest_rate, 1))
    return TradeSimulator(terms, window.ticks, task.config.seed, policy, window.span_ns)


def assemble(task: ScenarioTask, window: MarketWindow, profiler: Profiler, logger: ScenarioLogger) -> LiveScenario:
    """Builds the live objects of a scenario.

    Raises:
        ScenarioInvalidError: If it cannot run as configured.
    """
    config = task.config
    with profiler.startup("strategy"):
        workers, logic, roles = build_strategy(config, task.access)
        for worker in workers.values():
            worker.log = logger.workers
        logic.log = logger
        needs = warmup_needs(workers)
        coordinator = WorkerCoordinator(
            workers,
            history=needs,
            parallel=config.execution.parallel_workers,
            clock=profiler.clock if profiler.enabled else None,
        )
    with profiler.startup("simulator"):
        simulator = open_account(task, window, logic.policy())
    with profiler.startup("bars"):
        renderer = BarRenderer(window, needs, runs=config.execution.skip_runs)
    rates = RateReader(window.conversion) if window.conversion else None
    decider = Decider(logic, roles)
    screening = config.execution.screen_prices and can_screen(coordinator, decider)
    return LiveScenario(
        renderer,
        coordinator,
        decider,
        screening,
        simulator,
        needs,
        rates,
        config.execution.block_ticks,
        config.execution.python_lane,
    )
