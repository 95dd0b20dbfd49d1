"""The account passes over runs of ticks by their extremes: every record is what the slow account finds tick by tick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from builders import BLOCK_SIZES, T0, make_account, make_broker, make_simulator, rows
from hypothesis import given
from hypothesis import strategies as st
from oracle.account import Policy
from oracle.compare import check_curve, check_records, run_fast, run_slow
from oracle.markets import COUNT, START, scripts, settings_of_account
from oracle.ports import Ask
from oracle.rules import Rules

from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.models import AccountConfig
from finiex_ray.core.enums import Action, Wake
from finiex_ray.core.market import TickSegment, freeze
from finiex_ray.core.time import NS_PER_MS
from finiex_ray.kernels.runs import RUN
from finiex_ray.trading.policy import OnePositionPolicy, OnOpposite, QuotePolicy
from finiex_ray.trading.simulator import EQUITY_ROWS

Legs = Sequence[tuple[int, float, int, int, int]]
Setting = tuple[str, AccountConfig, BrokerSpec]

# Stretches of a market: ticks, drift in points a tick, noise, spread, ms between two ticks.
legs = st.lists(
    st.tuples(
        st.integers(1, 400),
        st.sampled_from([0.0, 0.0, 0.02, -0.02, 0.3, -0.3, 2.0, -2.0]),
        st.sampled_from([0, 1, 1, 4]),
        st.integers(0, 9),
        st.sampled_from([0, 1, 100, 5_000, 120_000]),
    ),
    min_size=1,
    max_size=3,
)
distance = st.one_of(st.just(0), st.integers(1, 40), st.integers(20, 300))
# Ticks that the account is told of: buckets of the equity record of a tick, of more and of less than a run.
announced = st.sampled_from([3, RUN - 1, RUN, 3 * RUN + 5, 10**5]).map(lambda ticks: ticks * EQUITY_ROWS)


def _market(symbol: str, legs: Legs, seed: int) -> TickSegment:
    draw = np.random.default_rng(seed)
    moves, spreads, gaps = [], [], []
    for ticks, drift, noise, spread, gap_ms in legs:
        steps = np.diff(np.floor(np.arange(ticks + 1) * drift)).astype(np.int64)
        moves.append(steps + draw.integers(-noise, noise + 1, ticks))
        spreads.append(np.full(ticks, spread, np.int64))
        gaps.append(np.full(ticks, gap_ms * NS_PER_MS, np.int64))
    bid = START[symbol] + np.cumsum(np.concatenate(moves))
    time_ns = T0 + np.cumsum(np.concatenate(gaps))
    return freeze(TickSegment(time_ns, bid, bid + np.concatenate(spreads), np.zeros(len(bid))))


def _check(
    setting: Setting, ticks: TickSegment, actions: np.ndarray, script: Mapping[int, Sequence[Ask]], wake: Wake, seed: int,
    announced: int, blocks: Sequence[int], policy: OnePositionPolicy | None = None, slow: Policy | None = None,
) -> None:  # fmt: skip
    """Runs by extremes, in blocks of each of the sizes, against the slow account."""
    symbol, config, broker = setting
    span = (int(ticks.time_ns[0]), int(ticks.time_ns[-1]))
    account, wakes = run_slow(Rules(symbol, config, broker), ticks, actions, script, wake, seed, slow)
    account.end()
    for block_ticks in blocks:
        simulator = make_simulator(
            symbol, account=config, broker=broker, ticks=announced, seed=seed, policy=policy, span_ns=span
        )
        assert run_fast(simulator, ticks, actions, script, block_ticks, wake) == wakes
        simulator.finish()
        check_records(simulator, account)
        check_curve(simulator, account)


@given(
    setting=settings_of_account(),
    legs=legs,
    script=scripts,
    spread_out=st.sampled_from([1, 4, 14]),
    announced=announced,
    block_ticks=st.sampled_from(BLOCK_SIZES),
    seed=st.integers(0, 10**6),
)
def test_runs_change_nothing_for_any_requests(
    setting: Setting, legs: Legs, script: dict[int, list[Ask]], spread_out: int, announced: int, block_ticks: int, seed: int
) -> None:  # fmt: skip
    ticks = _market(setting[0], legs, seed)
    requests = {tick * spread_out: asks for tick, asks in script.items() if tick * spread_out < len(ticks.time_ns)}
    actions = np.zeros(len(ticks.time_ns), np.int8)
    actions[list(requests)] = Action.BUY
    _check(setting, ticks, actions, requests, Wake.ACTION, seed, announced, (block_ticks, 10**6))


@given(
    setting=settings_of_account(),
    legs=legs,
    actions=st.lists(st.sampled_from([0, 0, -1, 1, 1, 2, 3, 3]), min_size=COUNT, max_size=COUNT),
    hold=st.sampled_from([1, 9, 200]),
    quoting=st.booleans(),
    sl=distance,
    tp=distance,
    trail=st.one_of(st.just(0), st.integers(1, 60)),
    announced=announced,
    block_ticks=st.sampled_from(BLOCK_SIZES),
    seed=st.integers(0, 10**6),
)
def test_runs_change_nothing_for_a_policy(
    setting: Setting, legs: Legs, actions: list[int], hold: int, quoting: bool, sl: int, tp: int, trail: int,
    announced: int, block_ticks: int, seed: int,
) -> None:  # fmt: skip
    ticks = _market(setting[0], legs, seed)
    decided = np.resize(np.repeat(np.array(actions, np.int8), hold), len(ticks.time_ns))
    if not quoting:
        decided[decided == Action.QUOTE] = Action.NONE
    lots = Decimal("0.1")
    steps = int(lots / Rules(*setting).spec.volume_step)
    terms = (lots, sl, tp, trail, OnOpposite.CLOSE, Decimal(0))
    policy = QuotePolicy(*terms, 6, 30.0) if quoting else OnePositionPolicy(*terms)
    quote = (True, 6, 30 * 10**9) if quoting else ()
    slow = Policy(steps, sl, tp, False, Fraction(0), trail, *quote)
    _check(setting, ticks, decided, {}, Wake.NONE, seed, announced, (block_ticks, 10**6), policy, slow)


@pytest.mark.parametrize("symbol_of", [("EURUSD", "USD"), ("EURUSD", "EUR")], ids="-".join)
@pytest.mark.parametrize("trail_points", [0, 150])
@pytest.mark.parametrize("side", ["buy", "sell", "both"])
def test_runs_change_nothing_for_a_position_in_a_long_market(
    side: str, trail_points: int, symbol_of: tuple[str, str]
) -> None:
    """Up, aside, down, aside and up: through peaks and troughs of equity, and through a trailing stop where there is one."""
    symbol, currency = symbol_of
    turns = (
        (700, 0.3, 2, 3, 100),
        (500, 0.0, 1, 1, 50),
        (900, -0.4, 3, 2, 100),
        (500, 0.0, 2, 1, 9),
        (900, 0.5, 3, 4, 7),
    )
    ticks = _market(symbol, turns, 5)
    asks = {name: Ask(name, Decimal(10), fields={"trail_points": trail_points}) for name in ("buy", "sell")}
    script = {0: [asks["buy"], asks["sell"], asks["sell"]] if side == "both" else [asks[side]], 1_500: [asks["buy"]]}
    actions = np.zeros(len(ticks.time_ns), np.int8)
    actions[list(script)] = Action.BUY
    setting = (symbol, make_account(currency=currency), make_broker())
    _check(setting, ticks, actions, script, Wake.ACTION, 0, 700 * EQUITY_ROWS, (10**6,))


@given(legs=legs, bucket=st.sampled_from([5, RUN - 1, RUN, RUN + 1, 3 * RUN]), seed=st.integers(0, 10**6))
def test_buckets_of_the_equity_record_end_with_runs(legs: Legs, bucket: int, seed: int) -> None:
    """A bucket is as long as announced; all but the first, if no shorter than a run, end where a run ends."""
    ticks = _market("EURUSD", legs, seed)
    simulator = make_simulator(ticks=bucket * EQUITY_ROWS)
    run_fast(simulator, ticks, np.zeros(len(ticks.time_ns), np.int8), {}, 10**6, Wake.NONE)
    simulator.finish()
    ends = [row["tick"] + 1 for row in rows(simulator.equity_curve())]
    count, end = len(ticks.time_ns), bucket
    expected = [min(count, end)]
    while end < count:
        end += bucket
        if bucket >= RUN:
            end = -(-end // RUN) * RUN
        expected.append(min(count, end))
    assert ends == expected


def test_more_ticks_than_were_announced_go_into_the_last_row() -> None:
    ticks = _market("EURUSD", [(2 * EQUITY_ROWS, 0.0, 1, 2, 100)], 0)
    simulator = make_simulator(ticks=EQUITY_ROWS // 2)
    run_fast(simulator, ticks, np.zeros(len(ticks.time_ns), np.int8), {}, 10**6, Wake.NONE)
    simulator.finish()
    curve = rows(simulator.equity_curve())
    assert len(curve) == EQUITY_ROWS + 2
    assert curve[-2]["tick"] == EQUITY_ROWS
    assert curve[-1]["tick"] == 2 * EQUITY_ROWS - 1
