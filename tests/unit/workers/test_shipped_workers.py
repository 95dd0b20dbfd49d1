"""Values of the shipped workers against their plain-Python twins, and the identity of live and closed values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support import bars_as_ticks, make_blocks, random_ticks, series_of
from worker_oracles import oracle

from finiex_ray.bars.block import Block
from finiex_ray.config.models import TypedConfig
from finiex_ray.core.market import BarSeries, freeze
from finiex_ray.core.time import Timeframe
from finiex_ray.workers.registry import create_worker

S30 = Timeframe.S30
CASES: list[tuple[str, dict[str, object]]] = [
    ("rsi", {"period": 4, "method": "wilder"}),
    ("rsi", {"period": 4, "method": "simple"}),
    ("moving_average", {"period": 5, "kind": "sma"}),
    ("moving_average", {"period": 1, "kind": "sma"}),
    ("moving_average", {"period": 5, "kind": "ema"}),
    ("moving_average", {"period": 1, "kind": "ema"}),
    ("envelope", {"period": 5, "kind": "sma", "deviation": 0.5}),
    ("envelope", {"period": 5, "kind": "ema", "deviation": 0.5}),
    ("bollinger", {"period": 5, "deviation": 2.0}),
    ("macd", {"fast": 3, "slow": 5, "signal": 4}),
    ("atr", {"period": 4}),
    ("atr", {"period": 1}),
    ("stochastic", {"k_period": 5, "k_smooth": 3, "d_period": 2}),
    ("stochastic", {"k_period": 1, "k_smooth": 1, "d_period": 1}),
]
both_modes = pytest.mark.parametrize("live", [True, False], ids=["live", "closed"])
every_worker = pytest.mark.parametrize(("name", "params"), CASES)


def _compute(name: str, params: dict[str, object], block: Block, **more: object) -> dict[str, np.ndarray]:
    config = TypedConfig.model_validate({"type": name, "timeframe": "S30", **params, **more})
    return dict(create_worker(name, config).compute(block))


def _rows(bars: BarSeries, closed: int) -> list[tuple[int, int, int]]:
    columns = (bars.high_hp[:closed], bars.low_hp[:closed], bars.close_hp[:closed])
    return list(zip(*(column.tolist() for column in columns), strict=True))


@every_worker
@both_modes
@pytest.mark.parametrize("warmup", [1, 2, 4, 15])
def test_every_value_equals_its_twin(name: str, params: dict[str, object], live: bool, warmup: int) -> None:
    (block,) = make_blocks(random_ticks(900), 500, {S30: warmup}, 10**6)
    values = _compute(name, params, block, live=live, warmup_bars=warmup)
    twin = oracle(name, params, block.half_point)
    bars = block.bars[S30]
    defined = 0
    for i in range(0, len(block), 7):
        closed = int(bars.span_closed[np.searchsorted(bars.span_first, i, side="right") - 1])
        known = _rows(bars.history, closed)
        if live:
            known.append((int(bars.forming.high_hp[i]), int(bars.forming.low_hp[i]), int(block.price_hp[i])))
        for output, expected in twin(known).items():
            assert values[output][i] == pytest.approx(expected, rel=1e-9, abs=1e-15, nan_ok=True), (output, i)
            defined += not math.isnan(expected)
    assert defined > 30


def _remembers_all(name: str, params: dict[str, object]) -> bool:
    """Whether a value depends, if ever so little, on all bars before it."""
    return name in {"macd", "atr"} or params.get("kind") == "ema" or params.get("method") == "wilder"


@pytest.mark.parametrize(("name", "params"), [case for case in CASES if not _remembers_all(*case)])
@both_modes
@pytest.mark.parametrize("more", [1, 25])
def test_extra_warm_up_changes_nothing_for_a_finite_memory(
    name: str, params: dict[str, object], live: bool, more: int
) -> None:
    enough = 20
    ticks = random_ticks(2_000)
    (short,), (long,) = (make_blocks(ticks, 1_500, {S30: bars}, 10**6) for bars in (enough, enough + more))
    expected = _compute(name, params, short, live=live, warmup_bars=enough)
    found = _compute(name, params, long, live=live, warmup_bars=enough + more)
    for output, values in expected.items():
        assert not np.isnan(values).any()
        assert values.tobytes() == found[output].tobytes()


@every_worker
def test_the_live_value_at_a_bars_last_tick_is_its_closed_value(name: str, params: dict[str, object]) -> None:
    bars = series_of(random_ticks(3_000), S30)
    forming = _compute(name, params, bars_as_ticks(bars, S30, closed=False), live=True, warmup_bars=10**6)
    closed = _compute(name, params, bars_as_ticks(bars, S30, closed=True), live=False, warmup_bars=10**6)
    for output in closed:
        assert forming[output].tobytes() == closed[output].tobytes()
        assert np.isfinite(closed[output]).sum() > 50


@every_worker
@both_modes
def test_defaults_load_enough_and_one_bar_less_is_not_enough_for_finite_memory(
    name: str, params: dict[str, object], live: bool
) -> None:
    config = TypedConfig.model_validate({"type": name, "timeframe": "S30", "live": live, **params})
    bars = create_worker(name, config).default_warmup_bars()
    (block,) = make_blocks(random_ticks(2_400), 2_000, {S30: bars}, 10**6)
    finite = params.get("method", params.get("kind")) in ("simple", "sma") or name in ("bollinger", "stochastic")
    assert all(np.isfinite(values).all() for values in _compute(name, params, block, live=live).values())
    if finite and bars > 1:
        (block,) = make_blocks(random_ticks(2_400), 2_000, {S30: bars - 1}, 10**6)
        short = _compute(name, params, block, live=live, warmup_bars=bars - 1)
        assert all(np.isnan(values[0]) for values in short.values())


@both_modes
def test_a_market_that_stands_still_is_neutral(live: bool) -> None:
    flat = BarSeries(np.arange(40) * S30.ns, *(np.full(40, 277_423) for _ in range(4)), np.ones(40, np.int64))
    block = bars_as_ticks(freeze(flat), S30, closed=True)
    for method in ("wilder", "simple"):
        rsi = _compute("rsi", {"period": 3, "method": method}, block, live=live)["rsi"]
        assert set(rsi[5:].tolist()) == {50.0}
    stochastic = _compute("stochastic", {}, block, live=live)
    assert set(stochastic["k"][20:].tolist()) == set(stochastic["d"][20:].tolist()) == {50.0}
    bands = _compute("bollinger", {"period": 7}, block, live=live)
    assert bands["upper"][-1] == bands["middle"][-1] == bands["lower"][-1] == 277_423 * block.half_point


def test_bands_hold_on_finely_divided_prices() -> None:
    """Squares of distances between such prices are beyond 64-bit integers."""
    close = np.array([10**13 + 10**11 * (-1) ** n * n for n in range(30)])
    bars = freeze(BarSeries(np.arange(30) * S30.ns, close, close, close, close, np.ones(30, np.int64)))
    bands = _compute("bollinger", {"period": 20}, bars_as_ticks(bars, S30, closed=False, point=1e-8))
    expected = oracle("bollinger", {"period": 20, "deviation": 2.0}, 5e-9)(_rows(bars, 30))
    assert {name: values[-1] for name, values in bands.items()} == pytest.approx(expected, rel=1e-12)


def test_a_run_that_ends_inside_a_block_gives_its_head() -> None:
    (block,) = make_blocks(random_ticks(900), 500, {S30: 15}, 10**6)
    for name, params in CASES:
        for live in (True, False):
            whole = _compute(name, params, block, live=live)
            head = _compute(name, params, block.head(123), live=live)
            for output in whole:
                assert head[output].tobytes() == whole[output][:123].tobytes()
