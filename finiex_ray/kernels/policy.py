"""The compiled policies: the action of a tick becomes requests (`finiex_ray.trading.policy` says which)."""

from __future__ import annotations

from typing import Any

from finiex_ray.core.records import LEDGER_COLUMNS as L
from finiex_ray.core.records import ORDER_COLUMNS as O
from finiex_ray.core.records import POSITION_COLUMNS as P
from finiex_ray.kernels import codes
from finiex_ray.kernels.codes import ORDER
from finiex_ray.kernels.jit import helper
from finiex_ray.kernels.requests import clear_draft_nb, close_draft_nb, send_nb
from finiex_ray.kernels.signals import ACTION, TURN

__all__ = ["ahead_nb", "policy_nb"]

MARKET, LIMIT, CANCEL, PENDING = codes.MARKET, codes.LIMIT, codes.CANCEL, codes.PENDING
DO_CLOSE, DO_QUOTE = codes.DO_CLOSE, codes.DO_QUOTE


@helper
def ahead_nb(ints: Any, signals: Any, row: int) -> int:
    """The row from ``row`` on at which the policy may have something to do, as things stand; `make_signals` made them."""
    if ints[L.pending] > 0:  # it waits, whatever the action
        return len(signals)
    if row >= len(signals) or (ints[L.positions] == 0 and (ints[L.resting] == 0 or ints[L.quotes] == 0)):
        return row
    action = signals[row, ACTION]
    if action == DO_CLOSE:
        return row
    if ints[L.quotes] != 0:
        for k in range(ints[L.resting]):
            if action == -ints[ints[L.orders_at] + ints[ints[L.book_at] + k] * ORDER + O.side]:
                return row
    if ints[L.positions] > 0 and action == -ints[ints[L.positions_at] + P.side]:
        return row
    return signals[row, TURN]  # the same action changes nothing at the ticks between


@helper
def _enter_nb(ints: Any, kind: int, side: int) -> int:
    """Sends an order that opens, with the policy's volume and stops; returns its order id."""
    clear_draft_nb(ints)
    draft = ints[L.draft_at]
    ints[draft + O.type] = kind
    ints[draft + O.side] = side
    ints[draft + O.volume_steps] = ints[L.volume_steps]
    ints[draft + O.sl_offset_points] = ints[L.sl_offset_points]
    ints[draft + O.tp_offset_points] = ints[L.tp_offset_points]
    ints[draft + O.trail_points] = ints[L.policy_trail_points]
    if kind == LIMIT:
        own = ints[L.last_bid] if side > 0 else ints[L.last_ask]
        ints[draft + O.price_points] = own - side * ints[L.offset_points]
        if ints[L.lifetime_ns] > 0:
            ints[draft + O.expire_ns] = ints[L.last_ns] + ints[L.lifetime_ns]
    return send_nb(ints, 0)


@helper
def _quote_nb(ints: Any) -> None:
    """Sends a limit order on each side, of which one cancels the other."""
    bought = _enter_nb(ints, LIMIT, 1)
    sold = _enter_nb(ints, LIMIT, -1)
    first, second = ints[L.orders_at] + (bought - 1) * ORDER, ints[L.orders_at] + (sold - 1) * ORDER
    if ints[first + O.state] == PENDING and ints[second + O.state] == PENDING:
        ints[first + O.oco_id], ints[second + O.oco_id] = sold, bought


@helper
def _cancel_nb(ints: Any, action: int) -> None:
    """Asks to cancel the resting orders that the action speaks against."""
    for k in range(ints[L.resting]):
        order = ints[L.orders_at] + ints[ints[L.book_at] + k] * ORDER
        if action == DO_CLOSE or action == -ints[order + O.side]:
            clear_draft_nb(ints)
            ints[ints[L.draft_at] + O.type] = CANCEL
            ints[ints[L.draft_at] + O.target_id] = ints[order + O.order_id]
            send_nb(ints, 0)


@helper
def policy_nb(ints: Any, reals: Any, action: int) -> None:
    """Turns the action of the current tick into requests; while one is under way, it waits."""
    quotes = ints[L.quotes] != 0
    if ints[L.pending] > 0 or (action == DO_QUOTE and not quotes):
        return
    if quotes:
        _cancel_nb(ints, action)
    if ints[L.positions] > 0:
        position = ints[L.positions_at]
        if action == ints[position + P.side] or action == DO_QUOTE:
            return
        close_draft_nb(ints, position)
        send_nb(ints, 0)
        if ints[L.reverse] == 0:
            return
    if action == DO_CLOSE or reals[L.equity] < reals[L.min_free_margin]:
        return
    if not quotes:
        _enter_nb(ints, MARKET, action)
    elif ints[L.resting] == 0:
        if action == DO_QUOTE:
            _quote_nb(ints)
        else:
            _enter_nb(ints, LIMIT, action)
