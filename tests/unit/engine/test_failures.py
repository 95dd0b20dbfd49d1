"""Failures of a strategy: what the result tells, and that it is the same for every block size."""

from __future__ import annotations

from typing import Any

import pytest
from builders import make_config, make_window, run, synthetic_day, with_blocks

from finiex_ray.core.enums import ScenarioStatus
from finiex_ray.core.time import format_utc
from finiex_ray.engine.result import ScenarioResult

SIZES = (1, 7, 8_192, 10**6)
AT = 1_234


def _place(config: Any, tick: int) -> str:
    window = make_window(config)
    times = synthetic_day("EURUSD", config.start.date()).time_ns
    return f"{format_utc(int(times[window.first + tick]))} tick {tick}"


def _outcome(result: ScenarioResult) -> tuple[object, ...]:
    assert result.error is not None
    assert result.loop is not None
    loop = result.loop
    return (
        result.error, result.log, loop.ticks, loop.last_ns, loop.result_hash, dict(loop.statistics),
        loop.orders.tobytes(), loop.fills.tobytes(), loop.trades.tobytes(), loop.equity.tobytes(),
    )  # fmt: skip


@pytest.mark.parametrize("how", ["ValueError", "SystemExit"])
@pytest.mark.parametrize("at", [0, AT, 2_999])
def test_a_tick_logic_that_raises(how: str, at: int) -> None:
    config = make_config(logic={"type": "engine_strategies:Zigzag", "at": at, "how": how})
    results = [run(with_blocks(config, size)) for size in SIZES]
    error, loop = results[0].error, results[0].loop
    assert error is not None
    assert loop is not None
    assert results[0].status is ScenarioStatus.FINISHED_WITH_ERROR
    assert (error.type, error.tick_index) == (how, at)
    assert error.message == (f"no luck at {at}" if how == "ValueError" else "3")
    assert "engine_strategies.py" in error.traceback
    assert f"{_place(config, at)} ERROR {how}: {error.message}" in results[0].log
    assert loop.ticks == at + 1
    assert len(loop.orders) == 2 * (at // 70) + (1 if at % 70 > 10 else 0) - _closes_without_position(results[0])
    for result in results[1:]:
        assert _outcome(result) == _outcome(results[0])


def _closes_without_position(result: ScenarioResult) -> int:
    """Positions that a stop closed before their time leave nothing to close."""
    assert result.loop is not None
    return sum(int(trade["exit_order_id"]) == 0 for trade in result.loop.trades)


@pytest.mark.parametrize("how", ["ValueError", "SystemExit"])
@pytest.mark.parametrize("at", [0, AT, 2_999])
def test_a_tick_worker_that_raises(how: str, at: int) -> None:
    config = make_config(
        workers={"range": {"type": "engine_strategies:Range", "timeframe": "M1", "at": at, "how": how}},
        logic={"type": "engine_strategies:ByRange"},
    )
    results = [run(with_blocks(config, size)) for size in SIZES]
    error, loop = results[0].error, results[0].loop
    assert error is not None
    assert loop is not None
    assert (error.type, error.tick_index, loop.ticks) == (how, at, at)
    assert "engine_strategies.py" in error.traceback
    assert f"{_place(config, at)} ERROR {how}: {error.message}" in results[0].log
    for result in results[1:]:
        assert _outcome(result) == _outcome(results[0])


def test_the_earlier_of_two_failures_counts() -> None:
    """A logic that raises at tick 100 hides a worker that would raise at 200 of the same block."""
    config = make_config(
        workers={"range": {"type": "engine_strategies:Range", "timeframe": "M1", "at": 200}},
        logic={"type": "engine_strategies:Zigzag", "at": 100},
    )
    for size in SIZES:
        result = run(with_blocks(config, size))
        assert result.error is not None
        assert (result.error.tick_index, result.error.message) == (100, "no luck at 100")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("dtype", r"Wrong.decide returned float64 (3000,); expected an int8 array of shape (3000,)"),
        ("shape", r"Wrong.decide returned int8 (3001,); expected an int8 array of shape (3000,)"),
        ("none", r"Wrong.decide returned NoneType; expected an int8 array of shape (3000,)"),
    ],
)
def test_a_logic_that_breaks_its_contract(answer: str, message: str) -> None:
    result = run(make_config(logic={"type": "engine_strategies:Wrong", "answer": answer}))
    assert result.error is not None
    assert (result.error.type, result.error.message) == ("StrategyContractError", message)
    assert result.error.tick_index == 0


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("dtype", "worker 'w' output 'value' is float32 (3000,); expected a float64 array of shape (3000,)"),
        ("shape", "worker 'w' output 'value' is float64 (3001,); expected a float64 array of shape (3000,)"),
        ("missing", "worker 'w' returned no output 'value' (it returned: other)"),
    ],
)
@pytest.mark.parametrize("parallel", [False, True])
def test_a_worker_that_breaks_its_contract(answer: str, message: str, parallel: bool) -> None:
    workers = {
        "w": {"type": "engine_strategies:WrongWorker", "answer": answer},
        "rsi": {"type": "rsi", "timeframe": "M1"},
    }
    result = run(make_config(workers=workers, execution={"parallel_workers": parallel}))
    assert result.error is not None
    assert (result.error.type, result.error.message) == ("StrategyContractError", message)


def test_a_scenario_that_cannot_be_built_is_a_result_without_a_loop() -> None:
    result = run(make_config(account={"broker": "test", "conversion_rates": {"USD": 1}, "currency": "CHF"}))
    assert result.success  # a stated rate is enough
    config = make_config(account={"broker": "test", "currency": "CHF"})
    result = run(config)
    assert result.status is ScenarioStatus.FINISHED_WITH_ERROR
    assert result.loop is None
    assert result.error is not None
    assert (result.error.type, result.error.tick_index) == ("ScenarioInvalidError", None)


def test_keyboard_interrupt_passes_through() -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(make_config(), progress=interrupted)


def test_the_time_limit_fails_the_scenario_and_keeps_what_was_done() -> None:
    """The clock is the test's: each reading is 1 s after the one before."""
    readings = iter(range(10**9))
    config = make_config(
        logic={"type": "engine_strategies:Zigzag"}, execution={"time_limit_s": 100, "block_ticks": 64, "profile": False}
    )
    result = run(config, clock=lambda: next(readings) * 10**9)
    assert result.error is not None
    assert result.error.type == "TimeLimitError"
    assert "time limit of 100.0 s reached after" in result.error.message
    assert "raise execution.time_limit_s" in result.error.message
    assert result.loop is not None
    assert 0 < result.loop.ticks < 200
    assert result.error.tick_index is not None
    assert abs(result.error.tick_index - result.loop.ticks) <= 1
