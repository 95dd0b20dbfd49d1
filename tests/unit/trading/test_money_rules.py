"""Rules of margin, swap, netting and spot accounts (R8, R9, R11), each test named after its rule; amounts are worked out by hand.

This module also runs with ``NUMBA_DISABLE_JIT=1`` and with ``NUMBA_BOUNDSCHECK=1`` (`test_kernel_modes.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from builders import drive, make_account, make_broker, make_simulator, make_ticks, rows, segment_of

from finiex_ray.core.enums import EventKind, ExitReason, FillKind, OrderState, RejectReason
from finiex_ray.core.errors import ScenarioInvalidError
from finiex_ray.core.time import to_ns
from finiex_ray.trading.api import TradingApi
from finiex_ray.trading.simulator import TradeSimulator

Trade = Callable[[TradingApi], object]
FLAT = [(110_000, 110_010)] * 8


def _run(
    script: dict[int, Trade], quotes: list[tuple[int, int]] = FLAT, *, symbol: str = "EURUSD", finish: bool = False,
    balance: int = 10_000, currency: str = "USD", **broker: Any,
) -> TradeSimulator:  # fmt: skip
    account = make_account(balance=balance, currency=currency)
    simulator = make_simulator(symbol, account=account, broker=make_broker(**broker))
    return drive(simulator, make_ticks(quotes), script, finish=finish)


def _states(simulator: TradeSimulator) -> list[tuple[OrderState, RejectReason]]:
    return [(OrderState(o["state"]), RejectReason(o["reason"])) for o in rows(simulator.orders())]


def _told(simulator: TradeSimulator, kind: EventKind) -> list[int]:
    return [e["tick"] for e in rows(simulator.events()) if e["kind"] == kind]


FILLED, REJECTED, NONE = OrderState.FILLED, OrderState.REJECTED, RejectReason.NONE
TIERS = {"leverage_tiers": [{"up_to_lots": 1, "leverage": 500}, {"up_to_lots": 3, "leverage": 100}, {"leverage": 10}]}


# R8


def test_r8_leverage_tiers_are_filled_in_fill_order() -> None:
    """0.5 + 0.5 lots at 1:500, then 2 at 1:100, then 1 at 1:10, at 110,010 each."""
    script = {0: lambda t: (t.buy("0.5"), t.buy("1.5"), t.buy("2"))}
    simulator = _run(script, balance=10**6, each_symbol=TIERS)
    assert float(simulator.account["margin_used"]) == 11_001_000 * (1 / 500 + 2 / 100 + 1 / 10)


def test_r8_a_tier_that_an_order_reaches_counts_for_the_part_within_it() -> None:
    """2 lots on top of none: 220.02 + 1,100.10 = 1,320.12 USD."""
    for balance, state in ((1_320, REJECTED), (1_321, FILLED)):
        assert _states(_run({0: lambda t: t.buy(2)}, balance=balance, each_symbol=TIERS))[0][0] == state


def test_r8_a_margin_call_goes_out_once_until_the_level_is_above_it_again() -> None:
    """1 lot, 300 USD: margin 220.02; at 120 % (264.02 USD) the bid is 1.09974."""
    bids = [110_000, 110_000, 109_975, 109_974, 109_970, 109_980, 109_974, 109_974]
    simulator = _run({0: lambda t: t.buy(1)}, [(bid, bid + 10) for bid in bids], balance=300, margin_call_percent=120)
    assert _told(simulator, EventKind.MARGIN_CALL) == [3, 6]


def test_r8_a_margin_call_is_forgotten_when_nothing_is_open() -> None:
    script = {0: lambda t: t.buy(1), 2: lambda t: t.close(1), 4: lambda t: t.buy(1)}
    simulator = _run(script, balance=300, margin_call_percent=150)
    assert _told(simulator, EventKind.MARGIN_CALL) == [1, 5]


def test_r8_the_stop_out_closes_the_largest_loss_first_until_the_level_is_above_it() -> None:
    """500 USD, 0.5 + 1 lots long and 0.1 short: at a bid of 1.0975 the lot's loss of 260 USD goes, the others stay."""
    script = {0: lambda t: (t.buy("0.5"), t.buy("1"), t.sell("0.1"))}
    quotes = [(110_000, 110_010)] * 2 + [(109_800, 109_810), (109_750, 109_760)]
    simulator = _run(script, quotes, balance=500, stop_out_percent=50)
    (trade,) = rows(simulator.trades())
    assert (trade["position_id"], trade["exit_reason"], trade["exit_price_points"]) == (2, ExitReason.STOP_OUT, 109_750)
    assert (trade["exit_tick"], trade["gross_minor"]) == (3, -26_000)
    assert _told(simulator, EventKind.STOP_OUT) == [3]
    assert len(simulator.positions()) == 2


def test_r8_of_equal_losses_the_older_is_closed_first() -> None:
    script = {0: lambda t: (t.buy("0.5"), t.buy("0.5"))}
    simulator = _run(script, [*FLAT[:2], (109_750, 109_760)], balance=300, stop_out_percent=50)
    assert [t["position_id"] for t in rows(simulator.trades())] == [1, 2][: len(simulator.trades())]
    assert rows(simulator.trades())[0]["position_id"] == 1


def test_r8_a_stop_out_at_exactly_its_level() -> None:
    """Equity 110.01 of a margin of 220.02 is 50 %: closed; a point above it is not."""
    for bid, left in ((109_821, 0), (109_822, 1)):
        quotes = [(110_010, 110_010)] * 2 + [(bid, bid)]
        account = make_account(balance="299.01")
        simulator = make_simulator(account=account, broker=make_broker(stop_out_percent=50))
        drive(simulator, make_ticks(quotes), {0: lambda t: t.buy(1)}, finish=False)
        assert len(simulator.positions()) == left


# R9 swap


def _ns(day: int, hour: int, minute: int = 0, *, month: int = 9) -> int:
    return to_ns(datetime(2025, month, day, hour, minute, tzinfo=UTC))


def _held(side: str, opened: int, closed: int, others: list[int] = [], **broker: Any) -> TradeSimulator:  # noqa: B006
    """One lot that is opened and closed at these times, with ticks in between at ``others``."""
    times = sorted([opened - 1, opened, closed - 1, closed, *others])
    broker = {"each_symbol": {"swap": {"kind": "money", "long": "-5", "short": "-3"}}, **broker}
    simulator = make_simulator(broker=make_broker(**broker), span_ns=(times[0], times[-1]))
    ticks = segment_of([(time, 110_000, 110_010) for time in times])
    script: dict[int, Trade] = {
        0: lambda t: t.buy(1) if side == "buy" else t.sell(1),
        len(times) - 2: lambda t: t.close(1),
    }
    return drive(simulator, ticks, script)


def _swaps(simulator: TradeSimulator) -> list[int]:
    return [f["swap_minor"] for f in rows(simulator.fills()) if f["kind"] == FillKind.SWAP]


def test_r9_a_long_from_monday_to_wednesday_pays_two_rollovers() -> None:
    simulator = _held("buy", _ns(22, 10), _ns(24, 9))
    assert _swaps(simulator) == [-500, -500]
    (trade,) = rows(simulator.trades())
    assert (trade["swap_minor"], trade["net_minor"]) == (-1_000, -2_000)
    assert int(simulator.account["balance_minor"]) == 1_000_000 - 2_000


def test_r9_a_short_over_the_triple_day_pays_four() -> None:
    """Tuesday 12:00 to Thursday 08:00: Tuesday's, and Wednesday's three."""
    assert _swaps(_held("sell", _ns(23, 12), _ns(25, 8))) == [-300, -900]


def test_r9_weekends_have_no_rollover_unless_the_symbol_has_them() -> None:
    """Friday 12:00 to Monday 12:00."""
    assert _swaps(_held("buy", _ns(19, 12), _ns(22, 12))) == [-500]
    crypto = {"swap": {"kind": "money", "long": "-5", "weekends": True, "triple_day": None}}
    assert _swaps(_held("buy", _ns(19, 12), _ns(22, 12), each_symbol=crypto)) == [-500] * 3


def test_r9_many_positions_over_several_rollovers_at_once_all_pay() -> None:
    """Fifty positions and thirteen rollovers on one tick: more records than the tables had room for before it."""
    times = [_ns(22, 10) - 1, _ns(22, 10), _ns(8, 23, month=10), _ns(8, 23, month=10) + 1]
    swap = {"swap": {"kind": "money", "long": "-5", "triple_day": None}}
    account = make_account(balance=10**6)
    simulator = make_simulator(account=account, broker=make_broker(each_symbol=swap), span_ns=(times[0], times[-1]))
    script: dict[int, Trade] = {0: lambda t: [t.buy("0.01") for _ in range(50)]}
    drive(simulator, segment_of([(time, 110_000, 110_000) for time in times]), script)
    assert _swaps(simulator) == [-5] * 50 * 13
    assert [trade["swap_minor"] for trade in rows(simulator.trades())] == [-65] * 50
    assert int(simulator.account["balance_minor"]) == 10**8 - 50 * 65


@pytest.mark.parametrize(("month", "hour"), [(1, 22), (7, 21)])
def test_r9_the_rollover_is_at_17_new_york(month: int, hour: int) -> None:
    """22:00 UTC in winter, 21:00 in summer; at the first tick at or past it."""
    day = 14
    rollover = _ns(day, hour, month=month)
    for tick, expected in ((rollover - 1, rollover + 7), (rollover, rollover)):
        others = [tick, rollover + 7]
        fills = rows(_held("buy", _ns(day, 12, month=month), _ns(day, 23, month=month), others).fills())
        assert [f["time_ns"] for f in fills if f["kind"] == FillKind.SWAP] == [expected]


def test_r9_a_rollover_at_the_very_last_tick_is_due() -> None:
    assert _swaps(_held("buy", _ns(22, 12), _ns(22, 21))) == [-500]


def test_r9_a_position_that_opens_on_the_tick_of_the_rollover_pays_none() -> None:
    assert _swaps(_held("buy", _ns(22, 21), _ns(22, 23))) == []
    assert _swaps(_held("buy", _ns(22, 21) - 1, _ns(22, 23))) == [-500]


def test_r9_the_next_position_owes_no_swap_of_the_one_before() -> None:
    times = [_ns(22, 12), _ns(22, 20), _ns(22, 22), _ns(23, 8), _ns(23, 9), _ns(23, 10)]
    broker = make_broker(each_symbol={"swap": {"kind": "money", "long": "-5"}})
    simulator = make_simulator(broker=broker, span_ns=(times[0], times[-1]))
    script: dict[int, Trade] = {0: lambda t: t.buy(1), 2: lambda t: t.close_all(), 3: lambda t: t.buy(1)}
    drive(simulator, segment_of([(time, 110_000, 110_010) for time in times]), script, finish=True)
    assert [trade["swap_minor"] for trade in rows(simulator.trades())] == [-500, 0]


@pytest.mark.parametrize(
    ("swap", "amount"),
    [
        ({"kind": "points", "long": "-7.5"}, -750),  # 7.5 points at 1 USD a point
        ({"kind": "percent", "long": "-3.6"}, -1_100),  # 3.6 % / 360 of 110,000 USD
        ({"kind": "money", "long": "1.234"}, 123),
    ],
)
def test_r9_kinds_of_swap(swap: dict[str, Any], amount: int) -> None:
    assert _swaps(_held("buy", _ns(22, 12), _ns(22, 23), each_symbol={"swap": swap})) == [amount]


def test_r9_swap_points_of_own_quotes_are_converted_at_the_closing_quote() -> None:
    """USDJPY, 10 points of 1 lot are 1,000 JPY: 6.67 USD at 150.000 (R10)."""
    times = [_ns(22, 12), _ns(22, 13), _ns(22, 22), _ns(22, 23)]
    broker = make_broker(each_symbol={"swap": {"kind": "points", "short": "10"}})
    simulator = make_simulator("USDJPY", broker=broker, span_ns=(times[0], times[-1]))
    ticks = segment_of([(time, 149_000, 150_000) for time in times])
    assert _swaps(drive(simulator, ticks, {0: lambda t: t.sell(1)})) == [667]


def test_r9_maker_and_taker_commission_are_booked_on_each_side() -> None:
    costs = {"commission": {"kind": "per_lot", "value": "7", "maker": "2"}}
    quotes = [*FLAT[:2], (109_900, 109_910), *FLAT[:2]]
    simulator = _run({0: lambda t: t.buy(1, limit=1.0995)}, quotes, finish=True, **costs)
    assert [f["commission_minor"] for f in rows(simulator.fills())] == [-200, -700]


# R11


def test_r11_netting_closes_legs_first_in_first_out() -> None:
    """Long 0.3 and 0.5, then a sell of 0.6: the first whole, 0.3 of the second."""
    script = {0: lambda t: (t.buy("0.3"), t.buy("0.5")), 2: lambda t: t.sell("0.6")}
    simulator = _run(script, account_mode="netting")
    trades = [(t["entry_order_id"], t["volume_steps"], t["exit_reason"]) for t in rows(simulator.trades())]
    assert trades == [(1, 30, ExitReason.NETTED), (2, 30, ExitReason.NETTED)]
    assert [(p["position_id"], p["volume_steps"], p["side"]) for p in rows(simulator.positions())] == [(1, 20, 1)]


def test_r11_netting_opens_the_other_side_with_what_is_left() -> None:
    simulator = _run({0: lambda t: t.buy("0.3"), 2: lambda t: t.sell("1")}, account_mode="netting")
    assert [(p["position_id"], p["volume_steps"], p["side"]) for p in rows(simulator.positions())] == [(2, 70, -1)]
    assert _states(simulator) == [(FILLED, NONE)] * 2


def test_r11_netting_without_margin_for_the_rest_fills_in_part() -> None:
    simulator = _run({0: lambda t: t.buy("0.3"), 2: lambda t: t.sell("9")}, account_mode="netting", balance=300)
    assert _states(simulator)[1] == (FILLED, RejectReason.NOT_ENOUGH_MARGIN)
    assert rows(simulator.orders())[1]["filled_steps"] == 30
    assert len(simulator.positions()) == 0
    assert _told(simulator, EventKind.PARTIAL_FILL) == [3]


def test_r11_legs_share_one_set_of_stops() -> None:
    script = {
        0: lambda t: t.buy("0.3", sl=1.05, tp=1.2),
        2: lambda t: t.buy("0.3", sl=1.06),
        4: lambda t: t.buy("0.3"),
    }
    simulator = _run(script, account_mode="netting")
    assert [(p["sl_points"], p["tp_points"]) for p in rows(simulator.positions())] == [(106_000, 120_000)] * 3


def test_r11_legs_share_a_trailing_stop_from_the_fill_of_the_newest_on() -> None:
    quotes = [*FLAT[:3], (110_050, 110_060), (110_050, 110_060)]
    script = {0: lambda t: t.buy("0.3", trail_points=30), 2: lambda t: t.buy("0.3")}
    for count in (4, 5):
        simulator = _run(script, quotes[:count], account_mode="netting")
        assert [p["sl_points"] for p in rows(simulator.positions())] == [110_020] * 2


def test_r11_a_new_leg_does_not_set_the_take_profit_of_the_others_anew() -> None:
    """The take profit 1.1010 is reached on the tick of the second leg's fill: the first leg leaves at its level."""
    quotes = [*FLAT[:3], (110_150, 110_160), (110_150, 110_160)]
    script = {0: lambda t: t.buy("0.3", tp=1.1010), 2: lambda t: t.buy("0.3")}
    trades = [
        (t["exit_price_points"], t["exit_tick"]) for t in rows(_run(script, quotes, account_mode="netting").trades())
    ]
    assert trades == [(110_100, 3), (110_150, 4)]


@pytest.mark.parametrize("mode", ["hedging", "netting"])
def test_r11_a_close_in_part_takes_its_share_of_the_costs_and_the_last_part_the_rest(mode: str) -> None:
    """0.1 lot, entry commission 1.00: a third of it in steps of 3, 3 and 4."""
    script = {
        0: lambda t: t.buy("0.1"),
        2: lambda t: t.close(1, "0.03"),
        4: lambda t: t.close(1, "0.03"),
        6: lambda t: t.close(1, "5"),
    }
    simulator = _run(script, account_mode=mode, commission={"kind": "per_lot", "value": "9.99"})
    trades = rows(simulator.trades())
    assert [(t["volume_steps"], t["commission_minor"]) for t in trades] == [(3, -60), (3, -60), (4, -80)]
    assert sum(t["net_minor"] for t in trades) == int(simulator.account["balance_minor"]) - 1_000_000
    assert {t["exit_reason"] for t in trades} == {ExitReason.CLOSE_ORDER}


@pytest.mark.parametrize("lots", ["0.04", "0.47"])
def test_r11_parts_below_the_smallest_volume_are_rejected(lots: str) -> None:
    script = {0: lambda t: t.buy("0.5"), 2: lambda t: t.close(1, lots)}
    simulator = _run(script, each_symbol={"volume_min": "0.05"})
    assert _states(simulator)[1] == (REJECTED, RejectReason.VOLUME_BELOW_MIN)


def test_r11_reverse_closes_and_opens_the_same_volume_of_the_other_side() -> None:
    simulator = _run({0: lambda t: t.buy("0.7"), 2: lambda t: t.reverse(1)})
    assert [(p["side"], p["volume_steps"]) for p in rows(simulator.positions())] == [(-1, 70)]


def test_r11_reverse_counts_every_leg_of_a_net_position() -> None:
    script = {0: lambda t: (t.buy("0.3"), t.buy("0.4")), 2: lambda t: t.reverse(1)}
    simulator = _run(script, account_mode="netting")
    assert [(p["side"], p["volume_steps"]) for p in rows(simulator.positions())] == [(-1, 70)]


def test_r11_a_spot_account_sells_no_more_than_it_holds() -> None:
    quotes = [(6_000_000, 6_000_100)] * 8
    script = {
        0: lambda t: t.buy("0.5"),
        2: lambda t: t.sell("0.501"),
        4: lambda t: t.sell("0.2"),
        6: lambda t: t.sell("0.3"),
    }
    simulator = _run(script, quotes, symbol="BTCUSD", balance=50_000, account_mode="spot")
    assert _states(simulator) == [(FILLED, NONE), (REJECTED, RejectReason.NO_ASSET), (FILLED, NONE), (FILLED, NONE)]
    assert int(simulator.account["balance_minor"]) == 5_000_000 - 50
    assert len(simulator.positions()) == 0


def test_r11_a_spot_account_sells_what_several_deals_have_bought() -> None:
    quotes = [(2_000_000, 2_000_010)] * 8
    for lots, state in (("0.3", FILLED), ("0.31", REJECTED)):
        script: dict[int, Trade] = {
            0: lambda t: t.buy("0.1"), 2: lambda t: t.buy("0.2"), 4: lambda t, lots=lots: t.sell(lots),
        }  # fmt: skip
        simulator = _run(script, quotes, symbol="BTCUSD", balance=50_000, account_mode="spot")
        assert _states(simulator)[2][0] == state


def test_r11_a_spot_account_has_a_balance_of_each_asset() -> None:
    seen: list[dict[str, float]] = []
    script = {
        0: lambda t: (seen.append(t.balances), t.buy("0.5")),
        2: lambda t: (seen.append(t.balances), t.sell("0.2")),
        4: lambda t: seen.append(t.balances),
    }
    quotes = [(6_000_000, 6_000_000)] * 6
    fee = {"kind": "percent", "value": "0.1"}
    _run(script, quotes, symbol="BTCUSD", balance=50_000, account_mode="spot", commission=fee)
    assert seen == [{"USD": 50_000, "BTC": 0}, {"USD": 19_970, "BTC": 0.5}, {"USD": 31_958, "BTC": 0.3}]
    seen.clear()
    _run({0: lambda t: seen.append(t.balances)})
    assert seen == [{"USD": 10_000}]


@pytest.mark.parametrize(("balance", "state"), [("30030", FILLED), ("30029.99", REJECTED)])
def test_r11_a_spot_account_pays_the_commission_from_the_cash_too(balance: str, state: OrderState) -> None:
    """Half a coin at 60,000 and 0.1 percent of it; immediate-or-cancel takes a step less."""
    broker = make_broker(account_mode="spot", commission={"kind": "percent", "value": "0.1"})
    for immediate, steps in ((False, 500 if state is FILLED else 0), (True, 500 if state is FILLED else 499)):
        simulator = make_simulator("BTCUSD", account=make_account(balance=balance), broker=broker)
        script = {0: lambda t, immediate=immediate: t.buy("0.5", immediate_or_cancel=immediate)}
        drive(simulator, make_ticks([(6_000_000, 6_000_000)] * 3), script, finish=False)
        assert rows(simulator.orders())[0]["filled_steps"] == steps
        assert TradingApi(simulator).free_margin >= 0


def test_r11_a_spot_account_pays_the_makers_commission_of_a_resting_order() -> None:
    broker = make_broker(account_mode="spot", commission={"kind": "percent", "value": "10", "maker": "0.1"})
    simulator = make_simulator("BTCUSD", account=make_account(balance=30_030), broker=broker)
    quotes = [(6_000_100, 6_000_100)] * 2 + [(6_000_000, 6_000_000)] * 2
    drive(simulator, make_ticks(quotes), {0: lambda t: t.buy("0.5", limit=60_000)}, finish=False)
    assert _states(simulator) == [(FILLED, NONE)]
    assert TradingApi(simulator).balances == {"USD": 0.0, "BTC": 0.5}


def test_r11_a_spot_account_cannot_buy_its_own_currency() -> None:
    with pytest.raises(ScenarioInvalidError, match=r"cannot buy BTC; set account.currency to USD"):
        _run({}, symbol="BTCUSD", currency="BTC", balance=2, account_mode="spot")


def test_r11_a_spot_account_pays_from_the_cash_without_leverage() -> None:
    """50,000 USD buy 0.833 BTC at 60,001, not 0.834; what they have gained since buys nothing."""
    quotes = [(6_000_000, 6_000_100)] * 2 + [(9_000_000, 9_000_100)] * 3
    script = {0: lambda t: (t.buy("0.834"), t.buy("0.833")), 2: lambda t: t.buy("0.01")}
    simulator = _run(script, quotes, symbol="BTCUSD", balance=50_000, account_mode="spot", leverage=500)
    assert [reason for _, reason in _states(simulator)] == [
        RejectReason.NOT_ENOUGH_MARGIN, NONE, RejectReason.NOT_ENOUGH_MARGIN,
    ]  # fmt: skip


def test_r11_magic_and_comment_are_kept() -> None:
    seen: list[str] = []
    script: dict[int, Trade] = {
        0: lambda t: t.buy(1, magic=77, comment="first"),
        2: lambda t: (seen.append(t.order(1).comment), t.close(1)),
    }
    simulator = _run(script)
    assert seen == ["first"]
    assert [o["magic"] for o in rows(simulator.orders())] == [77, 77]
    assert rows(simulator.trades())[0]["magic"] == 77
