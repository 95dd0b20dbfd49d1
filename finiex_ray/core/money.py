"""Minor units of currencies, and exact ratios of decimals."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

__all__ = ["minor_digits", "point_of", "ratio", "to_minor"]

_MINOR_DIGITS = {
    "JPY": 0,
    "KRW": 0,
    "CLP": 0,
    "VND": 0,
    "BHD": 3,
    "KWD": 3,
    "BTC": 8,
    "ETH": 8,
    "LTC": 8,
    "USDT": 6,
    "USDC": 6,
}


def minor_digits(currency: str) -> int:
    """Decimals of a currency's smallest booked unit (ISO 4217; 8 for coins, 2 where nothing else is known)."""
    return _MINOR_DIGITS.get(currency, 2)


@lru_cache(4_096)
def to_minor(amount: Decimal, currency: str) -> int:
    """An amount in minor units; halves go away from zero."""
    scaled = Fraction(amount) * 10 ** minor_digits(currency)
    whole = (2 * abs(scaled.numerator) + scaled.denominator) // (2 * scaled.denominator)
    return int(whole if scaled >= 0 else -whole)


@lru_cache(64)
def point_of(digits: int) -> float:
    """Price of one point of a symbol whose prices have so many digits."""
    return float(Decimal(1).scaleb(-digits))


def ratio(value: Fraction) -> tuple[int, int]:
    """Numerator and denominator in lowest terms."""
    return value.numerator, value.denominator
