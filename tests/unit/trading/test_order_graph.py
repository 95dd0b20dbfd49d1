"""Legal order graph and exact invariants under random attack, observed at every tick through `TradingApi`."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from builders import bare_block, make_simulator, rows
from hypothesis import given
from hypothesis import strategies as st
from oracle.compare import finish, pair_rates
from oracle.markets import Market, make_market, scripts, settings_of_account, ticks_strategy
from oracle.ports import Ask, FastPort, send_all
from oracle.rules import Rules

from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.models import AccountConfig
from finiex_ray.core.enums import LEGAL_MOVES, FillKind, OrderState, OrderType, Wake
from finiex_ray.core.market import TickSegment
from finiex_ray.core.records import NO_TICK
from finiex_ray.trading.signals import NO_SIGNALS
from finiex_ray.trading.simulator import TradeSimulator

Setting = tuple[str, AccountConfig, BrokerSpec]


def _reachable(state: OrderState) -> set[OrderState]:
    """The states that legal moves lead to: more than one move can fall on one tick."""
    found, new = {state}, [state]
    while new:
        for after in LEGAL_MOVES[new.pop()] - found:
            found.add(after)
            new.append(after)
    return found


def _watch(
    simulator: TradeSimulator, ticks: TickSegment, script: dict[int, Sequence[Ask]], look: Any
) -> dict[int, list[OrderState]]:
    """Runs tick by tick; returns the history of every order's state."""
    port, histories = FastPort(simulator), {}  # type: tuple[FastPort, dict[int, list[OrderState]]]
    count = len(ticks.time_ns)
    block = bare_block(ticks, 0, count)
    rates = pair_rates(simulator.terms.pair is not None, count)
    for tick in range(count):
        assert simulator.advance(block, NO_SIGNALS, tick, count, Wake.TICK, rates)[0] == tick + 1
        bid, ask = int(ticks.bid_points[tick]), int(ticks.ask_points[tick])
        port.at(int(ticks.time_ns[tick]), bid, ask)
        look(port, bid, ask)
        send_all(script.get(tick, ()), port, bid)
        for view in port.api.orders:
            histories.setdefault(view.order_id, []).append(view.state)
    finish(simulator)
    for order in rows(simulator.orders()):
        histories[order["order_id"]].append(OrderState(order["state"]))
    return histories


def test_the_graph_ends_in_its_terminal_states_and_reaches_all_of_them() -> None:
    terminal = {state for state, after in LEGAL_MOVES.items() if not after}
    assert set(LEGAL_MOVES) == set(OrderState)
    assert _reachable(OrderState.PENDING) == set(OrderState)
    assert terminal == set(OrderState) - {OrderState.PENDING, OrderState.ACTIVE, OrderState.TRIGGERED}
    assert all(OrderState.PENDING not in after for after in LEGAL_MOVES.values())


@given(setting=settings_of_account(), spec=ticks_strategy, script=scripts, seed=st.integers(0, 3))
def test_orders_move_along_the_graph_and_end(
    setting: Setting, spec: Market, script: dict[int, list[Ask]], seed: int
) -> None:
    """R3, R5, R12, R15: every observed move is legal, and nothing is left without an end."""
    symbol, config, broker = setting
    simulator = make_simulator(symbol, account=config, broker=broker, ticks=len(spec), seed=seed)
    histories = _watch(simulator, make_market(symbol, spec), script, lambda *_: None)
    for history in histories.values():
        for before, after in zip([OrderState.PENDING, *history], history, strict=False):
            assert after in _reachable(before), history
        assert LEGAL_MOVES[history[-1]] == frozenset()
    resting = {OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT}
    for order in rows(simulator.orders()):
        assert order["done_tick"] != NO_TICK
        seen = set(histories[order["order_id"]])
        assert order["type"] in resting or not seen & {OrderState.ACTIVE, OrderState.TRIGGERED}
        assert OrderState.TRIGGERED not in seen or order["type"] == OrderType.STOP_LIMIT
        instruction = order["type"] >= OrderType.MODIFY_ORDER
        assert order["state"] != (OrderState.FILLED if instruction else OrderState.DONE)


@given(setting=settings_of_account(), spec=ticks_strategy, script=scripts, seed=st.integers(0, 3))
def test_invariants(setting: Setting, spec: Market, script: dict[int, list[Ask]], seed: int) -> None:
    """R2 to R16: what must hold whatever happens, exactly."""
    symbol, config, broker = setting
    rules, ticks = Rules(symbol, config, broker), make_market(symbol, spec)
    simulator = make_simulator(symbol, account=config, broker=broker, ticks=len(spec), seed=seed)

    def look(port: FastPort, bid: int, ask: int) -> None:
        """Equity is balance plus unrealised profit; margin used is the sum over the positions; volumes are whole."""
        held = rows(simulator.positions())
        if rules.pair is not None:
            ledger = simulator.account
            rules.pair_quotes = (int(ledger["rate_bid"]), int(ledger["rate_ask"]))
        unrealised = rules.unrealised(
            [(p["side"], p["volume_steps"], p["entry_price_points"], bid if p["side"] > 0 else ask) for p in held]
        )
        balance = int(simulator.account["balance_minor"])
        scale = max(abs(balance), abs(unrealised), 1)
        assert abs(Fraction(float(simulator.account["equity"])) - balance - unrealised) <= scale / 10**12
        used, before = Fraction(0), 0
        for position in held:
            used += rules.margin(
                before, position["volume_steps"], position["entry_price_points"], position["margin_rate"]
            )
            before += position["volume_steps"]
        assert abs(Fraction(float(simulator.account["margin_used"])) - used) <= max(used, 1) / 10**12
        assert all(position["volume_steps"] > 0 for position in held)
        if rules.nets:
            assert (
                len({(p["position_id"], p["side"], p["sl_points"], p["tp_points"], p["trail_points"]) for p in held})
                <= 1
            )
        if rules.spot:
            assert all(position["side"] > 0 for position in held)

    _watch(simulator, ticks, script, look)
    orders, fills, trades = (rows(part) for part in (simulator.orders(), simulator.fills(), simulator.trades()))
    balance = rules.opening
    for fill in fills:
        balance += fill["gross_minor"] + fill["commission_minor"] + fill["swap_minor"]
        assert fill["balance_minor"] == balance
    assert int(simulator.account["balance_minor"]) == balance
    assert balance - rules.opening == sum(trade["net_minor"] for trade in trades)
    for trade in trades:
        assert trade["net_minor"] == trade["gross_minor"] + trade["commission_minor"] + trade["swap_minor"]
    _volumes_add_up(orders, fills, trades)
    _fills_belong_to_their_orders(rules, orders, fills, ticks)


def _volumes_add_up(orders: list[dict[str, int]], fills: list[dict[str, int]], trades: list[dict[str, int]]) -> None:
    """R11: all that was entered has left, and every order's fills are what it says it filled."""
    entered = sum(f["volume_steps"] for f in fills if f["kind"] == FillKind.ENTRY)
    left = sum(f["volume_steps"] for f in fills if f["kind"] == FillKind.EXIT)
    assert entered == left == sum(trade["volume_steps"] for trade in trades)
    for order in orders:
        own = sum(f["volume_steps"] for f in fills if f["order_id"] == order["order_id"])
        assert own == order["filled_steps"]
        assert (own > 0) == (order["state"] == OrderState.FILLED)  # rejected, expired and cancelled ones change nothing


def _fills_belong_to_their_orders(
    rules: Rules, orders: list[dict[str, int]], fills: list[dict[str, int]], ticks: TickSegment
) -> None:
    """R3, R4, R5: nothing before its arrival; buys at the ask, sells at the bid, or at the limit."""
    plain = rules.slippage.kind == "none"
    for fill in fills:
        if not fill["order_id"]:
            continue
        order = orders[fill["order_id"] - 1]
        assert fill["tick"] > order["request_tick"]
        assert fill["time_ns"] >= order["arrival_ns"]
        assert fill["side"] == order["side"]
        quote = int((ticks.ask_points if fill["side"] > 0 else ticks.bid_points)[fill["tick"]])
        worse = fill["side"] * (fill["price_points"] - quote)
        if order["type"] in (OrderType.MARKET, OrderType.CLOSE):
            assert worse == 0 if plain else worse >= 0
        elif order["type"] in (OrderType.LIMIT, OrderType.STOP_LIMIT):
            assert fill["side"] * fill["price_points"] <= fill["side"] * order["price_points"]
            assert worse >= 0
        else:
            assert worse == 0
