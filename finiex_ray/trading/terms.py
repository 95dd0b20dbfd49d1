"""What one symbol costs on one account: broker file and account overrides, as the integer ratios that the kernels use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import NamedTuple, get_args

import numpy as np

from finiex_ray.config.broker import BrokerSpec, SymbolSpec
from finiex_ray.config.costs import CommissionSpec, LatencyConfig, SessionSpec, SlippageConfig, SwapSpec, Weekday
from finiex_ray.config.models import AccountConfig
from finiex_ray.core.errors import ScenarioInvalidError, suggest
from finiex_ray.core.market import IntArray
from finiex_ray.core.money import minor_digits, point_of
from finiex_ray.core.records import SYMBOL_DTYPE, Records
from finiex_ray.core.time import NS_PER_DAY, NS_PER_S

__all__ = ["ConversionPair", "TradingTerms", "make_terms"]

_NO_END = 2**61  # steps: no open volume is ever this large
_SWAP_DAYS = 360  # days of the banker's year, in which swap rates are stated
_INT64_ROOM = 2**61  # headroom below int64 for 2 · numerator + denominator


class ConversionPair(NamedTuple):
    """The symbol whose quotes turn the quote currency into the account's (rule R10)."""

    symbol: str
    digits: int
    mode: int  # 1: times its price, 2: divided by it


@dataclass(frozen=True)
class TradingTerms:
    """Everything about the symbol and the account that does not change while a scenario runs."""

    symbol: str
    digits: int
    currency: str
    base: str  # currency or asset that is bought
    contract_size: Decimal  # units of it in a lot
    volume_step: Decimal
    record: Records  # [1] SYMBOL_DTYPE
    tiers: IntArray  # [tiers, 2] as `SimState.tiers`
    sessions: IntArray  # [sessions, 2] as `SimState.sessions`
    swap: SwapSpec
    latency_open: LatencyConfig
    latency_close: LatencyConfig
    slippage: SlippageConfig
    rejection_share: float
    opening_balance: Decimal
    pair: ConversionPair | None

    @cached_property
    def point(self) -> float:
        """Price of one point."""
        return point_of(self.digits)

    @cached_property
    def minor_per_unit(self) -> int:
        """Minor units in one unit of the account currency."""
        return int(10 ** minor_digits(self.currency))

    @cached_property
    def step_ratio(self) -> tuple[int, int]:
        """The volume step as a ratio of integers: lots of some steps are ``steps * ratio[0] / ratio[1]``, rounded once."""
        return self.volume_step.as_integer_ratio()

    def check_range(self, highest_points: int, highest_rate: int = 1) -> None:
        """Refuses prices at which a profit would not fit 64 bits (rule R2 must hold exactly).

        Args:
            highest_points: Highest price of the symbol, points.
            highest_rate: Highest price of the conversion pair, its points; 1 without one.

        Raises:
            ScenarioInvalidError: If price, volume and value per point are too large together.
        """
        spec = self.record[0]
        top = highest_points * int(spec["volume_max_steps"]) * highest_rate
        worst = max(
            top * int(spec["value_num"]),
            int(spec["value_den"]) * (highest_points if spec["own_quote"] else highest_rate),
            top * int(spec["commission_num"]),
            top * int(self.tiers[:, 1].max()),
            top * max(abs(int(spec["swap_long_num"])), abs(int(spec["swap_short_num"]))) * 3,
            top * int(spec["maker_num"]),
        )
        if worst >= _INT64_ROOM:
            raise ScenarioInvalidError(
                [f"{self.symbol}: price {highest_points} points times volume_max exceeds 64 bits; lower volume_max"]
            )


def make_terms(symbol: str, account: AccountConfig, broker: BrokerSpec, digits: int) -> TradingTerms:
    """Works out the terms of one symbol.

    Args:
        symbol: The symbol to trade.
        account: The scenario's account section.
        broker: The broker file.
        digits: Digits of the market data.

    Raises:
        ScenarioInvalidError: With every reason why this account cannot trade this symbol.
    """
    spec = broker.symbols.get(symbol)
    if spec is None:
        raise ScenarioInvalidError(
            [f"broker '{broker.name}' has no symbol '{symbol}'.{suggest(symbol, broker.symbols)}"]
        )
    if spec.digits != digits:
        raise ScenarioInvalidError(
            [f"{symbol}: the data has {digits} digits, broker '{broker.name}' says {spec.digits}; make them equal"]
        )
    if broker.account_mode == "spot" and spec.base == account.currency:
        raise ScenarioInvalidError(
            [
                f"{symbol}: a spot account in {account.currency} cannot buy {spec.base}; set account.currency to {spec.quote}"
            ]
        )
    record = np.zeros(1, SYMBOL_DTYPE)
    row = record[0]
    minor = 10 ** minor_digits(account.currency)
    step_units = Fraction(spec.contract_size) * Fraction(spec.volume_step)
    rate, pair = _quote_rate(symbol, spec, account, broker)
    if pair is not None:
        row["rate_mode"], row["margin_by_price"] = pair.mode, 1
        scale = Fraction(10**pair.digits)
        value = step_units * Fraction(1, 10**digits) * minor * (1 / scale if pair.mode == 1 else scale)
    elif rate is None:
        row["own_quote"] = 1
        value = step_units * minor
    else:
        value = step_units * Fraction(1, 10**digits) * minor * rate
        row["margin_by_price"] = 1
    _set_ratio(record, "value", value, symbol)
    row["value"] = float(value)
    commission = broker.commission if spec.commission is None else spec.commission
    _set_commission(record, spec, account, commission, value, minor, symbol)
    _set_swap(record, spec, value, minor, symbol)
    row["volume_min_steps"] = int(spec.volume_min / spec.volume_step)
    row["volume_max_steps"] = int(spec.volume_max / spec.volume_step)
    row["stops_level_points"], row["freeze_level_points"] = spec.stops_level_points, spec.freeze_level_points
    row["netting"] = broker.account_mode != "hedging"
    row["spot"] = broker.account_mode == "spot"
    row["stop_out_share"] = _share(broker.stop_out_percent)
    row["margin_call_share"] = _share(broker.margin_call_percent)
    slippage = broker.slippage if account.slippage is None else account.slippage
    row["spread_slip_num"], row["spread_slip_den"] = slippage.share.as_integer_ratio()
    if account.guard is not None:
        row["guard_rejections"] = account.guard.rejections
        row["guard_cool_down_ns"] = round(account.guard.cool_down_s * NS_PER_S)
    latency = account.latency or broker.latency
    rejections = broker.rejection_share if account.rejection_share is None else account.rejection_share
    return TradingTerms(
        symbol=symbol,
        digits=digits,
        currency=account.currency,
        base=spec.base,
        contract_size=spec.contract_size,
        volume_step=spec.volume_step,
        record=record,
        tiers=_margin_tiers(record, spec, account, broker, value, symbol),
        sessions=_sessions(spec.sessions),
        swap=spec.swap,
        latency_open=latency,
        latency_close=account.latency_close or broker.latency_close or latency,
        slippage=slippage,
        rejection_share=rejections,
        opening_balance=account.balance,
        pair=pair,
    )


def _share(percent: Decimal | None) -> float:
    return -1.0 if percent is None else float(percent / 100)


def _margin_tiers(
    record: Records, spec: SymbolSpec, account: AccountConfig, broker: BrokerSpec, value: Fraction, symbol: str
) -> IntArray:
    """Margin per step of each tier over one common denominator, which goes into the record."""
    if broker.account_mode == "spot":
        tiers = [(_NO_END, Fraction(1))]
    elif spec.leverage_tiers and account.leverage is None:
        tiers = [
            (_NO_END if each.up_to_lots is None else int(each.up_to_lots / spec.volume_step), Fraction(each.leverage))
            for each in spec.leverage_tiers
        ]
    else:
        tiers = [(_NO_END, Fraction(account.leverage or spec.leverage or broker.leverage))]
    margins = [value / leverage for _, leverage in tiers]
    common = lcm(*(margin.denominator for margin in margins))
    nums = [int(margin * common) for margin in margins]
    if max(*nums, common) >= _INT64_ROOM:
        raise ScenarioInvalidError(
            [f"{symbol}: the leverage gives no margin in 64-bit numbers; state it with fewer digits"]
        )
    record[0]["margin_den"] = common
    return np.array([[end, num] for (end, _), num in zip(tiers, nums, strict=True)], np.int64)


def _sessions(sessions: tuple[SessionSpec, ...]) -> IntArray:
    """Sessions as nanoseconds from Monday 00:00 UTC."""
    rows = []
    for session in sessions:
        midnight = get_args(Weekday).index(session.day) * NS_PER_DAY
        end = NS_PER_DAY if session.end is None else _ns_of_day(session.end)
        rows.append([midnight + _ns_of_day(session.start), midnight + end])
    return np.array(rows, np.int64).reshape(-1, 2)


def _ns_of_day(moment: time) -> int:
    return ((moment.hour * 60 + moment.minute) * 60 + moment.second) * NS_PER_S + moment.microsecond * 1_000


def _quote_rate(
    symbol: str, spec: SymbolSpec, account: AccountConfig, broker: BrokerSpec
) -> tuple[Fraction | None, ConversionPair | None]:
    """Account currency per unit of the quote currency: a rate, None for the symbol's own quotes, or a pair (rule R10)."""
    if spec.quote == account.currency:
        return Fraction(1), None
    stated = account.conversion_rates.get(spec.quote)
    if stated is not None:
        return Fraction(stated), None
    if spec.base == account.currency:
        return None, None
    for name, other in broker.symbols.items():
        if (other.base, other.quote) == (spec.quote, account.currency):
            return None, ConversionPair(name, other.digits, 1)
        if (other.base, other.quote) == (account.currency, spec.quote):
            return None, ConversionPair(name, other.digits, 2)
    raise ScenarioInvalidError(
        [
            (
                f"{symbol}: profits arise in {spec.quote}, and broker '{broker.name}' has no symbol that converts it; "
                f"state what one is worth in {account.currency}, for example account.conversion_rates.{spec.quote} = 1.25"
            )
        ]
    )


def _set_commission(
    record: Records,
    spec: SymbolSpec,
    account: AccountConfig,
    broker: CommissionSpec,
    value: Fraction,
    minor: int,
    symbol: str,
) -> None:
    """Writes the commission of one side as a ratio per step (and per point of price, for a share of the notional)."""
    row = record[0]
    per_lot = Fraction(spec.volume_step) * minor
    if account.commission_per_lot is not None:
        taker = maker = Fraction(account.commission_per_lot) * per_lot
    else:
        # With own quotes the notional is an amount of the base, which is the account's currency: no price in it.
        unit = {"none": Fraction(0), "per_lot": per_lot, "percent": value / 100}[broker.kind]
        row["commission_by_price"] = broker.kind == "percent" and not row["own_quote"]
        taker = Fraction(broker.value) * unit
        maker = taker if broker.maker is None else Fraction(broker.maker) * unit
    _set_ratio(record, "commission", taker, symbol)
    _set_ratio(record, "maker", maker, symbol)


def _set_swap(record: Records, spec: SymbolSpec, value: Fraction, minor: int, symbol: str) -> None:
    """Writes a day's swap of each side as a ratio per step, and whether the price comes into it (rule R9)."""
    row, swap = record[0], spec.swap
    by_price = 0
    unit = Fraction(0)
    if swap.kind == "money":
        unit = Fraction(spec.volume_step) * minor
    elif swap.kind == "points":
        unit, by_price = value, -1 if row["own_quote"] else 0
        row["swap_in_quote"] = row["rate_mode"] != 0
    elif swap.kind == "percent":
        unit, by_price = value / 100 / _SWAP_DAYS, 0 if row["own_quote"] else 1
        row["swap_in_quote"] = row["rate_mode"] != 0
    row["swap_by_price"] = by_price
    _set_ratio(record, "swap_long", unit * Fraction(swap.long), symbol)
    _set_ratio(record, "swap_short", unit * Fraction(swap.short), symbol)


def _set_ratio(record: Records, name: str, amount: Fraction, symbol: str) -> None:
    """Writes numerator and denominator of an amount per step; both must leave room for price and volume."""
    if max(abs(amount.numerator), amount.denominator) >= _INT64_ROOM:
        raise ScenarioInvalidError(
            [
                (
                    f"{symbol}: the {name} of one volume step is no ratio of 64-bit numbers ({float(amount):g} minor units); "
                    "state conversion rates, leverage and commission with fewer digits"
                )
            ]
        )
    record[0][f"{name}_num"], record[0][f"{name}_den"] = amount.numerator, amount.denominator
