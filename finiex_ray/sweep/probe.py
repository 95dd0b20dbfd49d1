"""`probe`: some points of a space, run as they are, each with its objectives; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from finiex_ray.core.errors import ConfigError
from finiex_ray.engine.result import ScenarioResult
from finiex_ray.execution.coordinator import ExecutorName
from finiex_ray.sweep.objective import Objective
from finiex_ray.sweep.study import Study
from finiex_ray.sweep.trials import with_params

__all__ = ["probe"]


def probe(
    study: Study,
    points: Sequence[Mapping[str, Any]],
    *,
    executor: ExecutorName = "local",
    jobs: int | None = None,
    address: str | None = None,
) -> list[dict[str, float | None]]:
    """Runs each point over all windows of a study.

    Args:
        study: Windows, market, objectives.
        points: Parameters over the windows' own.
        executor: ``local``, ``ray`` or ``auto``.
        jobs: Threads or CPUs.
        address: A Ray cluster.

    Returns:
        For each point its objectives over all windows (None where one has no value), and ``net_profit``, ``trades`` (sums)
        and ``max_drawdown_pct`` (the largest).

    Raises:
        ConfigError: If a scenario failed, with its reason.
    """
    windows = len(study.windows)
    configs = [
        (place * windows + number, with_params(window, point))
        for place, point in enumerate(points)
        for number, window in enumerate(study.windows)
    ]
    configs.sort(key=lambda each: each[0] % windows)  # neighbours share their window
    with study.session(executor=executor, jobs=jobs, address=address) as session:
        results = {each.index: each for each in session.run(configs, study.wanted())}
    return [
        _values([results[place * windows + number] for number in range(windows)], study.objectives)
        for place in range(len(points))
    ]


def _values(results: Sequence[ScenarioResult], objectives: Sequence[Objective]) -> dict[str, float | None]:
    rows: list[dict[str, Any]] = []
    for result in results:
        if result.error is not None or result.loop is None:
            reason = "no result" if result.error is None else f"{result.error.type}: {result.error.message}"
            raise ConfigError(f"scenario '{result.name}' failed: {reason}")
        rows.append({**result.loop.statistics, **result.measures})
    found: dict[str, float | None] = {
        "net_profit": float(sum(row["net_profit"] for row in rows)),
        "trades": float(sum(row["trades"] for row in rows)),
        "max_drawdown_pct": max(float(row["max_drawdown_pct"]) for row in rows),
    }
    return found | {each.name: each.over([row[each.name] for row in rows]) for each in objectives}
