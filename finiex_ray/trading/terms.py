"""What one symbol costs on one account: broker file and account overrides, as the integer ratios that the kernels use."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from finiex_ray.config.broker import BrokerSpec, CommissionSpec, SymbolSpec
from finiex_ray.config.models import AccountConfig, LatencyConfig
from finiex_ray.core.errors import ScenarioInvalidError, suggest
from finiex_ray.core.money import minor_digits
from finiex_ray.core.records import SYMBOL_DTYPE, Records
from finiex_ray.core.time import NS_PER_MS

__all__ = ["TradingTerms", "make_terms"]

_INT64_ROOM = 2**61  # headroom below int64 for 2 · numerator + denominator


@dataclass(frozen=True)
class TradingTerms:
    """Everything about the symbol and the account that does not change while a scenario runs."""

    symbol: str
    digits: int
    currency: str
    volume_step: Decimal
    record: Records  # [1] SYMBOL_DTYPE
    latency_low_ns: int
    latency_high_ns: int
    opening_balance: Decimal

    @property
    def point(self) -> float:
        """Price of one point."""
        return float(Decimal(1).scaleb(-self.digits))

    @property
    def minor_per_unit(self) -> int:
        """Minor units in one unit of the account currency."""
        return int(10 ** minor_digits(self.currency))

    def check_range(self, highest_points: int) -> None:
        """Refuses prices at which a profit would not fit 64 bits (rule R2 must hold exactly).

        Raises:
            ScenarioInvalidError: If price, volume and value per point are too large together.
        """
        spec = self.record[0]
        top = highest_points * int(spec["volume_max_steps"])
        worst = max(
            top * int(spec["value_num"]),
            int(spec["value_den"]) * (highest_points if spec["own_quote"] else 1),
            top * int(spec["commission_num"]),
            top * int(spec["margin_num"]),
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
    record = np.zeros(1, SYMBOL_DTYPE)
    row = record[0]
    minor = 10 ** minor_digits(account.currency)
    step_units = Fraction(spec.contract_size) * Fraction(spec.volume_step)
    leverage = Fraction(account.leverage or spec.leverage or broker.leverage)
    rate = _quote_rate(symbol, spec, account)
    if rate is None:
        row["own_quote"] = 1
        value = step_units * minor
    else:
        value = step_units * Fraction(1, 10**digits) * minor * rate
        row["margin_by_price"] = 1
    margin = value / leverage
    _set_ratio(record, "margin", margin, symbol)
    _set_ratio(record, "value", value, symbol)
    row["value"] = float(value)
    commission = broker.commission if spec.commission is None else spec.commission
    _set_commission(record, spec, account, commission, value, minor, symbol)
    row["volume_min_steps"] = int(spec.volume_min / spec.volume_step)
    row["volume_max_steps"] = int(spec.volume_max / spec.volume_step)
    row["slippage_points"] = broker.slippage_points if account.slippage_points is None else account.slippage_points
    low, high = _latency_ns(account.latency or broker.latency)
    return TradingTerms(
        symbol=symbol,
        digits=digits,
        currency=account.currency,
        volume_step=spec.volume_step,
        record=record,
        latency_low_ns=low,
        latency_high_ns=high,
        opening_balance=account.balance,
    )


def _quote_rate(symbol: str, spec: SymbolSpec, account: AccountConfig) -> Fraction | None:
    """Account currency per unit of the quote currency, or None where the symbol's own quotes give it (rule R10)."""
    if spec.quote == account.currency:
        return Fraction(1)
    stated = account.conversion_rates.get(spec.quote)
    if stated is not None:
        if stated <= 0:
            raise ScenarioInvalidError([f"account.conversion_rates.{spec.quote} is {stated}; it must be above 0"])
        return Fraction(stated)
    if spec.base == account.currency:
        return None
    raise ScenarioInvalidError(
        [
            (
                f"{symbol}: profits arise in {spec.quote}; state what one is worth in {account.currency}, "
                f"for example account.conversion_rates.{spec.quote} = 1.25"
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
    amount = Fraction(0)
    if account.commission_per_lot is not None:
        amount = Fraction(account.commission_per_lot) * Fraction(spec.volume_step) * minor
    elif broker.kind == "per_lot":
        amount = Fraction(broker.value) * Fraction(spec.volume_step) * minor
    elif broker.kind == "percent":
        # With own quotes the notional is an amount of the base, which is the account's currency: no price in it.
        amount = Fraction(broker.value) / 100 * value
        row["commission_by_price"] = 0 if row["own_quote"] else 1
    _set_ratio(record, "commission", amount, symbol)


def _set_ratio(record: Records, name: str, amount: Fraction, symbol: str) -> None:
    """Writes numerator and denominator of an amount per step; both must leave room for price and volume."""
    if max(amount.numerator, amount.denominator) >= _INT64_ROOM:
        raise ScenarioInvalidError(
            [
                (
                    f"{symbol}: the {name} of one volume step is no ratio of 64-bit numbers ({float(amount):g} minor units); "
                    "state conversion rates, leverage and commission with fewer digits"
                )
            ]
        )
    record[0][f"{name}_num"], record[0][f"{name}_den"] = amount.numerator, amount.denominator


def _latency_ns(latency: LatencyConfig) -> tuple[int, int]:
    low = round(latency.ms * NS_PER_MS)
    return low, low if latency.max_ms is None else round(latency.max_ms * NS_PER_MS)
