"""The shipped workers and logics, and tick-style ones, under the contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from own_access import OWN
from worker_contract import LogicContract, WorkerContract

from finiex_ray.bars.block import Block
from finiex_ray.bars.tick import ClosedBars, FormingBar, Tick
from finiex_ray.config.models import TypedConfig
from finiex_ray.core.time import Timeframe
from finiex_ray.decisions.base import Actions, DecisionLogic, Inputs
from finiex_ray.decisions.registry import create_logic
from finiex_ray.workers.base import Worker, WorkerParams
from finiex_ray.workers.registry import create_worker
from finiex_ray.workers.tick_style import TickWorker

WORKERS = [
    {"type": "rsi", "period": 5},
    {"type": "rsi", "period": 5, "method": "simple"},
    {"type": "moving_average", "period": 6},
    {"type": "moving_average", "period": 1},
    {"type": "moving_average", "period": 6, "kind": "ema"},
    {"type": "envelope", "period": 6, "deviation": 0.1},
    {"type": "envelope", "period": 4, "kind": "ema"},
    {"type": "bollinger", "period": 6},
    {"type": "macd", "fast": 2, "slow": 4, "signal": 3},
    {"type": "atr", "period": 4},
    {"type": "stochastic", "k_period": 5},
    {"type": "stochastic", "k_period": 1, "k_smooth": 1, "d_period": 1},
    {"type": "test_shipped_contract:Spread"},
]


class Spread(TickWorker):
    """Distance from the latest close and the middle of the forming bar, counting its own calls."""

    outputs = ("gap", "middle", "calls")

    def __init__(self, params: WorkerParams) -> None:
        super().__init__(params)
        self.calls = 0

    def compute(
        self, tick: Tick, bar_history: Mapping[Timeframe, ClosedBars], forming_bars: Mapping[Timeframe, FormingBar]
    ) -> Mapping[str, float]:
        closed, forming = bar_history[self.params.timeframe], forming_bars[self.params.timeframe]
        self.calls += 1
        middle = (forming.high + forming.low) / 2 + len(closed)
        return {"gap": tick.mid - closed.close[-1], "middle": middle, "calls": float(self.calls)}


@pytest.mark.parametrize("live", [True, False], ids=["live", "closed"])
@pytest.mark.parametrize("config", WORKERS, ids=lambda config: "-".join(map(str, config.values())))
class TestShippedWorkers(WorkerContract):
    @pytest.fixture
    def make_worker(self, config: dict[str, object], live: bool) -> Callable[[], Worker]:
        typed = TypedConfig.model_validate({"timeframe": "S5", "live": live, **config})
        return lambda: create_worker("w", typed, OWN)


RSI_BAND = {"r": {"type": "rsi", "period": 3}, "b": {"type": "bollinger", "period": 5, "deviation": 1.0}}
LOGICS: list[tuple[dict[str, object], dict[str, dict[str, object]]]] = [
    ({"type": "aggressive_trend"}, RSI_BAND),
    ({"type": "aggressive_trend", "min_confidence": 0.4, "band_extremes": 0.2}, RSI_BAND),
    ({"type": "simple_consensus", "rsi_buy_threshold": 45, "rsi_sell_threshold": 55, "band_extremes": 0.3}, RSI_BAND),
    ({"type": "limit_entry", "rsi_buy_threshold": 45, "rsi_sell_threshold": 55, "band_extremes": 0.3}, RSI_BAND),
    ({"type": "two_sided_quote", "offset_points": 3}, {}),
    ({"type": "macd_cross"}, {"m": {"type": "macd", "fast": 2, "slow": 4, "signal": 3}}),
    ({"type": "scripted", "orders": [{"tick": 5, "action": "buy"}, {"tick": 70, "action": "close_all"}]}, {}),
]


@pytest.mark.parametrize(("config", "workers"), LOGICS)
class TestShippedLogics(LogicContract):
    @pytest.fixture
    def make_logic(
        self, config: dict[str, object], workers: dict[str, dict[str, object]]
    ) -> Callable[[], tuple[DecisionLogic, Mapping[str, Worker]]]:
        def make() -> tuple[DecisionLogic, Mapping[str, Worker]]:
            made = {
                name: create_worker(name, TypedConfig.model_validate({"timeframe": "S5", **each}))
                for name, each in workers.items()
            }
            return create_logic(TypedConfig.model_validate(config)), made

        return make


class _Peeks(Worker):
    """Breaks the contract: reads the last price of the block."""

    outputs = ("value",)

    def default_warmup_bars(self) -> int:
        return 1

    def compute(self, block: Block) -> dict[str, object]:  # type: ignore[override]
        return {"value": block.price * 0 + block.price[-1]}


def test_the_suite_finds_a_worker_that_sees_the_future() -> None:
    suite = WorkerContract()
    with pytest.raises(AssertionError, match="differs"):
        suite.test_values_do_not_depend_on_the_future(lambda: _Peeks(WorkerParams(timeframe=Timeframe.S5)))
    with pytest.raises(AssertionError, match="differs"):
        suite.test_values_do_not_depend_on_the_block_size(lambda: _Peeks(WorkerParams(timeframe=Timeframe.S5)))


def test_the_suite_finds_a_logic_that_sees_the_future() -> None:
    class Peeks(DecisionLogic):
        def decide(self, block: Block, inputs: Inputs) -> Actions:
            return ((block.price_hp > block.price_hp[-1]) * 1).astype("int8")

    with pytest.raises(AssertionError, match="differs"):
        LogicContract().test_actions_do_not_depend_on_the_future(lambda: (Peeks(Peeks.Params()), {}))
