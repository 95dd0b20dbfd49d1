"""The contract of workers and logics as suites that any implementation can be put through.

Five steps for your own worker: subclass `WorkerContract` in a test file, write the fixture ``make_worker`` that
returns a function which makes a new one, keep its timeframe short (S5 or so: the test market is minutes long), run
pytest, and mend what it names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from support import make_blocks, random_ticks, scramble_after

from finiex_ray.bars.block import Block
from finiex_ray.core.enums import Action
from finiex_ray.core.market import TickSegment
from finiex_ray.core.time import Timeframe
from finiex_ray.decisions.base import DecisionLogic
from finiex_ray.decisions.binding import bind_roles
from finiex_ray.workers.base import Worker
from finiex_ray.workers.coordinator import WorkerCoordinator

TICKS, START = 900, 500
MARKET = random_ticks(TICKS)
ALL = 10**6

Arrays = dict[str, np.ndarray]


_made: dict[tuple[object, int], list[Block]] = {}


def market_blocks(ticks: TickSegment, warmup: Mapping[Timeframe, int], block_ticks: int) -> list[Block]:
    """Blocks of a market from START on; those of the common one are made once (blocks are read-only)."""
    if ticks is not MARKET:
        return make_blocks(ticks, START, warmup, block_ticks)
    key = (tuple(warmup.items()), block_ticks)
    if key not in _made:
        _made[key] = make_blocks(ticks, START, warmup, block_ticks)
    return _made[key]


def run_worker(worker: Worker, ticks: TickSegment, block_ticks: int, extra: int = 0) -> Arrays:
    """All outputs of a worker over the test market; ``extra`` more warm-up bars are loaded than it asks for."""
    warmup = {timeframe: bars + extra for timeframe, bars in worker.warmup().items()}
    coordinator = WorkerCoordinator({"w": worker}, history=warmup)
    parts: dict[str, list[np.ndarray]] = {name: [] for name in worker.outputs}
    for block in market_blocks(ticks, warmup, block_ticks):
        for name, values in coordinator.compute(block)["w"].items():
            assert values.shape == (len(block),)
            assert values.dtype == np.float64
            parts[name].append(values.copy())
    return {name: np.concatenate(values) for name, values in parts.items()}


def same_bytes(one: Arrays, other: Arrays, ticks: int | None = None) -> None:
    assert list(one) == list(other)
    for name in one:
        left, right = one[name][:ticks], other[name][:ticks]
        assert left.tobytes() == right.tobytes(), f"{name} differs first at tick {np.argmax(left != right)}"


class WorkerContract:
    """Every worker keeps these promises."""

    @pytest.fixture
    def make_worker(self) -> Callable[[], Worker]:
        raise NotImplementedError("return a function that makes a new worker")

    def test_values_do_not_depend_on_the_block_size(self, make_worker: Callable[[], Worker]) -> None:
        whole = run_worker(make_worker(), MARKET, ALL)
        for size in (1, 3, 64):
            same_bytes(whole, run_worker(make_worker(), MARKET, size))

    def test_values_do_not_depend_on_the_future(self, make_worker: Callable[[], Worker]) -> None:
        whole = run_worker(make_worker(), MARKET, ALL)
        for known in (1, 37, 150, 311):
            other = run_worker(make_worker(), scramble_after(MARKET, START + known), ALL)
            same_bytes(whole, other, known)

    def test_values_do_not_depend_on_how_much_history_others_asked_for(self, make_worker: Callable[[], Worker]) -> None:
        same_bytes(run_worker(make_worker(), MARKET, 64), run_worker(make_worker(), MARKET, 64, extra=9))

    def test_the_first_value_is_defined(self, make_worker: Callable[[], Worker]) -> None:
        worker = make_worker()
        assert min(worker.warmup().values()) >= 1
        for name, values in run_worker(worker, MARKET, 64).items():
            assert not np.isnan(values).any(), f"{name} is NaN at tick {np.argmax(np.isnan(values))}"

    def test_earlier_outputs_are_not_overwritten(self, make_worker: Callable[[], Worker]) -> None:
        worker = make_worker()
        first, second = make_blocks(MARKET, START, worker.warmup(), 200)[:2]
        outputs = worker.compute(first)
        before = {name: values.tobytes() for name, values in outputs.items()}
        worker.compute(second)
        assert {name: values.tobytes() for name, values in outputs.items()} == before


def run_logic(
    logic: DecisionLogic, workers: Mapping[str, Worker], ticks: TickSegment, block_ticks: int
) -> tuple[np.ndarray, Sequence[Block]]:
    """The actions of a logic over the test market."""
    warmup: dict[Timeframe, int] = {}
    for worker in workers.values():
        for timeframe, bars in worker.warmup().items():
            warmup[timeframe] = max(bars, warmup.get(timeframe, 0))
    coordinator = WorkerCoordinator(workers, history=warmup)
    roles, actions = bind_roles(logic, workers), []
    blocks = market_blocks(ticks, warmup, block_ticks)
    for block in blocks:
        outputs = coordinator.compute(block)
        inputs = outputs | {role: outputs[name] for role, name in roles.items()}
        decided = logic.decide(block, inputs)
        assert decided.shape == (len(block),)
        assert decided.dtype == np.int8
        actions.append(decided.copy())
    return np.concatenate(actions), blocks


class LogicContract:
    """Every decision logic keeps these promises."""

    @pytest.fixture
    def make_logic(self) -> Callable[[], tuple[DecisionLogic, Mapping[str, Worker]]]:
        raise NotImplementedError("return a function that makes a new logic and its workers")

    def test_actions_do_not_depend_on_the_block_size(self, make_logic) -> None:  # type: ignore[no-untyped-def]
        whole, _ = run_logic(*make_logic(), MARKET, ALL)
        for size in (1, 3, 64):
            same_bytes({"actions": whole}, {"actions": run_logic(*make_logic(), MARKET, size)[0]})

    def test_actions_do_not_depend_on_the_future(self, make_logic) -> None:  # type: ignore[no-untyped-def]
        whole, _ = run_logic(*make_logic(), MARKET, ALL)
        for known in (1, 37, 150, 311):
            other, _ = run_logic(*make_logic(), scramble_after(MARKET, START + known), ALL)
            same_bytes({"actions": whole}, {"actions": other}, known)

    def test_actions_are_known_codes(self, make_logic) -> None:  # type: ignore[no-untyped-def]
        actions, _ = run_logic(*make_logic(), MARKET, ALL)
        assert set(actions.tolist()) <= {int(action) for action in Action}
