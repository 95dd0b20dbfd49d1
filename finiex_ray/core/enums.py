"""Enumerations. The integer ones are the codes that stand in the record arrays and in the kernels."""

from __future__ import annotations

from enum import IntEnum, IntFlag, StrEnum

__all__ = [
    "Action",
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


class OrderType(IntEnum):
    """What a request asks the broker to do."""

    MARKET = 0
    CLOSE = 1


class OrderState(IntEnum):
    """PENDING (under way to the broker) → FILLED, REJECTED or EXPIRED; the last three are terminal."""

    PENDING = 0
    FILLED = 1
    REJECTED = 2
    EXPIRED = 3


class RejectReason(IntEnum):
    """Why an order was rejected or expired (rule R15: a rejection is data)."""

    NONE = 0
    VOLUME_BELOW_MIN = 1
    VOLUME_ABOVE_MAX = 2
    VOLUME_OFF_STEP = 3
    NOT_ENOUGH_MARGIN = 4
    POSITION_GONE = 5
    SCENARIO_END = 6


class ExitReason(IntEnum):
    """Why a position was closed."""

    CLOSE_ORDER = 0
    STOP_LOSS = 1
    TAKE_PROFIT = 2
    SCENARIO_END = 3


class FillKind(IntEnum):
    """Whether a fill opened or closed (part of) a position."""

    ENTRY = 0
    EXIT = 1


class Wake(IntFlag):
    """Why the simulator hands control back before the end of a block; a logic states which it wants."""

    NONE = 0
    ACTION = 1
    FILL = 2
    BAR = 4
    TICK = 8
    GROW = 16  # internal: a record array is full
