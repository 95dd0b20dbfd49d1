"""Layouts of every record that the simulator keeps: one numpy dtype a record, a unit a field.

``*_points`` are points (10^-digits of the symbol), ``*_steps`` volume steps, ``*_minor`` minor units of the account
currency (cents), ``*_ns`` nanoseconds UTC, ``*_tick`` the index of a tick within the scenario (0 is its first tick).
``NO_PRICE`` stands for "not set", ``NO_TICK`` for "has not happened".

Every field of a record that kernels use is eight bytes wide: the account is one block of memory, which they read as words
of int64 and of float64, with the ``*_COLUMNS`` as offsets within a record. Two plain arrays are what numba takes quickest
across a call, and what it compiles quickest.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from finiex_ray.core.market import IntArray

__all__ = [
    "ACCOUNT_DTYPE",
    "CURVE_COLUMNS",
    "EQUITY_DTYPE",
    "EVENT_COLUMNS",
    "EVENT_DTYPE",
    "FAR_FUTURE_NS",
    "FILL_COLUMNS",
    "FILL_DTYPE",
    "LEDGER_COLUMNS",
    "LEDGER_DTYPE",
    "NO_PRICE",
    "NO_TICK",
    "ORDER_COLUMNS",
    "ORDER_DTYPE",
    "POLICY_DTYPE",
    "POSITION_COLUMNS",
    "POSITION_DTYPE",
    "SYMBOL_DTYPE",
    "TABLES_DTYPE",
    "TRADE_COLUMNS",
    "TRADE_DTYPE",
    "Records",
    "copy_records",
    "words_of",
]

NO_PRICE: Final = -(2**62)
NO_TICK: Final = -1
FAR_FUTURE_NS: Final = 2**63 - 1

Records = NDArray[np.void]


def words_of(records: Records) -> IntArray:
    """Records as kernels read them: [rows, words of a row]."""
    width = records.dtype.itemsize // 8
    return np.ndarray((len(records), width), np.int64, np.ascontiguousarray(records))


def copy_records(records: Records) -> Records:
    """A copy, made as words: numpy copies records field by field, which takes ten times as long."""
    return np.ndarray(len(records), records.dtype, words_of(records).copy())


def _fields(dtype: np.dtype[np.void]) -> list[tuple[str, np.dtype[Any]]]:
    return [(name, dtype[name]) for name in dtype.names or ()]


def _columns(name: str, dtype: np.dtype[np.void]) -> Any:
    """A module that gives each field its column number.

    A module and not a named tuple: numba takes a module's attribute as a plain constant, a named tuple's as an element of
    a constant with all the others in it, which made the kernels take minutes to compile.
    """
    columns = ModuleType(name)
    columns.__dict__.update({field: number for number, field in enumerate(dtype.names or ())})
    return columns


ORDER_DTYPE: Final = np.dtype(
    [
        ("order_id", "i8"),  # 1, 2, … in request order
        ("type", "i8"),  # OrderType
        ("side", "i8"),  # Side of the deal that it asks for; 0 for instructions
        ("state", "i8"),  # OrderState
        ("reason", "i8"),  # RejectReason
        ("volume_steps", "i8"),  # volume asked for
        ("filled_steps", "i8"),  # volume filled
        ("position_id", "i8"),  # CLOSE, MODIFY_POSITION: their target; else the position that the fill opened, or 0
        ("target_id", "i8"),  # MODIFY_ORDER, CANCEL: the order that they speak of; else 0
        ("price_points", "i8"),  # LIMIT, STOP_LIMIT: limit price; or NO_PRICE
        ("stop_points", "i8"),  # STOP, STOP_LIMIT: stop price; or NO_PRICE
        ("sl_points", "i8"),  # stop loss level, or NO_PRICE
        ("tp_points", "i8"),  # take profit level, or NO_PRICE
        ("sl_offset_points", "i8"),  # stop loss as a distance from the fill price, or 0
        ("tp_offset_points", "i8"),  # take profit as a distance from the fill price, or 0
        ("trail_points", "i8"),  # trailing stop: distance of the stop loss from the best quote, or 0
        ("max_slippage_points", "i8"),  # MARKET, CLOSE: rejected beyond it; NO_PRICE: any
        ("immediate_or_cancel", "i8"),  # MARKET: 1 fills what the margin allows and rejects the rest; 0 all or nothing
        ("expire_ns", "i8"),  # good till this time; FAR_FUTURE_NS: till cancelled
        ("oco_id", "i8"),  # the order that is cancelled when this one fills, or 0
        ("magic", "i8"),  # the strategy's own number
        ("request_tick", "i8"),  # tick whose decision made the request
        ("request_ns", "i8"),  # time of that tick
        ("request_price_points", "i8"),  # quote of the order's side at that tick
        ("arrival_ns", "i8"),  # request_ns + delay (rule R3)
        ("done_tick", "i8"),  # tick of its terminal state, or NO_TICK
        ("done_ns", "i8"),  # time of that tick
        ("fill_price_points", "i8"),  # or NO_PRICE
    ]
)

FILL_DTYPE: Final = np.dtype(
    [
        ("order_id", "i8"),  # 0 when no order asked for it (stop loss, take profit, scenario end)
        ("position_id", "i8"),
        ("kind", "i8"),  # FillKind
        ("side", "i8"),  # Side of the deal: a long position is closed by a SELL
        ("volume_steps", "i8"),
        ("tick", "i8"),
        ("time_ns", "i8"),
        ("price_points", "i8"),
        ("gross_minor", "i8"),  # profit booked by this fill before costs; 0 for entries
        ("commission_minor", "i8"),  # cost, zero or negative
        ("swap_minor", "i8"),  # SWAP: what was booked, either sign; else 0
        ("balance_minor", "i8"),  # balance after the booking
    ]
)

POSITION_DTYPE: Final = np.dtype(
    [
        ("position_id", "i8"),  # 1, 2, … in fill order
        ("order_id", "i8"),  # the order that opened it
        ("side", "i8"),  # Side
        ("volume_steps", "i8"),
        ("entry_tick", "i8"),
        ("entry_ns", "i8"),
        ("entry_price_points", "i8"),
        ("entry_commission_minor", "i8"),  # of what is left of the position
        ("swap_minor", "i8"),  # booked so far for what is left of the position
        ("margin_rate", "i8"),  # conversion rate of its margin, points of the pair at its entry; 1 where none is needed
        ("sl_points", "i8"),  # or NO_PRICE
        ("tp_points", "i8"),  # or NO_PRICE
        ("trail_points", "i8"),  # or 0
        ("magic", "i8"),
        ("tp_at_quote", "i8"),  # 1: the level was already passed when it was set, so it fills at the quote (rule R6)
        ("lowest_points", "i8"),  # lowest price of the side that closes it, since entry
        ("highest_points", "i8"),  # highest price of the side that closes it, since entry
    ]
)

TRADE_DTYPE: Final = np.dtype(
    [
        ("trade_id", "i8"),  # 1, 2, … in closing order
        ("position_id", "i8"),
        ("entry_order_id", "i8"),
        ("exit_order_id", "i8"),  # 0 when no order asked for the exit
        ("side", "i8"),  # Side of the position
        ("volume_steps", "i8"),
        ("entry_tick", "i8"),
        ("entry_ns", "i8"),
        ("entry_price_points", "i8"),
        ("exit_tick", "i8"),
        ("exit_ns", "i8"),
        ("exit_price_points", "i8"),
        ("exit_reason", "i8"),  # ExitReason
        ("sl_points", "i8"),  # as it stood at the exit, or NO_PRICE
        ("tp_points", "i8"),  # as it stood at the exit, or NO_PRICE
        ("gross_minor", "i8"),  # from the recorded prices, rounded once (rules R2, R6)
        ("commission_minor", "i8"),  # entry and exit, zero or negative
        ("swap_minor", "i8"),  # either sign
        ("net_minor", "i8"),  # gross + commission + swap
        ("balance_minor", "i8"),  # balance after the trade
        ("mae_points", "i8"),  # largest adverse excursion from the entry price, zero or positive
        ("mfe_points", "i8"),  # largest favourable excursion from the entry price, zero or positive
        ("magic", "i8"),
    ]
)

EVENT_DTYPE: Final = np.dtype(
    [
        ("kind", "i8"),  # EventKind
        ("tick", "i8"),
        ("time_ns", "i8"),
        ("order_id", "i8"),  # or 0
        ("position_id", "i8"),  # or 0
    ]
)

EQUITY_DTYPE: Final = np.dtype(
    [
        ("tick", "i8"),  # last tick of the bucket
        ("time_ns", "i8"),  # time of that tick
        ("balance", "f8"),  # minor units, at that tick
        ("equity", "f8"),  # minor units, at that tick
        ("equity_low", "f8"),  # lowest equity at any tick of the bucket
        ("equity_high", "f8"),  # highest equity at any tick of the bucket
    ]
)

SYMBOL_DTYPE: Final = np.dtype(
    [
        (
            "own_quote",
            "i8",
        ),  # 1: the base currency is the account's: profit in the quote currency is divided by the price
        ("value_num", "i8"),  # profit_minor = round(points · steps · value_num / value_den [/ price_points])
        ("value_den", "i8"),
        ("value", "f8"),  # value_num / value_den
        ("margin_by_price", "i8"),  # 1: margin grows with the price; 0: the base currency is the account's
        ("rate_mode", "i8"),  # 1: the quote currency times the conversion pair's price, 2: divided by it, 0: neither
        ("margin_den", "i8"),  # margin_minor = Σ steps in a tier · its ratio / margin_den [· price_points]
        ("commission_num", "i8"),  # per side: commission_minor = round(steps · num / den [· price_points])
        ("commission_den", "i8"),
        ("maker_num", "i8"),  # the same for fills of resting limit orders
        ("maker_den", "i8"),
        ("commission_by_price", "i8"),  # 1: commission is a share of the notional
        ("volume_min_steps", "i8"),
        ("volume_max_steps", "i8"),
        ("spread_slip_num", "i8"),  # slippage by spread: round(spread · num / den) points against the trader
        ("spread_slip_den", "i8"),
        (
            "swap_long_num",
            "i8",
        ),  # a day's swap of a long: swap_minor = round(steps · days · num / den [·, / price_points])
        ("swap_long_den", "i8"),
        ("swap_short_num", "i8"),
        ("swap_short_den", "i8"),
        ("swap_in_quote", "i8"),  # 1: the swap arises in the quote currency and is converted
        ("swap_by_price", "i8"),  # 1: times the price, -1: divided by it, 0: neither
        ("stops_level_points", "i8"),  # least distance of stops and resting prices from the quote
        ("freeze_level_points", "i8"),  # nothing is changed or cancelled nearer than this to its price
        ("netting", "i8"),  # 1: one net position, legs close first in, first out (rule R11)
        ("spot", "i8"),  # 1: assets are bought and sold for cash; nothing is sold that is not held
        ("stop_out_share", "f8"),  # equity / margin used at or below which positions are closed; below 0: never
        ("margin_call_share", "f8"),  # equity / margin used at or below which a margin call goes out; below 0: never
        ("guard_rejections", "i8"),  # order guard: rejections in a row that start a cool-down; 0: none
        ("guard_cool_down_ns", "i8"),
    ]
)

POLICY_DTYPE: Final = np.dtype(
    [
        ("enabled", "i8"),  # 1: a compiled policy acts on the actions
        ("quotes", "i8"),  # 1: it enters by limit orders (`QuotePolicy`); 0: at the market (`OnePositionPolicy`)
        ("offset_points", "i8"),  # of its limit orders from the quote of their own side
        ("lifetime_ns", "i8"),  # of its limit orders; 0: till cancelled
        ("volume_steps", "i8"),
        ("sl_offset_points", "i8"),  # or 0
        ("tp_offset_points", "i8"),  # or 0
        ("policy_trail_points", "i8"),  # or 0
        ("reverse", "i8"),  # 1: an opposite action closes and opens at once; 0: it closes, the next one opens
        ("min_free_margin", "f8"),  # minor units
    ]
)

ACCOUNT_DTYPE: Final = np.dtype(
    [
        ("balance_minor", "i8"),
        ("orders", "i8"),  # how many records of each array are in use
        ("fills", "i8"),
        ("positions", "i8"),
        ("trades", "i8"),
        ("equity_rows", "i8"),
        ("events", "i8"),
        ("pending", "i8"),  # length of the queue of requests under way
        ("resting", "i8"),  # length of the book of resting orders
        ("rollovers", "i8"),  # rows of the rollover table that lie behind
        ("next_timer_ns", "i8"),  # next rollover or expiry, or FAR_FUTURE_NS
        ("last_bid", "i8"),  # quotes of the last tick, points
        ("last_ask", "i8"),
        ("rate_bid", "i8"),  # quotes of the conversion pair at the last tick, its points (rule R10)
        ("rate_ask", "i8"),
        ("margin_called", "i8"),  # 1 while the margin level is at or below the margin call
        ("rejections", "i8"),  # in a row, for the order guard
        ("guard_until_ns", "i8"),  # requests are refused before this time
        ("next_arrival_ns", "i8"),  # earliest arrival in the queue, or FAR_FUTURE_NS
        ("next_position_id", "i8"),
        ("last_ns", "i8"),  # time of the last tick that the account was brought to
        ("last_tick", "i8"),  # its index, or NO_TICK
        ("bucket_ticks", "i8"),  # ticks per row of the equity record
        ("bucket_end", "i8"),  # first tick of the next bucket
        ("bucket_low", "f8"),  # minor units
        ("bucket_high", "f8"),  # minor units
        ("equity", "f8"),  # minor units, at the last tick (rule R16)
        ("margin_used", "f8"),  # minor units, from the entry prices of the open positions (rule R8)
        ("equity_peak", "f8"),
        ("equity_trough", "f8"),
        ("peak_fall", "f8"),  # largest fall since equity_peak
        ("trough_rise", "f8"),  # largest rise since equity_trough
        ("max_drawdown", "f8"),  # largest fall from a peak, minor units
        ("max_drawdown_share", "f8"),  # largest fall as a share of its peak
        ("max_runup", "f8"),  # largest rise from a trough, minor units
        ("commission_minor", "i8"),  # sum of what was booked
        ("gross_minor", "i8"),
        ("swap_total_minor", "i8"),
    ]
)


# Where the tables lie in the account's memory (`finiex_ray.trading.memory`): first word, and rows that it has room for.
TABLES_DTYPE: Final = np.dtype(
    [
        (f"{table}_{what}", "i8")
        for table in (
            "orders",  # ORDER_DTYPE, in request order
            "fills",  # FILL_DTYPE
            "positions",  # POSITION_DTYPE, open ones only, in fill order
            "trades",  # TRADE_DTYPE
            "events",  # EVENT_DTYPE
            "queue",  # indices of PENDING orders, in request order
            "book",  # indices of ACTIVE and TRIGGERED orders, in order of arrival
            "draws",  # four words a request: delay if it opens and if it closes (ns), slippage (points), 1 where the broker
            #           refuses it; drawn in request order (rule R3)
            "curve",  # EQUITY_DTYPE
            "draft",  # ORDER_DTYPE, the request that is being written
            "rollovers",  # time (ns) and days of swap, in order of time (rule R9)
            "sessions",  # start and end within the UTC week (ns from Monday); none: always open
            "tiers",  # open volume in steps up to which a leverage tier reaches, its margin ratio (rule R8)
        )
        for what in ("at", "rows")
    ]
)

LEDGER_DTYPE: Final = np.dtype(
    [*_fields(ACCOUNT_DTYPE), *_fields(SYMBOL_DTYPE), *_fields(POLICY_DTYPE), *_fields(TABLES_DTYPE)]
)

ORDER_COLUMNS: Final = _columns("OrderColumns", ORDER_DTYPE)
FILL_COLUMNS: Final = _columns("FillColumns", FILL_DTYPE)
POSITION_COLUMNS: Final = _columns("PositionColumns", POSITION_DTYPE)
TRADE_COLUMNS: Final = _columns("TradeColumns", TRADE_DTYPE)
CURVE_COLUMNS: Final = _columns("CurveColumns", EQUITY_DTYPE)
EVENT_COLUMNS: Final = _columns("EventColumns", EVENT_DTYPE)
LEDGER_COLUMNS: Final = _columns("LedgerColumns", LEDGER_DTYPE)
