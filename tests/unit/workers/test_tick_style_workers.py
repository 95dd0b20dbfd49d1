"""Tick-style workers: what they see, how they fail; and the coordinator that runs all workers of a scenario."""

from __future__ import annotations

import pickle
from collections.abc import Mapping

import numpy as np
import pytest
from support import make_blocks, random_ticks

from finiex_ray.bars.block import Block
from finiex_ray.bars.tick import ClosedBars, FormingBar, Tick, TickFailure
from finiex_ray.core.errors import StrategyContractError
from finiex_ray.core.log import SILENT
from finiex_ray.core.time import Timeframe
from finiex_ray.workers.average import AverageParams
from finiex_ray.workers.base import Worker, WorkerParams
from finiex_ray.workers.coordinator import WorkerCoordinator
from finiex_ray.workers.moving_average import MovingAverage
from finiex_ray.workers.tick_style import TickWorker, adapt

S30 = Timeframe.S30
PARAMS = WorkerParams(timeframe=S30, warmup_bars=5)
BLOCKS = make_blocks(random_ticks(900), 500, {S30: 5}, 150)


class Sma(TickWorker):
    """The twin of moving_average with period 4, as a user would write it."""

    outputs = ("ma",)

    def compute(
        self, tick: Tick, bar_history: Mapping[Timeframe, ClosedBars], forming_bars: Mapping[Timeframe, FormingBar]
    ) -> float:
        closes = bar_history[self.params.timeframe].close[-3:]
        return (sum(closes.tolist()) + forming_bars[self.params.timeframe].close) / 4


class Looks(TickWorker):
    """Keeps what it was given."""

    def compute(self, tick, bar_history, forming_bars):  # type: ignore[no-untyped-def]
        self.seen = tick, bar_history, forming_bars
        return 0


class Raises(TickWorker):
    """Raises at tick ``at``."""

    at = 170

    def compute(self, tick, bar_history, forming_bars):  # type: ignore[no-untyped-def]
        if tick.index == self.at:
            raise ZeroDivisionError("by zero")
        return float(tick.index)


class RaisesEarlier(Raises):
    """Raises sooner."""

    at = 160


class Answers(TickWorker):
    """Returns what it is told to."""

    answer: object = None
    outputs = ("a", "b")

    def compute(self, tick, bar_history, forming_bars):  # type: ignore[no-untyped-def]
        return self.answer


def test_tick_style_equals_block_style() -> None:
    block_style = MovingAverage(AverageParams(timeframe=S30, period=4, warmup_bars=5))
    tick_style = adapt(Sma)(PARAMS)
    for block in BLOCKS:
        expected = block_style.compute(block)["ma"]
        np.testing.assert_allclose(tick_style.compute(block)["ma"], expected, rtol=1e-14)


def test_a_tick_worker_sees_ticks_closed_bars_and_the_forming_bar() -> None:
    worker, block = adapt(Looks)(PARAMS), BLOCKS[1]
    worker.compute(block)
    tick, history, forming = worker.inner.seen  # type: ignore[attr-defined]
    bars, last = block.bars[S30], len(block) - 1
    assert (tick.index, tick.time_ns) == (block.first_tick + last, block.time_ns[-1])
    assert (tick.bid, tick.ask) == (block.bid_points[-1] * 1e-05, block.ask_points[-1] * 1e-05)
    assert tick.mid == pytest.approx((tick.bid + tick.ask) / 2, rel=1e-15)
    closed = int(bars.span_closed[-1])
    assert len(history[S30]) == len(history[S30].close) == len(history[S30].start_ns) == closed
    assert history[S30].close[-1] == bars.history.close_hp[closed - 1] * block.half_point
    assert history[S30].high[-1] >= history[S30].open[-1] >= history[S30].low[-1]
    assert history[S30].tick_count[-1] > 0
    assert np.array_equal(history[S30].series.low_hp, bars.history.low_hp[:closed])
    with pytest.raises(ValueError, match="read-only"):
        history[S30].close[-1] = 0
    bar = forming[S30]
    assert bar.start_ns == tick.time_ns // S30.ns * S30.ns
    assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
    assert bar.close == pytest.approx(tick.mid, rel=1e-15)
    assert list(history) == list(forming) == [S30]
    with pytest.raises(KeyError, match="asks for S30 only"):
        history[Timeframe.H1]


def test_bars_that_only_others_asked_for_are_out_of_reach() -> None:
    (block,) = make_blocks(random_ticks(900), 500, {S30: 5, Timeframe.M1: 2}, 10**6)
    worker = adapt(Looks)(PARAMS)
    worker.compute(block)
    assert list(worker.inner.seen[1]) == [S30]  # type: ignore[attr-defined]


def test_the_log_reaches_the_users_code() -> None:
    class Log:
        def __init__(self) -> None:
            self.lines: list[object] = []

        def at(self, tick: int, time_ns: int) -> None:
            self.lines.append((tick, time_ns))

        def debug(self, message: str) -> None:
            self.lines.append(message)

        info = warning = error = debug

    worker = adapt(Looks)(PARAMS)
    assert worker.inner.log is SILENT
    worker.log = log = Log()
    worker.compute(BLOCKS[0])
    last = len(BLOCKS[0]) - 1
    for level in ("debug", "info", "warning", "error"):
        getattr(worker.inner.log, level)(level)
    assert log.lines[1::2] == ["debug", "info", "warning", "error"]
    assert set(log.lines[::2]) == {(last, BLOCKS[0].time_ns[last])}


def test_a_failure_names_its_tick_and_brings_what_was_computed_before() -> None:
    worker = adapt(Raises)(PARAMS)
    worker.compute(BLOCKS[0])
    with pytest.raises(TickFailure) as caught:
        worker.compute(BLOCKS[1])
    assert caught.value.tick == 170
    assert caught.value.outputs["value"].tolist() == [float(i) for i in range(150, 170)]
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.tick, copy.outputs["value"].tolist()) == (170, caught.value.outputs["value"].tolist())


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (1.5, r"Answers.compute returned float; expected a mapping with a, b"),
        ({"a": 1.0}, r"Answers.compute returned no value for: b"),
        (None, r"returned NoneType"),
    ],
)
def test_an_answer_of_the_wrong_shape_is_a_failure_at_its_tick(answer: object, message: str) -> None:
    worker = adapt(Answers)(PARAMS)
    worker.inner.answer = answer  # type: ignore[attr-defined]
    with pytest.raises(TickFailure) as caught:
        worker.compute(BLOCKS[1])
    assert caught.value.tick == BLOCKS[1].first_tick
    with pytest.raises(StrategyContractError, match=message):
        raise caught.value.__cause__  # type: ignore[misc]


class _Gives(Worker):
    outputs = ("a",)

    def __init__(self, give: object) -> None:
        super().__init__(WorkerParams())
        self.give = give

    def default_warmup_bars(self) -> int:
        return 1

    def compute(self, block: Block):  # type: ignore[no-untyped-def]
        return self.give


@pytest.mark.parametrize(
    ("give", "message"),
    [
        (None, r"worker 'mine' returned NoneType; expected a mapping"),
        ({}, r"worker 'mine' returned no output 'a' \(it returned: nothing\)"),
        ({"b": np.zeros(150)}, r"no output 'a' \(it returned: b\)"),
        ({"a": [0.0] * 150}, r"output 'a' is list; expected a float64 array of shape \(150,\)"),
        ({"a": np.zeros(149)}, r"output 'a' is float64 \(149,\)"),
        ({"a": np.zeros(150, np.float32)}, r"output 'a' is float32 \(150,\)"),
        ({"a": np.zeros((150, 1))}, r"output 'a' is float64 \(150, 1\)"),
    ],
)
def test_outputs_that_break_the_contract_are_refused(give: object, message: str) -> None:
    with pytest.raises(StrategyContractError, match=message):
        WorkerCoordinator({"mine": _Gives(give)}).compute(BLOCKS[0])


@pytest.mark.parametrize("parallel", [False, True])
def test_the_coordinator_runs_all_and_measures_each(parallel: bool) -> None:
    ticks = iter(range(0, 10**6, 5))
    workers = {"b": adapt(Sma)(PARAMS), "a": MovingAverage(AverageParams(timeframe=S30, period=4, warmup_bars=5))}
    coordinator = WorkerCoordinator(workers, parallel=parallel, clock=lambda: next(ticks))
    for block in BLOCKS:
        outputs = coordinator.compute(block)
        assert list(outputs) == ["b", "a"]
        np.testing.assert_allclose(outputs["a"]["ma"], outputs["b"]["ma"], rtol=1e-14)
    coordinator.close()
    assert {name: timing.calls for name, timing in coordinator.timings.items()} == {"a": 3, "b": 3}
    assert all(timing.total_ns >= 15 for timing in coordinator.timings.values())


@pytest.mark.parametrize("parallel", [False, True])
def test_the_earliest_failure_wins_and_cuts_the_others(parallel: bool) -> None:
    workers = {
        "late": adapt(Raises)(PARAMS),
        "early": adapt(RaisesEarlier)(PARAMS),
        "fine": MovingAverage(AverageParams(timeframe=S30, period=4, warmup_bars=5)),
    }
    coordinator = WorkerCoordinator(workers, parallel=parallel)
    coordinator.compute(BLOCKS[0])
    with pytest.raises(TickFailure) as caught:
        coordinator.compute(BLOCKS[1])
    coordinator.close()
    assert caught.value.tick == 160
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert [list(each) for each in caught.value.outputs.values()] == [["value"], ["value"], ["ma"]]
    assert {len(values) for each in caught.value.outputs.values() for values in each.values()} == {10}
