"""The standard one-position policy, which the kernel runs by itself."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

__all__ = ["OnOpposite", "OnePositionPolicy"]


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
