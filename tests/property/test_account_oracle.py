"""The compiled account against the slow one: random markets, random requests, every record, every block size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import pytest
from builders import BLOCK_SIZES, T0, bare_block, make_account, make_broker, make_simulator, rows, segment_of
from hypothesis import example, given
from hypothesis import strategies as st
from oracle.account import Account, Policy, Rules

from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.models import AccountConfig
from finiex_ray.core.enums import Action, OrderType, RejectReason, Side, Wake
from finiex_ray.core.market import TickSegment
from finiex_ray.core.records import NO_PRICE
from finiex_ray.core.time import NS_PER_MS
from finiex_ray.trading.policy import OnePositionPolicy, OnOpposite
from finiex_ray.trading.simulator import EQUITY_ROWS, TradeSimulator

_START = {"EURUSD": 110_000, "USDJPY": 150_000, "EURGBP": 86_000, "BTCUSD": 6_000_000}
_GAPS_MS = (0, 0, 1, 50, 100, 1_000, 60_000, 49 * 3_600_000)  # equal times to a weekend

moves = st.one_of(st.integers(-6, 6), st.integers(-6, 6), st.sampled_from([-400, -90, 90, 400]))
small_markets = st.lists(st.tuples(st.sampled_from(_GAPS_MS), moves, st.integers(0, 9)), min_size=1, max_size=70)


def _busy_market(seed: int) -> list[tuple[int, int, int]]:
    """70 ticks: what a list of independent draws seldom is, long and lively."""
    draw = Random(seed)
    return [
        (
            draw.choice(_GAPS_MS[:5]),
            draw.choice((-90, 90)) if draw.random() < 0.1 else draw.randint(-6, 6),
            draw.randint(0, 9),
        )
        for _ in range(70)
    ]


def _busy_actions(seed: int) -> list[int]:
    draw = Random(seed)
    return [draw.choice((0, 0, -1, 1, 1, 2)) for _ in range(70)]


busy_markets = st.builds(_busy_market, st.integers(0, 10**6))
ticks_strategy = st.one_of(small_markets, busy_markets, busy_markets)
few_actions = st.lists(st.sampled_from([0, 0, 0, -1, 1, 1, 2]), min_size=70, max_size=70)
actions_strategy = st.one_of(few_actions, st.builds(_busy_actions, st.integers(0, 10**6)))
distance = st.one_of(st.just(0), st.integers(1, 20), st.integers(1, 300))


@dataclass(frozen=True)
class Ask:
    """One scripted request; levels are relative to the bid of the tick that makes it."""

    kind: str
    steps: int = 10
    sl: int | None = None
    tp: int | None = None
    sl_offset: int = 0
    tp_offset: int = 0
    which: int = 0  # close: this open position, counted round


markets = st.builds(
    Ask,
    kind=st.sampled_from(["buy", "sell"]),
    steps=st.one_of(st.sampled_from([1, 10, 33, 100]), st.integers(-1, 12_000)),
    sl=st.one_of(st.none(), st.integers(-60, 60)),
    tp=st.one_of(st.none(), st.integers(-60, 60)),
    sl_offset=distance,
    tp_offset=distance,
)
closes = st.builds(Ask, kind=st.just("close"), which=st.integers(0, 3))
some_requests = st.lists(st.one_of(markets, markets, closes), min_size=1, max_size=3)
scripts = st.one_of(
    st.dictionaries(st.integers(0, 69), some_requests, max_size=20),
    st.dictionaries(st.integers(0, 69), some_requests, min_size=6, max_size=30),
)
latencies = st.one_of(
    st.builds(lambda ms: {"kind": "fixed", "ms": ms}, st.sampled_from([0, 0, 50, 100, 2_000])),
    st.builds(lambda a, b: {"kind": "uniform", "ms": a, "max_ms": a + b}, st.integers(0, 60), st.integers(0, 3_000)),
)
commissions = st.sampled_from(
    [
        {"kind": "none"},
        {"kind": "per_lot", "value": "3.5"},
        {"kind": "per_lot", "value": "0.333"},
        {"kind": "percent", "value": "0.05"},
        {"kind": "percent", "value": "0.0037"},
    ]
)


@st.composite
def settings_of_account(draw: Any) -> tuple[str, AccountConfig, BrokerSpec]:
    symbol, account = draw(
        st.sampled_from(
            [
                ("EURUSD", {"currency": "USD"}),
                ("EURUSD", {"currency": "EUR"}),
                ("USDJPY", {"currency": "USD"}),
                ("USDJPY", {"currency": "JPY", "balance": 1_000_000}),
                ("USDJPY", {"currency": "USD", "conversion_rates": {"JPY": "0.0067"}}),
                ("EURGBP", {"currency": "USD", "conversion_rates": {"GBP": "1.27"}}),
                ("BTCUSD", {"currency": "USD", "balance": 100_000}),
                ("BTCUSD", {"currency": "BTC", "balance": 2}),
            ]
        )
    )
    account = {"balance": draw(st.sampled_from([10_000, 100, Decimal("220.02"), 10**7])), **account}
    broker = make_broker(
        leverage=draw(st.sampled_from([1, 30, 100, 500, Decimal("33.3")])),
        commission=draw(commissions),
        slippage_points=draw(st.sampled_from([0, 0, 1, 7])),
        latency=draw(latencies),
    )
    return symbol, make_account(**account), broker


def make_market(symbol: str, spec: list[tuple[int, int, int]]) -> TickSegment:
    time_ns, bid, lines = T0, _START[symbol], []
    for gap_ms, move, spread in spec:
        time_ns, bid = time_ns + gap_ms * NS_PER_MS, bid + move
        lines.append((time_ns, bid, bid + spread))
    return segment_of(lines)


def _levels(ask: Ask, bid: int) -> dict[str, int]:
    """Stops of one request: a level and a distance exclude each other."""
    return {
        "sl_points": NO_PRICE if ask.sl is None or ask.sl_offset else bid + ask.sl,
        "tp_points": NO_PRICE if ask.tp is None or ask.tp_offset else bid + ask.tp,
        "sl_offset_points": ask.sl_offset,
        "tp_offset_points": ask.tp_offset,
    }


def _send(simulator: TradeSimulator, ask: Ask, bid: int) -> None:
    if ask.kind == "close":
        held = simulator.positions()
        if len(held):
            one = held[ask.which % len(held)]
            side = Side(-int(one["side"]))
            simulator.request(
                OrderType.CLOSE, side, position_id=int(one["position_id"]), steps=int(one["volume_steps"])
            )
        return
    side = Side.BUY if ask.kind == "buy" else Side.SELL
    simulator.request(OrderType.MARKET, side, steps=ask.steps, **_levels(ask, bid))


def _send_slowly(account: Account, ask: Ask, bid: int) -> None:
    if ask.kind == "close":
        if account.positions:
            one = account.positions[ask.which % len(account.positions)]
            account.request(OrderType.CLOSE, -one["side"], one["volume_steps"], position_id=one["position_id"])
        return
    levels = _levels(ask, bid)
    account.request(
        OrderType.MARKET, 1 if ask.kind == "buy" else -1, ask.steps,
        sl=levels["sl_points"], tp=levels["tp_points"],
        sl_offset=levels["sl_offset_points"], tp_offset=levels["tp_offset_points"],
    )  # fmt: skip


def _run(
    simulator: TradeSimulator,
    ticks: TickSegment,
    actions: np.ndarray,
    script: dict[int, list[Ask]],
    block_ticks: int,
    wake: Wake,
) -> list[tuple[int, Wake]]:
    """Runs the compiled account; returns where it handed control back, and why."""
    wakes, count = [], len(ticks.time_ns)
    for first in range(0, count, block_ticks):
        block = bare_block(ticks, first, min(first + block_ticks, count))
        offset = 0
        while offset < len(block):
            offset, reason = simulator.advance(block, actions[first : first + len(block)], offset, len(block), wake)
            if reason:
                tick = first + offset - 1
                wakes.append((tick, reason))
                for ask in script.get(tick, ()):
                    _send(simulator, ask, int(ticks.bid_points[tick]))
    return wakes


def _compare(simulator: TradeSimulator, account: Account) -> None:
    assert rows(simulator.orders()) == account.orders
    assert rows(simulator.fills()) == account.fills
    assert rows(simulator.trades()) == account.trades
    ledger = simulator.account
    assert int(ledger["balance_minor"]) == account.balance
    _close(ledger["margin_used"], account.margin_used())
    _close(ledger["equity"], account.equity(), account.balance)
    _close(ledger["max_drawdown"], account.equities.max_drawdown(), account.balance)
    _close(ledger["max_drawdown_share"], account.equities.max_drawdown_share(), 1)
    _close(ledger["max_runup"], account.equities.max_runup(), account.balance)
    assert int(ledger["gross_minor"]) == sum(fill["gross_minor"] for fill in account.fills)
    assert int(ledger["commission_minor"]) == sum(fill["commission_minor"] for fill in account.fills)


def _close(seen: Any, exact: Fraction, scale: float | Fraction = 0) -> None:
    """Equal up to the rounding of a few float64 operations on numbers of that scale."""
    largest = max(abs(exact), abs(scale), 1, key=float)
    assert math.isclose(float(seen), float(exact), rel_tol=0, abs_tol=1e-12 * float(largest)), (seen, float(exact))


def _compare_open(simulator: TradeSimulator, account: Account) -> None:
    for seen, held in zip(rows(simulator.positions()), account.positions, strict=True):
        marks = account.marks[held["position_id"]]
        assert {name: seen[name] for name in held} == held
        assert seen["lowest_points"] == min(marks)
        assert seen["highest_points"] == max(marks)
        assert bool(seen["tp_at_quote"]) == account.at_quote[held["position_id"]]


def _compare_curve(simulator: TradeSimulator, account: Account) -> None:
    """Each row of the downsampled curve keeps its bucket's last values and extremes; the end is in the last row."""
    width = max(1, -(-len(account.curve) // EQUITY_ROWS))
    buckets = [account.curve[i : i + width] for i in range(0, len(account.curve), width)]
    curve = rows(simulator.equity_curve())
    assert len(curve) == len(buckets)
    for number, (row, bucket) in enumerate(zip(curve, buckets, strict=True)):
        tick, time_ns, balance, equity = bucket[-1]
        equities = [each[3] for each in bucket]
        if number == len(buckets) - 1:
            balance, equity = account.balance, Fraction(account.balance)
            equities.append(equity)
        assert (row["tick"], row["time_ns"], row["balance"]) == (tick, time_ns, balance)
        _close(row["equity"], equity, balance)
        _close(row["equity_low"], min(equities), balance)
        _close(row["equity_high"], max(equities), balance)


@given(
    setting=settings_of_account(),
    spec=ticks_strategy,
    script=scripts,
    block_ticks=st.sampled_from(BLOCK_SIZES),
    wake=st.sampled_from([Wake.ACTION, Wake.ACTION | Wake.FILL, Wake.ACTION | Wake.TICK, Wake.FILL | Wake.TICK]),
    seed=st.integers(0, 3),
)
def test_requests_at_wake_ups(
    setting: tuple[str, AccountConfig, BrokerSpec],
    spec: list[tuple[int, int, int]],
    script: dict[int, list[Ask]],
    block_ticks: int,
    wake: Wake,
    seed: int,
) -> None:
    symbol, config, broker = setting
    ticks, count = make_market(symbol, spec), len(spec)
    actions = np.zeros(count, np.int8)
    actions[[tick for tick in script if tick < count]] = Action.BUY
    simulator = make_simulator(symbol, account=config, broker=broker, ticks=count, seed=seed)
    wakes = _run(simulator, ticks, actions, script, block_ticks, wake)

    account = Account(Rules(symbol, config, broker), seed)
    expected = []
    for tick, (time_ns, bid, ask) in enumerate(zip(*(column.tolist() for column in ticks[:3]), strict=True)):
        acted = account.tick(tick, time_ns, bid, ask)
        reason = wake & Wake.TICK
        reason |= wake & Wake.FILL if acted else Wake.NONE
        reason |= wake & Wake.ACTION if actions[tick] else Wake.NONE
        if reason:
            expected.append((tick, reason))
            for request in script.get(tick, ()):
                _send_slowly(account, request, bid)
    assert wakes == expected
    _compare_open(simulator, account)
    _compare(simulator, account)
    simulator.finish(int(ticks.bid_points[-1]), int(ticks.ask_points[-1]))
    account.end()
    _compare(simulator, account)
    _compare_curve(simulator, account)


@given(
    setting=settings_of_account(),
    spec=ticks_strategy,
    actions=actions_strategy,
    block_ticks=st.sampled_from(BLOCK_SIZES),
    steps=st.one_of(st.integers(1, 200), st.just(12_000)),
    sl=distance,
    tp=distance,
    reverse=st.booleans(),
    min_free=st.sampled_from([Decimal(0), Decimal(100), Decimal("9999.5")]),
    seed=st.integers(0, 3),
)
@example(
    setting=("EURUSD", make_account(balance=Decimal("220.02")), make_broker()),
    spec=[(100, 0, 10)] * 9, actions=[0, 1] + [0] * 68, block_ticks=7, steps=100, sl=0, tp=0,
    reverse=False, min_free=Decimal(0), seed=0,
)  # fmt: skip
def test_the_compiled_policy(
    setting: tuple[str, AccountConfig, BrokerSpec],
    spec: list[tuple[int, int, int]],
    actions: list[int],
    block_ticks: int,
    steps: int,
    sl: int,
    tp: int,
    reverse: bool,
    min_free: Decimal,
    seed: int,
) -> None:
    symbol, config, broker = setting
    ticks, count = make_market(symbol, spec), len(spec)
    rules = Rules(symbol, config, broker)
    policy = OnePositionPolicy(
        steps * rules.spec.volume_step, sl, tp, OnOpposite.REVERSE if reverse else OnOpposite.CLOSE, min_free
    )
    simulator = make_simulator(symbol, account=config, broker=broker, ticks=count, seed=seed, policy=policy)
    decided = np.array(actions[:count], np.int8)
    assert _run(simulator, ticks, decided, {}, block_ticks, Wake.NONE) == []

    account = Account(rules, seed, Policy(steps, sl, tp, reverse, Fraction(min_free) * rules.minor))
    for tick, (time_ns, bid, ask) in enumerate(zip(*(column.tolist() for column in ticks[:3]), strict=True)):
        account.tick(tick, time_ns, bid, ask)
        account.act(actions[tick])
    _compare_open(simulator, account)
    simulator.finish(int(ticks.bid_points[-1]), int(ticks.ask_points[-1]))
    account.end()
    _compare(simulator, account)
    _compare_curve(simulator, account)


@pytest.mark.parametrize("seed", range(4))
def test_long_streams_with_growing_records(seed: int) -> None:
    """Some thousand ticks and requests: records grow several times, buckets of the curve hold several ticks."""
    draw = np.random.default_rng(seed)
    count = 2_300
    spec = list(
        zip(draw.choice(_GAPS_MS[:6], count), draw.integers(-9, 10, count), draw.integers(0, 9, count), strict=True)
    )
    spec = [(int(a), int(b), int(c)) for a, b, c in spec]
    config, broker = make_account(balance=10**6), make_broker(latency={"kind": "uniform", "ms": 0, "max_ms": 400})
    ticks = make_market("EURUSD", spec)
    script = {
        int(tick): [
            Ask(
                str(draw.choice(["buy", "sell", "close"])), int(draw.integers(1, 30)), sl_offset=int(draw.integers(0, 40)),
                tp_offset=int(draw.integers(0, 40)), which=int(draw.integers(0, 4)),
            )
            for _ in range(2)
        ]
        for tick in range(0, count, 3)
    }  # fmt: skip
    actions = np.zeros(count, np.int8)
    actions[list(script)] = Action.BUY
    simulator = make_simulator(account=config, broker=broker, ticks=count, seed=seed)
    _run(simulator, ticks, actions, script, BLOCK_SIZES[seed + 1], Wake.ACTION)
    account = Account(Rules("EURUSD", config, broker), seed)
    for tick, (time_ns, bid, ask) in enumerate(zip(*(column.tolist() for column in ticks[:3]), strict=True)):
        account.tick(tick, time_ns, bid, ask)
        for request in script.get(tick, ()):
            _send_slowly(account, request, bid)
    simulator.finish(int(ticks.bid_points[-1]), int(ticks.ask_points[-1]))
    account.end()
    assert len(account.orders) > 1_000
    assert {order["reason"] for order in account.orders} >= {RejectReason.NONE, RejectReason.POSITION_GONE}
    _compare(simulator, account)
    _compare_curve(simulator, account)
