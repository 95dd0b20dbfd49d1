"""From configuration to live objects: everything a scenario needs is built here, in the process that runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from finiex_ray.bars.rates import RateReader
from finiex_ray.bars.renderer import BarRenderer
from finiex_ray.bars.window import MarketWindow
from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.models import ScenarioConfig
from finiex_ray.core.errors import ConfigError, RegistryError, ScenarioInvalidError
from finiex_ray.core.market import TickSegment
from finiex_ray.core.time import Timeframe
from finiex_ray.decisions.base import DecisionLogic
from finiex_ray.decisions.binding import bind_roles
from finiex_ray.decisions.registry import create_logic
from finiex_ray.engine.logger import ScenarioLogger
from finiex_ray.engine.profile import Profiler
from finiex_ray.engine.result import ScenarioTask
from finiex_ray.trading.simulator import TradeSimulator
from finiex_ray.trading.terms import TradingTerms, make_terms
from finiex_ray.workers.base import Worker
from finiex_ray.workers.coordinator import WorkerCoordinator
from finiex_ray.workers.registry import create_worker

__all__ = ["LiveScenario", "assemble", "strategy_needs", "trading_terms"]


@dataclass(frozen=True)
class LiveScenario:
    """The live objects of one scenario."""

    renderer: BarRenderer
    workers: WorkerCoordinator
    logic: DecisionLogic
    roles: Mapping[str, str]  # role to worker name
    simulator: TradeSimulator
    needs: Mapping[Timeframe, int]
    rates: RateReader | None  # where profits are converted with the quotes of a pair
    block_ticks: int


def _build_strategy(config: ScenarioConfig) -> tuple[dict[str, Worker], DecisionLogic, Mapping[str, str]]:
    """Makes workers and logic and binds them.

    Raises:
        ScenarioInvalidError: With every reason that was found.
    """
    reasons: list[str] = []
    workers: dict[str, Worker] = {}
    for name, typed in config.workers.items():
        try:
            workers[name] = create_worker(name, typed)
        except (ConfigError, RegistryError) as error:
            reasons.append(f"workers.{name}: {error}")
    logic = None
    try:
        logic = create_logic(config.logic)
    except (ConfigError, RegistryError) as error:
        reasons.append(f"logic: {error}")
    if reasons or logic is None:
        raise ScenarioInvalidError(reasons)
    return workers, logic, bind_roles(logic, workers)


def _needs(workers: Mapping[str, Worker]) -> dict[Timeframe, int]:
    needs: dict[Timeframe, int] = {}
    for worker in workers.values():
        for timeframe, bars in worker.warmup().items():
            needs[timeframe] = max(needs.get(timeframe, 0), bars)
    return needs


def strategy_needs(config: ScenarioConfig) -> Mapping[Timeframe, int]:
    """Warm-up bars that the scenario's workers need, by timeframe (rule R14).

    Raises:
        ScenarioInvalidError: With every reason why the strategy cannot be built.
    """
    workers, _, _ = _build_strategy(config)
    return _needs(workers)


def trading_terms(config: ScenarioConfig, broker: BrokerSpec, digits: int) -> TradingTerms:
    """What the scenario's symbol costs on its account.

    Raises:
        ScenarioInvalidError: With every reason why this account cannot trade this symbol.
    """
    return make_terms(config.symbol, config.account, broker, digits)


def _highest(segments: Sequence[TickSegment]) -> int:
    """Highest ask, points; 0 without ticks."""
    return max((int(segment.ask_points.max()) for segment in segments if len(segment.ask_points)), default=0)


def assemble(task: ScenarioTask, window: MarketWindow, profiler: Profiler, logger: ScenarioLogger) -> LiveScenario:
    """Builds the live objects of a scenario.

    Raises:
        ScenarioInvalidError: If it cannot run as configured.
    """
    config = task.config
    with profiler.startup("strategy"):
        workers, logic, roles = _build_strategy(config)
        for worker in workers.values():
            worker.log = logger.workers
        logic.log = logger
        needs = _needs(workers)
        coordinator = WorkerCoordinator(
            workers,
            history=needs,
            parallel=config.execution.parallel_workers,
            clock=profiler.clock if profiler.enabled else None,
        )
    with profiler.startup("simulator"):
        terms = trading_terms(config, task.broker, window.digits)
        terms.check_range(_highest(window.segments), max(_highest(window.conversion), 1))
        simulator = TradeSimulator(terms, window.ticks, config.seed, logic.policy(), window.span_ns)
    with profiler.startup("bars"):
        renderer = BarRenderer(window, needs)
    rates = RateReader(window.conversion) if window.conversion else None
    return LiveScenario(renderer, coordinator, logic, roles, simulator, needs, rates, config.execution.block_ticks)
