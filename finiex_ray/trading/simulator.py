"""`TradeSimulator`: one simulated account, brought forward block by block by the compiled kernels."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from finiex_ray.bars.block import Block
from finiex_ray.core.enums import OrderType, RejectReason, Side, Wake
from finiex_ray.core.errors import StrategyContractError
from finiex_ray.core.money import to_minor
from finiex_ray.core.random import generator
from finiex_ray.core.records import (
    EQUITY_DTYPE,
    FAR_FUTURE_NS,
    FILL_DTYPE,
    LEDGER_DTYPE,
    NO_PRICE,
    NO_TICK,
    ORDER_DTYPE,
    POSITION_DTYPE,
    SYMBOL_DTYPE,
    TRADE_DTYPE,
    Records,
    SimState,
)
from finiex_ray.kernels.orders import request_nb
from finiex_ray.kernels.simulation import advance_nb, finish_nb
from finiex_ray.trading.policy import OnePositionPolicy, OnOpposite
from finiex_ray.trading.terms import TradingTerms

__all__ = ["EQUITY_ROWS", "TradeSimulator"]

EQUITY_ROWS = 512  # rows of the downsampled equity record, whatever the length of the scenario
_FIRST_CAPACITY = 256
_MOST_STEPS = 2**61


class TradeSimulator:
    """One account in one scenario: sends requests, fills them, watches stops, keeps the books (rules R2 to R16).

    Args:
        terms: What the symbol costs on this account.
        ticks: Ticks of the scenario, known beforehand (it sizes the equity record).
        seed: Seed of the scenario's random streams.
        policy: The compiled policy, or None where a logic trades through `TradingApi`.
    """

    def __init__(self, terms: TradingTerms, ticks: int, seed: int, policy: OnePositionPolicy | None = None) -> None:
        self.terms = terms
        self._latency = generator(seed, "latency")
        self.state = self._new_state(ticks, policy)

    def _new_state(self, ticks: int, policy: OnePositionPolicy | None) -> SimState:
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
            delays_ns=self._draw_delays(_FIRST_CAPACITY),
        )

    def _set_policy(self, row: np.void, policy: OnePositionPolicy) -> None:
        steps, refused = self.to_steps(policy.lots)
        if refused:
            raise StrategyContractError(
                f"lots {policy.lots} is no multiple of {self.terms.symbol}'s volume step {self.terms.volume_step}"
            )
        row["enabled"], row["volume_steps"] = 1, steps
        row["sl_offset_points"], row["tp_offset_points"] = policy.sl_points, policy.tp_points
        row["reverse"] = policy.on_opposite is OnOpposite.REVERSE
        row["min_free_margin"] = float(Fraction(policy.min_free_margin) * self.terms.minor_per_unit)

    def _draw_delays(self, count: int) -> NDArray[np.int64]:
        """The next delays of the latency stream: one draw a request, in request order (rule R3)."""
        low, high = self.terms.latency_low_ns, self.terms.latency_high_ns
        if high == low:
            return np.full(count, low, np.int64)
        return low + np.floor(self._latency.random(count) * (high - low + 1)).astype(np.int64)

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

    def advance(self, block: Block, actions: NDArray[np.int8], first: int, last: int, wake: Wake) -> tuple[int, Wake]:
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
                actions,
                first,
                last,
                block.first_tick,
                int(wake),
            )
            if reason != Wake.GROW:
                return first, Wake(reason)
            self._grow()

    def finish(self, bid_points: int, ask_points: int) -> None:
        """Ends the scenario at its last tick (rule R12)."""
        account = self.account
        while int(account["positions"] + account["fills"]) > len(self.state.fills) or int(
            account["positions"] + account["trades"]
        ) > len(self.state.trades):
            self._grow()
        finish_nb(self.state, bid_points, ask_points)

    def request(
        self,
        kind: OrderType,
        side: Side,
        lots: Decimal | None = None,
        *,
        position_id: int = 0,
        steps: int = 0,
        sl_points: int = NO_PRICE,
        tp_points: int = NO_PRICE,
        sl_offset_points: int = 0,
        tp_offset_points: int = 0,
    ) -> int:
        """Sends a request at the current tick; returns its order id."""
        account = self.account
        if int(account["orders"]) + 1 > len(self.state.orders):
            self._grow()
        refused = RejectReason.NONE
        if lots is not None:
            steps, refused = self.to_steps(lots)
        return int(
            request_nb(
                self.state,
                int(account["last_tick"]),
                int(account["last_ns"]),
                int(kind),
                int(side),
                steps,
                position_id,
                sl_points,
                tp_points,
                sl_offset_points,
                tp_offset_points,
                int(refused),
            )
        )

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
            delays_ns=np.concatenate([state.delays_ns, self._draw_delays(len(state.delays_ns))]),
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

    def equity_curve(self) -> Records:
        """The downsampled equity record (`EQUITY_DTYPE`): extremes of every bucket are kept."""
        return self._equity[: int(self.account["equity_rows"])]


def _matrix(rows: int, dtype: np.dtype[np.void]) -> NDArray[np.int64]:
    """Room for ``rows`` records, as the matrix that the kernels use."""
    return np.zeros((rows, len(dtype.names or ())), np.int64)
