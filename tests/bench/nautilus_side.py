"""The other side of `parity_nautilus.py`: the same strategy in NautilusTrader, filled by its own matching engine.

Needs nautilus_trader and numpy only, and no finiex_ray: it runs in an interpreter of its own, as
``python nautilus_side.py FOLDER``. FOLDER holds ``job.json`` (datasets and variants) and one ``<dataset>.npz`` for each
dataset (``time_ns``, ``bid_points``, ``ask_points``, those before the start too); ``fills.json`` is written into it.

Signals come from plain formulas on the ticks (the band in exact integers). Everything after a signal is NautilusTrader:
market orders under way for 1 ns, so that they meet the next quote; stop loss as a stop-market order and take profit as a
limit order, both sent on the entry's fill; a hedging account, so that a reversal is a closing and an opening order.
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
from nautilus_trader import __version__
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.backtest.models import LatencyModel
from nautilus_trader.config import LoggingConfig, RiskEngineConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

VENUE = Venue("SIM")
MINUTE_NS = 60_000_000_000
BUY, SELL, NONE = 1, -1, 0


def closed_bars(time_ns, mid_hp, width_ns):
    """Closes of all bars; for each tick how many have closed before it."""
    period = time_ns // width_ns
    opens = np.flatnonzero(period[1:] != period[:-1]) + 1
    done = np.zeros(len(time_ns), np.int64)
    done[opens] = 1
    return mid_hp[opens - 1], np.cumsum(done), period[opens - 1]


def rsi_at_ticks(time_ns, mid_hp, start_ns, minutes, period):
    """Wilder's RSI of the closed bars and the mid, at each tick; begun ten periods of bars before the start."""
    width = minutes * MINUTE_NS
    closes, done, periods = closed_bars(time_ns, mid_hp, width)
    oldest = int(np.searchsorted((periods + 1) * width, start_ns, side="right")) - 10 * period
    if oldest < 0:
        raise SystemExit(f"{minutes}-minute bars before the start: {-oldest} too few for an RSI of {period}")
    change = np.diff(closes[oldest:]).astype(float)
    up, down = np.maximum(change, 0), np.maximum(-change, 0)
    gains, losses = np.full(len(closes) + 1, np.nan), np.full(len(closes) + 1, np.nan)
    gain, loss = up[:period].mean(), down[:period].mean()
    for bar in range(period, len(change) + 1):
        gains[oldest + bar + 1], losses[oldest + bar + 1] = gain, loss
        if bar < len(change):
            gain, loss = (gain * (period - 1) + up[bar]) / period, (loss * (period - 1) + down[bar]) / period
    now = (mid_hp - closes[np.maximum(done - 1, 0)]).astype(float)
    gain = (gains[done] * (period - 1) + np.maximum(now, 0)) / period
    loss = (losses[done] * (period - 1) + np.maximum(-now, 0)) / period
    both = gain + loss
    return np.where(both == 0, 50.0, 100 * gain / np.where(both == 0, 1, both))


def outside_band(time_ns, mid_hp, minutes, period, deviation):
    """Whether the mid is below, and above, its mean ± ``deviation`` population standard deviations; in integers.

    With sum S and sum of squares Q of the window of n closes: m < S/n - k·sd is S - n·m > 0 and (S - n·m)² > k²·(n·Q - S²).
    """
    closes, done, _ = closed_bars(time_ns, mid_hp, minutes * MINUTE_NS)
    base = int(mid_hp[0])  # sums of distances from it stay far below 2^63
    sums = np.concatenate([[0], np.cumsum(closes - base)])
    squares = np.concatenate([[0], np.cumsum((closes - base) ** 2)])
    oldest = np.maximum(done - (period - 1), 0)
    mid = mid_hp - base
    total = sums[done] - sums[oldest] + mid
    spread = period * (squares[done] - squares[oldest] + mid * mid) - total * total
    distance = total - period * mid
    above, below = Fraction(deviation).as_integer_ratio()
    outside = (distance * distance * below**2 > above**2 * spread) & (done >= period - 1)
    return outside & (distance > 0), outside & (distance < 0)


def signals(ticks, start_ns, variant):
    """BUY, SELL or NONE for each tick from the start on."""
    time_ns, mid_hp = ticks["time_ns"], ticks["bid_points"] + ticks["ask_points"]
    first = int(np.searchsorted(time_ns, start_ns))
    rsi = rsi_at_ticks(time_ns, mid_hp, start_ns, variant["rsi_minutes"], variant["rsi_period"])[first:]
    below, above = outside_band(time_ns, mid_hp, variant["band_minutes"], variant["band_period"], variant["deviation"])
    return ((rsi < 30) & below[first:]).astype(int) - ((rsi > 70) & above[first:]).astype(int)


def spread_times(time_ns):
    """Times of which each is after the one before: a tick at or before it comes 1 ns later, in file order."""
    order = np.arange(len(time_ns))
    return np.maximum.accumulate(time_ns - order) + order


class RsiBand(Strategy):
    """The orders of the strategy, on signals that are known for each tick."""

    def __init__(self, instrument, times_ns, wanted, variant, lots):
        super().__init__()
        self.instrument, self.wanted = instrument, wanted
        self.index_of = {int(time_ns): index for index, time_ns in enumerate(times_ns)}
        self.point = Decimal(10) ** -instrument.price_precision
        self.sl_points, self.tp_points = variant["sl_points"], variant["tp_points"]
        self.quantity = instrument.make_qty(round(lots * 100_000))
        self.last = len(wanted) - 1  # the quote after it repeats it, for what closes at the end
        self.now = -1
        self.held, self.position_id = NONE, None
        self.entry = self.entry_side = None  # the entry under way
        self.kinds, self.fills, self.rejected = {}, [], []

    def on_start(self):
        self.subscribe_quote_ticks(self.instrument.id)

    def on_quote_tick(self, tick):
        self.now += 1
        if self.now >= self.last:
            if self.now == self.last and self.held and self.entry is None:
                self.close_position_now("scenario_end")
        else:
            self.decide()

    def decide(self):
        """Acts on the signal of the current tick, unless the position follows it or an entry is under way."""
        signal = self.wanted[self.now] if self.now < self.last else NONE
        if signal == NONE or signal == self.held or self.entry is not None:
            return
        if self.held:
            self.close_position_now("close_order")
        order = self.order_factory.market(self.instrument.id, side_of(signal), self.quantity)
        self.entry, self.entry_side = order.client_order_id, signal
        self.send(order, "entry")

    def close_position_now(self, kind):
        self.cancel_all_orders(self.instrument.id)
        order = self.order_factory.market(self.instrument.id, side_of(-self.held), self.quantity, reduce_only=True)
        self.send(order, kind, self.position_id)

    def send(self, order, kind, position_id=None):
        self.kinds[order.client_order_id] = kind
        self.submit_order(order, position_id)

    def on_order_filled(self, event):
        tick = self.index_of[event.ts_event]
        kind = self.kinds[event.client_order_id]
        side = BUY if event.order_side == OrderSide.BUY else SELL
        price = int(event.last_px.as_decimal() / self.point)
        self.fills.append([min(tick, self.last), side, price, int(event.last_qty.as_decimal()), kind])
        if event.client_order_id == self.entry:
            self.entry, self.held, self.position_id = None, side, event.position_id
            if tick < self.last:
                self.send_stops(side, price)
            else:
                self.close_position_now("scenario_end")
        else:
            self.held, self.position_id = NONE, None
            if kind in {"stop_loss", "take_profit"}:
                self.cancel_all_orders(self.instrument.id)
        if (
            tick == self.now
        ):  # a fill on arrival comes after the strategy has seen the quote: the tick's decision follows
            self.decide()

    def send_stops(self, side, price):
        stop, target = price - side * self.sl_points, price + side * self.tp_points
        out, made, instrument = side_of(-side), self.order_factory, self.instrument
        loss = made.stop_market(instrument.id, out, self.quantity, self.price_of(stop), reduce_only=True)
        profit = made.limit(instrument.id, out, self.quantity, self.price_of(target), reduce_only=True)
        self.send(loss, "stop_loss", self.position_id)
        self.send(profit, "take_profit", self.position_id)

    def price_of(self, points):
        return self.instrument.make_price(points * self.point)

    def on_order_rejected(self, event):
        self.rejected.append(f"{self.kinds[event.client_order_id]}: {event.reason}")

    def on_order_denied(self, event):
        self.rejected.append(f"{self.kinds[event.client_order_id]}: {event.reason}")


def side_of(signal):
    return OrderSide.BUY if signal > 0 else OrderSide.SELL


def quotes_of(instrument, ticks, first, digits):
    """NautilusTrader's quotes from the start on, the last one twice."""
    times = spread_times(ticks["time_ns"][first:])
    times = np.append(times, times[-1] + 1)
    size = Quantity.from_int(10_000_000)
    prices = {}

    def price(points):
        if points not in prices:
            prices[points] = Price.from_str(f"{Decimal(points).scaleb(-digits):.{digits}f}")
        return prices[points]

    columns = [np.append(ticks[name][first:], ticks[name][-1]).tolist() for name in ("bid_points", "ask_points")]
    rows = zip(times.tolist(), *columns, strict=True)
    quotes = [QuoteTick(instrument.id, price(bid), price(ask), size, size, now, now) for now, bid, ask in rows]
    return times, quotes


def run_variant(instrument, times, quotes, wanted, variant, lots):
    """One backtest; its fills as [tick, side, price in points, units, kind]."""
    engine = BacktestEngine(
        BacktestEngineConfig(
            logging=LoggingConfig(bypass_logging=True), run_analysis=False, risk_engine=RiskEngineConfig(bypass=True)
        )
    )
    engine.add_venue(
        VENUE,
        OmsType.HEDGING,
        AccountType.MARGIN,
        [Money(1_000_000, USD)],
        base_currency=USD,
        default_leverage=Decimal(100),
        latency_model=LatencyModel(base_latency_nanos=1),
        reject_stop_orders=False,  # a stop that is passed when it arrives fills at the quote
    )
    engine.add_instrument(instrument)
    engine.add_data(quotes, sort=True)
    strategy = RsiBand(instrument, times, wanted, variant, lots)
    engine.add_strategy(strategy)
    engine.run()
    left = [str(position) for position in engine.cache.positions_open()]
    engine.dispose()
    return {"fills": strategy.fills, "rejected": strategy.rejected, "left_open": left}


def main() -> int:
    folder = Path(sys.argv[1])
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    results = {}
    for dataset in job["datasets"]:
        with np.load(folder / f"{dataset['name']}.npz") as stored:
            ticks = {name: stored[name] for name in stored.files}
        pair = f"{dataset['symbol'][:3]}/{dataset['symbol'][3:]}"
        instrument = TestInstrumentProvider.default_fx_ccy(pair, VENUE)
        first = int(np.searchsorted(ticks["time_ns"], dataset["start_ns"]))
        times, quotes = quotes_of(instrument, ticks, first, dataset["digits"])
        for variant in job["variants"]:
            wanted = signals(ticks, dataset["start_ns"], variant)
            result = run_variant(instrument, times, quotes, wanted.tolist(), variant, job["lots"])
            results[f"{dataset['name']}/{variant['name']}"] = result
    text = json.dumps({"version": __version__, "results": results})
    (folder / "fills.json").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
