"""The enumerations as plain integers: numba reads module constants, not enumeration members."""

from __future__ import annotations

from finiex_ray.core import records
from finiex_ray.core.enums import Action, EventKind, ExitReason, FillKind, OrderState, OrderType, RejectReason, Wake

__all__ = [
    "ABOVE_MAX",
    "ACTIVE",
    "AT_END",
    "BELOW_MIN",
    "BY_BROKER",
    "BY_PARTNER",
    "BY_REQUEST",
    "CANCEL",
    "CANCELLED",
    "CLOSE",
    "COOL_DOWN",
    "CURVE",
    "DONE",
    "DO_CLOSE",
    "DO_QUOTE",
    "ENTRY",
    "EVENT",
    "EXIT",
    "EXIT_END",
    "EXIT_NETTED",
    "EXIT_ORDER",
    "EXIT_STOP",
    "EXIT_STOP_OUT",
    "EXIT_TARGET",
    "EXPIRED",
    "FAR_FUTURE_NS",
    "FILL",
    "FILLED",
    "FROZEN",
    "INVALID_PRICE",
    "LIMIT",
    "MARKET",
    "MARKET_CLOSED",
    "MODIFY_ORDER",
    "MODIFY_POSITION",
    "MONDAY_NS",
    "NO_ASSET",
    "NO_MARGIN",
    "NO_PRICE",
    "NO_REASON",
    "NO_TICK",
    "ORDER",
    "ORDER_GONE",
    "OUT_OF_DATE",
    "PENDING",
    "POSITION",
    "POSITION_GONE",
    "REJECTED",
    "SLIPPED",
    "STOP",
    "STOP_LIMIT",
    "SWAP",
    "TOLD_CANCELLED",
    "TOLD_DONE",
    "TOLD_EXPIRED",
    "TOLD_FILL",
    "TOLD_MARGIN_CALL",
    "TOLD_PARTIAL",
    "TOLD_REJECTED",
    "TOLD_STOP",
    "TOLD_STOP_OUT",
    "TOLD_SWAP",
    "TOLD_TARGET",
    "TOLD_TRIGGERED",
    "TRADE",
    "TRIGGERED",
    "WAKE_ACTION",
    "WAKE_FILL",
    "WAKE_GROW",
    "WAKE_TICK",
    "WEEK_NS",
]

NO_PRICE = records.NO_PRICE
NO_TICK = records.NO_TICK
FAR_FUTURE_NS = records.FAR_FUTURE_NS

# Words of eight bytes in a record: record k of a table begins at the table's place + k * its width.
ORDER = records.ORDER_DTYPE.itemsize // 8
FILL = records.FILL_DTYPE.itemsize // 8
POSITION = records.POSITION_DTYPE.itemsize // 8
TRADE = records.TRADE_DTYPE.itemsize // 8
EVENT = records.EVENT_DTYPE.itemsize // 8
CURVE = records.EQUITY_DTYPE.itemsize // 8

MARKET = int(OrderType.MARKET)
CLOSE = int(OrderType.CLOSE)
LIMIT = int(OrderType.LIMIT)
STOP = int(OrderType.STOP)
STOP_LIMIT = int(OrderType.STOP_LIMIT)
MODIFY_ORDER = int(OrderType.MODIFY_ORDER)
MODIFY_POSITION = int(OrderType.MODIFY_POSITION)
CANCEL = int(OrderType.CANCEL)

PENDING = int(OrderState.PENDING)
FILLED = int(OrderState.FILLED)
REJECTED = int(OrderState.REJECTED)
EXPIRED = int(OrderState.EXPIRED)
ACTIVE = int(OrderState.ACTIVE)
TRIGGERED = int(OrderState.TRIGGERED)
CANCELLED = int(OrderState.CANCELLED)
DONE = int(OrderState.DONE)

NO_REASON = int(RejectReason.NONE)
BELOW_MIN = int(RejectReason.VOLUME_BELOW_MIN)
ABOVE_MAX = int(RejectReason.VOLUME_ABOVE_MAX)
NO_MARGIN = int(RejectReason.NOT_ENOUGH_MARGIN)
POSITION_GONE = int(RejectReason.POSITION_GONE)
AT_END = int(RejectReason.SCENARIO_END)
INVALID_PRICE = int(RejectReason.INVALID_PRICE)
FROZEN = int(RejectReason.FROZEN)
ORDER_GONE = int(RejectReason.ORDER_GONE)
SLIPPED = int(RejectReason.SLIPPAGE)
NO_ASSET = int(RejectReason.NO_ASSET)
MARKET_CLOSED = int(RejectReason.MARKET_CLOSED)
BY_BROKER = int(RejectReason.BROKER)
COOL_DOWN = int(RejectReason.COOL_DOWN)
BY_PARTNER = int(RejectReason.OCO)
OUT_OF_DATE = int(RejectReason.GOOD_TILL_DATE)
BY_REQUEST = int(RejectReason.BY_REQUEST)

EXIT_ORDER = int(ExitReason.CLOSE_ORDER)
EXIT_STOP = int(ExitReason.STOP_LOSS)
EXIT_TARGET = int(ExitReason.TAKE_PROFIT)
EXIT_END = int(ExitReason.SCENARIO_END)
EXIT_STOP_OUT = int(ExitReason.STOP_OUT)
EXIT_NETTED = int(ExitReason.NETTED)

ENTRY = int(FillKind.ENTRY)
EXIT = int(FillKind.EXIT)
SWAP = int(FillKind.SWAP)

TOLD_FILL = int(EventKind.FILL)
TOLD_PARTIAL = int(EventKind.PARTIAL_FILL)
TOLD_REJECTED = int(EventKind.REJECTED)
TOLD_CANCELLED = int(EventKind.CANCELLED)
TOLD_EXPIRED = int(EventKind.EXPIRED)
TOLD_STOP = int(EventKind.STOP_LOSS)
TOLD_TARGET = int(EventKind.TAKE_PROFIT)
TOLD_STOP_OUT = int(EventKind.STOP_OUT)
TOLD_MARGIN_CALL = int(EventKind.MARGIN_CALL)
TOLD_SWAP = int(EventKind.SWAP)
TOLD_TRIGGERED = int(EventKind.TRIGGERED)
TOLD_DONE = int(EventKind.DONE)

DO_CLOSE = int(Action.CLOSE)
DO_QUOTE = int(Action.QUOTE)
WAKE_ACTION = int(Wake.ACTION)
WAKE_FILL = int(Wake.FILL)
WAKE_TICK = int(Wake.TICK)
WAKE_GROW = int(Wake.GROW)

WEEK_NS = 7 * 86_400 * 1_000_000_000
MONDAY_NS = 4 * 86_400 * 1_000_000_000  # 1970-01-05 was a Monday
