"""What a run was seen to do, as words: a golden run that stops doing what it is there for is found by them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from finiex_ray.bars.window import MarketWindow
from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.models import ScenarioConfig
from finiex_ray.core.enums import ExitReason, FillKind, OrderState, OrderType, RejectReason
from finiex_ray.core.records import NO_PRICE, Records
from finiex_ray.engine.result import ScenarioResult, TickLoopResult

__all__ = ["shown"]

_DAY_NS = 86_400 * 10**9


def shown(config: ScenarioConfig, broker: BrokerSpec, window: MarketWindow, result: ScenarioResult) -> frozenset[str]:
    """Every word that fits the run."""
    loop = result.loop
    assert loop is not None
    words = {
        *_models(config, broker),
        *_orders(loop),
        *_slippage(loop, window),
        *_fills(loop, _commission(config, broker)),
        *_trades(loop),
        *_margin(loop, broker, config),
    }
    if window.conversion and loop.trades["gross_minor"].any():
        words.add(f"converted by {_pair(config, broker).lower()}")
    if any("margin_call at equity" in line for line in result.log):
        words.add("margin call")
    if _holds_saturday(loop):
        words.add("over a weekend")
    return frozenset(words)


def _models(config: ScenarioConfig, broker: BrokerSpec) -> Iterator[str]:
    account, spec = config.account, broker.symbols[config.symbol]
    yield f"account {broker.account_mode}"
    yield f"currency {account.currency}"
    yield f"latency {(account.latency or broker.latency).kind}"
    yield f"slippage {(account.slippage or broker.slippage).kind}"
    yield f"commission {_commission(config, broker)}"
    yield f"swap {spec.swap.kind}"


def _commission(config: ScenarioConfig, broker: BrokerSpec) -> str:
    if config.account.commission_per_lot is not None:
        return "per_lot"
    return (broker.symbols[config.symbol].commission or broker.commission).kind


def _pair(config: ScenarioConfig, broker: BrokerSpec) -> str:
    quote, currency = broker.symbols[config.symbol].quote, config.account.currency
    (name,) = (name for name, each in broker.symbols.items() if {each.base, each.quote} == {quote, currency})
    return name


def _orders(loop: TickLoopResult) -> Iterator[str]:
    orders = loop.orders
    for order in orders:
        kind, state = OrderType(order["type"]), OrderState(order["state"])
        yield f"{kind.name.lower()} {state.name.lower()}"
        if order["reason"] != RejectReason.NONE:
            yield f"reason {RejectReason(order['reason']).name.lower()}"
        if state is OrderState.FILLED and 0 < order["filled_steps"] < order["volume_steps"]:
            yield "filled in part"
        if kind is OrderType.LIMIT and state is OrderState.FILLED:
            yield "limit at its price" if order["fill_price_points"] == order["price_points"] else "limit at the quote"
        if order["magic"]:
            yield "magic"
    if loop.comments:
        yield "comment"
    if len(np.unique(orders["arrival_ns"] - orders["request_ns"])) > 2:
        yield "delays vary"


def _slippage(loop: TickLoopResult, window: MarketWindow) -> Iterator[str]:
    """How far market orders were filled from the quote of their tick."""
    bids, asks = (_column(window, name) for name in ("bid_points", "ask_points"))
    market = np.isin(loop.orders["type"], (OrderType.MARKET, OrderType.CLOSE))
    slips = set()
    for order in loop.orders[market & (loop.orders["fill_price_points"] != NO_PRICE)]:
        quote = (asks if order["side"] > 0 else bids)[order["done_tick"]]
        slips.add(int(order["fill_price_points"] - quote) * int(order["side"]))
    yield from (f"slipped {points}" for points in slips)
    if len(slips) > 1:
        yield "slipped many"


def _column(window: MarketWindow, name: str) -> np.ndarray:
    parts = [getattr(segment, name) for segment in window.segments]
    parts[-1] = parts[-1][: window.last]
    parts[0] = parts[0][window.first :]
    return np.concatenate(parts)


def _fills(loop: TickLoopResult, commission: str) -> Iterator[str]:
    yield from (f"fill {FillKind(kind).name.lower()}" for kind in np.unique(loop.fills["kind"]))
    swaps = loop.fills[loop.fills["kind"] == FillKind.SWAP]
    for position in np.unique(swaps["position_id"]):
        a_step = swaps[swaps["position_id"] == position]
        amounts = np.abs(a_step["swap_minor"] / a_step["volume_steps"])
        if amounts.max() > 2.5 * amounts.min():
            yield "triple swap"
    dealt = loop.fills[(loop.fills["kind"] != FillKind.SWAP) & (loop.fills["commission_minor"] != 0)]
    if commission == "percent":
        notional = dealt["volume_steps"] * loop.volume_step * dealt["price_points"] / 10.0**loop.digits
        rates = np.abs(dealt["commission_minor"]) / loop.minor_per_unit / np.maximum(notional, 1e-9) * 100
        yield from {f"rate {rate:g}" for rate in np.round(rates, 2)}


def _trades(loop: TickLoopResult) -> Iterator[str]:
    trades = loop.trades
    yield from (f"exit {ExitReason(reason).name.lower()}" for reason in np.unique(trades["exit_reason"]))
    entries = np.stack([trades["position_id"], trades["entry_order_id"]], axis=1)
    if len(np.unique(entries, axis=0)) < len(trades):
        yield "closed in part"
    if len(np.unique(trades["side"])) > 1:
        yield "buy and sell"
    if len(trades) and (trades["exit_ns"] - trades["entry_ns"]).max() > _DAY_NS:
        yield "trades over days"
    for trade in trades[trades["exit_reason"] == ExitReason.STOP_LOSS]:
        trail = _trail(loop.orders, trade)
        # At the fill the stop lies its distance and the spread away from the entry; nearer only when it has moved.
        if trail and (trade["entry_price_points"] - trade["sl_points"]) * trade["side"] < trail:
            yield "trailing stop moved"


def _trail(orders: Records, trade: np.void) -> int:
    return int(orders[trade["entry_order_id"] - 1]["trail_points"])


def _margin(loop: TickLoopResult, broker: BrokerSpec, config: ScenarioConfig) -> Iterator[str]:
    """Whether the open volume has reached a second tier of leverage."""
    tiers = broker.symbols[config.symbol].leverage_tiers
    if len(tiers) < 2 or config.account.leverage is not None:
        return
    sides = np.where(loop.fills["kind"] == FillKind.SWAP, 0, loop.fills["side"])
    net = np.abs(np.cumsum(sides * loop.fills["volume_steps"])) * loop.volume_step
    if net.max() > float(tiers[0].up_to_lots or 0):
        yield "margin of two tiers"


def _holds_saturday(loop: TickLoopResult) -> bool:
    """Whether a Saturday (or a part of one) lies between the first and the last tick."""
    first, last = loop.first_ns // _DAY_NS, loop.last_ns // _DAY_NS
    return any((day + 3) % 7 == 5 for day in range(first, last + 1))  # 1970-01-01 was a Thursday
