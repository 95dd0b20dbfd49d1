"""The compiled account and the slow one, record by record and field by field."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from builders import bare_blocks, rows

from finiex_ray.core.enums import Wake
from finiex_ray.core.market import TickSegment
from finiex_ray.trading.signals import make_signals
from finiex_ray.trading.simulator import NO_RATES, TradeSimulator
from oracle.account import Account, Policy
from oracle.ports import Ask, FastPort, SlowPort, send_all
from oracle.rules import Rules

__all__ = ["check_curve", "check_open", "check_records", "finish", "pair_rates", "run_fast", "run_slow"]

Script = Mapping[int, Sequence[Ask]]


def run_fast(
    simulator: TradeSimulator, ticks: TickSegment, actions: np.ndarray, script: Script, block_ticks: int, wake: Wake
) -> list[tuple[int, Wake]]:
    """Runs the compiled account; returns where it handed control back, and why."""
    port, wakes, count = FastPort(simulator), [], len(ticks.time_ns)
    rates = pair_rates(simulator.terms.pair is not None, count)
    for block in bare_blocks(ticks, block_ticks):
        first, offset = block.first_tick, 0
        while offset < len(block):
            part = slice(first, first + len(block))
            signals = make_signals(actions[part])
            offset, reason = simulator.advance(block, signals, offset, len(block), wake, rates[part])
            if reason:
                tick = first + offset - 1
                wakes.append((tick, reason))
                bid = int(ticks.bid_points[tick])
                port.at(int(ticks.time_ns[tick]), bid, int(ticks.ask_points[tick]))
                send_all(script.get(tick, ()), port, bid)
    return wakes


def run_slow(
    rules: Rules,
    ticks: TickSegment,
    actions: np.ndarray,
    script: Script,
    wake: Wake,
    seed: int,
    policy: Policy | None = None,
) -> tuple[Account, list[tuple[int, Wake]]]:
    """Runs the slow account tick by tick; with a policy the actions are its own, else they wake the script."""
    account = Account(rules, seed, policy)
    port, wakes = SlowPort(account), []
    rates = pair_rates(rules.pair is not None, len(ticks.time_ns))
    for tick, (time_ns, bid, ask) in enumerate(zip(*(column.tolist() for column in ticks[:3]), strict=True)):
        told = len(account.events)
        account.tick(tick, time_ns, bid, ask, tuple(rates[tick].tolist()) if len(rates) else (0, 0))
        if policy is not None:
            account.act(int(actions[tick]))
        reason = wake & Wake.TICK
        reason |= wake & Wake.FILL if len(account.events) > told else Wake.NONE
        reason |= wake & Wake.ACTION if policy is None and actions[tick] else Wake.NONE
        if reason:
            wakes.append((tick, reason))
            send_all(script.get(tick, ()), port, bid)
    return account, wakes


def pair_rates(needed: bool, count: int) -> np.ndarray:
    """Quotes of a conversion pair at each tick, its points, the same in every run."""
    if not needed:
        return NO_RATES
    draw = np.random.default_rng(11)
    bid = 110_000 + np.cumsum(draw.integers(-60, 61, count))
    return np.stack([bid, bid + draw.integers(0, 2_000, count)], axis=1)  # wide, so that the side matters


def finish(simulator: TradeSimulator) -> None:
    """Ends the compiled account at its last tick."""
    simulator.finish()


def check_records(simulator: TradeSimulator, account: Account) -> None:
    """Orders, fills, trades, events and the ledger."""
    assert rows(simulator.orders()) == account.orders
    assert rows(simulator.fills()) == account.fills
    assert rows(simulator.trades()) == account.trades
    assert rows(simulator.events()) == account.events
    ledger = simulator.account
    assert int(ledger["balance_minor"]) == account.balance
    _close(ledger["margin_used"], account.margin_used())
    _close(ledger["equity"], account.equities.history[-1], account.balance)
    _close(ledger["equity_peak"], max(account.equities.history), account.balance)
    _close(ledger["equity_trough"], min(account.equities.history), account.balance)
    _close(ledger["max_drawdown"], account.equities.max_drawdown(), account.balance)
    _close(ledger["max_drawdown_share"], account.equities.max_drawdown_share(), 1)
    _close(ledger["max_runup"], account.equities.max_runup(), account.balance)
    for total, part in (("gross", "gross"), ("commission", "commission"), ("swap_total", "swap")):
        assert int(ledger[f"{total}_minor"]) == sum(fill[f"{part}_minor"] for fill in account.fills)


def _close(seen: Any, exact: Fraction, scale: float | Fraction = 0) -> None:
    """Equal up to the rounding of a few float64 operations on numbers of that scale."""
    largest = max(abs(exact), abs(scale), 1, key=float)
    assert math.isclose(float(seen), float(exact), rel_tol=0, abs_tol=1e-12 * float(largest)), (seen, float(exact))


def check_open(simulator: TradeSimulator, account: Account) -> None:
    """Every field of every open position, and its extremes."""
    expected = [
        {**held, "lowest_points": min(marks), "highest_points": max(marks)}
        for held, marks in zip(account.positions, account.marks, strict=True)
    ]
    assert rows(simulator.positions()) == expected


def check_curve(simulator: TradeSimulator, account: Account) -> None:
    """Each row of the downsampled curve keeps its bucket's last values and extremes; the end is in the last row."""
    curve, first = rows(simulator.equity_curve()), 0
    for row in curve:
        bucket, last = account.curve[first : row["tick"] + 1], row is curve[-1]
        tick, time_ns, balance, equity = bucket[-1]
        equities = [each[3] for each in bucket]
        if last:
            balance, equity = account.balance, Fraction(account.balance)
            equities.append(equity)
        assert (row["tick"], row["time_ns"], row["balance"]) == (tick, time_ns, balance)
        _close(row["equity"], equity, balance)
        _close(row["equity_low"], min(equities), balance)
        _close(row["equity_high"], max(equities), balance)
        first = row["tick"] + 1
    assert first == len(account.curve)
