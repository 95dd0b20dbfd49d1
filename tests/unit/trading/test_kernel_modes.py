"""The rules also hold with the kernels as plain Python, and compiled with index checks: no kernel reads past an array."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent.parent


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "chosen"), [("NUMBA_DISABLE_JIT", "not long_streams"), ("NUMBA_BOUNDSCHECK", "test")])
def test_the_rules_hold_in_this_mode(mode: str, chosen: str, tmp_path: Path) -> None:
    environment = {**os.environ, mode: "1", "FINIEX_RAY_CACHE_DIR": str(tmp_path), "FINIEX_EXAMPLES": "3"}
    names = (
        "test_rules",
        "test_order_rules",
        "test_money_rules",
        "test_order_graph",
        "test_portfolio_state",
        "test_trading_metamorphic",
    )
    files = [*(f"tests/unit/trading/{name}.py" for name in names), "tests/property/test_account_oracle.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-k", chosen, *files]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1_800, check=False
    )
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
    assert " passed" in done.stdout or "100%" in done.stdout
