"""The policies that the kernel runs by itself: at most one position, entered at the market or by limit orders."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

__all__ = ["OnOpposite", "OnePositionPolicy", "QuotePolicy"]


class OnOpposite(StrEnum):
    """What an action against the open position does."""

    CLOSE = "close"
    REVERSE = "reverse"


@dataclass(frozen=True)
class OnePositionPolicy:
    """At most one position: an action opens it, an opposite action closes (or reverses) it, the same action does nothing.

    While a request is under way to the broker, further actions are ignored.
    """

    lots: Decimal
    sl_points: int = 0  # stop loss distance from the fill price; 0: none
    tp_points: int = 0  # take profit distance from the fill price; 0: none
    trail_points: int = 0  # trailing stop distance from the best quote; 0: none
    on_opposite: OnOpposite = OnOpposite.CLOSE
    min_free_margin: Decimal = Decimal(0)  # account currency; nothing is opened below it


@dataclass(frozen=True)
class QuotePolicy(OnePositionPolicy):
    """The same, entered by limit orders that rest with the broker.

    While nothing is open, under way or resting, BUY places a buy limit order ``offset_points`` below the bid, SELL a sell
    limit order as far above the ask, and QUOTE both, of which one cancels the other (OCO). What rests is left alone until it
    fills or expires, at which tick an action that still stands places anew; but an action against an order's side cancels
    it, and CLOSE cancels all. A position leaves by its stops, by CLOSE, or by an action against it.
    """

    offset_points: int = 0  # distance of a buy limit below the bid and of a sell limit above the ask; 0: at the quote
    lifetime_s: float = 0  # seconds that they are good for; 0: till cancelled
