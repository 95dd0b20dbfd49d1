"""A stateful attack on the portfolio: any call of `TradingApi` at any tick, checked against the slow account after each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from builders import T0, bare_block, make_simulator, rows, segment_of
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from oracle.account import RESTING, Account
from oracle.compare import check_open, check_records, pair_rates
from oracle.markets import (
    GAPS_MS,
    START,
    closings,
    openings,
    order_changes,
    other_requests,
    position_changes,
    settings_of_account,
)
from oracle.ports import Ask, FastPort, SlowPort, send_all
from oracle.rules import Rules

from finiex_ray.core.enums import OrderState, Wake
from finiex_ray.core.time import NS_PER_MS
from finiex_ray.trading.signals import NO_SIGNALS


class Portfolio(RuleBasedStateMachine):
    """Two accounts side by side."""

    @initialize(setting=settings_of_account(), seed=st.integers(0, 3))
    def start(self, setting: Any, seed: int) -> None:
        symbol, config, broker = setting
        self.simulator = make_simulator(symbol, account=config, broker=broker, seed=seed)
        self.account = Account(Rules(symbol, config, broker), seed)
        self.fast, self.slow = FastPort(self.simulator), SlowPort(self.account)
        self.rates = pair_rates(self.simulator.terms.pair is not None, 1_000)
        self.time_ns, self.bid, self.ask, self.ticks = T0, START[symbol], START[symbol], 0
        self.move(0, 0, 10)

    @rule(
        gap_ms=st.sampled_from(GAPS_MS),
        move=st.integers(-9, 9) | st.sampled_from([-300, 300]),
        spread=st.integers(0, 9),
    )
    def move(self, gap_ms: int, move: int, spread: int) -> None:
        self.time_ns, self.bid = self.time_ns + gap_ms * NS_PER_MS, self.bid + move
        self.ask = self.bid + spread
        block = replace(bare_block(segment_of([(self.time_ns, self.bid, self.ask)]), 0, 1), first_tick=self.ticks)
        rates = self.rates[self.ticks : self.ticks + 1]
        assert self.simulator.advance(block, NO_SIGNALS, 0, 1, Wake.TICK, rates)[0] == 1
        self.account.tick(
            self.ticks, self.time_ns, self.bid, self.ask, tuple(rates[0].tolist()) if len(rates) else (0, 0)
        )
        self.fast.at(self.time_ns, self.bid, self.ask)
        self.ticks += 1

    def _send(self, *asks: Ask) -> None:
        send_all(asks, self.fast, self.bid)
        send_all(asks, self.slow, self.bid)

    @rule(ask=openings)
    def open(self, ask: Ask) -> None:
        self._send(ask)

    @rule(first=openings, second=openings | closings)
    def pair(self, first: Ask, second: Ask) -> None:
        self._send(first, second, Ask("pair"))

    @rule(ask=closings)
    def close(self, ask: Ask) -> None:
        self._send(ask)

    @rule(ask=order_changes)
    def change_order(self, ask: Ask) -> None:
        self._send(ask)

    @rule(ask=position_changes)
    def change_position(self, ask: Ask) -> None:
        self._send(ask)

    @rule(ask=other_requests)
    def others(self, ask: Ask) -> None:
        self._send(ask)

    @invariant()
    def the_accounts_agree(self) -> None:
        if hasattr(self, "account"):
            check_open(self.simulator, self.account)
            assert rows(self.simulator.orders()) == self.account.orders
            assert rows(self.simulator.events()) == self.account.events

    @invariant()
    def the_views_agree(self) -> None:
        if not hasattr(self, "account"):
            return
        api, minor = self.fast.api, self.account.rules.minor
        scale = 1e-9 * max(1.0, abs(self.account.balance))
        assert api.balance == self.account.balance / minor
        assert abs(api.equity - float(self.account.equity()) / minor) < scale
        funds = self.account.balance if self.account.rules.spot else self.account.equity()
        assert abs(api.free_margin - float(funds - self.account.margin_used()) / minor) < scale
        alive = {OrderState.PENDING, *RESTING}
        assert [o.order_id for o in api.pending] == [o["order_id"] for o in self.account.orders if o["state"] in alive]
        if self.account.rules.pair is not None:
            return  # a pair turns the sum of the profits, the views' profits each for itself
        profits = sum(view.profit for view in api.positions)
        assert abs(profits - float(self.account.equity() - self.account.balance) / minor) < scale

    def teardown(self) -> None:
        if hasattr(self, "account"):
            self.simulator.finish()
            self.account.end()
            check_records(self.simulator, self.account)


TestPortfolio = Portfolio.TestCase
