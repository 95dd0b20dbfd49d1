"""The compiled account against the slow one: random markets, tariffs and requests; every record, every block size."""

from __future__ import annotations

import os
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from builders import BLOCK_SIZES, make_account, make_broker, make_simulator
from hypothesis import example, given
from hypothesis import strategies as st
from oracle.account import Policy
from oracle.compare import check_curve, check_open, check_records, finish, run_fast, run_slow
from oracle.markets import COUNT, GAPS_MS, Market, make_market, scripts, settings_of_account, ticks_strategy
from oracle.ports import Ask
from oracle.rules import Rules

from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.models import AccountConfig
from finiex_ray.core.enums import Action, ExitReason, FillKind, OrderState, RejectReason, Wake
from finiex_ray.trading.policy import OnePositionPolicy, OnOpposite, QuotePolicy

distance = st.one_of(st.just(0), st.integers(1, 20), st.integers(1, 300))
Setting = tuple[str, AccountConfig, BrokerSpec]


def _marked(script: dict[int, Any], count: int) -> np.ndarray:
    """Actions that wake the script at its ticks."""
    actions = np.zeros(count, np.int8)
    actions[[tick for tick in script if tick < count]] = Action.BUY
    return actions


@given(
    setting=settings_of_account(),
    spec=ticks_strategy,
    script=scripts,
    block_ticks=st.sampled_from(BLOCK_SIZES),
    wake=st.sampled_from([Wake.ACTION, Wake.ACTION | Wake.FILL, Wake.ACTION | Wake.TICK, Wake.FILL | Wake.TICK]),
    seed=st.integers(0, 3),
)
def test_requests_at_wake_ups(
    setting: Setting, spec: Market, script: dict[int, list[Ask]], block_ticks: int, wake: Wake, seed: int
) -> None:
    """R1 to R16: every kind of request on every kind of account."""
    symbol, config, broker = setting
    ticks, actions = make_market(symbol, spec), _marked(script, len(spec))
    span = (int(ticks.time_ns[0]), int(ticks.time_ns[-1]))
    simulator = make_simulator(symbol, account=config, broker=broker, ticks=len(spec), seed=seed, span_ns=span)
    wakes = run_fast(simulator, ticks, actions, script, block_ticks, wake)
    account, expected = run_slow(Rules(symbol, config, broker), ticks, actions, script, wake, seed)
    assert wakes == expected
    check_records(simulator, account)
    check_open(simulator, account)
    finish(simulator)
    account.end()
    check_records(simulator, account)
    check_curve(simulator, account)


@given(
    setting=settings_of_account(),
    spec=ticks_strategy,
    actions=st.lists(st.sampled_from([0, 0, 0, -1, 1, 1, 2]), min_size=COUNT, max_size=COUNT),
    block_ticks=st.sampled_from(BLOCK_SIZES),
    steps=st.one_of(st.integers(1, 200), st.just(12_000)),
    sl=distance,
    tp=distance,
    trail=st.sampled_from([0, 0, 1, 15]),
    reverse=st.booleans(),
    min_free=st.sampled_from([Decimal(0), Decimal(100), Decimal("9999.5")]),
    seed=st.integers(0, 3),
)
@example(
    setting=("EURUSD", make_account(balance=Decimal("220.02")), make_broker()),
    spec=[(100, 0, 10)] * 9, actions=[0, 1] + [0] * 68, block_ticks=7, steps=100, sl=0, tp=0, trail=0,
    reverse=False, min_free=Decimal(0), seed=0,
)  # fmt: skip
def test_the_compiled_policy(
    setting: Setting, spec: Market, actions: list[int], block_ticks: int, steps: int, sl: int, tp: int, trail: int,
    reverse: bool, min_free: Decimal, seed: int,
) -> None:  # fmt: skip
    """R1 to R16 with the one-position policy."""
    symbol, config, broker = setting
    ticks, count = make_market(symbol, spec), len(spec)
    rules = Rules(symbol, config, broker)
    opposite = OnOpposite.REVERSE if reverse else OnOpposite.CLOSE
    policy = OnePositionPolicy(steps * rules.spec.volume_step, sl, tp, trail, opposite, min_free)
    simulator = make_simulator(symbol, account=config, broker=broker, ticks=count, seed=seed, policy=policy)
    decided = np.array(actions[:count], np.int8)
    assert run_fast(simulator, ticks, decided, {}, block_ticks, Wake.NONE) == []
    slow = Policy(steps, sl, tp, reverse, Fraction(min_free) * rules.minor, trail)
    account, _ = run_slow(rules, ticks, decided, {}, Wake.NONE, seed, slow)
    check_open(simulator, account)
    finish(simulator)
    account.end()
    check_records(simulator, account)
    check_curve(simulator, account)


@given(
    setting=settings_of_account(),
    spec=ticks_strategy,
    actions=st.one_of(
        st.just([3] * COUNT),
        st.lists(st.sampled_from([0, 0, -1, 1, 2, 3, 3, 3]), min_size=COUNT, max_size=COUNT),
    ),
    block_ticks=st.sampled_from(BLOCK_SIZES),
    steps=st.one_of(st.integers(1, 200), st.just(12_000)),
    offset=st.sampled_from([-4, 0, 1, 2, 6, 20]),
    lifetime_ms=st.sampled_from([0, 1, 400, 3_000, 60_000]),
    sl=distance,
    tp=distance,
    trail=st.sampled_from([0, 1, 2, 5, 15]),
    reverse=st.booleans(),
    min_free=st.sampled_from([Decimal(0), Decimal(0), Decimal("9999.5")]),
    seed=st.integers(0, 3),
)
def test_the_compiled_policy_of_limit_orders(
    setting: Setting, spec: Market, actions: list[int], block_ticks: int, steps: int, offset: int, lifetime_ms: int,
    sl: int, tp: int, trail: int, reverse: bool, min_free: Decimal, seed: int,
) -> None:  # fmt: skip
    """R1 to R16 with the policy that enters by limit orders."""
    symbol, config, broker = setting
    ticks, count = make_market(symbol, spec), len(spec)
    rules = Rules(symbol, config, broker)
    opposite = OnOpposite.REVERSE if reverse else OnOpposite.CLOSE
    policy = QuotePolicy(steps * rules.spec.volume_step, sl, tp, trail, opposite, min_free, offset, lifetime_ms / 1_000)
    simulator = make_simulator(symbol, account=config, broker=broker, ticks=count, seed=seed, policy=policy)
    decided = np.array(actions[:count], np.int8)
    assert run_fast(simulator, ticks, decided, {}, block_ticks, Wake.NONE) == []
    slow = Policy(steps, sl, tp, reverse, Fraction(min_free) * rules.minor, trail, True, offset, lifetime_ms * 10**6)
    account, _ = run_slow(rules, ticks, decided, {}, Wake.NONE, seed, slow)
    check_open(simulator, account)
    finish(simulator)
    account.end()
    check_records(simulator, account)
    check_curve(simulator, account)


def _busy_script(draw: np.random.Generator, count: int) -> dict[int, list[Ask]]:
    """Two requests of any kind at every third tick."""

    def pick(*values: Any) -> Any:
        return values[int(draw.integers(len(values)))]

    def one() -> Ask:
        kind = pick("buy", "sell", "buy", "sell", "close", "cancel", "change_order", "change_position", "close_all")
        fields: dict[str, Any] = {}
        if kind in {"buy", "sell"}:
            fields = {name: int(draw.integers(-25, 26)) for name in pick((), ("limit",), ("stop",), ("limit", "stop"))}
            if fields:
                fields["good_till"] = pick(None, 3 * 10**9, 90 * 10**9)
            fields |= {"sl_points": int(draw.integers(0, 60)), "tp_points": int(draw.integers(0, 60)), "magic": 3}
            fields["trail_points"] = pick(0, 0, 30)
        elif kind == "close":
            fields = pick({}, {"steps": Decimal(5)})
        elif kind == "change_order":
            fields = {"limit": int(draw.integers(-15, 16)), "stop": int(draw.integers(-15, 16))}
        elif kind == "change_position":
            fields = {"sl": int(draw.integers(-60, 60)), "trail_points": pick(0, 20)}
        return Ask(kind, Decimal(int(draw.integers(1, 30))), int(draw.integers(0, 6)), fields)

    return {tick: [one(), one()] for tick in range(0, count, 3)}


# One for each kind of account, of which one converts; all of them in a soak, one where a mode of the kernels is tried.
EXAMPLES = int(os.environ.get("FINIEX_EXAMPLES", "60"))
LONG_STREAMS = range(8) if EXAMPLES >= 1_000 else (0, 2, 7) if EXAMPLES >= 10 else (7,)


@pytest.mark.parametrize("seed", LONG_STREAMS)
def test_long_streams_with_growing_records(seed: int) -> None:
    """Some thousand ticks and requests: records grow several times, buckets of the curve hold several ticks."""
    draw = np.random.default_rng(seed)
    count = 2_300
    spec = list(
        zip(draw.choice(GAPS_MS[:8], count), draw.integers(-9, 10, count), draw.integers(0, 9, count), strict=True)
    )
    spec = [(int(a), int(b), int(c)) for a, b, c in spec]
    mode = ("hedging", "netting", "spot")[seed % 3]
    own = (
        {"currency": "JPY", "balance": 10**8} if seed >= 6 else {"balance": (10**6, 5_000)[seed % 2]}
    )  # a pair converts
    config = make_account(**own, guard={"rejections": 5, "cool_down_s": 20})
    broker = make_broker(
        account_mode=mode,
        latency={"kind": "uniform", "ms": 0, "max_ms": 400},
        commission={"kind": "per_lot", "value": "3.5", "maker": "1"},
        each_symbol={"swap": {"kind": "points", "long": "-7.5", "short": "2.25"}},
        margin_call_percent=150,
        stop_out_percent=100,
    )
    ticks = make_market("EURUSD", spec)
    script = _busy_script(draw, count)
    actions = _marked(script, count)
    span = (int(ticks.time_ns[0]), int(ticks.time_ns[-1]))
    simulator = make_simulator(account=config, broker=broker, ticks=count, seed=seed, span_ns=span)
    run_fast(simulator, ticks, actions, script, BLOCK_SIZES[seed % 5], Wake.ACTION)
    account, _ = run_slow(Rules("EURUSD", config, broker), ticks, actions, script, Wake.ACTION, seed)
    check_open(simulator, account)
    finish(simulator)
    account.end()
    check_records(simulator, account)
    check_curve(simulator, account)
    _deep_enough(account, mode)


def _deep_enough(account: Any, mode: str) -> None:
    """The stream has reached what it is there for."""
    assert len(account.orders) > 1_000
    states = {order["state"] for order in account.orders}
    assert states >= {OrderState.REJECTED, OrderState.EXPIRED, OrderState.CANCELLED, OrderState.DONE}
    assert RejectReason.ORDER_GONE in {order["reason"] for order in account.orders}
    if mode == "hedging":
        assert FillKind.SWAP in {fill["kind"] for fill in account.fills}
        assert {trade["exit_reason"] for trade in account.trades} >= {ExitReason.STOP_LOSS, ExitReason.CLOSE_ORDER}
    if mode == "netting":
        assert ExitReason.NETTED in {trade["exit_reason"] for trade in account.trades}
