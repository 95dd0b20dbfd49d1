"""`TradeSimulator`: one simulated account, brought forward block by block by the compiled kernels."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from finiex_ray.bars.block import Block
from finiex_ray.core.enums import OrderType, RejectReason, Side, Wake
from finiex_ray.core.errors import StrategyContractError
from finiex_ray.core.market import IntArray, read_only
from finiex_ray.core.money import to_minor
from finiex_ray.core.records import (
    EQUITY_DTYPE,
    EVENT_DTYPE,
    FAR_FUTURE_NS,
    FILL_DTYPE,
    LEDGER_DTYPE,
    NO_TICK,
    ORDER_DTYPE,
    POSITION_DTYPE,
    SYMBOL_DTYPE,
    TRADE_DTYPE,
    Records,
    SimState,
)
from finiex_ray.kernels.requests import clear_draft_nb, send_nb
from finiex_ray.kernels.simulation import advance_nb, finish_nb
from finiex_ray.trading.draws import RequestDraws
from finiex_ray.trading.policy import OnePositionPolicy, OnOpposite
from finiex_ray.trading.rollover import rollovers
from finiex_ray.trading.terms import TradingTerms

__all__ = ["EQUITY_ROWS", "NO_RATES", "TradeSimulator"]

EQUITY_ROWS = 512  # rows of the downsampled equity record, whatever the length of the scenario
NO_RATES = read_only(np.empty((0, 2), np.int64))  # no conversion pair
_FIRST_CAPACITY = 256
_MOST_STEPS = 2**61


class TradeSimulator:
    """One account in one scenario: sends requests, fills them, watches stops, keeps the books (rules R2 to R16).

    Args:
        terms: What the symbol costs on this account.
        ticks: Ticks of the scenario, known beforehand (it sizes the equity record).
        seed: Seed of the scenario's random streams.
        policy: The compiled policy, or None where a logic trades through `TradingApi`.
        span_ns: Times of the scenario's first and last tick, between which swap is due.
    """

    def __init__(
        self,
        terms: TradingTerms,
        ticks: int,
        seed: int,
        policy: OnePositionPolicy | None = None,
        span_ns: tuple[int, int] = (0, 0),
    ) -> None:
        self.terms = terms
        self._draws = RequestDraws(terms, seed)
        self._draft = np.zeros(1, ORDER_DTYPE)
        self.comments: dict[int, str] = {}  # order id to the strategy's own text
        self.state = self._new_state(ticks, policy, rollovers(terms.swap, *span_ns))

    def _new_state(self, ticks: int, policy: OnePositionPolicy | None, rolls: IntArray) -> SimState:
        ledger = np.zeros(1, LEDGER_DTYPE)
        for name in SYMBOL_DTYPE.names or ():
            ledger[name] = self.terms.record[name]
        row = ledger[0]
        balance = to_minor(self.terms.opening_balance, self.terms.currency)
        row["balance_minor"] = balance
        for name in ("equity", "equity_peak", "equity_trough"):
            row[name] = float(balance)
        row["next_arrival_ns"], row["next_position_id"], row["last_tick"] = FAR_FUTURE_NS, 1, NO_TICK
        row["bucket_ticks"] = row["bucket_end"] = max(1, -(-ticks // EQUITY_ROWS))
        row["bucket_low"], row["bucket_high"] = np.inf, -np.inf
        row["next_timer_ns"] = rolls[0, 0] if len(rolls) else FAR_FUTURE_NS
        if policy is not None:
            self._set_policy(row, policy)
        self._ledger, self._equity = ledger, np.zeros(EQUITY_ROWS + 2, EQUITY_DTYPE)
        return SimState(
            ints=ledger.view(np.int64),
            reals=ledger.view(np.float64),
            orders=_matrix(_FIRST_CAPACITY, ORDER_DTYPE),
            fills=_matrix(2 * _FIRST_CAPACITY, FILL_DTYPE),
            positions=_matrix(16, POSITION_DTYPE),
            trades=_matrix(_FIRST_CAPACITY, TRADE_DTYPE),
            curve_ints=self._equity.view(np.int64).reshape(len(self._equity), -1),
            curve_reals=self._equity.view(np.float64).reshape(len(self._equity), -1),
            queue=np.zeros(_FIRST_CAPACITY, np.int64),
            book=np.zeros(_FIRST_CAPACITY, np.int64),
            draft=self._draft.view(np.int64),
            events=_matrix(4 * _FIRST_CAPACITY, EVENT_DTYPE),
            draws=self._draws.next(_FIRST_CAPACITY),
            rollovers=rolls,
            sessions=self.terms.sessions,
            tiers=self.terms.tiers,
        )

    def _set_policy(self, row: np.void, policy: OnePositionPolicy) -> None:
        steps, refused = self.to_steps(policy.lots)
        if refused:
            raise StrategyContractError(
                f"lots {policy.lots} is no multiple of {self.terms.symbol}'s volume step {self.terms.volume_step}"
            )
        row["enabled"], row["volume_steps"] = 1, steps
        row["sl_offset_points"], row["tp_offset_points"] = policy.sl_points, policy.tp_points
        row["policy_trail_points"] = policy.trail_points
        row["reverse"] = policy.on_opposite is OnOpposite.REVERSE
        row["min_free_margin"] = float(Fraction(policy.min_free_margin) * self.terms.minor_per_unit)

    def to_steps(self, lots: Decimal) -> tuple[int, RejectReason]:
        """Volume in steps, and the reason why an order of it would be refused before it is sent.

        Raises:
            ValueError: If ``lots`` is NaN or infinite.
        """
        if not lots.is_finite():
            raise ValueError(f"a volume must be a finite number of lots, not {lots}")
        steps = lots / self.terms.volume_step
        if abs(steps) > _MOST_STEPS:  # out of any symbol's bounds, and the kernel will say so
            return _MOST_STEPS if steps > 0 else -_MOST_STEPS, RejectReason.NONE
        whole = int(steps)
        return whole, RejectReason.NONE if whole == steps else RejectReason.VOLUME_OFF_STEP

    @property
    def account(self) -> np.void:
        """The account's fields (`ACCOUNT_DTYPE`), as of the last tick that was processed."""
        record: np.void = self._ledger[0]
        return record

    def advance(
        self, block: Block, actions: NDArray[np.int8], first: int, last: int, wake: Wake, rates: IntArray = NO_RATES
    ) -> tuple[int, Wake]:
        """Brings the account from tick offset ``first`` of a block to ``last``, or to the next wake-up.

        Returns:
            The offset past the last processed tick, and why control came back (``Wake.NONE``: the end was reached).
        """
        while True:
            first, reason = advance_nb(
                self.state,
                block.time_ns,
                block.bid_points,
                block.ask_points,
                rates,
                actions,
                first,
                last,
                block.first_tick,
                int(wake),
            )
            if reason != Wake.GROW:
                return first, Wake(reason)
            self._grow()

    def finish(self, bid_points: int, ask_points: int, rates: IntArray = NO_RATES) -> None:
        """Ends the scenario at its last tick (rule R12)."""
        account = self.account
        ends = int(account["positions"] + account["pending"] + account["resting"])
        while any(
            int(account[name]) + ends > len(records)
            for name, records in (
                ("fills", self.state.fills),
                ("trades", self.state.trades),
                ("events", self.state.events),
            )
        ):
            self._grow()
        finish_nb(self.state, bid_points, ask_points, rates)

    def request(
        self,
        kind: OrderType,
        side: Side | int = 0,
        lots: Decimal | None = None,
        /,
        **fields: int,
    ) -> int:
        """Sends a request at the current tick.

        Args:
            kind: What is asked for.
            side: Direction of the deal; 0 for instructions.
            lots: Volume, checked against the symbol's step; else give ``volume_steps``.
            **fields: Other fields of the order record (`ORDER_DTYPE`).

        Returns:
            Its order id.
        """
        account = self.account
        if int(account["orders"]) + 1 > len(self.state.orders) or int(account["events"]) + 1 > len(self.state.events):
            self._grow()
        refused = RejectReason.NONE
        if lots is not None:
            fields["volume_steps"], refused = self.to_steps(lots)
        clear_draft_nb(self.state.draft)
        draft = self._draft[0]
        draft["type"], draft["side"] = kind, side
        for name, value in fields.items():
            draft[name] = value
        return int(send_nb(self.state, int(account["last_tick"]), int(account["last_ns"]), int(refused)))

    def pair(self, first: int, second: int) -> None:
        """Makes two orders of this tick cancel each other: when one fills, the other is cancelled (OCO)."""
        orders = self.orders()
        orders["oco_id"][first - 1], orders["oco_id"][second - 1] = second, first

    def _grow(self) -> None:
        """Doubles every record array but the fixed ones; what they hold stays."""

        def doubled(columns: NDArray[np.int64]) -> NDArray[np.int64]:
            return np.concatenate([columns, np.zeros_like(columns)])

        state = self.state
        self.state = state._replace(
            orders=doubled(state.orders),
            fills=doubled(state.fills),
            positions=doubled(state.positions),
            trades=doubled(state.trades),
            queue=doubled(state.queue),
            book=doubled(state.book),
            events=doubled(state.events),
            draws=np.concatenate([state.draws, self._draws.next(len(state.draws))]),
        )

    def orders(self) -> Records:
        """All orders so far (`ORDER_DTYPE`), in request order."""
        return self.state.orders[: int(self.account["orders"])].view(ORDER_DTYPE)[:, 0]

    def fills(self) -> Records:
        """All fills so far (`FILL_DTYPE`), in time order."""
        return self.state.fills[: int(self.account["fills"])].view(FILL_DTYPE)[:, 0]

    def trades(self) -> Records:
        """All closed trades so far (`TRADE_DTYPE`), in closing order."""
        return self.state.trades[: int(self.account["trades"])].view(TRADE_DTYPE)[:, 0]

    def positions(self) -> Records:
        """The open positions (`POSITION_DTYPE`), in fill order."""
        return self.state.positions[: int(self.account["positions"])].view(POSITION_DTYPE)[:, 0]

    def events(self, first: int = 0) -> Records:
        """What the logic is told of (`EVENT_DTYPE`), from row ``first`` on."""
        return self.state.events[first : int(self.account["events"])].view(EVENT_DTYPE)[:, 0]

    def equity_curve(self) -> Records:
        """The downsampled equity record (`EQUITY_DTYPE`): extremes of every bucket are kept."""
        return self._equity[: int(self.account["equity_rows"])]


def _matrix(rows: int, dtype: np.dtype[np.void]) -> NDArray[np.int64]:
    """Room for ``rows`` records, as the matrix that the kernels use."""
    return np.zeros((rows, len(dtype.names or ())), np.int64)
