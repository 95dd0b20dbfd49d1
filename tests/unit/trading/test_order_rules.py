"""Rules of every order type (R3 to R6, R15), each test named after its rule; prices are worked out by hand.

This module also runs with ``NUMBA_DISABLE_JIT=1`` and with ``NUMBA_BOUNDSCHECK=1`` (`test_kernel_modes.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from builders import T0, drive, make_account, make_broker, make_simulator, make_ticks, rows

from finiex_ray.core.enums import EventKind, ExitReason, OrderState, RejectReason
from finiex_ray.core.time import NS_PER_MS
from finiex_ray.trading.api import TradingApi
from finiex_ray.trading.simulator import TradeSimulator

Trade = Callable[[TradingApi], object]
STEP_NS = 100 * NS_PER_MS  # of `make_ticks`


def _run(
    asks: list[int], script: dict[int, Trade], *, spread: int = 10, finish: bool = False, **broker: Any
) -> TradeSimulator:
    """Runs a script over ticks that are given by their ask."""
    account = make_account(**{k: broker.pop(k) for k in ("balance", "latency", "guard", "slippage") if k in broker})
    simulator = make_simulator(account=account, broker=make_broker(**broker))
    return drive(simulator, make_ticks([(ask - spread, ask) for ask in asks]), script, finish=finish)


def _order(simulator: TradeSimulator, order_id: int = 1) -> dict[str, Any]:
    return rows(simulator.orders())[order_id - 1]


def _end(simulator: TradeSimulator, order_id: int = 1) -> tuple[OrderState, RejectReason, int]:
    order = _order(simulator, order_id)
    return OrderState(order["state"]), RejectReason(order["reason"]), order["done_tick"]


def _told(simulator: TradeSimulator) -> list[tuple[EventKind, int, int]]:
    return [(EventKind(e["kind"]), e["tick"], e["order_id"]) for e in rows(simulator.events())]


FILLED, REJECTED, EXPIRED, CANCELLED = OrderState.FILLED, OrderState.REJECTED, OrderState.EXPIRED, OrderState.CANCELLED
ACTIVE, TRIGGERED, DONE, NONE = OrderState.ACTIVE, OrderState.TRIGGERED, OrderState.DONE, RejectReason.NONE


# R3


def test_r3_closing_requests_have_a_latency_of_their_own() -> None:
    broker = {"latency": {"kind": "fixed", "ms": 0}, "latency_close": {"kind": "fixed", "ms": 250}}
    simulator = _run([110_010] * 8, {0: lambda t: t.buy(1), 2: lambda t: t.close(1)}, **broker)
    assert [_order(simulator, i)["done_tick"] for i in (1, 2)] == [1, 5]


def test_r3_a_share_of_requests_is_refused_by_the_broker() -> None:
    account = make_account(balance=10**7, rejection_share=0.3)
    simulator = drive(
        make_simulator(account=account),
        make_ticks([(110_000, 110_010)] * 3),
        {0: lambda t: [t.buy("0.01") for _ in range(400)]},
    )
    refused = [o for o in rows(simulator.orders()) if o["reason"] == RejectReason.BROKER]
    assert 80 < len(refused) < 160
    assert {(o["state"], o["done_tick"]) for o in refused} == {(REJECTED, 1)}


def test_r3_lognormal_delays_have_their_median_and_their_cut() -> None:
    latency = {"kind": "lognormal", "ms": 40, "sigma": 0.8, "max_ms": 90}
    account = make_account(balance=10**8, latency=latency)
    simulator = drive(
        make_simulator(account=account),
        make_ticks([(110_000, 110_010)] * 3),
        {0: lambda t: [t.buy("0.01") for _ in range(999)]},
    )
    delays = sorted(o["arrival_ns"] - o["request_ns"] for o in rows(simulator.orders()))
    assert 36 * NS_PER_MS < delays[500] < 44 * NS_PER_MS
    assert delays[-1] == 90 * NS_PER_MS
    assert delays[0] < 15 * NS_PER_MS
    assert all(delay % 1_000 == 0 for delay in delays)


# R4


def test_r4_slippage_by_spread_is_a_rounded_share() -> None:
    slippage = {"kind": "by_spread", "share": "0.25"}
    simulator = _run([110_010] * 4, {0: lambda t: (t.buy(1), t.sell(1))}, slippage=slippage)
    assert [_order(simulator, i)["fill_price_points"] for i in (1, 2)] == [110_013, 109_997]  # 2.5 is rounded to 3


def test_r4_slippage_by_spread_counts_a_negative_spread_as_none() -> None:
    simulator = _run([110_010] * 4, {0: lambda t: t.buy(1)}, spread=-4, slippage={"kind": "by_spread", "share": "1"})
    assert _order(simulator)["fill_price_points"] == 110_010


def test_r4_uniform_slippage_lies_between_none_and_its_points() -> None:
    account = make_account(balance=10**7, slippage={"kind": "uniform", "points": 3})
    simulator = drive(
        make_simulator(account=account),
        make_ticks([(110_000, 110_010)] * 3),
        {0: lambda t: [t.buy("0.01") for _ in range(200)]},
    )
    assert {o["fill_price_points"] - 110_010 for o in rows(simulator.orders())} == {0, 1, 2, 3}


@pytest.mark.parametrize(("most", "reason"), [(4, RejectReason.SLIPPAGE), (5, NONE), (None, NONE)])
def test_r4_an_order_is_rejected_when_its_price_is_worse_than_allowed(most: int | None, reason: RejectReason) -> None:
    """The ask rises by 3, slippage adds 2."""
    slippage = {"kind": "fixed", "points": 2}
    simulator = _run([110_010, 110_013], {0: lambda t: t.buy(1, max_slippage_points=most)}, slippage=slippage)
    assert _end(simulator)[1] == reason


def test_r4_the_allowed_slippage_holds_for_closing_orders() -> None:
    script = {0: lambda t: t.buy(1), 2: lambda t: t.close(1, max_slippage_points=9)}
    simulator = _run([110_010, 110_010, 110_010, 110_000], script)
    assert _end(simulator, 2) == (REJECTED, RejectReason.SLIPPAGE, 3)
    assert len(simulator.positions()) == 1


@pytest.mark.parametrize(("whole", "steps"), [(False, 0), (True, 45)])
def test_r4_immediate_or_cancel_fills_what_the_margin_carries(whole: bool, steps: int) -> None:
    """100 USD at 1:500 carry 0.45 lots at 1.10010 (99.009 USD), not 0.46."""
    simulator = _run([110_010] * 3, {0: lambda t: t.buy(1, immediate_or_cancel=whole)}, balance=100)
    order = _order(simulator)
    assert (order["filled_steps"], order["volume_steps"]) == (steps, 100)
    assert order["reason"] == RejectReason.NOT_ENOUGH_MARGIN
    assert order["state"] == (FILLED if whole else REJECTED)
    assert _told(simulator) == [(EventKind.PARTIAL_FILL if whole else EventKind.REJECTED, 1, 1)]


def test_r4_immediate_or_cancel_fills_at_least_the_smallest_volume() -> None:
    small = {"volume_min": "0.5"}
    simulator = _run([110_010] * 3, {0: lambda t: t.buy(1, immediate_or_cancel=True)}, balance=100, each_symbol=small)
    assert _end(simulator) == (REJECTED, RejectReason.NOT_ENOUGH_MARGIN, 1)


# R5 limit orders


def test_r5_a_limit_order_fills_at_its_own_price_on_a_later_tick() -> None:
    simulator = _run([110_010, 110_010, 110_001, 109_900], {0: lambda t: t.buy(1, limit=1.1)})
    assert _end(simulator) == (FILLED, NONE, 3)
    assert _order(simulator)["fill_price_points"] == 110_000


def test_r5_a_marketable_limit_order_fills_at_the_quote_as_a_taker() -> None:
    costs = {"commission": {"kind": "per_lot", "value": "5", "maker": "1"}}
    simulator = _run([110_010] * 3, {0: lambda t: t.buy(1, limit=1.1005)}, **costs)
    assert (_order(simulator)["fill_price_points"], simulator.fills()[0]["commission_minor"]) == (110_010, -500)


def test_r5_a_limit_order_that_rested_is_a_maker_on_touch() -> None:
    costs = {"commission": {"kind": "per_lot", "value": "5", "maker": "1"}, "slippage": {"kind": "fixed", "points": 4}}
    simulator = _run([110_010, 110_010, 110_000], {0: lambda t: t.buy(1, limit=1.1)}, **costs)
    assert _end(simulator) == (FILLED, NONE, 2)
    assert (_order(simulator)["fill_price_points"], simulator.fills()[0]["commission_minor"]) == (110_000, -100)


def test_r5_a_sell_limit_looks_at_the_bid() -> None:
    simulator = _run([110_010, 110_010, 110_030, 110_031], {0: lambda t: t.sell(1, limit=1.1002)}, spread=11)
    assert (_end(simulator)[2], _order(simulator)["fill_price_points"]) == (3, 110_020)


# R5 stop and stop-limit orders


def test_r5_a_stop_order_fills_at_the_quote_without_slippage() -> None:
    slippage = {"kind": "fixed", "points": 4}
    simulator = _run([110_010, 110_010, 110_049, 110_075], {0: lambda t: t.buy(1, stop=1.1005)}, slippage=slippage)
    assert (_end(simulator), _order(simulator)["fill_price_points"]) == ((FILLED, NONE, 3), 110_075)


def test_r5_a_stop_order_can_trigger_on_the_tick_of_its_arrival() -> None:
    simulator = _run([110_010, 110_075], {0: lambda t: t.buy(1, stop=1.1005)})
    assert (_end(simulator), _order(simulator)["fill_price_points"]) == ((FILLED, NONE, 1), 110_075)


def test_r5_a_sell_stop_looks_at_the_bid() -> None:
    simulator = _run([110_010, 110_010, 109_960, 109_959], {0: lambda t: t.sell(1, stop=1.0995)}, spread=9)
    assert (_end(simulator)[2], _order(simulator)["fill_price_points"]) == (3, 109_950)


def test_r5_a_gap_through_a_stop_limit_does_not_fill_and_a_later_ask_does() -> None:
    """1.1010/1.1012, the ask jumps to 1.1021; at 1.1011 it fills at its limit."""
    script = {0: lambda t: t.buy(1, stop=1.1010, limit=1.1012)}
    simulator = _run([110_090, 110_090, 110_210, 110_150, 110_110], script)
    assert (_end(simulator), _order(simulator)["fill_price_points"]) == ((FILLED, NONE, 4), 110_120)
    assert _told(simulator) == [(EventKind.TRIGGERED, 2, 1), (EventKind.FILL, 4, 1)]


def test_r5_a_stop_limit_within_its_limit_fills_at_the_quote_as_a_taker() -> None:
    costs = {"commission": {"kind": "per_lot", "value": "5", "maker": "1"}}
    simulator = _run([110_090, 110_090, 110_110], {0: lambda t: t.buy(1, stop=1.1010, limit=1.1012)}, **costs)
    assert (_end(simulator), _order(simulator)["fill_price_points"]) == ((FILLED, NONE, 2), 110_110)
    assert simulator.fills()[0]["commission_minor"] == -500


def test_r5_a_resting_order_without_margin_is_rejected_when_it_fills() -> None:
    simulator = _run([110_010, 110_010, 109_990], {0: lambda t: t.buy(1, limit=1.1)}, balance=100)
    assert _end(simulator) == (REJECTED, RejectReason.NOT_ENOUGH_MARGIN, 2)


# R5 expiry


def test_r5_an_order_expires_before_anything_is_matched() -> None:
    script = {0: lambda t: t.buy(1, limit=1.1, good_till=T0 + 3 * STEP_NS)}
    simulator = _run([110_010, 110_010, 110_010, 109_000], script)
    assert _end(simulator) == (EXPIRED, RejectReason.GOOD_TILL_DATE, 3)
    assert _told(simulator) == [(EventKind.EXPIRED, 3, 1)]


def test_r5_an_order_that_arrives_too_late_expires_on_arrival() -> None:
    script = {0: lambda t: t.buy(1, limit=1.2, good_till=T0 + STEP_NS)}
    assert _end(_run([110_010] * 3, script)) == (EXPIRED, RejectReason.GOOD_TILL_DATE, 1)


def test_r5_a_change_to_a_time_that_has_passed_expires_the_order_at_once() -> None:
    script = {0: lambda t: t.buy(1, limit=1.1), 2: lambda t: t.modify_order(1, limit=1.2, good_till=T0)}
    simulator = _run([110_010] * 5, script)
    assert _end(simulator) == (EXPIRED, RejectReason.GOOD_TILL_DATE, 3)
    assert _end(simulator, 2) == (DONE, NONE, 3)


def test_r5_a_change_to_an_earlier_time_is_heeded_at_that_time() -> None:
    script = {0: lambda t: t.buy(1, limit=1.1), 2: lambda t: t.modify_order(1, limit=1.1, good_till=T0 + 6 * STEP_NS)}
    assert _end(_run([110_010] * 9, script)) == (EXPIRED, RejectReason.GOOD_TILL_DATE, 6)


# R5 one cancels the other


def _pair(first: Trade, second: Trade) -> Trade:
    return lambda t: t.one_cancels_other(first(t), second(t))  # type: ignore[arg-type]


def test_r5_when_one_of_a_pair_fills_the_other_is_cancelled_at_once() -> None:
    script = {0: _pair(lambda t: t.buy(1, stop=1.1005), lambda t: t.sell(1, stop=1.0995))}
    simulator = _run([110_010, 110_010, 110_060, 109_000], script)
    assert _end(simulator) == (FILLED, NONE, 2)
    assert _end(simulator, 2) == (CANCELLED, RejectReason.OCO, 2)
    assert _told(simulator) == [(EventKind.FILL, 2, 1), (EventKind.CANCELLED, 2, 2)]


def test_r5_the_second_of_a_pair_cancels_the_first() -> None:
    script = {0: _pair(lambda t: t.buy(1, stop=1.1005), lambda t: t.sell(1, stop=1.0995))}
    simulator = _run([110_010, 110_010, 109_900, 110_060], script)
    assert _end(simulator, 2) == (FILLED, NONE, 2)
    assert _end(simulator) == (CANCELLED, RejectReason.OCO, 2)


def test_r5_a_partner_under_way_is_cancelled_on_its_arrival() -> None:
    broker = {"latency": {"kind": "fixed", "ms": 0}, "latency_close": {"kind": "fixed", "ms": 300}}
    script = {0: lambda t: t.buy(1), 2: _pair(lambda t: t.buy("0.5"), lambda t: t.close(1))}
    simulator = _run([110_010] * 8, script, **broker)
    assert _end(simulator, 2) == (FILLED, NONE, 3)
    assert _end(simulator, 3) == (CANCELLED, RejectReason.OCO, 5)
    assert [_order(simulator, i)["oco_id"] for i in (2, 3)] == [3, 2]


def test_r5_both_of_a_pair_on_one_tick_are_one_fill() -> None:
    script = {0: _pair(lambda t: t.buy(1), lambda t: t.sell(1))}
    simulator = _run([110_010] * 3, script)
    assert [_end(simulator, i)[0] for i in (1, 2)] == [FILLED, CANCELLED]


def test_r5_a_rejected_or_expired_partner_leaves_the_other_alone() -> None:
    script = {
        0: _pair(lambda t: t.buy(1, stop=1.1005), lambda t: t.sell(1, stop=1.0995, good_till=T0 + 2 * STEP_NS)),
    }
    simulator = _run([110_010, 110_010, 110_010, 110_060], script)
    assert [_end(simulator, i)[0] for i in (1, 2)] == [FILLED, EXPIRED]


# R5 changes


def test_r5_a_change_replaces_what_it_gives_and_keeps_the_rest() -> None:
    script = {
        0: lambda t: t.buy(1, limit=1.09, sl_points=50, tp=1.2, good_till=T0 + 10**12),
        2: lambda t: t.modify_order(1, limit=1.095, tp=None),
    }
    simulator = _run([110_010] * 5, script)
    order = _order(simulator)
    assert (order["state"], order["price_points"], order["sl_offset_points"]) == (ACTIVE, 109_500, 50)
    assert order["tp_points"] < 0
    assert order["expire_ns"] == T0 + 10**12
    assert _end(simulator, 2) == (DONE, NONE, 3)


def test_r5_a_level_that_a_change_gives_replaces_a_distance() -> None:
    script = {0: lambda t: t.buy(1, limit=1.1, sl_points=50), 2: lambda t: t.modify_order(1, sl=1.08)}
    simulator = _run([110_010] * 4 + [109_990] * 2, script)
    assert rows(simulator.positions())[0]["sl_points"] == 108_000


@pytest.mark.parametrize(
    ("order", "change"),
    [
        ({"limit": 1.09}, {"limit": None}),
        ({"stop": 1.11}, {"stop": None}),
        ({"stop": 1.11, "limit": 1.12}, {"limit": None}),
        ({"stop": 1.11, "limit": 1.12}, {"stop": None}),
    ],
)
def test_r5_a_change_cannot_take_the_price_away_that_an_order_rests_for(order: Any, change: Any) -> None:
    script = {0: lambda t: t.buy(1, **order), 2: lambda t: t.modify_order(1, **change)}
    simulator = _run([110_010] * 5, script)
    before = _order(_run([110_010] * 5, {0: script[0]}))
    assert _end(simulator, 2) == (REJECTED, RejectReason.INVALID_PRICE, 3)
    assert _order(simulator) == before


def test_r5_a_change_of_an_order_that_is_gone_is_rejected() -> None:
    script = {0: lambda t: t.buy(1), 2: lambda t: (t.modify_order(1, limit=1.0), t.cancel(1))}
    simulator = _run([110_010] * 5, script)
    assert [_end(simulator, i) for i in (2, 3)] == [(REJECTED, RejectReason.ORDER_GONE, 3)] * 2


def test_r5_a_cancel_takes_the_order_away() -> None:
    script = {0: lambda t: t.buy(1, limit=1.1), 1: lambda t: t.cancel_all()}
    simulator = _run([110_010, 110_010, 110_010, 109_000], script)
    assert _end(simulator) == (CANCELLED, RejectReason.BY_REQUEST, 2)
    assert _end(simulator, 2) == (DONE, NONE, 2)
    assert len(simulator.fills()) == 0


@pytest.mark.parametrize(("level", "state"), [(10, REJECTED), (9, DONE), (0, DONE)])
def test_r5_an_order_too_near_to_its_price_is_frozen(level: int, state: OrderState) -> None:
    script = {0: lambda t: t.buy(1, limit=1.1), 1: lambda t: t.cancel(1)}
    simulator = _run([110_010] * 4, script, each_symbol={"freeze_level_points": level})
    assert _end(simulator, 2)[:2] == (state, RejectReason.FROZEN if state is REJECTED else NONE)


def test_r5_a_position_too_near_to_its_stop_is_frozen() -> None:
    script = {0: lambda t: t.buy(1, sl=1.0999), 2: lambda t: t.modify_position(1, sl=1.09)}
    simulator = _run([110_010] * 5, script, each_symbol={"freeze_level_points": 10})
    assert _end(simulator, 2) == (REJECTED, RejectReason.FROZEN, 3)


# R5 distances


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (lambda t: t.buy(1, limit=1.09961), RejectReason.INVALID_PRICE),  # 49 from the ask
        (lambda t: t.buy(1, limit=1.09960), NONE),
        (lambda t: t.sell(1, stop=1.09951), RejectReason.INVALID_PRICE),  # 49 from the bid
        (lambda t: t.sell(1, stop=1.09950), NONE),
        (lambda t: t.buy(1, limit=1.09, sl=1.08951), RejectReason.INVALID_PRICE),
        (lambda t: t.buy(1, limit=1.09, sl=1.08950, tp=1.0905), NONE),
        (lambda t: t.buy(1, limit=1.09, tp=1.09049), RejectReason.INVALID_PRICE),
        (lambda t: t.buy(1, sl=1.09951), RejectReason.INVALID_PRICE),  # 49 from the bid
        (lambda t: t.buy(1, sl=1.09950, tp=1.1005), NONE),
        (lambda t: t.buy(1, sl_points=1), NONE),
    ],
)
def test_r5_prices_nearer_than_the_stops_level_are_invalid(request_: Trade, reason: RejectReason) -> None:
    simulator = _run([110_010] * 3, {0: request_}, each_symbol={"stops_level_points": 50})
    assert _end(simulator)[1] == reason


def test_r5_the_stops_level_holds_for_changes() -> None:
    script = {
        0: lambda t: (t.buy(1), t.buy(1, limit=1.09)),
        2: lambda t: (
            t.modify_position(1, sl=1.09951),
            t.modify_position(1, sl=1.0995),
            t.modify_order(2, limit=1.0997),
        ),
    }
    simulator = _run([110_010] * 5, script, each_symbol={"stops_level_points": 50})
    assert [_end(simulator, i)[1] for i in (3, 4, 5)] == [RejectReason.INVALID_PRICE, NONE, RejectReason.INVALID_PRICE]


# R6 trailing stop


def test_r6_a_trailing_stop_follows_the_quote_and_never_goes_back() -> None:
    """Bids 1.1000 1.1000 1.1003 1.1002 1.1005 1.1003: 20 points behind the best of them."""
    bids = [110_000, 110_000, 110_030, 110_020, 110_050, 110_031, 110_030]
    levels: list[int] = []

    def look(trading: TradingApi) -> None:
        levels.extend(round(p.sl / 1e-5) for p in trading.positions if p.sl is not None)

    script: dict[int, Trade] = {0: lambda t: t.buy(1, trail_points=20), **dict.fromkeys(range(1, 7), look)}
    simulator = _run([bid + 10 for bid in bids], script)
    assert levels == [109_980, 110_010, 110_010, 110_030, 110_030]
    (trade,) = rows(simulator.trades())
    assert (trade["exit_reason"], trade["exit_price_points"], trade["exit_tick"]) == (ExitReason.STOP_LOSS, 110_030, 6)


def test_r6_a_nearer_stop_loss_wins_over_the_trailing_distance_at_first() -> None:
    simulator = _run(
        [110_010] * 3, {0: lambda t: (t.buy(1, sl=1.0999, trail_points=30), t.sell(1, sl=1.2, trail_points=30))}
    )
    assert [p["sl_points"] for p in rows(simulator.positions())] == [109_990, 110_040]


def test_r6_a_change_sets_stops_and_trailing_distance_together() -> None:
    script = {
        0: lambda t: t.buy(1, sl=1.05, tp=1.2),
        2: lambda t: t.modify_position(1, trail_points=25),
        4: lambda t: t.modify_position(1, sl=None, trail_points=0),
    }
    simulator = _run([110_010] * 4, script={k: v for k, v in script.items() if k < 4})
    (held,) = rows(simulator.positions())
    assert (held["sl_points"], held["tp_points"], held["trail_points"]) == (109_975, 120_000, 25)
    (held,) = rows(_run([110_010] * 7, script).positions())
    assert (held["sl_points"] < 0, held["tp_points"], held["trail_points"]) == (True, 120_000, 0)


def test_r6_a_take_profit_that_a_change_sets_behind_the_quote_fires_at_the_quote() -> None:
    script = {0: lambda t: t.buy(1), 2: lambda t: t.modify_position(1, tp=1.05)}
    (trade,) = rows(_run([110_010] * 5, script).trades())
    assert (trade["exit_reason"], trade["exit_price_points"], trade["exit_tick"]) == (
        ExitReason.TAKE_PROFIT,
        110_000,
        3,
    )


# R7, R12


def test_r7_limits_come_before_stops_and_each_in_order_of_arrival() -> None:
    """An ask that falls through a sell stop and two buy limits."""
    script = {0: lambda t: (t.sell(1, stop=1.0995), t.buy(1, limit=1.0996), t.buy(1, limit=1.0998))}
    simulator = _run([110_010, 110_010, 109_900], script)
    assert [fill["order_id"] for fill in rows(simulator.fills())] == [2, 3, 1]


def test_r12_orders_that_rest_at_the_end_expire() -> None:
    simulator = _run([110_010] * 3, {0: lambda t: t.buy(1, limit=1.0), 2: lambda t: t.cancel(1)}, finish=True)
    assert [_end(simulator, i) for i in (1, 2)] == [(EXPIRED, RejectReason.SCENARIO_END, 2)] * 2


# R15


def test_r15_requests_outside_the_sessions_are_rejected() -> None:
    sessions = {"sessions": [{"day": "monday", "start": "10:00:00", "end": "10:00:00.250000"}]}
    simulator = _run(
        [110_010] * 5,
        {0: lambda t: t.buy(1), 1: lambda t: t.buy(1, limit=1.0), 2: lambda t: t.close(1)},
        each_symbol=sessions,
    )
    assert [_end(simulator, i)[1] for i in (1, 2, 3)] == [NONE, NONE, RejectReason.MARKET_CLOSED]


def test_r15_a_session_has_its_first_moment_and_not_its_last() -> None:
    sessions = {"sessions": [{"day": "monday", "start": "10:00:00.100000", "end": "10:00:00.300000"}]}
    script: dict[int, Trade] = {tick: lambda t: t.buy(1) for tick in range(3)}
    simulator = _run([110_010] * 5, script, each_symbol=sessions)
    assert [_end(simulator, i)[1:] for i in (1, 2, 3)] == [(NONE, 1), (NONE, 2), (RejectReason.MARKET_CLOSED, 3)]


def test_r15_the_order_guard_pauses_after_rejections_in_a_row() -> None:
    """Two in a row, 0.25 s: a fill or an instruction that is carried out ends the row, COOL_DOWN does not count."""
    guard = {"rejections": 2, "cool_down_s": 0.25}
    bad: Trade = lambda t: t.buy("0.001")  # noqa: E731
    script: dict[int, Trade] = {
        0: lambda t: (bad(t), t.buy("0.1")),
        1: bad,
        2: lambda t: (bad(t), t.buy("0.1"), t.close(1)),
        4: lambda t: t.buy("0.1"),
        5: lambda t: t.buy("0.1"),
    }
    simulator = _run([110_010] * 8, script, guard=guard)
    reasons = [RejectReason(o["reason"]) for o in rows(simulator.orders())]
    off, pause = RejectReason.VOLUME_OFF_STEP, RejectReason.COOL_DOWN
    assert reasons == [off, NONE, off, off, pause, NONE, pause, NONE]


def test_r15_an_order_guard_is_ended_by_a_fill() -> None:
    guard = {"rejections": 2, "cool_down_s": 1}
    script: dict[int, Trade] = {
        0: lambda t: t.buy("0.001"),
        1: lambda t: t.buy("0.1"),
        3: lambda t: t.buy("0.001"),
        4: lambda t: t.buy("0.1"),
    }
    simulator = _run([110_010] * 7, script, guard=guard)
    assert _end(simulator, 4)[0] == FILLED


def test_r15_a_cool_down_is_over_when_its_time_has_passed() -> None:
    guard = {"rejections": 1, "cool_down_s": 0.2}
    script: dict[int, Trade] = {tick: lambda t: t.buy("0.1") for tick in (1, 2)}
    simulator = _run([110_010] * 5, {0: lambda t: t.buy("0.001"), **script}, guard=guard)
    assert [_end(simulator, i)[1] for i in (2, 3)] == [RejectReason.COOL_DOWN, NONE]
