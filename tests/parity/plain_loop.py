"""The peers' strategy as one plain loop over ticks: oracle of the whole pipeline, sharing no code with it.

Prices are half points (bid + ask is the mid), so that everything but the RSI is whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

MINUTE_NS = 60 * 10**9


class Fill(NamedTuple):
    """One deal."""

    tick: int
    side: int  # 1 buy, -1 sell
    price: int  # points


class Rsi:
    """Wilder's RSI of closed bars and the price now."""

    def __init__(self, period: int) -> None:
        self.period, self.gain, self.loss, self.bars, self.last = period, 0.0, 0.0, 0, 0

    def close(self, price: int) -> None:
        """Takes a closed bar in."""
        if self.bars:
            self.gain, self.loss = self._with(price, min(self.bars, self.period))
        self.last, self.bars = price, self.bars + 1

    def _with(self, price: int, count: int) -> tuple[float, float]:
        """The means over ``count`` changes, the one to ``price`` being the newest."""
        change = price - self.last
        return (
            (self.gain * (count - 1) + max(change, 0)) / count,
            (self.loss * (count - 1) + max(-change, 0)) / count,
        )

    def at(self, price: int) -> float:
        """The value with the forming bar at ``price``."""
        gain, loss = self._with(price, self.period)
        return 50.0 if gain + loss == 0 else 100 * gain / (gain + loss)


class Band:
    """Mean and deviation of the last closed bars and the price now."""

    def __init__(self, period: int, deviation: int) -> None:
        self.period, self.deviation, self.closes = period, deviation, []

    def close(self, price: int) -> None:
        """Takes a closed bar in."""
        self.closes = [*self.closes, price][1 - self.period :]

    def at(self, price: int) -> int:
        """-1 below the lower band, 1 above the upper one, 0 between, by squares: no root, no rounding."""
        total = sum(self.closes) + price
        squares = sum(close * close for close in self.closes) + price * price
        distance = self.period * price - total
        if distance**2 <= self.deviation**2 * (self.period * squares - total * total):
            return 0
        return 1 if distance > 0 else -1


class Bars:
    """Tells an indicator of every bar that closes, by the first tick of a later period."""

    def __init__(self, indicator: Rsi | Band, minutes: int) -> None:
        self.indicator, self.width, self.period, self.price = indicator, minutes * MINUTE_NS, -1, 0

    def take(self, time_ns: int, price: int) -> None:
        """Takes a tick in."""
        period = time_ns // self.width
        if self.period not in (-1, period):
            self.indicator.close(self.price)
        self.period, self.price = period, price


def plain_loop(
    before: Iterable[tuple[int, int, int]],
    ticks: Iterable[tuple[int, int, int]],
    *,
    rsi: tuple[int, int],
    band: tuple[int, int],
    sl_points: int,
    tp_points: int,
) -> list[Fill]:
    """Trades every tick in turn: fill what was asked for, look at the stops, then decide.

    Args:
        before: Ticks before the start, for the bars; (time in ns, bid, ask), points.
        ticks: The ticks that are traded, likewise.
        rsi: Minutes of its bars, and its period.
        band: Minutes of its bars, and its period; it is 2 deviations wide to each side.
        sl_points: Distance of the stop loss from the fill.
        tp_points: Distance of the take profit from the fill.
    """
    speed, place = Rsi(rsi[1]), Band(band[1], 2)
    feeds = Bars(speed, rsi[0]), Bars(place, band[0])
    for time_ns, bid, ask in before:
        for feed in feeds:
            feed.take(time_ns, bid + ask)
    fills: list[Fill] = []
    held = asked = entry = tick = bid = ask = 0
    for tick, (time_ns, bid, ask) in enumerate(ticks):
        out = bid if held > 0 else ask
        if asked:
            if held:
                fills.append(Fill(tick, -held, out))
            held, entry, asked = asked, ask if asked > 0 else bid, 0
            fills.append(Fill(tick, held, entry))
        elif held and (out - entry) * held <= -sl_points:
            fills.append(Fill(tick, -held, out))
            held = 0
        elif held and (out - entry) * held >= tp_points:
            fills.append(Fill(tick, -held, entry + held * tp_points))
            held = 0
        for feed in feeds:
            feed.take(time_ns, bid + ask)
        side = -place.at(bid + ask)
        if side and side != held:
            strength = speed.at(bid + ask)
            if (side > 0 and strength < 30) or (side < 0 and strength > 70):
                asked = side
    if held:
        fills.append(Fill(tick, -held, bid if held > 0 else ask))
    return fills
