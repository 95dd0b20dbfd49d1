"""The market and broker rules, each test named after its rule; prices and amounts are worked out by hand.

This module also runs with ``NUMBA_DISABLE_JIT=1`` and with ``NUMBA_BOUNDSCHECK=1`` (`test_kernel_modes.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from builders import T0, drive, make_account, make_broker, make_simulator, make_ticks, rows, segment_of

from finiex_ray.core.enums import ExitReason, FillKind, OrderState, RejectReason, Side
from finiex_ray.core.errors import ScenarioInvalidError, StrategyContractError
from finiex_ray.core.random import generator
from finiex_ray.core.records import NO_PRICE, NO_TICK
from finiex_ray.core.time import NS_PER_MS
from finiex_ray.trading.api import TradingApi
from finiex_ray.trading.policy import OnePositionPolicy
from finiex_ray.trading.simulator import TradeSimulator
from finiex_ray.trading.terms import make_terms

FLAT = [(110_000, 110_010)] * 8


def _buy(lots: object = 1, **stops: Any) -> Callable[[TradingApi], int]:
    return lambda trading: trading.buy(str(lots), **stops)


def _sell(lots: object = 1, **stops: Any) -> Callable[[TradingApi], int]:
    return lambda trading: trading.sell(str(lots), **stops)


def _close(position_id: int = 1) -> Callable[[TradingApi], int]:
    return lambda trading: trading.close(position_id)


def _money(simulator: TradeSimulator) -> int:
    return int(simulator.account["balance_minor"])


# R2 numbers


def test_r2_prices_and_money_are_integers_and_rounding_is_half_away_from_zero() -> None:
    """0.01 lots at a rate of 0.05 make half a cent a point: +1 point books 1 cent, −1 point books −1 cent."""
    account = make_account(conversion_rates={"GBP": "0.5"})
    for move, booked in ((1, 1), (-1, -1), (2, 1), (-2, -1), (3, 2), (-3, -2)):
        quotes = [(86_000, 86_000)] * 2 + [(86_000 + move, 86_000 + move)] * 2
        simulator = drive(make_simulator("EURGBP", account=account), make_ticks(quotes), {0: _buy("0.01")})
        (trade,) = simulator.trades()
        assert int(trade["gross_minor"]) == booked, move


def test_r2_yen_account_has_no_minor_digits() -> None:
    """USDJPY 0.1 lot, 150.01 → 150.50: 4,900 JPY."""
    account = make_account(currency="JPY", balance=1_000_000)
    ticks = make_ticks([(150_000, 150_010), (150_000, 150_010), (150_500, 150_510)])
    simulator = drive(make_simulator("USDJPY", account=account), ticks, {0: _buy("0.1")})
    assert int(simulator.trades()[0]["gross_minor"]) == 4_900
    assert _money(simulator) == 1_004_900


# R3 latency


def test_r3_nothing_fills_on_the_tick_that_caused_it() -> None:
    simulator = drive(make_simulator(), make_ticks(FLAT), {2: _buy()})
    (order,) = rows(simulator.orders())
    assert (order["request_tick"], order["done_tick"], order["state"]) == (2, 3, OrderState.FILLED)
    assert order["arrival_ns"] == order["request_ns"]


@pytest.mark.parametrize(("delay_ms", "done"), [(1, 3), (100, 3), (101, 4), (250, 5)])
def test_r3_a_request_takes_effect_at_the_first_tick_at_or_past_its_arrival(delay_ms: int, done: int) -> None:
    account = make_account(latency={"kind": "fixed", "ms": delay_ms})
    simulator = drive(make_simulator(account=account), make_ticks(FLAT), {2: _buy()})
    (order,) = rows(simulator.orders())
    assert order["done_tick"] == done  # ticks are 100 ms apart
    assert order["arrival_ns"] == order["request_ns"] + delay_ms * NS_PER_MS


def test_r3_equal_times_are_different_ticks() -> None:
    ticks = segment_of([(T0, 110_000, 110_010), (T0, 110_020, 110_030), (T0, 110_040, 110_050)])
    simulator = drive(make_simulator(), ticks, {0: _buy()})
    assert int(simulator.orders()[0]["done_tick"]) == 1
    assert int(simulator.orders()[0]["fill_price_points"]) == 110_030


def test_r3_delays_are_drawn_from_the_seed_in_request_order() -> None:
    account = make_account(latency={"kind": "uniform", "ms": 10, "max_ms": 90})
    simulator = drive(make_simulator(account=account, seed=5), make_ticks(FLAT), {0: _buy("0.1"), 1: _sell("0.001")})
    stream = generator(5, "latency")
    width = 80 * NS_PER_MS + 1
    expected = [10 * NS_PER_MS + int(stream.random(2)[0] * width) for _ in range(2)]  # the other is for `lognormal`
    orders = rows(simulator.orders())
    assert [order["arrival_ns"] - order["request_ns"] for order in orders] == expected
    assert orders[1]["reason"] == RejectReason.VOLUME_OFF_STEP


def test_r3_a_draw_does_not_depend_on_how_the_records_grew() -> None:
    """300 requests at one tick and 300 over 300 ticks have the same delays; the first capacity is 256."""
    account = make_account(latency={"kind": "uniform", "ms": 0, "max_ms": 50}, balance=10**9)
    ticks = make_ticks([(110_000, 110_010)] * 310)
    at_once = drive(make_simulator(account=account), ticks, {0: lambda t: [t.buy("0.01") for _ in range(300)]})
    spread = drive(make_simulator(account=account), ticks, {i: _buy("0.01") for i in range(300)})
    first, second = (
        [order["arrival_ns"] - order["request_ns"] for order in rows(each.orders())] for each in (at_once, spread)
    )
    assert first == second
    assert len(set(first)) > 290


def test_r3_an_earlier_arrival_does_not_wait_for_a_later_one() -> None:
    """Requests with random delays overtake each other; each takes effect at its own arrival."""
    account = make_account(latency={"kind": "uniform", "ms": 0, "max_ms": 900}, balance=10**7)
    ticks = make_ticks([(110_000 + i, 110_010 + i) for i in range(30)])
    simulator = drive(make_simulator(account=account), ticks, {i: _buy("0.01") for i in range(15)})
    times = ticks.time_ns.tolist()
    done = []
    for order in rows(simulator.orders()):
        expected = next(i for i, t in enumerate(times) if i > order["request_tick"] and t >= order["arrival_ns"])
        assert order["done_tick"] == expected
        assert order["fill_price_points"] == 110_010 + expected
        done.append(expected)
    assert done != sorted(done)


# R4 market orders


def test_r4_buys_at_the_ask_and_sells_at_the_bid_of_the_arrival_tick() -> None:
    ticks = make_ticks([(110_000, 110_010), (110_100, 110_112), (110_200, 110_215)])
    simulator = drive(make_simulator(), ticks, {0: lambda t: (t.buy("1"), t.sell("1"))})
    assert [(f["side"], f["price_points"]) for f in rows(simulator.fills())[:2]] == [(1, 110_112), (-1, 110_100)]


def test_r4_slippage_is_against_the_trader_on_entry_and_on_exit() -> None:
    script = {0: lambda t: (t.buy("1"), t.sell("1")), 3: lambda t: t.close_all()}
    simulator = drive(
        make_simulator(account=make_account(slippage={"kind": "fixed", "points": 3})), make_ticks(FLAT), script
    )
    prices = [(fill["side"], fill["price_points"]) for fill in rows(simulator.fills())]
    assert prices == [(1, 110_013), (-1, 109_997), (-1, 109_997), (1, 110_013)]


# R6 stop loss and take profit


def test_r6_a_stop_loss_fills_at_the_quote_and_a_gap_costs() -> None:
    """Long at 1.1005 with SL 1.0990; the bid jumps to 1.0980: exit and profit are both from 1.0980."""
    quotes = [(110_040, 110_050), (110_040, 110_050), (109_950, 109_960), (109_800, 109_810), (109_700, 109_710)]
    simulator = drive(make_simulator(), make_ticks(quotes), {0: _buy(1, sl=1.0990)})
    (trade,) = rows(simulator.trades())
    assert (trade["exit_price_points"], trade["exit_tick"]) == (109_800, 3)
    assert trade["exit_reason"] == ExitReason.STOP_LOSS
    assert trade["gross_minor"] == -25_000
    assert trade["exit_order_id"] == 0


def test_r6_a_take_profit_fills_at_its_level() -> None:
    """TP 1.1020 with the bid at 1.1030: exit and profit are both from 1.1020."""
    quotes = [(110_040, 110_050), (110_040, 110_050), (110_300, 110_310)]
    simulator = drive(make_simulator(), make_ticks(quotes), {0: _buy(1, tp=1.1020)})
    (trade,) = rows(simulator.trades())
    assert (trade["exit_price_points"], trade["exit_reason"]) == (110_200, ExitReason.TAKE_PROFIT)
    assert trade["gross_minor"] == 15_000
    assert trade["mfe_points"] == 150


def test_r6_a_level_that_was_passed_when_it_was_set_fills_at_the_quote() -> None:
    quotes = [(110_040, 110_050), (110_300, 110_310), (110_300, 110_310)]
    simulator = drive(make_simulator(), make_ticks(quotes), {0: _buy(1, tp=1.1020)})
    assert int(simulator.trades()[0]["exit_price_points"]) == 110_300


def test_r6_a_level_that_was_just_reached_when_it_was_set_counts_as_passed() -> None:
    quotes = [(110_040, 110_050), (110_200, 110_210), (110_300, 110_310)]
    simulator = drive(make_simulator(), make_ticks(quotes), {0: _buy(1, tp=1.1020)})
    assert int(simulator.trades()[0]["exit_price_points"]) == 110_300
    quotes = [(110_040, 110_050), (110_199, 110_209), (110_300, 110_310)]
    simulator = drive(make_simulator(), make_ticks(quotes), {0: _buy(1, tp=1.1020)})
    assert int(simulator.trades()[0]["exit_price_points"]) == 110_200


def test_r6_a_passed_level_that_the_price_leaves_again_becomes_an_ordinary_one() -> None:
    quotes = [(110_040, 110_050), (110_300, 110_310), (110_100, 110_110), (110_300, 110_310)]
    simulator = drive(make_simulator(), make_ticks(quotes), {0: _buy(1, tp=1.1020)})
    (trade,) = rows(simulator.trades())
    assert (trade["exit_price_points"], trade["exit_tick"]) == (110_200, 3)


def test_r6_a_long_leaves_on_the_bid_and_a_short_on_the_ask() -> None:
    """The ask alone reaches the short's stop, the bid alone the long's."""
    quotes = [(110_000, 110_010)] * 2 + [(110_000, 110_060), (109_950, 109_960), (109_950, 109_960)]
    script = {0: lambda t: (t.buy("1", sl=1.0996), t.sell("1", sl=1.1005))}
    trades = rows(drive(make_simulator(), make_ticks(quotes), script).trades())
    assert [(t["side"], t["exit_tick"], t["exit_price_points"]) for t in trades] == [(-1, 2, 110_060), (1, 3, 109_950)]


def test_r6_touching_a_level_is_enough() -> None:
    quotes = [(110_000, 110_010)] * 2 + [(109_960, 109_970), (110_200, 110_210)]
    for script, tick in ((_buy(1, sl=1.0996), 2), (_buy(1, tp=1.1020), 3), (_sell(1, tp=1.0997), 2)):
        assert int(drive(make_simulator(), make_ticks(quotes), {0: script}).trades()[0]["exit_tick"]) == tick


def test_r6_the_stop_loss_is_looked_at_first() -> None:
    """A stop loss above a take profit: one quote reaches both."""
    simulator = drive(make_simulator(), make_ticks(FLAT), {0: _buy(1, sl=1.1001, tp=1.0999)})
    (trade,) = rows(simulator.trades())
    assert (trade["exit_reason"], trade["exit_price_points"]) == (ExitReason.STOP_LOSS, 110_000)


def test_r6_neither_fires_on_the_tick_of_the_fill() -> None:
    quotes = [(110_000, 110_010), (109_900, 109_910), (110_000, 110_010), (110_000, 110_010)]
    simulator = drive(make_simulator(), make_ticks(quotes), {0: _buy(1, sl=1.0995)})
    (trade,) = rows(simulator.trades())
    assert trade["exit_reason"] == ExitReason.SCENARIO_END  # the bid was at the stop on the fill's tick only


def test_r6_distances_count_from_the_fill_price() -> None:
    script = {0: lambda t: (t.buy("1", sl_points=100, tp_points=200), t.sell("1", sl_points=100, tp_points=200))}
    simulator = drive(
        make_simulator(account=make_account(slippage={"kind": "fixed", "points": 5})),
        make_ticks(FLAT),
        script,
        finish=False,
    )
    held = [(p["entry_price_points"], p["sl_points"], p["tp_points"]) for p in rows(simulator.positions())]
    assert held == [(110_015, 109_915, 110_215), (109_995, 110_095, 109_795)]


# R7 order within a tick


def test_r7_arrivals_come_before_stops() -> None:
    """A close that arrives on the tick that reaches the stop closes by order."""
    quotes = [(110_000, 110_010)] * 3 + [(109_900, 109_910)] * 2
    simulator = drive(make_simulator(), make_ticks(quotes), {0: _buy(1, sl=1.0995), 2: _close()})
    (trade,) = rows(simulator.trades())
    assert (trade["exit_reason"], trade["exit_order_id"]) == (ExitReason.CLOSE_ORDER, 2)


def test_r7_arrivals_of_one_tick_take_effect_in_request_order() -> None:
    """Margin for one position only: the first request gets it."""
    simulator = drive(
        make_simulator(account=make_account(balance=300)),
        make_ticks(FLAT),
        {0: lambda t: (t.sell("1"), t.buy("1"))},
    )
    assert [o["state"] for o in rows(simulator.orders())] == [OrderState.FILLED, OrderState.REJECTED]


# R8 margin


def test_r8_eurusd_one_lot_at_1_to_500_needs_220_02() -> None:
    simulator = drive(make_simulator(), make_ticks(FLAT), {0: _buy()}, finish=False)
    assert float(simulator.account["margin_used"]) == 22_002.0
    assert TradingApi(simulator).margin_used == 220.02


def test_r8_usdjpy_one_lot_at_1_to_500_needs_200_usd() -> None:
    ticks = make_ticks([(150_000, 150_010)] * 3)
    simulator = drive(make_simulator("USDJPY"), ticks, {0: _buy()}, finish=False)
    assert float(simulator.account["margin_used"]) == 20_000.0


@pytest.mark.parametrize(("balance", "state"), [("220.02", OrderState.FILLED), ("220.01", OrderState.REJECTED)])
def test_r8_a_shortfall_rejects_when_the_order_fills(balance: str, state: OrderState) -> None:
    simulator = drive(make_simulator(account=make_account(balance=balance)), make_ticks(FLAT), {0: _buy()})
    (order,) = rows(simulator.orders())
    assert order["state"] == state
    assert order["done_tick"] == 1
    assert order["reason"] == (RejectReason.NONE if state is OrderState.FILLED else RejectReason.NOT_ENOUGH_MARGIN)


@pytest.mark.parametrize(
    ("leverage", "steps", "price"), [(30, 4_704, 101_680), (200, 3_040, 122_280), (30, 970, 126_816)]
)
def test_r8_exactly_enough_margin_is_enough(leverage: int, steps: int, price: int) -> None:
    """The margin is a whole number of cents, though the leverage has no finite binary fraction."""
    minor = steps * price // leverage
    assert minor * leverage == steps * price
    for short_by in (0, 1):
        account = make_account(balance=Decimal(minor - short_by) / 100, leverage=leverage)
        lots = Decimal(steps) / 100
        simulator = drive(make_simulator(account=account), make_ticks([(price, price)] * 3), {0: _buy(lots)})
        assert simulator.orders()[0]["state"] == (OrderState.REJECTED if short_by else OrderState.FILLED)


def test_r8_unrealised_losses_count_and_closing_frees_margin() -> None:
    """500 USD: the first lot takes 220.02, a 61 USD loss leaves too little for the second; after the close there is enough."""
    quotes = [(110_000, 110_010)] * 2 + [(109_949, 109_959)] * 6
    script = {0: _buy(), 2: _buy(), 4: _close(), 5: _buy()}
    simulator = drive(make_simulator(account=make_account(balance=500)), make_ticks(quotes), script)
    states = [(o["state"], o["reason"]) for o in rows(simulator.orders())]
    assert states[1] == (OrderState.REJECTED, RejectReason.NOT_ENOUGH_MARGIN)
    assert [state for state, _ in states] == [
        OrderState.FILLED,
        OrderState.REJECTED,
        OrderState.FILLED,
        OrderState.FILLED,
    ]
    assert float(simulator.account["margin_used"]) == 0.0


def test_r8_the_account_comes_before_the_symbol_and_the_symbol_before_the_broker() -> None:
    spec = {"digits": 5, "base": "EUR", "quote": "USD", "contract_size": 100_000}
    for leverages, expected in (((None, None), 100), ((50, None), 50), ((50, 20), 20), ((None, 20), 20)):
        broker = make_broker(leverage=100, symbols={"EURUSD": {**spec, "leverage": leverages[0]}})
        simulator = make_simulator(account=make_account(leverage=leverages[1]), broker=broker)
        drive(simulator, make_ticks([(110_000, 110_000)] * 3), {0: _buy()}, finish=False)
        assert float(simulator.account["margin_used"]) == 11_000_000 / expected


# R9 costs


def test_r9_a_flat_market_with_one_pip_spread_costs_exactly_10_for_a_lot() -> None:
    """The spread once, no matter how the position is closed."""
    for script in ({0: _buy(), 4: _close()}, {0: _sell(), 4: _close()}, {0: _buy()}):
        assert _money(drive(make_simulator(), make_ticks(FLAT), script)) == 1_000_000 - 1_000


@pytest.mark.parametrize(
    ("symbol", "commission", "lots", "each"),
    [
        ("EURUSD", {"kind": "per_lot", "value": "3.5"}, "0.1", -35),
        ("EURUSD", {"kind": "per_lot", "value": "0.5"}, "0.01", -1),  # half a cent
        ("BTCUSD", {"kind": "percent", "value": "0.05"}, "0.1", -550),  # of 11,000 USD
    ],
)
def test_r9_commission_is_charged_on_entry_and_on_exit(
    symbol: str, commission: dict[str, Any], lots: str, each: int
) -> None:
    price = 110_000 if symbol == "EURUSD" else 11_000_000
    simulator = make_simulator(symbol, broker=make_broker(commission=commission))
    drive(simulator, make_ticks([(price, price)] * 4), {0: _buy(lots)})
    assert [fill["commission_minor"] for fill in rows(simulator.fills())] == [each, each]
    (trade,) = rows(simulator.trades())
    assert (trade["commission_minor"], trade["net_minor"]) == (2 * each, 2 * each)
    assert _money(simulator) == 1_000_000 + 2 * each


def test_r9_percent_commission_on_own_quotes_is_a_share_of_the_base_amount() -> None:
    """A USD account on USDJPY: 0.01 % of 100,000 USD is 10 USD, whatever the price."""
    broker = make_broker(commission={"kind": "percent", "value": "0.01"})
    for price in (100_000, 150_000):
        simulator = drive(make_simulator("USDJPY", broker=broker), make_ticks([(price, price)] * 3), {0: _buy()})
        assert int(simulator.account["commission_minor"]) == -2_000


def test_r9_the_account_overrides_the_broker() -> None:
    broker = make_broker(commission={"kind": "percent", "value": "1"}, slippage={"kind": "fixed", "points": 50})
    account = make_account(commission_per_lot="2", slippage={"kind": "fixed", "points": 0})
    simulator = drive(make_simulator(account=account, broker=broker), make_ticks(FLAT), {0: _buy()})
    assert [f["commission_minor"] for f in rows(simulator.fills())] == [-200, -200]
    assert int(simulator.fills()[0]["price_points"]) == 110_010


# R10 currencies


def test_r10_profit_is_converted_with_the_symbols_own_quote_at_the_exit() -> None:
    """USDJPY 0.1 lot, 150.01 → 150.50: 4,900 JPY are 32.56 USD at 150.50."""
    ticks = make_ticks([(150_000, 150_010), (150_000, 150_010), (150_500, 150_510)])
    simulator = drive(make_simulator("USDJPY"), ticks, {0: _buy("0.1")})
    assert int(simulator.trades()[0]["gross_minor"]) == 3_256


def test_r10_a_stated_rate_converts_and_comes_before_own_quotes() -> None:
    ticks = make_ticks([(150_000, 150_010), (150_000, 150_010), (150_500, 150_510)])
    account = make_account(conversion_rates={"JPY": "0.01"})
    simulator = drive(make_simulator("USDJPY", account=account), ticks, {0: _buy("0.1")})
    assert int(simulator.trades()[0]["gross_minor"]) == 4_900
    ticks = make_ticks([(86_000, 86_000)] * 2 + [(86_100, 86_100)] * 2)
    account = make_account(conversion_rates={"GBP": "1.27"})
    simulator = drive(make_simulator("EURGBP", account=account), ticks, {0: _buy()}, finish=False)
    assert float(simulator.account["margin_used"]) == pytest.approx(86_000 * 1.27 / 500 * 100, rel=1e-15)
    simulator.finish()
    assert int(simulator.trades()[0]["gross_minor"]) == 12_700


# Bid and ask of the pair at each tick, far apart so that the side is seen; only those of the exit's tick count.
PAIR = np.array([(100_000, 200_000), (100_000, 200_000), (150_000, 160_000)], np.int64)


@pytest.mark.parametrize(
    ("symbol", "currency", "bids", "gain", "loss"),
    [
        # Times USDJPY (3 digits): 50 USD at 150.000 are 7,500 JPY, and a loss of it costs 8,000 at 160.000.
        ("EURUSD", "JPY", (110_000, 110_000, 110_050), 7_500, -8_000),
        # Divided by EURUSD (5 digits): 50 USD at 1.60000 are 31.25 EUR, and a loss of it costs 33.33 at 1.50000.
        ("BTCUSD", "EUR", (6_000_000, 6_000_000, 6_005_000), 3_125, -3_333),
    ],
)
def test_r10_a_pair_sells_what_is_gained_and_buys_what_is_lost(
    symbol: str, currency: str, bids: tuple[int, ...], gain: int, loss: int
) -> None:
    account = make_account(currency=currency, balance=10**6)
    ticks = make_ticks([(bid, bid) for bid in bids])
    for trade, booked in ((_buy(), gain), (_sell(), loss)):
        simulator = drive(make_simulator(symbol, account=account), ticks, {0: trade}, finish=False, rates=PAIR)
        opening = int(simulator.account["balance_minor"])
        assert float(simulator.account["equity"]) == pytest.approx(opening + booked, abs=0.5)
        simulator.finish()
        assert int(simulator.trades()[0]["gross_minor"]) == booked


@pytest.mark.parametrize(
    ("symbol", "currency", "margin", "commission", "swap"),
    [
        # 1 lot at 1.10000: 110,000 USD. Margin: 220 USD at the entry's ask. 0.01 percent: 11 USD. Swap of 1 point: 1 USD.
        ("EURUSD", "JPY", 220 * 200, -11 * 200, -160),
        # 1 coin at 60,000 USD. Margin: 120 USD at the entry's bid. 0.01 percent: 6 USD. Swap of 100 points: 1 USD.
        ("BTCUSD", "EUR", 120 * 100, -600, -67),
    ],
)
def test_r10_swap_commission_and_margin_go_through_the_pair(
    symbol: str, currency: str, margin: int, commission: int, swap: int
) -> None:
    points = {"EURUSD": -1, "BTCUSD": -100}[symbol]
    broker = make_broker(
        commission={"kind": "percent", "value": "0.01"},
        each_symbol={"swap": {"kind": "points", "long": points, "weekends": True}},
    )
    price = {"EURUSD": 110_000, "BTCUSD": 6_000_000}[symbol]
    day = 24 * 3_600 * 10**9
    ticks = segment_of([(T0, price, price), (T0 + 10**9, price, price), (T0 + day, price, price)])
    simulator = make_simulator(symbol, account=make_account(currency=currency, balance=10**6), broker=broker)
    drive(simulator, ticks, {0: _buy("1")}, finish=False, rates=PAIR)
    assert float(simulator.account["margin_used"]) == pytest.approx(margin, rel=1e-12)
    entry, rolled = rows(simulator.fills())
    assert (entry["commission_minor"], rolled["swap_minor"]) == (commission, swap)


def test_r10_a_missing_rate_is_a_validation_error() -> None:
    with pytest.raises(ScenarioInvalidError, match=r"account.conversion_rates.GBP"):
        make_simulator("EURGBP")


# R11 positions


def test_r11_positions_are_independent() -> None:
    """A sell does not touch a long (hedging); each is closed by its own id."""
    script = {0: _buy("0.5"), 1: _sell("0.5"), 2: _buy("0.2"), 4: _close(2)}
    simulator = drive(make_simulator(), make_ticks(FLAT), script, finish=False)
    assert [(p["position_id"], p["side"], p["volume_steps"]) for p in rows(simulator.positions())] == [
        (1, 1, 50),
        (3, 1, 20),
    ]
    assert float(simulator.account["margin_used"]) == 70 * 110_010 / 500


@pytest.mark.parametrize(
    ("lots", "reason"),
    [
        ("0.001", RejectReason.VOLUME_OFF_STEP),
        ("0.015", RejectReason.VOLUME_OFF_STEP),
        ("200", RejectReason.VOLUME_ABOVE_MAX),
        ("1e40", RejectReason.VOLUME_ABOVE_MAX),
        ("0", RejectReason.VOLUME_BELOW_MIN),
        ("-1", RejectReason.VOLUME_BELOW_MIN),
        ("-1e40", RejectReason.VOLUME_BELOW_MIN),
    ],
)
def test_r11_r15_volumes_that_the_symbol_does_not_allow_are_rejected_with_their_reason(
    lots: str, reason: RejectReason
) -> None:
    simulator = drive(make_simulator(), make_ticks(FLAT), {2: _buy(lots)})
    (order,) = rows(simulator.orders())
    assert (order["state"], order["reason"], order["done_tick"]) == (OrderState.REJECTED, reason, 2)


def test_r11_the_smallest_and_the_largest_volume_are_allowed() -> None:
    account = make_account(balance=10**6)
    script = {0: lambda t: (t.buy("0.01"), t.buy(100.0), t.buy(0.29))}
    simulator = drive(make_simulator(account=account), make_ticks(FLAT), script)
    assert [o["volume_steps"] for o in rows(simulator.orders())] == [1, 10_000, 29]
    assert {o["state"] for o in rows(simulator.orders())} == {OrderState.FILLED}


# R12 end


def test_r12_what_is_open_closes_at_the_last_tick_and_what_is_under_way_expires() -> None:
    ticks = make_ticks([(110_000 + 10 * i, 110_010 + 10 * i) for i in range(6)])
    simulator = drive(make_simulator(), ticks, {0: lambda t: (t.buy("1"), t.sell("1")), 5: _buy()})
    assert [(t["exit_reason"], t["exit_tick"], t["exit_price_points"]) for t in rows(simulator.trades())] == [
        (ExitReason.SCENARIO_END, 5, 110_050),
        (ExitReason.SCENARIO_END, 5, 110_060),
    ]
    late = rows(simulator.orders())[2]
    assert (late["state"], late["reason"], late["done_tick"]) == (OrderState.EXPIRED, RejectReason.SCENARIO_END, 5)
    assert late["fill_price_points"] == NO_PRICE
    assert float(simulator.account["equity"]) == _money(simulator)


def test_r12_a_fill_on_the_last_tick_is_closed_on_it() -> None:
    simulator = drive(make_simulator(), make_ticks(FLAT), {6: _buy()})
    (trade,) = rows(simulator.trades())
    assert (trade["entry_tick"], trade["exit_tick"], trade["gross_minor"]) == (7, 7, -1_000)


# R15 rejections


def test_r15_a_rejected_order_changes_nothing_else() -> None:
    """With and without rejected orders (volume, margin, position gone): same fills, trades and account."""
    script = {0: _buy("0.5", sl_points=40), 4: _close()}
    quotes = make_ticks([(110_000 + i, 110_010 + i) for i in range(9)])
    clean = drive(make_simulator(), quotes, script)
    noisy = drive(
        make_simulator(),
        quotes,
        {**script, 1: _buy("500"), 2: _buy("90"), 4: lambda t: (t.close(1), t.close(1)), 6: _sell("0.005")},
    )
    reasons = [o["reason"] for o in rows(noisy.orders()) if o["state"] == OrderState.REJECTED]
    assert reasons == [
        RejectReason.VOLUME_ABOVE_MAX,
        RejectReason.NOT_ENOUGH_MARGIN,
        RejectReason.POSITION_GONE,
        RejectReason.VOLUME_OFF_STEP,
    ]
    ids = {"order_id", "exit_order_id"}
    for mine, other in ((clean.fills(), noisy.fills()), (clean.trades(), noisy.trades())):
        assert [{k: v for k, v in row.items() if k not in ids} for row in rows(mine)] == [
            {k: v for k, v in row.items() if k not in ids} for row in rows(other)
        ]
    for name in ("balance_minor", "equity", "max_drawdown", "max_runup", "margin_used"):
        assert clean.account[name] == noisy.account[name]


def test_r15_a_wrong_call_is_an_exception() -> None:
    refused: list[str] = []

    def try_all(trading: TradingApi) -> None:
        calls: list[Callable[[], object]] = [
            lambda: trading.buy("NaN"),
            lambda: trading.buy(float("inf")),
            lambda: trading.buy(1, sl=float("nan")),
            lambda: trading.buy(1, tp=1e300),
            lambda: trading.buy(1, sl=1.09, sl_points=5),
            lambda: trading.buy(1, tp_points=-5),
            lambda: trading.sell(1, sl_points=2**70),
            lambda: trading.close(9),
            lambda: trading.order(1),
        ]
        for call in calls:
            with pytest.raises((ValueError, KeyError)) as caught:
                call()
            refused.append(str(caught.value))

    simulator = drive(make_simulator(), make_ticks(FLAT), {1: try_all})
    assert len(refused) == 9
    assert all(refused)
    assert len(simulator.orders()) == 0


def test_r15_a_policy_volume_off_the_step_is_a_contract_error() -> None:
    with pytest.raises(StrategyContractError, match=r"0\.015 is no multiple of EURUSD's volume step 0\.01"):
        make_simulator(policy=OnePositionPolicy(Decimal("0.015")))


# R16 equity


def test_r16_equity_drawdown_and_excursions_equal_a_recount() -> None:
    """One long lot from tick 1 on: everything by hand, from the bids."""
    bids = [110_000, 110_000, 110_050, 109_900, 110_120, 109_700, 109_950, 110_300, 110_200]
    ticks = make_ticks([(bid, bid + 10) for bid in bids])
    simulator = drive(make_simulator(), ticks, {0: _buy()}, finish=False)
    equity = [1_000_000 + (bid - 110_010) * 100 for bid in bids[1:]]
    assert float(simulator.account["equity"]) == equity[-1]
    assert TradingApi(simulator).equity == equity[-1] / 100
    all_equity = [1_000_000, *equity]
    falls = [max(all_equity[: i + 1]) - value for i, value in enumerate(all_equity)]
    rises = [value - min(all_equity[: i + 1]) for i, value in enumerate(all_equity)]
    assert float(simulator.account["max_drawdown"]) == max(falls) == 42_000
    assert float(simulator.account["max_runup"]) == max(rises) == 60_000
    assert float(simulator.account["max_drawdown_share"]) == 42_000 / 1_011_000
    simulator.finish()
    (trade,) = rows(simulator.trades())
    assert (trade["mae_points"], trade["mfe_points"]) == (310, 290)
    curve = rows(simulator.equity_curve())
    assert [row["equity"] for row in curve[:-1]] == all_equity[:-1]
    assert (curve[5]["equity_low"], curve[5]["equity_high"]) == (equity[4], equity[4])


def test_r16_views_of_the_account_speak_for_the_current_tick() -> None:
    seen: list[tuple[float, float, float, float]] = []

    def look(trading: TradingApi) -> None:
        (held,) = trading.positions
        seen.append((trading.balance, trading.equity, held.profit, trading.free_margin))
        assert (held.side, held.lots, held.entry_price, held.sl) == (Side.BUY, 1.0, pytest.approx(1.1001), None)
        assert trading.order(1).fill_price == pytest.approx(1.1001)
        assert trading.pending == []

    drive(make_simulator(), make_ticks([*FLAT[:2], (110_110, 110_120), (110_110, 110_120)]), {0: _buy(), 2: look})
    assert seen == [(10_000.0, 10_100.0, 100.0, pytest.approx(10_100.0 - 220.02))]


# Invariants over a busy stream, and growth of the records


def test_invariants_of_ten_thousand_orders() -> None:
    """R2, R3, R4: the books balance exactly and every fill is at its side's quote, with 10,000 orders."""
    count = 5_200
    ticks = make_ticks([(110_000 + (i * 7_919) % 61, 110_003 + (i * 7_919) % 61 + i % 5) for i in range(count)])
    account = make_account(balance=10**8, commission_per_lot="2.5", latency={"kind": "uniform", "ms": 0, "max_ms": 700})

    def at(tick: int) -> Callable[[TradingApi], None]:
        def trade(trading: TradingApi) -> None:
            trading.buy("0.03", sl_points=20 + tick % 30) if tick % 2 else trading.sell("0.02", tp_points=tick % 40)
            held = simulator.positions()[:1]
            trading.close(int(held[0]["position_id"])) if len(held) else trading.buy("0.005")

        return trade

    simulator = make_simulator(account=account, ticks=count)
    drive(simulator, ticks, {i: at(i) for i in range(5_000)})
    orders, fills, trades = (rows(part) for part in (simulator.orders(), simulator.fills(), simulator.trades()))
    assert len(orders) == 10_000
    start = 10**10
    assert [o["order_id"] for o in orders] == list(range(1, 10_001))
    assert _money(simulator) == start + sum(f["gross_minor"] + f["commission_minor"] for f in fills)
    assert _money(simulator) - start == sum(trade["net_minor"] for trade in trades)
    balance = start
    for fill in fills:
        balance += fill["gross_minor"] + fill["commission_minor"]
        assert fill["balance_minor"] == balance
    by_id = {order["order_id"]: order for order in orders}
    for fill in fills:
        order = by_id.get(fill["order_id"])
        if order is None:
            continue
        quote = (ticks.ask_points if fill["side"] > 0 else ticks.bid_points)[fill["tick"]]
        assert fill["price_points"] == quote == order["fill_price_points"]
        assert fill["tick"] > order["request_tick"]
        assert order["arrival_ns"] <= fill["time_ns"]
        assert ticks.time_ns[fill["tick"] - 1] < order["arrival_ns"] or fill["tick"] == order["request_tick"] + 1
    entered = [f["volume_steps"] for f in fills if f["kind"] == FillKind.ENTRY]
    left = [f["volume_steps"] for f in fills if f["kind"] == FillKind.EXIT]
    assert sum(entered) == sum(left) == sum(trade["volume_steps"] for trade in trades)
    assert all(order["state"] != OrderState.PENDING and order["done_tick"] != NO_TICK for order in orders)


# Terms


@pytest.mark.parametrize(
    "values",
    [
        {"conversion_rates": {"JPY": "0.006712345678901234567891"}},
        {"leverage": "33.333333333333333333"},
        {"commission_per_lot": "3.1234567890123456789012345"},
    ],
)
def test_terms_beyond_64_bits_are_a_validation_error(values: dict[str, Any]) -> None:
    with pytest.raises(ScenarioInvalidError, match=r"USDJPY: the .* 64-bit numbers"):
        make_simulator("USDJPY", account=make_account(**values))


def test_terms_refuse_prices_at_which_amounts_would_not_fit() -> None:
    terms = make_terms("USDJPY", make_account(), make_broker(), 3)
    terms.check_range(200_000)
    with pytest.raises(ScenarioInvalidError, match="lower volume_max"):
        terms.check_range(10**12)


def test_terms_refuse_unknown_symbols_and_other_digits() -> None:
    with pytest.raises(ScenarioInvalidError, match=r"has no symbol 'EURUSDX'\. Did you mean 'EURUSD'"):
        make_terms("EURUSDX", make_account(), make_broker(), 5)
    with pytest.raises(ScenarioInvalidError, match="the data has 4 digits, broker 'test' says 5"):
        make_terms("EURUSD", make_account(), make_broker(), 4)
