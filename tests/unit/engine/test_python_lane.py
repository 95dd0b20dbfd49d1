"""The Python lane gives the bytes of the plain path; gates call a tick-style logic where something has happened."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from builders import make_broker, make_config, make_window, run, synthetic_day
from hypothesis import given, settings
from hypothesis import strategies as st
from own_access import OWN

from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.models import ScenarioConfig
from finiex_ray.core.enums import EventKind, ExitReason
from finiex_ray.core.errors import ScenarioInvalidError
from finiex_ray.engine.assemble import build_strategy
from finiex_ray.engine.result import ScenarioResult, ScenarioTask
from finiex_ray.engine.run import run_scenario

DELAY = {"kind": "uniform", "ms": 5, "max_ms": 4_000}
SWAP = {"kind": "points", "long": "-3", "short": "1"}
STERLING = {
    pair: {"digits": 5, "base": pair[:3], "quote": pair[3:], "contract_size": 100_000} for pair in ("EURGBP", "GBPUSD")
}


class Case(NamedTuple):
    """An account at a broker, on a market."""

    account: dict[str, Any] = {}  # noqa: RUF012 - never changed
    broker: BrokerSpec = make_broker()
    symbol: str = "EURUSD"
    conversion: str = ""  # symbol whose quotes convert profits


CASES = {
    "plain": Case(),
    "delayed": Case({"latency": DELAY}),
    "own quote": Case({"latency": DELAY}, symbol="USDJPY"),
    "guarded": Case({"guard": {"rejections": 2, "cool_down_s": 20}, "rejection_share": 0.3}),
    "netting": Case(broker=make_broker(account_mode="netting", commission={"kind": "per_lot", "value": "3.5"})),
    "strict": Case(
        {"balance": 300},
        make_broker(margin_call_percent=140, stop_out_percent=120, each_symbol={"swap": SWAP}),
    ),
    "converted": Case({"latency": DELAY}, make_broker(margin_call_percent=140, symbols=STERLING), "EURGBP", "GBPUSD"),
}
WORKERS = {
    "rsi": {"type": "rsi", "timeframe": "M1", "period": 4},
    "band": {"type": "bollinger", "timeframe": "M1", "period": 5},
    "range": {"type": "engine_strategies:Range", "timeframe": "M2"},
}


def _config(logic: str, lane: bool, block: int | None, case: Case = CASES["plain"], **values: Any) -> ScenarioConfig:
    return make_config(
        symbol=case.symbol,
        account={"broker": "test", **case.account},
        workers=WORKERS,
        logic={"type": f"lane_strategies:{logic}", **values},
        execution={"python_lane": lane, "block_ticks": block},
        start=datetime(2025, 9, 23, 20, 55, tzinfo=UTC),  # five minutes before the rollover
        max_ticks=1_000,
    )


def _run(lane: bool, block: int | None, case: Case, **values: Any) -> ScenarioResult:
    config = _config("Dice", lane, block, case, **values)
    window = make_window(config)
    if case.conversion:
        window = replace(window, conversion=(synthetic_day(case.conversion, config.start.date()),))
    return run_scenario(ScenarioTask(0, config, case.broker, OWN), window, clock=time.perf_counter_ns)


def _seen(result: ScenarioResult) -> tuple[Any, ...]:
    """Everything that must not depend on the way of computing."""
    error, loop = result.error, result.loop
    assert loop is not None, error
    records = (loop.orders, loop.fills, loop.trades, loop.equity)
    failure = error and (error.type, error.message, error.tick_index)
    traceback_from = len(result.log) if error is None else result.log.index(_failure_line(result)) + 1
    log = result.log[:traceback_from]  # the engine's own frames differ
    return (*(part.tobytes() for part in records), loop.result_hash, dict(loop.statistics), failure, log)


def _failure_line(result: ScenarioResult) -> str:
    return next(line for line in result.log if " ERROR ArithmeticError: no luck" in line)


@settings(max_examples=20)
@given(
    seed=st.integers(0, 10**6),
    reads=st.sampled_from([0.0, 0.02, 0.2]),
    trades=st.sampled_from([0.003, 0.03, 0.3]),
    fail_at=st.sampled_from([-1, -1, 0, 311, 999]),
    case=st.sampled_from(sorted(CASES)),
    block=st.sampled_from([None, 1, 7, 300]),
)
def test_the_lane_changes_nothing(
    seed: int, reads: float, trades: float, fail_at: int, case: str, block: int | None
) -> None:
    values = {"seed": seed, "reads": reads, "trades": trades, "fail_at": fail_at}
    plain = _run(False, None, CASES[case], **values)
    assert (plain.error.message if plain.error else "").startswith("no luck at" if fail_at >= 0 else "")
    assert plain.success == (fail_at < 0)
    assert _seen(_run(True, block, CASES[case], **values)) == _seen(plain)


@pytest.mark.parametrize("case", sorted(CASES))
def test_there_is_something_to_agree_on(case: str) -> None:
    values = {"seed": 7, "reads": 1.0, "trades": 0.09, "lots": 0.3}
    results = [_run(lane, block, CASES[case], **values) for lane, block in ((False, 64), (True, None), (True, 1))]
    loop, log = results[0].loop, "\n".join(results[0].log)
    assert loop is not None
    assert min(len(loop.orders), len(loop.fills), len(loop.trades)) > 10
    assert len(results[0].log) > 300
    for told in (EventKind.BAR_CLOSED, EventKind.SESSION_GAP, EventKind.FILL):
        assert repr(told) in log
    assert ExitReason.STOP_LOSS in loop.trades["exit_reason"]
    if case == "strict":
        assert ExitReason.STOP_OUT in loop.trades["exit_reason"]
        assert loop.trades["swap_minor"].any()
    assert _seen(results[1]) == _seen(results[2]) == _seen(results[0])


@pytest.mark.parametrize("block", [None, 1, 7])
def test_gates_call_where_something_has_happened(block: int | None) -> None:
    values = {"reads": 0.5, "trades": 0.5, "seed": 2}
    by_hand, gated = run(_config("GatedByHand", True, None, **values)), run(_config("Gated", True, block, **values))
    assert by_hand.loop is not None
    assert len(by_hand.loop.trades) > 5
    assert gated.success
    assert _seen(gated)[:-1] == _seen(by_hand)[:-1]  # the log tells of events, which are those since the last call


def test_gates_are_set_by_a_parameter() -> None:
    assert _seen(run(_config("Gated", True, None, wake_on=["every_tick"], trades=0.05))) == _seen(
        run(_config("Dice", True, None, trades=0.05))
    )
    bars = run(_config("Dice", True, None, wake_on=["bars", "fills"], reads=1.0, trades=0.0))
    lines = [line for line in bars.log if "INFO" in line and " tick " in line]
    assert 5 < len(lines) < 100


@pytest.mark.parametrize(
    ("logic", "message"),
    [
        ({"type": "lane_strategies:Dice", "wake_on": ["actions", "fills"]}, "would never be called"),
        ({"type": "aggressive_trend", "wake_on": ["fills"]}, "which is never called; leave it out"),
        ({"type": "lane_strategies:Dice", "wake_on": ["fill"]}, "'actions', 'fills', 'bars', 'gaps' or 'every_tick'"),
    ],
)
def test_a_gate_that_cannot_be_is_refused(logic: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioInvalidError, match=message):
        build_strategy(make_config(workers=WORKERS, logic=logic), OWN)
