"""`run_scenario`: one scenario from its task and its data to its result. Here is the edge that turns failures into results."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from finiex_ray.bars.window import MarketWindow
from finiex_ray.config.models import ScenarioConfig
from finiex_ray.core.enums import ScenarioStatus
from finiex_ray.core.money import to_minor
from finiex_ray.core.records import LEDGER_COLUMNS as L
from finiex_ray.core.records import copy_records
from finiex_ray.core.time import NS_PER_S, Timeframe, format_utc
from finiex_ray.engine.assemble import LiveScenario, assemble
from finiex_ray.engine.hashing import result_hash
from finiex_ray.engine.logger import ScenarioLogger, shortened
from finiex_ray.engine.observer import LoopObserver
from finiex_ray.engine.profile import Clock, Profiler
from finiex_ray.engine.result import (
    ErrorInfo,
    OperationTime,
    ProgressUpdate,
    ScenarioResult,
    ScenarioTask,
    TickLoopResult,
)
from finiex_ray.engine.statistics import scenario_statistics
from finiex_ray.engine.tick_loop import TickLoop
from finiex_ray.engine.wanted import take_wanted
from finiex_ray.trading.simulator import TradeSimulator

__all__ = [
    "OnError",
    "Progress",
    "completed_line",
    "error_info",
    "failed_result",
    "loop_result",
    "opening_line",
    "run_scenario",
    "warmup_lines",
]

Progress = Callable[[ProgressUpdate], None]
OnError = Callable[[BaseException], None]


def error_info(error: BaseException, tick: int | None = None) -> ErrorInfo:
    """An exception as text of bounded length, also where its own ``__str__`` fails."""
    try:
        message = str(error)
    except Exception as failure:  # noqa: BLE001 - a user's exception may do anything
        message = f"(its message cannot be shown: {type(failure).__name__} in __str__)"
    try:
        trace = "".join(traceback.format_exception(error))
    except Exception as failure:  # noqa: BLE001 - a user's exception may do anything
        trace = f"(its traceback cannot be shown: {type(failure).__name__})"
    return ErrorInfo(type(error).__name__, shortened(message), shortened(trace), tick)


def failed_result(index: int, name: str, symbol: str, error: BaseException | ErrorInfo) -> ScenarioResult:
    """The result of a scenario that never began to run."""
    info = error if isinstance(error, ErrorInfo) else error_info(error)
    return ScenarioResult(index, name, symbol, ScenarioStatus.FINISHED_WITH_ERROR, error=info)


def run_scenario(
    task: ScenarioTask,
    window: MarketWindow,
    *,
    clock: Clock,
    progress: Progress | None = None,
    data_ns: int = 0,
    observer: LoopObserver | None = None,
    on_error: OnError | None = None,
) -> ScenarioResult:
    """Runs one scenario; whatever its strategy raises becomes a failed result (``KeyboardInterrupt`` passes through).

    Args:
        task: The scenario.
        window: Its market data.
        clock: A clock in ns, not going back; nothing but profile, time limit and live updates depends on it.
        progress: Receives live updates, at most one an interval besides the first and the last.
        data_ns: Time that fetching the window took, for the start-up profile.
        observer: Watches the tick loop, for checks.
        on_error: Is given what the strategy raised, before it becomes text, for a debugger.
    """
    return _Run(task, window, clock, progress, data_ns, observer, on_error).run()


class _Run:
    """One run: keeps what a failure needs to tell."""

    def __init__(
        self,
        task: ScenarioTask,
        window: MarketWindow,
        clock: Clock,
        progress: Progress | None,
        data_ns: int,
        observer: LoopObserver | None,
        on_error: OnError | None,
    ) -> None:
        self._observer, self._on_error = observer, on_error
        self._task, self._window, self._clock = task, window, clock
        live = task.config.live_stats
        self._progress = progress if live.enabled else None
        self._interval_ns = round(live.update_interval_sec * NS_PER_S)
        self._began = self._last_sent = clock()
        self._profiler = Profiler(clock, task.config.execution.profile)
        self._profiler.add_startup("data", data_ns)
        self._logger = ScenarioLogger()
        self._scenario: LiveScenario | None = None
        self._loop: TickLoop | None = None
        self._loop_ns = 0

    def run(self) -> ScenarioResult:
        self._send(ScenarioStatus.INIT_PROCESS, 0)
        error = None
        try:
            self._run_loop()
        except (Exception, SystemExit) as caught:  # noqa: BLE001 - the task's edge: a user's failure is a result
            if self._on_error is not None:
                self._on_error(caught)
            error = error_info(caught, None if self._loop is None else self._loop.tick)
            self._logger.error(f"{error.type}: {error.message}\n{error.traceback}")
        finally:
            if self._scenario is not None:
                self._scenario.workers.close()
        status = ScenarioStatus.COMPLETED if error is None else ScenarioStatus.FINISHED_WITH_ERROR
        loop = self._loop_result()
        self._send(status, loop.ticks if loop else 0)
        if self._scenario is not None:
            self._scenario.simulator.release()
        result = ScenarioResult(
            index=self._task.index,
            name=self._task.config.name,
            symbol=self._task.config.symbol,
            status=status,
            execution_time_s=(self._clock() - self._began) / NS_PER_S,
            loop=loop,
            error=error,
            log=self._logger.lines(),
        )
        return take_wanted(result, self._task, self._window)

    def _run_loop(self) -> None:
        config, logger = self._task.config, self._logger
        logger.info(opening_line(config, self._window))
        self._scenario = assemble(self._task, self._window, self._profiler, logger)
        for line in warmup_lines(self._scenario.needs):
            logger.info(line)
        self._loop = TickLoop(
            self._scenario,
            logger,
            self._profiler,
            self._live_update,
            config.execution.time_limit_s,
            self._observer,
        )
        self._live_update(0)
        began = self._clock()
        try:
            self._loop.run()
        finally:
            self._loop_ns = self._clock() - began
        logger.info(completed_line(self._scenario.simulator, self._loop.ticks_done, config))

    def _live_update(self, ticks: int) -> None:
        """Tells the live display how far the scenario is, at most once an interval (step 6)."""
        if self._progress is not None and self._clock() - self._last_sent >= self._interval_ns:
            self._send(ScenarioStatus.RUNNING, ticks)

    def _send(self, status: ScenarioStatus, ticks: int) -> None:
        if self._progress is None:
            return
        config, scenario = self._task.config, self._scenario
        self._last_sent = self._clock()
        shown: dict[str, Any] = {}
        if scenario is not None and config.live_stats.export_portfolio_stats:
            simulator, unit = scenario.simulator, scenario.simulator.terms.minor_per_unit
            shown["balance"] = simulator.whole(L.balance_minor) / unit
            shown["equity"] = simulator.real(L.equity) / unit
            shown["trades"] = simulator.whole(L.trades)
        if config.live_stats.export_performance_stats:
            shown["operations"] = self._profiler.shares()
        if scenario is not None and config.live_stats.export_current_bars:
            half = float(scenario.simulator.terms.point) / 2
            shown["bars"] = {
                timeframe.value: tuple(price * half for price in prices)
                for timeframe, prices in scenario.renderer.forming().items()
            }
        self._progress(
            ProgressUpdate(
                index=self._task.index,
                name=config.name,
                symbol=config.symbol,
                status=status.value,
                ticks_done=ticks,
                ticks_total=self._window.ticks,
                elapsed_s=(self._last_sent - self._began) / NS_PER_S,
                **shown,
            )
        )

    def _loop_result(self) -> TickLoopResult | None:
        """What the loop left, also when it failed on the way."""
        if self._scenario is None or self._loop is None:
            return None
        workers = {name: OperationTime(*timing) for name, timing in self._scenario.workers.timings.items()}
        profile = self._profiler.profile(workers, self._loop_ns)
        simulator = self._scenario.simulator
        return loop_result(simulator, self._window, self._loop.ticks_done, copied=simulator.large)(profile=profile)


def opening_line(config: ScenarioConfig, window: MarketWindow) -> str:
    """The first line of a log."""
    return f"scenario '{config.name}': {config.symbol} from {format_utc(window.start_ns)}, {window.ticks} ticks"


def warmup_lines(needs: Mapping[Timeframe, int]) -> list[str]:
    """What a log says of the warm-up."""
    return [f"warm-up: {bars} bars of {timeframe.value}" for timeframe, bars in needs.items()]


def completed_line(simulator: TradeSimulator, ticks: int, config: ScenarioConfig) -> str:
    """The last line of the log of a scenario that completed."""
    balance = simulator.whole(L.balance_minor) / simulator.terms.minor_per_unit
    trades = simulator.whole(L.trades)
    return f"completed: {ticks} ticks, {trades} trades, balance {balance:.2f} {config.account.currency}"


def loop_result(
    simulator: TradeSimulator, window: MarketWindow, ticks: int, *, copied: bool = False
) -> partial[TickLoopResult]:
    """What a run leaves of its account; it lacks ``profile``, where the time went.

    Args:
        simulator: The account.
        window: The scenario's market data.
        ticks: Ticks that were processed.
        copied: Take copies of the records, so that the account's memory can go.
    """
    terms, account = simulator.terms, simulator.account
    first_ns, last_ns = window.first_ns, simulator.whole(L.last_ns)
    tables = simulator.orders(), simulator.fills(), simulator.trades(), simulator.equity_curve()
    orders, fills, trades, equity = map(copy_records, tables) if copied else tables
    return partial(
        TickLoopResult,
        ticks=ticks,
        first_ns=first_ns,
        last_ns=last_ns,
        digits=terms.digits,
        volume_step=float(terms.volume_step),
        minor_per_unit=terms.minor_per_unit,
        orders=orders,
        fills=fills,
        trades=trades,
        equity=equity,
        statistics=scenario_statistics(
            orders,
            trades,
            account,
            to_minor(terms.opening_balance, terms.currency),
            terms.minor_per_unit,
            max(last_ns - first_ns, 0),
        ),
        result_hash=result_hash(orders, fills, trades, account),
        comments=dict(simulator.comments),
    )
