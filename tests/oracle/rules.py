"""What a deal costs, in plain Python with exact fractions, from the configuration alone (rules R2 to R4, R8 to R10)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction
from statistics import NormalDist
from typing import NamedTuple
from zoneinfo import ZoneInfo

from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.costs import LatencyConfig
from finiex_ray.config.models import AccountConfig
from finiex_ray.core.enums import Side
from finiex_ray.core.money import minor_digits
from finiex_ray.core.random import generator

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NEW_YORK = ZoneInfo("America/New_York")


def rounded(amount: Fraction) -> int:
    """R2: to the nearest whole number, halves away from zero."""
    whole = int(abs(amount) + Fraction(1, 2))
    return whole if amount >= 0 else -whole


class Luck(NamedTuple):
    """What chance decides about one request (rules R3, R4)."""

    delay_open: int
    delay_other: int
    slip: int
    refused: bool


class Rules:
    """The broker's tariff."""

    def __init__(self, symbol: str, account: AccountConfig, broker: BrokerSpec) -> None:
        spec = broker.symbols[symbol]
        self.spec, self.account, self.broker = spec, account, broker
        self.point = Fraction(1, 10**spec.digits)
        self.minor = 10 ** minor_digits(account.currency)
        self.nets = broker.account_mode in {"netting", "spot"}
        self.spot = broker.account_mode == "spot"
        self.commission = broker.commission if spec.commission is None else spec.commission
        self.slippage = account.slippage or broker.slippage
        self.latency = account.latency or broker.latency
        self.latency_close = account.latency_close or broker.latency_close or self.latency
        self.refusals = broker.rejection_share if account.rejection_share is None else account.rejection_share
        self.opening = rounded(Fraction(account.balance) * self.minor)
        self.tiers = self._tiers()
        self.pair = self._pair()
        self.pair_quotes = (0, 0)  # bid and ask of the conversion pair at the current tick, its points

    def _pair(self) -> tuple[bool, int] | None:
        """R10: whether the pair is QUOTE/ACCOUNT, and its digits; None where none is needed."""
        quote, own = self.spec.quote, self.account.currency
        if own in (quote, self.spec.base) or quote in self.account.conversion_rates:
            return None
        for spec in self.broker.symbols.values():
            if {spec.base, spec.quote} == {quote, own}:
                return spec.base == quote, spec.digits
        return None

    def pair_rate(self, *, gain: bool) -> int:
        """R10: what is gained is sold, what is lost or paid is bought; points of the pair, 1 without one."""
        if self.pair is None:
            return 1
        times, _ = self.pair
        return self.pair_quotes[0] if gain is times else self.pair_quotes[1]

    def converted(self, amount: Fraction, at: int, pair_rate: int | None = None) -> Fraction:
        """R10: an amount of the quote currency in minor units of the account's; ``at`` is the deal's price."""
        if self.pair is None:
            return amount * self.rate(at)
        times, digits = self.pair
        rate = Fraction(self.pair_rate(gain=amount >= 0) if pair_rate is None else pair_rate, 10**digits)
        return amount * self.minor * (rate if times else 1 / rate)

    def _tiers(self) -> list[tuple[Fraction, Fraction]]:
        """Ends of the tiers in lots, and their leverage (R8)."""
        endless = Fraction(10**18)
        if self.spot:
            return [(endless, Fraction(1))]
        if self.spec.leverage_tiers and self.account.leverage is None:
            return [
                (endless if tier.up_to_lots is None else Fraction(tier.up_to_lots), Fraction(tier.leverage))
                for tier in self.spec.leverage_tiers
            ]
        return [(endless, Fraction(self.account.leverage or self.spec.leverage or self.broker.leverage))]

    def lots(self, steps: int) -> Fraction:
        return steps * Fraction(self.spec.volume_step)

    def rate(self, price_points: int) -> Fraction:
        """R10: minor units of the account currency for one unit of the quote currency."""
        if self.spec.quote == self.account.currency:
            return Fraction(self.minor)
        if self.spec.quote in self.account.conversion_rates:
            return Fraction(self.account.conversion_rates[self.spec.quote]) * self.minor
        assert self.spec.base == self.account.currency
        return self.minor / (price_points * self.point)

    def in_quote(self, lots: Fraction, points: Fraction | int) -> Fraction:
        """What so many points are worth for so many lots, in the quote currency."""
        return points * self.point * lots * Fraction(self.spec.contract_size)

    def profit(self, side: int, steps: int, entry: int, leave: int) -> Fraction:
        return self.converted(self.in_quote(self.lots(steps), (leave - entry) * side), leave)

    def unrealised(self, held: list[tuple[int, int, int, int]]) -> Fraction:
        """R16, R10: of positions (side, steps, entry, quote); a conversion pair turns their sum."""
        if self.pair is None:
            return sum((self.profit(*each) for each in held), start=Fraction(0))
        total = sum(
            (self.in_quote(self.lots(steps), (now - entry) * side) for side, steps, entry, now in held), Fraction(0)
        )
        return self.converted(total, 0)

    def margin(self, held: int, steps: int, price_points: int, pair_rate: int = 1) -> Fraction:
        """R8: of ``steps`` on top of ``held``, at the pair's rate of the entry."""
        low, high = self.lots(held), self.lots(held + steps)
        total, start = Fraction(0), Fraction(0)
        for end, leverage in self.tiers:
            inside = max(Fraction(0), min(high, end) - max(low, start))
            total += self.converted(self.in_quote(inside, price_points), price_points, pair_rate) / leverage
            start = end
        return total

    def commission_of(self, steps: int, price_points: int, *, maker: bool) -> int:
        """R9: of one side, as a cost."""
        lots = self.lots(steps)
        if self.account.commission_per_lot is not None:
            return -rounded(Fraction(self.account.commission_per_lot) * lots * self.minor)
        spec = self.commission
        rate = Fraction(spec.maker if maker and spec.maker is not None else spec.value)
        if spec.kind == "per_lot":
            return -rounded(rate * lots * self.minor)
        if spec.kind == "percent":
            return rounded(self.converted(-rate / 100 * self.in_quote(lots, price_points), price_points))
        return 0

    def swap(self, side: int, steps: int, days: int, quote: int) -> int:
        """R9: of one rollover."""
        spec, lots = self.spec.swap, self.lots(steps)
        rate = Fraction(spec.long if side == Side.BUY else spec.short)
        if spec.kind == "points":
            return rounded(self.converted(days * self.in_quote(lots, rate), quote))
        if spec.kind == "percent":
            return rounded(self.converted(days * self.in_quote(lots, quote) * rate / 100 / 360, quote))
        return rounded(days * rate * lots * self.minor)

    def rollovers(self, after_ns: int, up_to_ns: int) -> list[int]:
        """R9: the days that each rollover after one time and up to another counts."""
        spec, found = self.spec.swap, []
        if spec.kind == "none":
            return []
        day = datetime.fromtimestamp(after_ns // 10**9, UTC).date() - timedelta(days=2)
        while True:
            moment = datetime.combine(day, time(17), NEW_YORK)
            moment_ns = int(moment.timestamp()) * 10**9
            if moment_ns > up_to_ns:
                return found
            if moment_ns > after_ns:
                if spec.weekends:
                    found.append(1)
                elif day.weekday() < 5:
                    found.append(3 if DAYS[day.weekday()] == spec.triple_day else 1)
            day += timedelta(days=1)

    def is_open(self, time_ns: int) -> bool:
        """R15: whether the symbol's sessions allow trading."""
        now = datetime.fromtimestamp(time_ns // 10**9, UTC)
        inside = (now.hour * 3_600 + now.minute * 60 + now.second) * 10**9 + time_ns % 10**9
        for session in self.spec.sessions:
            start, end = (
                None if t is None else (t.hour * 60 + t.minute) * 60 * 10**9 for t in (session.start, session.end)
            )
            if session.day == DAYS[now.weekday()] and (start or 0) <= inside and (end is None or inside < end):
                return True
        return not self.spec.sessions

    def luck(self, seed: int) -> Iterator[Luck]:
        """R3, R4: the draws of one request after the other."""
        delays, slips, refusals = (generator(seed, name) for name in ("latency", "slippage", "refusal"))
        kind, points = self.slippage.kind, self.slippage.points
        while True:
            uniform, second = delays.random(2)
            slip = {"fixed": points, "uniform": 0}.get(kind, 0)
            if kind == "uniform":
                slip = int(slips.random() * (points + 1))
            refused = self.refusals > 0 and bool(refusals.random() < self.refusals)
            yield Luck(
                _delay(self.latency, uniform, second), _delay(self.latency_close, uniform, second), slip, refused
            )

    def spread_slip(self, bid: int, ask: int) -> int:
        """R4: by the spread."""
        return rounded(max(ask - bid, 0) * Fraction(self.slippage.share))


def _delay(config: LatencyConfig, uniform: float, second: float) -> int:
    low = round(config.ms * 1_000_000)
    if config.kind == "fixed":
        return low
    if config.kind == "uniform":
        return low + int(uniform * (round((config.max_ms or 0) * 1_000_000) - low + 1))
    most = round((3_600_000 if config.max_ms is None else config.max_ms) * 1_000_000)
    drawn = low * math.exp((config.sigma or 0.0) * NormalDist().inv_cdf(min(max(second, 1e-12), 1 - 1e-12)))
    return min(round(drawn / 1_000) * 1_000, most)
