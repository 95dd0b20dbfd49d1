"""The Python lane gives the bytes of the plain path; gates call a tick-style logic where something has happened."""

from __future__ import annotations

from typing import Any

import pytest
from builders import make_config, run
from hypothesis import given, settings
from hypothesis import strategies as st

from finiex_ray.config.models import ScenarioConfig
from finiex_ray.core.errors import ScenarioInvalidError
from finiex_ray.engine.assemble import build_strategy
from finiex_ray.engine.result import ScenarioResult

ACCOUNTS: dict[str, dict[str, Any]] = {
    "plain": {"broker": "test"},
    "delayed": {"broker": "test", "latency": {"kind": "uniform", "ms": 5, "max_ms": 4_000}},
    "small": {"broker": "test", "balance": 700},
}
WORKERS = {
    "rsi": {"type": "rsi", "timeframe": "M1", "period": 4},
    "band": {"type": "bollinger", "timeframe": "M1", "period": 5},
}


def _config(logic: str, lane: bool, block: int | None, **values: Any) -> ScenarioConfig:
    account, symbol = values.pop("account", ACCOUNTS["plain"]), values.pop("symbol", "EURUSD")
    return make_config(
        symbol=symbol,
        account=account,
        workers=WORKERS,
        logic={"type": f"lane_strategies:{logic}", **values},
        execution={"python_lane": lane, "block_ticks": block},
        max_ticks=1_500,
    )


def _seen(result: ScenarioResult) -> tuple[Any, ...]:
    assert result.error is None, result.error.traceback
    loop = result.loop
    assert loop is not None
    records = (loop.orders, loop.fills, loop.trades, loop.equity)
    return (*(part.tobytes() for part in records), loop.result_hash, dict(loop.statistics), result.log)


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    reads=st.sampled_from([0.0, 0.02, 0.5]),
    trades=st.sampled_from([0.003, 0.03, 0.3]),
    account=st.sampled_from(sorted(ACCOUNTS)),
    symbol=st.sampled_from(["EURUSD", "USDJPY"]),
    block=st.sampled_from([None, 1, 7, 300]),
)
def test_the_lane_changes_nothing(
    seed: int, reads: float, trades: float, account: str, symbol: str, block: int | None
) -> None:
    values = {"seed": seed, "reads": reads, "trades": trades, "account": ACCOUNTS[account], "symbol": symbol}
    plain = _seen(run(_config("Dice", False, None, **values)))
    assert _seen(run(_config("Dice", True, block, **values))) == plain


@pytest.mark.parametrize("account", sorted(ACCOUNTS))
def test_there_is_something_to_agree_on(account: str) -> None:
    values = {"seed": 5, "reads": 0.1, "trades": 0.05, "account": ACCOUNTS[account], "lots": 0.3}
    results = [run(_config("Dice", lane, block, **values)) for lane, block in ((False, 64), (True, None), (True, 1))]
    loop = results[0].loop
    assert loop is not None
    assert min(len(loop.orders), len(loop.fills), len(loop.trades)) > 10
    assert len(results[0].log) > 100
    assert _seen(results[1]) == _seen(results[2]) == _seen(results[0])


@pytest.mark.parametrize("block", [None, 1, 7])
def test_gates_call_where_something_has_happened(block: int | None) -> None:
    values = {"reads": 0.5, "trades": 0.5, "seed": 2}
    by_hand, gated = run(_config("GatedByHand", True, None, **values)), run(_config("Gated", True, block, **values))
    assert by_hand.loop is not None
    assert len(by_hand.loop.trades) > 5
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
        ({"type": "lane_strategies:Dice", "wake_on": ["fill"]}, "'actions', 'fills', 'bars' or 'every_tick'"),
    ],
)
def test_a_gate_that_cannot_be_is_refused(logic: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioInvalidError, match=message):
        build_strategy(make_config(workers=WORKERS, logic=logic))
