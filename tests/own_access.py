"""The strategies of the tests are named by import path: here is the permission that this needs."""

from __future__ import annotations

from finiex_ray.core.access import PluginAccess

OWN = PluginAccess(
    (
        "checks_strategies",
        "engine_strategies",
        "execution_support",
        "fault_strategies",
        "golden_logics",
        "lane_strategies",
        "strategy_of_this_folder",
        "sweep_support",
        "test_logic_registry",
        "test_shipped_contract",
        "test_worker_registry",
    )
)
