"""The dense workload in hftbacktest, filled by its own exchange: ``python hftbacktest_side.py JOB RUNS``, in its interpreter.

Needs hftbacktest and numpy only, and no finiex_ray. JOB is an ``.npz`` with ``time_ns``, ``bid_points``, ``ask_points``,
``params`` (offset, lifetime in ns, trail, target) and ``digits``. Prints one JSON object: version, CPU and wall seconds of each
run, and the trades (entry tick, exit tick, side, entry price, exit price).

What it does like the other sides: limit orders rest at the exchange and fill there, at their price, when the quote crosses
them; orders that were decided at one tick meet the next one. What is hftbacktest's own way: it has no trailing stop, no OCO
and no expiry, so the strategy watches the stop and sends a market order, and cancels; the take profit is a limit order.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time

import hftbacktest as hft
import numpy as np
from numba import njit

FOREVER_NS = 10**15
FEED, TIMED_OUT = 2, 0


def events_of(time_ns, bid, ask):
    """The ticks as changes of a book that is one level deep: what has gone is set to zero, what is new gets a size.

    The last event comes again 1 ns later: it is lost on the strategy, as the data ends with it.
    """
    count = len(time_ns)
    events = np.zeros((count, 4), hft.event_dtype)
    events["exch_ts"] = events["local_ts"] = time_ns[:, None]
    for column, (side, price, size) in enumerate(
        (
            (hft.BUY_EVENT, np.r_[0.0, bid[:-1]], 0.0),
            (hft.SELL_EVENT, np.r_[0.0, ask[:-1]], 0.0),
            (hft.BUY_EVENT, bid, 1e6),
            (hft.SELL_EVENT, ask, 1e6),
        )
    ):
        events["ev"][:, column] = np.uint64(hft.DEPTH_EVENT | side | hft.EXCH_EVENT | hft.LOCAL_EVENT)
        events["px"][:, column], events["qty"][:, column] = price, size
    bid_moved, ask_moved = np.r_[True, bid[1:] != bid[:-1]], np.r_[True, ask[1:] != ask[:-1]]
    needed = np.stack([bid_moved, ask_moved, np.ones(count, bool), ask_moved], axis=1)
    needed[0, :2] = False
    events = np.append(events[needed], events[-1, 2:3])
    events["exch_ts"][-1] = events["local_ts"][-1] = time_ns[-1] + 1
    return events


@njit
def quote(hbt, point, offset, lifetime_ns, trail, target, out):
    """Runs the strategy; returns the number of trades, whose rows stand in ``out``."""
    tick, trades, order_id = -1, 0, 0
    wanted, resting, expired = False, False, False
    buy = sell = buy_id = sell_id = goal_id = 0
    expires = 0
    side = entry = entry_tick = stop = goal = 0
    bid = ask = 0
    while True:
        timeout = expires - hbt.current_timestamp if resting else FOREVER_NS
        reason = hbt.wait_next_feed(False, timeout)
        if reason == TIMED_OUT:
            if not resting:
                continue
            # The orders have lived long enough: they go before the next tick is matched, and it is quoted from there.
            hbt.cancel(0, buy_id, False)
            hbt.cancel(0, sell_id, True)
            hbt.clear_inactive_orders(0)
            resting, expired = False, True
            continue
        if reason != FEED:
            break
        tick += 1
        depth = hbt.depth(0)
        bid, ask = depth.best_bid_tick, depth.best_ask_tick
        closed = expired
        filled, price = 0, 0
        expired = False
        if resting:
            # What the exchange has filled at this tick.
            held = hbt.position(0)
            if held != 0.0:
                filled = 1 if held > 0.0 else -1
                price = buy if filled > 0 else sell
                hbt.cancel(0, sell_id if filled > 0 else buy_id, True)
                resting = False
        elif wanted:
            # Decided a tick ago.
            wanted = False
            buy_id, sell_id = order_id + 1, order_id + 2
            order_id += 2
            hbt.submit_buy_order(0, buy_id, buy * point, 1.0, hft.GTC, hft.LIMIT, True)
            if hbt.position(0) > 0.0:
                filled, price = 1, ask
            else:
                hbt.submit_sell_order(0, sell_id, sell * point, 1.0, hft.GTC, hft.LIMIT, True)
                if hbt.position(0) < 0.0:
                    filled, price = -1, bid
                    hbt.cancel(0, buy_id, True)
                else:
                    resting = True
        if filled != 0:
            side, entry, entry_tick = filled, price, tick
            stop = (bid if side > 0 else ask) - side * trail
            goal = entry + side * target
            order_id += 1
            goal_id = order_id
            if side > 0:
                hbt.submit_sell_order(0, goal_id, goal * point, 1.0, hft.GTC, hft.LIMIT, True)
            else:
                hbt.submit_buy_order(0, goal_id, goal * point, 1.0, hft.GTC, hft.LIMIT, True)
            hbt.clear_inactive_orders(0)
        elif side != 0:
            now = bid if side > 0 else ask
            if hbt.position(0) == 0.0:
                closed, price = True, goal
            elif (now - stop) * side <= 0:
                closed, price = True, now
                order_id += 1
                if side > 0:
                    hbt.submit_sell_order(0, order_id, bid * point, 1.0, hft.GTC, hft.MARKET, True)
                else:
                    hbt.submit_buy_order(0, order_id, ask * point, 1.0, hft.GTC, hft.MARKET, True)
                hbt.cancel(0, goal_id, True)
            else:
                level = now - side * trail
                if (level - stop) * side > 0:
                    stop = level
            if closed:
                out[trades, 0], out[trades, 1], out[trades, 2] = entry_tick, tick, side
                out[trades, 3], out[trades, 4] = entry, price
                trades += 1
                side = 0
                hbt.clear_inactive_orders(0)
        if closed or tick == 0:
            wanted, expires = True, hbt.current_timestamp + lifetime_ns
            buy, sell = bid - offset, ask + offset
    if side != 0:
        out[trades, 0], out[trades, 1], out[trades, 2] = entry_tick, tick, side
        out[trades, 3], out[trades, 4] = entry, bid if side > 0 else ask
        trades += 1
    return trades


def once(events, point, bounds, params, out):
    """One backtest; the number of trades."""
    asset = (
        hft.BacktestAsset()
        .data(events)
        .linear_asset(10_000.0)
        .constant_order_latency(0, 0)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0, 0.0)
        .tick_size(point)
        .lot_size(1.0)
        .roi_lb(bounds[0])
        .roi_ub(bounds[1])
    )
    backtest = hft.ROIVectorMarketDepthBacktest([asset])
    trades = quote(backtest, point, *params, out)
    backtest.close()
    return trades


def main() -> int:
    with np.load(sys.argv[1]) as job:
        data = {name: job[name] for name in job.files}
    point = 10.0 ** -int(data["digits"])
    bid, ask = (np.round(data[name] * point, int(data["digits"])) for name in ("bid_points", "ask_points"))
    params = tuple(int(value) for value in data["params"])
    room = 0.01
    bounds = round(float(bid.min()) - room, 2), round(float(ask.max()) + room, 2)
    events = events_of(data["time_ns"], bid, ask)
    out = np.zeros((len(bid), 5), np.int64)
    costs, trades = [], 0
    for _ in range(int(sys.argv[2]) + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        trades = once(events, point, bounds, params, out)
        costs.append([time.process_time() - cpu, time.perf_counter() - wall])
    version = importlib.metadata.version("hftbacktest")
    print(json.dumps({"version": version, "costs": costs[1:], "trades": out[:trades].tolist()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
