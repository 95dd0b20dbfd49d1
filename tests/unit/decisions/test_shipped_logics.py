"""Decisions of the shipped logics against plain-Python rules."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from support import make_blocks, random_ticks, segment

from finiex_ray.bars.block import Block
from finiex_ray.bars.tick import Tick
from finiex_ray.config.models import TypedConfig
from finiex_ray.core.enums import Action, Wake
from finiex_ray.core.errors import ConfigError
from finiex_ray.decisions.base import DecisionLogic
from finiex_ray.decisions.registry import create_logic
from finiex_ray.decisions.tick_style import TickLogic
from finiex_ray.trading.api import KEEP
from finiex_ray.trading.policy import OnePositionPolicy, OnOpposite, QuotePolicy
from finiex_ray.trading.views import WakeUp


def _logic(**config: object) -> DecisionLogic:
    return create_logic(TypedConfig.model_validate(config))


def _block(prices_hp: list[int], first_tick: int = 0) -> Block:
    ticks = segment([(10**18 + i, hp // 2, hp - hp // 2) for i, hp in enumerate(prices_hp)])
    (block,) = make_blocks(ticks, 0, {}, 10**6)
    return replace(block, first_tick=first_tick)


def _expected(rsi: float, upper: float, lower: float, price: float, both: bool, params: dict[str, float]) -> int:
    """The rule as the documentation states it."""
    buy_at, sell_at, extremes = params["rsi_buy_threshold"], params["rsi_sell_threshold"], params["band_extremes"]
    position = (price - lower) / (upper - lower) if upper > lower else math.nan
    clip = lambda share: min(max(share, 0.0), 1.0)  # noqa: E731
    sides = []
    for rsi_past, rsi_strength, band_past, band_strength in (
        (rsi < buy_at, (buy_at - rsi) / buy_at, position < extremes, extremes - position),
        (rsi > sell_at, (rsi - sell_at) / (100 - sell_at), position > 1 - extremes, position - (1 - extremes)),
    ):
        strengths = (clip(rsi_strength) if rsi_past else 0.0, clip(band_strength) if band_past else 0.0)
        if both:
            sides.append(rsi_past and band_past and min(strengths) >= params["min_confidence"])
        else:
            sides.append((rsi_past or band_past) and max(strengths) >= params["min_confidence"])
    return int(sides[0]) - int(sides[1])


@pytest.mark.parametrize("name", ["aggressive_trend", "simple_consensus"])
@pytest.mark.parametrize("extremes", [-0.25, 0.0, 0.3])
@pytest.mark.parametrize("confidence", [0.0, 0.2, 0.6])
def test_rsi_and_band_follow_the_rule(name: str, extremes: float, confidence: float) -> None:
    draw = random.Random(3)
    prices = [draw.randint(276_000, 278_000) for _ in range(3_000)]
    block = _block(prices)
    rsi = np.array([draw.choice((draw.uniform(0, 100), draw.uniform(0, 100), 30.0, 70.0, math.nan)) for _ in prices])
    lower = np.array([draw.uniform(1.380, 1.386) for _ in prices])
    upper = lower + np.array([draw.choice((0.0, 0.004, 0.006, math.nan)) for _ in prices])
    params = {
        "rsi_buy_threshold": 30.0, "rsi_sell_threshold": 70.0, "band_extremes": extremes, "min_confidence": confidence,
    }  # fmt: skip
    actions = _logic(type=name, **params).decide(block, {"rsi": {"rsi": rsi}, "band": {"upper": upper, "lower": lower}})
    both = name == "simple_consensus"
    expected = [
        _expected(*row, both, params)
        for row in zip(rsi.tolist(), upper.tolist(), lower.tolist(), block.price.tolist(), strict=True)
    ]
    assert actions.tolist() == expected
    assert {Action.BUY, Action.SELL, Action.NONE} == set(expected)


def test_both_sides_at_once_is_neither() -> None:
    band = {"upper": np.array([1.39]), "lower": np.array([1.38])}
    inputs = {"rsi": {"rsi": np.array([10.0])}, "band": band}
    block = _block([278_200])  # 1.391, above the band: sell; the RSI says buy
    assert _logic(type="aggressive_trend").decide(block, inputs).tolist() == [Action.NONE]
    # With a confidence that only the RSI reaches, the weak side is out and the other one counts.
    assert _logic(type="aggressive_trend", min_confidence=0.5).decide(block, inputs).tolist() == [Action.BUY]


def test_the_policy_comes_from_the_parameters() -> None:
    logic = _logic(
        type="aggressive_trend",
        lots=0.3,
        sl_points=50,
        tp_points=80,
        trail_points=30,
        on_opposite="reverse",
        min_free_margin=1000,
    )
    assert logic.policy() == OnePositionPolicy(
        lots=Decimal("0.3"),
        sl_points=50,
        tp_points=80,
        trail_points=30,
        on_opposite=OnOpposite.REVERSE,
        min_free_margin=Decimal(1000),
    )
    assert _logic(type="macd_cross").policy() == OnePositionPolicy(Decimal("0.1"))
    assert _logic(type="scripted").policy() is None


@pytest.mark.parametrize("name", ["limit_entry", "two_sided_quote"])
def test_the_policy_of_limit_orders_comes_from_the_parameters(name: str) -> None:
    logic = _logic(type=name, lots=0.2, offset_points=7, lifetime_s=2.5, trail_points=30, on_opposite="reverse")
    assert logic.policy() == QuotePolicy(
        lots=Decimal("0.2"), trail_points=30, on_opposite=OnOpposite.REVERSE, offset_points=7, lifetime_s=2.5
    )
    assert type(logic).policy_params >= {"offset_points", "lifetime_s", "lots"}


def test_two_sided_quote_asks_for_both_sides_at_every_tick() -> None:
    assert _logic(type="two_sided_quote").decide(_block([278_000] * 3), {}).tolist() == [Action.QUOTE] * 3


def test_limit_entry_signals_as_simple_consensus() -> None:
    block = _block([276_000, 277_000, 278_200])
    inputs = {
        "rsi": {"rsi": np.array([10.0, 50.0, 90.0])},
        "band": {"upper": np.full(3, 1.39), "lower": np.full(3, 1.381)},
    }
    actions = _logic(type="limit_entry").decide(block, inputs).tolist()
    assert actions == _logic(type="simple_consensus").decide(block, inputs).tolist() == [1, 0, -1]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"rsi_buy_threshold": 80}, r"rsi_buy_threshold \(80.0\) must not be above rsi_sell_threshold \(70.0\)"),
        ({"lots": 0}, r"'lots' = 0"),
        ({"band_extremes": 0.6}, r"'band_extremes' = 0.6"),
        ({"rsi_by_threshold": 20}, r"unknown parameter 'rsi_by_threshold'. Did you mean 'rsi_buy_threshold'\?"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        _logic(type="aggressive_trend", **params)


@pytest.mark.parametrize("size", [1, 2, 11])
def test_macd_crosses_once_and_over_block_borders(size: int) -> None:
    nan = math.nan
    line = np.array([nan, -1.0, -1.0, 1.0, 2.0, 0.0, 1.0, 0.0, -1.0, nan, 1.0])
    expected = [0, 0, 0, 1, 0, 0, 0, 0, -1, 0, 1]
    logic, actions = _logic(type="macd_cross"), []
    for first in range(0, 11, size):
        part = line[first : first + size]
        inputs = {"macd": {"macd": part, "signal": np.zeros(len(part))}}
        actions += logic.decide(_block([277_000] * len(part), first), inputs).tolist()
    assert actions == expected


class FakeTrading:
    """Writes down what is asked of it; an opening order is answered with ids from 101 on."""

    point = 1e-05

    def __init__(self, *open_ids: int, resting: tuple[int, ...] = ()) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.positions = [type("View", (), {"position_id": each})() for each in open_ids]
        self.pending = [type("View", (), {"order_id": each})() for each in resting]

    def __getattr__(self, name: str) -> Any:
        def write_down(*args: Any, **more: Any) -> int:
            self.calls.append((name, *args, more))
            return 100 + len(self.calls)

        return write_down


def _wake(tick: int, offset: int = 0) -> WakeUp:
    return WakeUp(tick, offset, 10**18, 1.38, 1.39, Action.NONE, Wake.TICK)


_PLAIN = {
    "limit": None, "stop": None, "sl": None, "tp": None, "sl_points": 0, "tp_points": 0, "trail_points": 0,
    "good_till": None, "max_slippage_points": None, "immediate_or_cancel": False, "magic": 0, "comment": "",
}  # fmt: skip


def _sent(trading: FakeTrading, *requests: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What a script with these requests at tick 5 asks of the account."""
    logic = _logic(type="scripted", orders=[{"tick": 5, **request} for request in requests])
    logic.execute(_wake(5), trading)  # type: ignore[arg-type]
    return trading.calls


def test_scripted_marks_its_ticks_and_sends_its_orders() -> None:
    logic = _logic(
        type="scripted",
        orders=[
            {"tick": 7, "action": "close", "position": 3},
            {"tick": 2, "action": "buy", "lots": 0.2, "sl": 1.37, "tp_points": 40},
            {"tick": 2, "action": "sell"},
            {"tick": 8, "action": "close"},
            {"tick": 9, "action": "close_all"},
        ],
    )
    assert logic.wake_on == Wake.ACTION
    assert logic.decide(_block([277_000] * 5), {}).tolist() == [0, 0, 1, 0, 0]
    assert logic.decide(_block([277_000] * 6, 5), {}).tolist() == [0, 0, 2, 2, 2, 0]
    trading = FakeTrading(4, 6)
    for tick in range(11):
        logic.execute(_wake(tick), trading)  # type: ignore[arg-type]
    assert trading.calls == [
        ("buy", Decimal("0.2"), {**_PLAIN, "sl": 1.37, "tp_points": 40}),
        ("sell", Decimal("0.1"), _PLAIN),
        ("close", 3, None, {"max_slippage_points": None}),
        ("close", 4, None, {"max_slippage_points": None}),
        ("close_all", {}),
    ]


def test_scripted_prices_count_from_the_quote_of_the_side() -> None:
    calls = _sent(
        FakeTrading(),
        {"action": "buy", "limit_points": 30},
        {"action": "sell", "limit_points": 30},
        {"action": "buy", "stop_points": 40},
        {"action": "sell", "stop_points": 40, "limit_points": -50},
        {"action": "sell", "stop": 1.37, "limit": 1.36},
    )
    prices = [(name, more["limit"], more["stop"]) for name, _, more in calls]
    expected = [
        ("buy", 1.3897, None),
        ("sell", 1.3803, None),
        ("buy", None, 1.3904),
        ("sell", 1.3795, 1.3796),
        ("sell", 1.36, 1.37),
    ]
    assert [name for name, *_ in prices] == [name for name, *_ in expected]
    for (_, *seen), (_, *wanted) in zip(prices, expected, strict=True):
        assert seen == [None if price is None else pytest.approx(price, abs=1e-9) for price in wanted]


def test_scripted_hands_on_everything_an_order_can_state() -> None:
    till = datetime(2025, 9, 25, 14, tzinfo=UTC)
    calls = _sent(
        FakeTrading(),
        {
            "action": "buy",
            "lots": 2,
            "limit": 1.38,
            "good_till": "2025-09-25T14:00:00Z",
            "trail_points": 25,
            "magic": 7,
        },
        {
            "action": "sell",
            "max_slippage_points": 3,
            "immediate_or_cancel": True,
            "tp": 1.3,
            "sl_points": 9,
            "comment": "x",
        },
    )
    assert calls == [
        ("buy", Decimal(2), {**_PLAIN, "limit": 1.38, "good_till": till, "trail_points": 25, "magic": 7}),
        (
            "sell",
            Decimal("0.1"),
            {**_PLAIN, "max_slippage_points": 3, "immediate_or_cancel": True, "tp": 1.3, "sl_points": 9, "comment": "x"},
        ),
    ]  # fmt: skip


def test_scripted_pairs_an_order_with_the_one_before_it() -> None:
    calls = _sent(
        FakeTrading(),
        {"action": "buy", "stop_points": 10},
        {"action": "sell", "stop_points": 10, "oco": True},
        {"action": "close_all"},
        {"action": "sell", "oco": True},
    )
    assert [call for call in calls if call[0] == "one_cancels_other"] == [("one_cancels_other", 101, 102, {})]
    assert [call[0] for call in calls] == ["buy", "sell", "one_cancels_other", "close_all", "sell"]


def test_scripted_means_the_oldest_position_and_the_oldest_resting_order() -> None:
    calls = _sent(
        FakeTrading(4, 6, resting=(11, 12)),
        {"action": "close", "lots": 0.3, "max_slippage_points": 2},
        {"action": "close", "position": 6},
        {"action": "reverse"},
        {"action": "reverse", "position": 6},
        {"action": "modify_position", "sl": 1.3},
        {"action": "modify_position", "position": 6, "tp": None, "trail_points": 40},
        {"action": "cancel"},
        {"action": "cancel", "order": 12},
        {"action": "modify_order", "limit": 1.35},
        {"action": "modify_order", "order": 12, "sl": None, "good_till": None},
        {"action": "cancel_all"},
    )
    kept_order = dict.fromkeys(("limit", "stop", "sl", "tp", "good_till"), KEEP)
    kept_position = dict.fromkeys(("sl", "tp", "trail_points"), KEEP)
    assert calls == [
        ("close", 4, Decimal("0.3"), {"max_slippage_points": 2}),
        ("close", 6, None, {"max_slippage_points": None}),
        ("reverse", 4, {}),
        ("reverse", 6, {}),
        ("modify_position", 4, {**kept_position, "sl": 1.3}),
        ("modify_position", 6, {**kept_position, "tp": None, "trail_points": 40}),
        ("cancel", 11, {}),
        ("cancel", 12, {}),
        ("modify_order", 11, {**kept_order, "limit": 1.35}),
        ("modify_order", 12, {**kept_order, "sl": None, "good_till": None}),
        ("cancel_all", {}),
    ]


@pytest.mark.parametrize("action", ["close", "reverse", "modify_position", "cancel", "modify_order"])
def test_scripted_does_nothing_where_there_is_nothing_to_speak_of(action: str) -> None:
    assert _sent(FakeTrading(), {"action": action}) == []


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ({"tick": -1, "action": "buy"}, r"'orders.0.tick' = -1"),
        ({"tick": 1, "action": "hold"}, r"'orders.0.action' = 'hold'"),
        ({"tick": 1, "action": "buy", "position": 2}, r"action 'buy' takes no position"),
        ({"tick": 1, "action": "close_all", "lots": 1}, r"action 'close_all' takes no lots"),
        ({"tick": 1, "action": "close", "limit": 1.3, "sl": 1.2}, r"action 'close' takes no limit, sl"),
        ({"tick": 1, "action": "cancel", "position": 1}, r"action 'cancel' takes no position"),
        ({"tick": 1, "action": "modify_position", "sl_points": 5}, r"action 'modify_position' takes no sl_points"),
        ({"tick": 1, "action": "buy", "sl": 1.0, "sl_points": 5}, r"as a price or as a distance"),
        ({"tick": 1, "action": "buy", "limit": 1.0, "limit_points": 5}, r"give limit or limit_points, not both"),
        ({"tick": 1, "action": "sell", "stop": 1.0, "stop_points": 5}, r"give stop or stop_points, not both"),
        ({"tick": 1, "action": "buy", "good_till": "2025-09-25T14:00:00"}, r"'orders.0.good_till'.*has no time zone"),
    ],
)
def test_a_script_that_makes_no_sense_is_refused(order: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        _logic(type="scripted", orders=[order])


class Watcher(TickLogic):
    """Keeps what it is given."""

    roles = {"rsi": ("rsi",)}  # noqa: RUF012

    def on_tick(self, tick: Tick, values: Any, trading: Any) -> None:
        self.seen = tick, values
        trading.buy(0.1)


def test_a_tick_logic_gets_tick_values_and_trading() -> None:
    logic = Watcher(Watcher.Params())
    block = make_blocks(random_ticks(40), 0, {}, 25)[1]
    rsi = {"rsi": np.arange(len(block)) + 0.5}
    band = {"upper": np.full(len(block), 2.0), "lower": np.full(len(block), 1.0)}
    inputs = {"rsi_fast": rsi, "rsi": rsi, "band_main": band}
    logic.see(block, inputs)
    actions = logic.decide(block, inputs)
    assert (logic.wake_on, logic.policy(), actions.dtype, actions.any()) == (Wake.TICK, None, np.int8, np.False_)
    trading = FakeTrading()
    logic.execute(_wake(28, 3), trading)  # type: ignore[arg-type]
    tick, values = logic.seen
    assert (tick.index, tick.time_ns, tick.bid) == (28, block.time_ns[3], block.bid_points[3] * 1e-05)
    assert values == {"rsi_fast": 3.5, "rsi": 3.5, "band_main": {"upper": 2.0, "lower": 1.0}}
    assert trading.calls == [("buy", 0.1, {})]
