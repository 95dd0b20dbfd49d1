"""`TradeSimulator`: one simulated account, brought forward block by block by the compiled kernels."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Final, NamedTuple

import numpy as np

from finiex_ray.bars.block import Block
from finiex_ray.core.enums import OrderType, RejectReason, Side, Wake
from finiex_ray.core.errors import StrategyContractError
from finiex_ray.core.market import IntArray, read_only
from finiex_ray.core.money import to_minor
from finiex_ray.core.records import FAR_FUTURE_NS, NO_TICK, Records
from finiex_ray.core.records import LEDGER_COLUMNS as L
from finiex_ray.core.time import NS_PER_S
from finiex_ray.kernels.horizon import quiet_until_nb
from finiex_ray.kernels.requests import clear_draft_nb, send_nb, set_timer_nb
from finiex_ray.kernels.simulation import advance_nb, finish_nb
from finiex_ray.trading.draws import RequestDraws, are_zero
from finiex_ray.trading.memory import AccountMemory
from finiex_ray.trading.policy import OnePositionPolicy, OnOpposite, QuotePolicy
from finiex_ray.trading.rollover import rollovers
from finiex_ray.trading.terms import TradingTerms

__all__ = ["EQUITY_ROWS", "NO_RATES", "TradeSimulator", "Way", "make_way"]

EQUITY_ROWS = 512  # rows of the downsampled equity record, whatever the length of the scenario
NO_RATES = read_only(np.empty((0, 2), np.int64))  # no conversion pair
_MOST_STEPS = 2**61
_LEAST_GROWTH, _MOST_GROWTH = 4, 32
_FILLED_AT_END: Final = ((L.fills, L.fills_rows), (L.trades, L.trades_rows), (L.events, L.events_rows))
_GROW: Final = int(Wake.GROW)
_SYMBOL: Final[int] = L.own_quote  # where the symbol's terms begin in the ledger


class Way(NamedTuple):
    """What `advance_nb` is told beside the account, in its order: the same for all accounts of a batch."""

    time_ns: IntArray
    bid_points: IntArray
    ask_points: IntArray
    extremes: IntArray
    rates: IntArray
    signals: IntArray
    first: int
    last: int
    shift: int
    base: int
    wake: int


def make_way(block: Block, signals: IntArray, first: int, last: int, wake: Wake, rates: IntArray = NO_RATES) -> Way:
    """A way through a block; the arguments are those of `TradeSimulator.advance`."""
    shift = block.offset
    return Way(*block.quotes, rates, signals, shift + first, shift + last, shift, block.first_tick - shift, int(wake))


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
        self._ticks, self._seed = ticks, seed
        self._draws: RequestDraws | None = None
        self.comments: dict[int, str] = {}  # order id to the strategy's own text
        self._memory = AccountMemory(
            {
                "curve": EQUITY_ROWS + 2,
                "draft": 1,
                "rollovers": rollovers(terms.swap, *span_ns),
                "sessions": terms.sessions,
                "tiers": terms.tiers,
            }
        )
        self._write_draws(0)
        self._open(ticks)
        if policy is not None:
            self._set_policy(policy)

    def twin(self, policy: OnePositionPolicy) -> TradeSimulator:
        """The same account under another policy, which then goes its own way; for an account that nothing has happened to."""
        twin = TradeSimulator.__new__(TradeSimulator)
        vars(twin).update(vars(self))
        twin._memory, twin.comments = self._memory.copy(), {}
        twin._draws = None
        twin._set_policy(policy)
        return twin

    def _write_draws(self, first: int) -> None:
        """Draws what chance decides about the requests from ``first`` on, as far as there is room for them."""
        if are_zero(self.terms):  # as new memory is
            return
        if self._draws is None:  # a twin's, whose first draws were made before it was one
            self._draws = RequestDraws(self.terms, self._seed)
            self._draws.next(first)
        self._memory.write_draws(first, self._draws.next(self._memory.rows("draws") - first))

    def _open(self, ticks: int) -> None:
        """Writes the ledger of an account that nothing has happened to."""
        row, symbol = self._memory.ledger, self.terms.record.view(np.int64)
        self._memory.ints[_SYMBOL : _SYMBOL + len(symbol)] = symbol
        balance = to_minor(self.terms.opening_balance, self.terms.currency)
        row["balance_minor"] = balance
        for name in ("equity", "equity_peak", "equity_trough"):
            row[name] = float(balance)
        row["next_arrival_ns"], row["next_position_id"], row["last_tick"] = FAR_FUTURE_NS, 1, NO_TICK
        row["bucket_ticks"] = row["bucket_end"] = max(1, -(-ticks // EQUITY_ROWS))
        row["bucket_low"], row["bucket_high"] = np.inf, -np.inf
        set_timer_nb(self._memory.ints)

    def _set_policy(self, policy: OnePositionPolicy) -> None:
        ints = self._memory.ints
        steps, refused = self.to_steps(policy.lots)
        if refused:
            raise StrategyContractError(
                f"lots {policy.lots} is no multiple of {self.terms.symbol}'s volume step {self.terms.volume_step}"
            )
        ints[L.enabled], ints[L.volume_steps] = 1, steps
        ints[L.sl_offset_points], ints[L.tp_offset_points] = policy.sl_points, policy.tp_points
        ints[L.policy_trail_points] = policy.trail_points
        if isinstance(policy, QuotePolicy):
            ints[L.quotes], ints[L.offset_points] = 1, policy.offset_points
            ints[L.lifetime_ns] = round(policy.lifetime_s * NS_PER_S)
        ints[L.reverse] = policy.on_opposite is OnOpposite.REVERSE
        if policy.min_free_margin:
            free = Fraction(policy.min_free_margin) * self.terms.minor_per_unit
            self._memory.reals[L.min_free_margin] = float(free)

    @property
    def large(self) -> bool:
        """Whether its memory should serve the next account: then results take copies, and `release` follows."""
        return self._memory.large

    def release(self) -> None:
        """Leaves the memory to the next account of this thread; the last call."""
        self._memory.release()

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
        return self._memory.account

    def whole(self, column: int) -> int:
        """One integer of the account, by its place in `LEDGER_COLUMNS`: much faster than a field of ``account``."""
        return self._memory.ints.item(column)

    def real(self, column: int) -> float:
        """One float of the account, likewise."""
        return self._memory.reals.item(column)

    def advance(
        self, block: Block, signals: IntArray, first: int, last: int, wake: Wake, rates: IntArray = NO_RATES
    ) -> tuple[int, Wake]:
        """Brings the account from tick offset ``first`` of a block to ``last``, or to the next wake-up.

        Args:
            block: The block.
            signals: The stretches of the block that have an action, as `make_signals` gives them.
            first: Offset within the block of the first tick to process.
            last: Offset past the last one.
            wake: On which events control comes back.
            rates: [n, 2] bid and ask of the conversion pair at each tick of the block, where one is needed.

        Returns:
            The offset past the last processed tick, and why control came back (``Wake.NONE``: the end was reached).
        """
        place, reason = self.go(make_way(block, signals, first, last, wake, rates))
        return place - block.offset, Wake(reason) if reason else Wake.NONE

    def go(self, way: Way) -> tuple[int, int]:
        """The same for what `make_way` has put together; offsets of the segment and bare numbers."""
        memory = self._memory
        while True:
            place, reason = advance_nb(memory.ints, memory.reals, *way)
            if reason != _GROW:
                return place, reason
            self._grow()
            way = way._replace(first=place)

    def quiet_until(self, block: Block, first: int, last: int, rates: IntArray = NO_RATES) -> int:
        """Offset of the first tick from ``first`` to ``last`` that does more to the account than mark it, or ``last``.

        The arguments are those of ``advance``; the account has been brought to ``first``.
        """
        quotes, shift = block.quotes, block.offset
        place = quiet_until_nb(
            self._memory.ints,
            self._memory.reals,
            quotes.time_ns,
            quotes.bid_points,
            quotes.ask_points,
            quotes.extremes,
            rates,
            shift + first,
            shift + last,
            shift,
        )
        return int(place) - shift

    def finish(self) -> None:
        """Ends the scenario at its last tick (rule R12)."""
        memory = self._memory
        ends = self.whole(L.positions) + self.whole(L.pending) + self.whole(L.resting)
        while any(self.whole(used) + ends > self.whole(rows) for used, rows in _FILLED_AT_END):
            self._grow()
        finish_nb(memory.ints, memory.reals)

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
        memory = self._memory
        if self.whole(L.orders) >= self.whole(L.orders_rows) or self.whole(L.events) >= self.whole(L.events_rows):
            self._grow()
        refused = RejectReason.NONE
        if lots is not None:
            fields["volume_steps"], refused = self.to_steps(lots)
        clear_draft_nb(memory.ints)
        draft = memory.records("draft", 1)[0]
        draft["type"], draft["side"] = kind, side
        for name, value in fields.items():
            draft[name] = value
        return int(send_nb(memory.ints, int(refused)))

    def pair(self, first: int, second: int) -> None:
        """Makes two orders of this tick cancel each other: when one fills, the other is cancelled (OCO)."""
        orders = self.orders()
        orders["oco_id"][first - 1], orders["oco_id"][second - 1] = second, first

    def _grow(self) -> None:
        """Makes room in every table; what they hold stays."""
        before = self._memory.rows("draws")
        # As many times as the rest of the scenario takes if it goes on like this: memory that is not used costs nothing.
        wanted = ceil(1.25 * self._ticks / max(self.whole(L.last_tick), 1))
        self._memory.grow(min(max(wanted, _LEAST_GROWTH), _MOST_GROWTH))
        self._write_draws(before)

    def orders(self) -> Records:
        """All orders so far (`ORDER_DTYPE`), in request order."""
        return self._memory.records("orders", self.whole(L.orders))

    def alive(self) -> list[int]:
        """Rows in `orders` of those that are under way or rest at the broker, in request order."""
        pending, resting = self.whole(L.pending), self.whole(L.resting)
        if not pending and not resting:
            return []
        return sorted(self._memory.indices("queue", pending) + self._memory.indices("book", resting))

    def fills(self) -> Records:
        """All fills so far (`FILL_DTYPE`), in time order."""
        return self._memory.records("fills", self.whole(L.fills))

    def trades(self) -> Records:
        """All closed trades so far (`TRADE_DTYPE`), in closing order."""
        return self._memory.records("trades", self.whole(L.trades))

    def positions(self) -> Records:
        """The open positions (`POSITION_DTYPE`), in fill order."""
        return self._memory.records("positions", self.whole(L.positions))

    def events(self, first: int = 0) -> Records:
        """What the logic is told of (`EVENT_DTYPE`), from row ``first`` on."""
        return self._memory.records("events", self.whole(L.events), first)

    def equity_curve(self) -> Records:
        """The downsampled equity record (`EQUITY_DTYPE`): extremes of every bucket are kept."""
        return self._memory.records("curve", self.whole(L.equity_rows))
