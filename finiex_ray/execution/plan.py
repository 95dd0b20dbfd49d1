"""`plan_scenarios`: holds each scenario against data, broker and registries, and works out which ticks and bars it needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date

from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.models import InvalidScenario, ScenarioConfig, ScenarioSet
from finiex_ray.core.access import NO_ACCESS, PluginAccess
from finiex_ray.core.errors import ConfigError, DataError, RegistryError, ScenarioInvalidError, suggest
from finiex_ray.core.market import BarSeries
from finiex_ray.core.time import Timeframe, format_utc, to_ns
from finiex_ray.data.source import TickSource
from finiex_ray.engine.assemble import strategy_needs, trading_terms
from finiex_ray.engine.result import ErrorInfo, ScenarioResult, ScenarioTask
from finiex_ray.engine.run import error_info, failed_result
from finiex_ray.execution.cache import SegmentCache
from finiex_ray.execution.planned import Plan, PlannedScenario, WarmupKey
from finiex_ray.execution.windows import TickWindow, find_conversion, find_ticks, find_warmup
from finiex_ray.workers.registry import create_worker

__all__ = ["plan_scenarios"]

Brokers = Callable[[str], BrokerSpec]


@dataclass
class _Draft:
    """What is known of one scenario while the plan is made."""

    index: int
    config: ScenarioConfig
    reasons: list[str] = field(default_factory=list)
    crash: ErrorInfo | None = None  # strategy code raised while it was built
    broker: BrokerSpec | None = None
    digits: int | None = None
    needs: Mapping[Timeframe, int] = field(default_factory=dict)
    window: TickWindow | None = None
    pair: str | None = None  # the conversion pair, where profits need one
    conversion: tuple[tuple[str, date], ...] = ()

    @property
    def sound(self) -> bool:
        return not self.reasons and self.crash is None


def plan_scenarios(
    scenario_set: ScenarioSet, source: TickSource | SegmentCache, brokers: Brokers, access: PluginAccess = NO_ACCESS
) -> Plan:
    """Validates every scenario of a set and finds its market data.

    Args:
        scenario_set: The set; its order is the order of the plan.
        source: Where ticks come from; pass a `SegmentCache` to keep the days for the execution.
        brokers: Finds the broker that ``account.broker`` names; may raise `ConfigError`.
        access: Strategy code that may be loaded.

    Returns:
        The scenarios that can run, and a failed result with every reason for each that cannot.
    """
    cache = source if isinstance(source, SegmentCache) else SegmentCache(source)
    planner = _Planner(cache, brokers, access)
    drafts, invalid = [], []
    for index, scenario in enumerate(scenario_set.scenarios):
        if isinstance(scenario, InvalidScenario):
            error = ScenarioInvalidError(scenario.reasons)
            invalid.append(failed_result(index, scenario.name, scenario.symbol, error))
        else:
            drafts.append(planner.draft(index, scenario))
    runnable = []
    for planned in planner.with_warmup(drafts):
        if isinstance(planned, ScenarioResult):
            invalid.append(planned)
        else:
            runnable.append(planned)
    return Plan(tuple(runnable), tuple(sorted(invalid, key=lambda result: result.index)))


class _Planner:
    """The two passes of a plan: each scenario on its own, then the warm-up bars that scenarios share.

    What many scenarios share (windows, accounts, strategies: a resolved set has one object for each) is looked at once.
    """

    def __init__(self, cache: SegmentCache, brokers: Brokers, access: PluginAccess) -> None:
        self._cache = cache
        self._find_broker, self._access = brokers, access
        self._brokers: dict[str, BrokerSpec | ConfigError] = {}
        self._terms: dict[tuple[str, int, str], str | ScenarioInvalidError | None] = {}  # the conversion pair, if any
        self._needs: dict[Hashable, Mapping[Timeframe, int] | Exception | ErrorInfo] = {}
        self._windows: dict[Hashable, TickWindow | DataError] = {}
        self._symbols = cache.source.symbols()
        self._known = frozenset(self._symbols)

    def draft(self, index: int, config: ScenarioConfig) -> _Draft:
        """Everything but the warm-up bars; collects every reason why the scenario cannot run."""
        draft = _Draft(index, config)
        if config.symbol in self._known:
            try:
                draft.digits = self._cache.source.digits(config.symbol)
            except DataError as error:
                draft.reasons.append(str(error))
        else:
            hint = suggest(config.symbol, self._symbols) or " It holds no ticks at all."
            draft.reasons.append(f"{self._cache.source.describe()} has no symbol '{config.symbol}'.{hint}")
        self._take_broker(draft)
        self._take_strategy(draft)
        if draft.digits is not None:
            self._take_window(draft)
        self._take_conversion(draft)
        return draft

    def _take_window(self, draft: _Draft) -> None:
        config = draft.config
        key = (config.symbol, config.start, config.end, config.max_ticks)
        if key not in self._windows:
            try:
                self._windows[key] = find_ticks(self._cache, config)
            except DataError as error:
                self._windows[key] = error
        window = self._windows[key]
        if isinstance(window, DataError):
            draft.reasons.append(str(window))
        else:
            draft.window = window

    def _take_conversion(self, draft: _Draft) -> None:
        if draft.pair is None or draft.window is None:
            return
        if draft.pair not in self._known:
            draft.reasons.append(
                f"profits in {draft.config.symbol} are converted with {draft.pair}, which {self._cache.source.describe()} "
                "does not have; import it, or state account.conversion_rates"
            )
            return
        try:
            draft.conversion = find_conversion(self._cache, draft.pair, draft.window)
        except DataError as error:
            draft.reasons.append(str(error))

    def _take_broker(self, draft: _Draft) -> None:
        name = draft.config.account.broker
        if name not in self._brokers:
            try:
                self._brokers[name] = self._find_broker(name)
            except ConfigError as error:
                self._brokers[name] = error
        broker = self._brokers[name]
        if isinstance(broker, ConfigError):
            draft.reasons.append(f"account.broker '{name}': {broker}")
            return
        draft.broker = broker
        if draft.digits is None:
            return
        key = (draft.config.symbol, id(draft.config.account), name)
        if key not in self._terms:
            try:
                pair = trading_terms(draft.config, broker, draft.digits).pair
                self._terms[key] = None if pair is None else pair.symbol
            except ScenarioInvalidError as error:
                self._terms[key] = error
        found = self._terms[key]
        if isinstance(found, ScenarioInvalidError):
            draft.reasons.extend(found.reasons)
        else:
            draft.pair = found

    def _take_strategy(self, draft: _Draft) -> None:
        config = draft.config
        key = (id(config.logic), *((name, id(worker)) for name, worker in config.workers.items()))
        if key not in self._needs:
            try:
                self._needs[key] = strategy_needs(config, self._access)
            except (ConfigError, RegistryError, ScenarioInvalidError) as error:
                self._needs[key] = error
            except (Exception, SystemExit) as error:  # noqa: BLE001 - importing and building run a user's code
                self._needs[key] = error_info(error)
        found = self._needs[key]
        if isinstance(found, ScenarioInvalidError):
            draft.reasons.extend(found.reasons)
        elif isinstance(found, Exception):
            draft.reasons.append(str(found))
        elif isinstance(found, ErrorInfo):
            draft.crash = found
        else:
            draft.needs = found

    def with_warmup(self, drafts: list[_Draft]) -> list[PlannedScenario | ScenarioResult]:
        """Finds the warm-up bars once for all scenarios that share them, and checks that each has enough (rule R14)."""
        wanted: dict[WarmupKey, dict[Timeframe, int]] = defaultdict(dict)
        for draft in drafts:
            if draft.sound and draft.window is not None:
                needs = wanted[_key(draft.config)]
                for timeframe, bars in draft.needs.items():
                    needs[timeframe] = max(needs.get(timeframe, 0), bars)
        bundles: dict[WarmupKey, dict[Timeframe, BarSeries] | DataError] = {}
        for key, needs in wanted.items():
            try:
                bundles[key] = find_warmup(self._cache, *key, needs)
            except DataError as error:
                bundles[key] = error
        return [self._finish(draft, bundles) for draft in drafts]

    def _finish(
        self, draft: _Draft, bundles: Mapping[WarmupKey, dict[Timeframe, BarSeries] | DataError]
    ) -> PlannedScenario | ScenarioResult:
        config, window, bundle = draft.config, draft.window, None
        if draft.sound and window is not None:
            bundle = bundles[_key(draft.config)]
            if isinstance(bundle, DataError):
                draft.reasons.append(f"warm-up bars: {bundle}")
            else:
                draft.reasons.extend(_too_few(draft, bundle, self._access))
        if (
            not draft.sound
            or window is None
            or draft.broker is None
            or draft.digits is None
            or not isinstance(bundle, dict)
        ):
            error = draft.crash if draft.crash and not draft.reasons else _invalid(draft)
            return failed_result(draft.index, config.name, config.symbol, error)
        return PlannedScenario(
            task=ScenarioTask(draft.index, config, draft.broker, self._access),
            symbol=config.symbol,
            digits=draft.digits,
            start_ns=window.start_ns,
            days=window.days,
            first=window.first,
            last=window.last,
            ticks=window.ticks,
            warmup_key=_key(draft.config),
            warmup=bundle,
            conversion=draft.conversion,
            needs=draft.needs,
        )


def _key(config: ScenarioConfig) -> WarmupKey:
    return WarmupKey(config.symbol, to_ns(config.start), config.bar_price)


def _invalid(draft: _Draft) -> ScenarioInvalidError:
    crash = [] if draft.crash is None else [f"building the strategy raised {draft.crash.type}: {draft.crash.message}"]
    return ScenarioInvalidError([*draft.reasons, *crash])


def _too_few(draft: _Draft, bundle: Mapping[Timeframe, BarSeries], access: PluginAccess) -> list[str]:
    """A reason for each worker and timeframe that lacks bars before the start."""
    short = {timeframe for timeframe, bars in draft.needs.items() if len(bundle[timeframe].start_ns) < bars}
    if not short:
        return []
    reasons = []
    for name, typed in draft.config.workers.items():
        for timeframe, bars in create_worker(name, typed, access).warmup().items():
            found = len(bundle[timeframe].start_ns)
            if timeframe in short and found < bars:
                start = format_utc(_key(draft.config).start_ns)
                reasons.append(
                    f"workers.{name} needs {bars} closed {timeframe.value} bars before {start}, the data has {found}; "
                    "start later, import earlier days, or set a smaller warmup_bars"
                )
    return reasons
