"""Builders for tests of the account and the engine: brokers, configurations, windows, scripted runs of the simulator."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
from own_access import OWN

from finiex_ray.bars.block import Block
from finiex_ray.bars.renderer import bars_of_day
from finiex_ray.bars.window import MarketWindow, make_extremes
from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.models import AccountConfig, BarPrice, ScenarioConfig
from finiex_ray.core.enums import Action, Wake
from finiex_ray.core.market import BarSeries, IntArray, Quotes, TickSegment, freeze
from finiex_ray.core.records import Records
from finiex_ray.core.time import NS_PER_DAY, NS_PER_MS, Timeframe, day_start_ns, to_ns
from finiex_ray.data.synthetic import SyntheticMarket
from finiex_ray.engine.assemble import strategy_needs
from finiex_ray.engine.result import ScenarioResult, ScenarioTask
from finiex_ray.engine.run import run_scenario
from finiex_ray.trading.api import TradingApi
from finiex_ray.trading.policy import OnePositionPolicy
from finiex_ray.trading.signals import make_signals
from finiex_ray.trading.simulator import NO_RATES, TradeSimulator
from finiex_ray.trading.terms import make_terms

T0 = day_start_ns(date(2025, 9, 22)) + 10 * 3_600 * 1_000 * NS_PER_MS  # a Monday, 10:00
BLOCK_SIZES = (1, 2, 7, 64, 10**6)

_SYMBOLS: dict[str, dict[str, Any]] = {
    "EURUSD": {"digits": 5, "base": "EUR", "quote": "USD", "contract_size": 100_000},
    "USDJPY": {"digits": 3, "base": "USD", "quote": "JPY", "contract_size": 100_000},
    "EURGBP": {"digits": 5, "base": "EUR", "quote": "GBP", "contract_size": 100_000},
    "BTCUSD": {"digits": 2, "base": "BTC", "quote": "USD", "contract_size": 1, "volume_step": "0.001"},
}


def make_broker(*, each_symbol: Mapping[str, Any] | None = None, **values: Any) -> BrokerSpec:
    """A broker with leverage 500 and no costs unless said otherwise; ``each_symbol`` goes into every symbol."""
    symbols = {name: {**spec, **(each_symbol or {})} for name, spec in _SYMBOLS.items()}
    return BrokerSpec.model_validate({"name": "test", "leverage": 500, "symbols": symbols, **values})


def make_account(**values: Any) -> AccountConfig:
    return AccountConfig.model_validate({"broker": "test", **values})


def make_simulator(
    symbol: str = "EURUSD",
    *,
    account: AccountConfig | None = None,
    broker: BrokerSpec | None = None,
    ticks: int = 100,
    seed: int = 0,
    policy: OnePositionPolicy | None = None,
    span_ns: tuple[int, int] = (T0, T0 + 60 * NS_PER_DAY),
) -> TradeSimulator:
    digits = int(_SYMBOLS[symbol]["digits"])
    terms = make_terms(symbol, account or make_account(), broker or make_broker(), digits)
    return TradeSimulator(terms, ticks, seed, policy, span_ns)


def make_ticks(quotes: Iterable[tuple[int, int]], *, gap_ns: int = 100 * NS_PER_MS) -> TickSegment:
    """Ticks at even times from (bid, ask) in points."""
    return segment_of([(T0 + i * gap_ns, bid, ask) for i, (bid, ask) in enumerate(quotes)])


def segment_of(rows: Sequence[tuple[int, int, int]]) -> TickSegment:
    """A segment from (time_ns, bid_points, ask_points)."""
    times, bids, asks = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    return freeze(TickSegment(times, bids, asks, np.zeros(len(rows))))


def bare_block(ticks: TickSegment, first: int, last: int) -> Block:
    """A block without bars: all that the simulator reads."""
    return _bare(quotes_of(ticks), first, last)


def bare_blocks(ticks: TickSegment, block_ticks: int) -> Iterator[Block]:
    """All blocks of a segment, without bars."""
    quotes, count = quotes_of(ticks), len(ticks.time_ns)
    return (_bare(quotes, first, min(first + block_ticks, count)) for first in range(0, count, block_ticks))


def _bare(quotes: Quotes, first: int, last: int) -> Block:
    return Block(first, quotes, first, last - first, BarPrice.MID, 1e-05, {})


def quotes_of(ticks: TickSegment) -> Quotes:
    """The columns of a segment, with the extremes of its runs."""
    return Quotes(*ticks[:3], make_extremes(ticks))


Script = Mapping[int, Callable[[TradingApi], object]]


def drive(
    simulator: TradeSimulator,
    ticks: TickSegment,
    script: Script | None = None,
    *,
    actions: Sequence[int] | None = None,
    block_ticks: int = 10**6,
    wake: Wake = Wake.ACTION,
    finish: bool = True,
    on_wake: Callable[[int, Wake], None] | None = None,
    rates: IntArray = NO_RATES,
) -> TradeSimulator:
    """Runs the simulator over ticks; ``script`` trades at given tick indices; ``rates`` are the conversion pair's."""
    script, count = script or {}, len(ticks.time_ns)
    wanted = np.zeros(count, np.int8)
    if actions is not None:
        wanted[:] = actions
    for tick in script:
        wanted[tick] = Action.BUY
    api = TradingApi(simulator)
    for block in bare_blocks(ticks, block_ticks):
        first, offset = block.first_tick, 0
        while offset < len(block):
            part = slice(first, first + len(block))
            signals = make_signals(wanted[part])
            offset, reason = simulator.advance(block, signals, offset, len(block), wake, rates[part])
            if reason:
                tick = first + offset - 1
                api.at(int(ticks.bid_points[tick]), int(ticks.ask_points[tick]))
                if on_wake is not None:
                    on_wake(tick, reason)
                if tick in script:
                    script[tick](api)
    if finish:
        simulator.finish()
    return simulator


def rows(records: Records) -> list[dict[str, Any]]:
    """Records as dictionaries, for readable differences."""
    return [dict(zip(records.dtype.names or (), record.item(), strict=True)) for record in records]


# Whole scenarios

SYNTHETIC = SyntheticMarket(7)


@lru_cache(maxsize=16)
def synthetic_day(symbol: str, day: date) -> TickSegment:
    return SYNTHETIC.load(symbol, day)


@lru_cache(maxsize=64)
def _bars(symbol: str, day: date, timeframe: Timeframe) -> BarSeries:
    return bars_of_day(synthetic_day(symbol, day), timeframe, BarPrice.MID)


def make_config(**values: Any) -> ScenarioConfig:
    """A scenario on the synthetic EURUSD of Tuesday 2025-09-23, 3,000 ticks from 12:00, unless said otherwise."""
    defaults = {
        "name": "test",
        "symbol": "EURUSD",
        "start": datetime(2025, 9, 23, 12, tzinfo=UTC),
        "max_ticks": 3_000,
        "account": {"broker": "test"},
        "logic": {"type": "scripted"},
        "seed": 3,
    }
    return ScenarioConfig.model_validate({**defaults, **values})


def make_window(config: ScenarioConfig) -> MarketWindow:
    """Ticks and warm-up bars of a scenario on the synthetic market."""
    symbol, start_ns = config.symbol, to_ns(config.start)
    day = config.start.date()
    segments = [synthetic_day(symbol, day)]
    first = int(np.searchsorted(segments[0].time_ns, start_ns))
    left, last = int(config.max_ticks or 10**9), 0
    while True:
        begin = first if len(segments) == 1 else 0
        times = segments[-1].time_ns
        end = len(times) if config.end is None else int(np.searchsorted(times, to_ns(config.end)))
        last = min(end, begin + left)
        left -= last - begin
        if left <= 0 or end < len(times):
            break
        day += timedelta(days=1)
        segments.append(synthetic_day(symbol, day))
    warmup = {tf: _warmup(symbol, start_ns, tf, bars) for tf, bars in strategy_needs(config, OWN).items()}
    digits = SYNTHETIC.digits(symbol)
    return MarketWindow(symbol, digits, config.bar_price, start_ns, tuple(segments), first, last, warmup)


def _warmup(symbol: str, start_ns: int, timeframe: Timeframe, bars: int) -> BarSeries:
    day, parts, found = date(1970, 1, 1) + timedelta(days=start_ns // NS_PER_DAY), [], 0
    while found < bars:
        series = _bars(symbol, day, timeframe)
        ended = int(np.searchsorted(series.start_ns + timeframe.ns, start_ns, side="right"))
        parts.insert(0, BarSeries(*(column[:ended] for column in series)))
        found, day = found + ended, day - timedelta(days=1)
    return freeze(BarSeries(*(np.concatenate(columns)[-bars:] for columns in zip(*parts, strict=True))))


def run(config: ScenarioConfig, *, broker: BrokerSpec | None = None, **options: Any) -> ScenarioResult:
    """Runs one scenario on the synthetic market."""
    task = ScenarioTask(0, config, broker or make_broker(), OWN)
    return run_scenario(task, make_window(config), **{"clock": time.perf_counter_ns, **options})


def with_blocks(config: ScenarioConfig, block_ticks: int) -> ScenarioConfig:
    execution = config.execution.model_copy(update={"block_ticks": block_ticks})
    return config.model_copy(update={"execution": execution})
