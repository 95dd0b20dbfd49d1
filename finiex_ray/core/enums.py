"""Enumerations. The integer ones are the codes that stand in the record arrays and in the kernels."""

from __future__ import annotations

from enum import IntEnum, IntFlag, StrEnum

__all__ = [
    "LEGAL_MOVES",
    "Action",
    "EventKind",
    "ExitReason",
    "FillKind",
    "OrderState",
    "OrderType",
    "RejectReason",
    "ScenarioStatus",
    "Side",
    "Wake",
]


class ScenarioStatus(StrEnum):
    """Life cycle of a scenario: INIT_PROCESS → RUNNING → COMPLETED or FINISHED_WITH_ERROR."""

    INIT_PROCESS = "INIT_PROCESS"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FINISHED_WITH_ERROR = "FINISHED_WITH_ERROR"


class Side(IntEnum):
    """Direction of an order, fill, position or trade."""

    SELL = -1
    BUY = 1


class Action(IntEnum):
    """What a decision logic asks for at one tick (the values of the int8 array that ``decide`` returns)."""

    SELL = -1
    NONE = 0
    BUY = 1
    CLOSE = 2
    QUOTE = 3  # enter on either side; only a policy of limit orders can, to the others it says nothing


class OrderType(IntEnum):
    """What a request asks the broker to do."""

    MARKET = 0
    CLOSE = 1  # close a position, whole or in part, at the market
    LIMIT = 2
    STOP = 3
    STOP_LIMIT = 4  # a limit order once its stop price is reached
    MODIFY_ORDER = 5
    MODIFY_POSITION = 6  # stop loss, take profit, trailing stop
    CANCEL = 7


class OrderState(IntEnum):
    """Life of an order; `LEGAL_MOVES` is the whole graph, and every order ends in one terminal state.

    PENDING is under way to the broker, ACTIVE rests there, TRIGGERED is a stop-limit order that has become a limit
    order, DONE is an instruction (modify, cancel) that was carried out.
    """

    PENDING = 0
    FILLED = 1
    REJECTED = 2
    EXPIRED = 3
    ACTIVE = 4
    TRIGGERED = 5
    CANCELLED = 6
    DONE = 7


LEGAL_MOVES: dict[OrderState, frozenset[OrderState]] = {
    OrderState.PENDING: frozenset(
        {
            OrderState.ACTIVE,
            OrderState.FILLED,
            OrderState.REJECTED,
            OrderState.EXPIRED,
            OrderState.CANCELLED,
            OrderState.DONE,
        }
    ),
    OrderState.ACTIVE: frozenset(
        {OrderState.TRIGGERED, OrderState.FILLED, OrderState.REJECTED, OrderState.EXPIRED, OrderState.CANCELLED}
    ),
    OrderState.TRIGGERED: frozenset({OrderState.FILLED, OrderState.REJECTED, OrderState.EXPIRED, OrderState.CANCELLED}),
    OrderState.FILLED: frozenset(),
    OrderState.REJECTED: frozenset(),
    OrderState.EXPIRED: frozenset(),
    OrderState.CANCELLED: frozenset(),
    OrderState.DONE: frozenset(),
}


class RejectReason(IntEnum):
    """Why an order was rejected or expired (rule R15: a rejection is data)."""

    NONE = 0
    VOLUME_BELOW_MIN = 1
    VOLUME_ABOVE_MAX = 2
    VOLUME_OFF_STEP = 3
    NOT_ENOUGH_MARGIN = 4
    POSITION_GONE = 5
    SCENARIO_END = 6
    INVALID_PRICE = 7  # a price or distance that the order type or the symbol's stops level does not allow
    FROZEN = 8  # too near to its price to be changed or cancelled (freeze level)
    ORDER_GONE = 9  # the order to change or cancel does not rest at the broker
    SLIPPAGE = 10  # the market had moved past max_slippage_points
    NO_ASSET = 11  # spot: more sold than held
    MARKET_CLOSED = 12  # outside the symbol's sessions
    BROKER = 13  # refused by the seeded rejection model
    COOL_DOWN = 14  # the order guard holds orders back after rejections in a row
    OCO = 15  # cancelled because its partner filled
    GOOD_TILL_DATE = 16  # expired
    BY_REQUEST = 17  # cancelled by an instruction


class ExitReason(IntEnum):
    """Why a position was closed."""

    CLOSE_ORDER = 0
    STOP_LOSS = 1
    TAKE_PROFIT = 2
    SCENARIO_END = 3
    STOP_OUT = 4
    NETTED = 5  # closed by a fill of the other side on a netting account


class FillKind(IntEnum):
    """What a booking was: a fill that opened or closed (part of) a position, or a swap."""

    ENTRY = 0
    EXIT = 1
    SWAP = 2


class EventKind(IntEnum):
    """What a logic is told of."""

    FILL = 0  # an order filled whole
    PARTIAL_FILL = 1
    REJECTED = 2
    CANCELLED = 3
    EXPIRED = 4
    STOP_LOSS = 5
    TAKE_PROFIT = 6
    STOP_OUT = 7
    MARGIN_CALL = 8
    SWAP = 9
    TRIGGERED = 10  # a stop-limit order became a limit order
    DONE = 11  # an instruction was carried out
    BAR_CLOSED = 12  # told at the first tick after the bar
    SESSION_GAP = 13  # told at the first tick after a time without any


class Wake(IntFlag):
    """Why the simulator hands control back before the end of a block; a logic states which it wants."""

    NONE = 0
    ACTION = 1
    FILL = 2  # anything that has happened at the broker
    BAR = 4  # a bar of a timeframe in use has closed
    TICK = 8
    GROW = 16  # internal: a record array is full
    GAP = 32  # the first tick after a session gap
