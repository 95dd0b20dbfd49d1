"""The memory of an account serves the next one of its thread, and the next one cannot tell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import make_config, run

from finiex_ray.engine.result import ScenarioResult
from finiex_ray.trading import memory

QUOTING = {"type": "two_sided_quote", "offset_points": 3, "lifetime_s": 5, "tp_points": 30, "trail_points": 15}
SCRIPTED = {
    "type": "scripted",
    "orders": [
        {"tick": 5, "action": "buy", "limit_points": 30, "sl_points": 60, "tp_points": 80},
        {"tick": 9, "action": "sell", "stop_points": 40, "trail_points": 35},
    ],
}
LAGGING = {"broker": "test", "latency": {"kind": "uniform", "ms": 5, "max_ms": 900}, "rejection_share": 0.1}


def _bytes(result: ScenarioResult) -> tuple[Any, ...]:
    assert result.error is None, result.error.traceback
    assert result.loop is not None
    loop = result.loop
    return (
        *(part.tobytes() for part in (loop.orders, loop.fills, loop.trades, loop.equity)),
        loop.result_hash,
        dict(loop.statistics),
    )


@pytest.fixture(autouse=True)
def small_spares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_LEAST_SPARE", 1)
    monkeypatch.setattr(memory, "_SPARE", memory._Spare())


@pytest.mark.parametrize("account", [{"broker": "test"}, LAGGING], ids=["plain", "lagging"])
def test_what_is_left_is_as_new_and_changes_nothing(account: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    configs = [
        make_config(logic=logic, account=account, max_ticks=ticks)
        for logic in (QUOTING, SCRIPTED)
        for ticks in (6_000, 1_500)
    ]
    results = []
    for config in configs * 2:
        results.append(_bytes(run(config)))
        spare = memory._SPARE
        assert spare.words > 0
        assert not spare.block.any()
    assert results[0][0]
    monkeypatch.setattr(memory, "_MOST_SPARE", 0)  # nothing is kept
    monkeypatch.setattr(memory, "_SPARE", memory._Spare())
    assert [_bytes(run(config)) for config in configs * 2] == results
    assert memory._SPARE.words == 0


def test_a_result_keeps_its_records_while_others_run() -> None:
    first = run(make_config(logic=QUOTING, max_ticks=6_000))
    before = _bytes(first)
    run(make_config(logic={**QUOTING, "offset_points": 7}, max_ticks=6_000))
    assert _bytes(first) == before
    assert first.loop is not None
    assert np.all(first.loop.orders["order_id"] == 1 + np.arange(len(first.loop.orders)))
