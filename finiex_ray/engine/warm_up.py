"""Compiles the kernels of the account and the bars before many processes need them at once."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from threading import Thread

import numpy as np

from finiex_ray.bars.renderer import BarRenderer
from finiex_ray.bars.window import MarketWindow
from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.models import AccountConfig, BarPrice
from finiex_ray.core.enums import OrderType, Side, Wake
from finiex_ray.core.market import TickSegment, freeze
from finiex_ray.core.time import Timeframe, to_ns
from finiex_ray.kernels.jit import cache_trusted, compiled_before
from finiex_ray.trading.signals import NO_SIGNALS
from finiex_ray.trading.simulator import TradeSimulator
from finiex_ray.trading.terms import make_terms

__all__ = ["compile_ahead", "warm_process", "warm_up"]

_TICKS = 64


def compile_ahead() -> None:
    """Lets another process compile a part of the kernels, unless the machine has them; this one waits when it gets there.

    Not on two CPUs, which may be one core: sharing it costs more than the part takes.
    """
    with suppress(OSError):  # no cache to leave it in
        if cache_trusted() and not compiled_before() and (os.cpu_count() or 1) > 2:
            Thread(target=_compile_elsewhere, name="compile-ahead", daemon=True).start()


def _compile_elsewhere() -> None:
    subprocess.run(
        [sys.executable, "-m", "finiex_ray.kernels.ahead"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,  # then this process does it itself
    )


def warm_up() -> None:
    """Compiles the kernels, unless the machine has them already."""
    if not compiled_before():
        warm_process()


@cache
def warm_process() -> None:
    """Brings a made-up account through a made-up minute: numba and the kernels are ready in this process then.

    Arrays are read-only, as those of a real run are: numba compiles for what it is given.
    """
    start_ns = to_ns(datetime(2025, 1, 6, tzinfo=UTC))
    steps = np.arange(_TICKS, dtype=np.int64)
    segment = freeze(TickSegment(start_ns + steps * 1_000_000_000, 110_000 + steps, 110_010 + steps, np.zeros(_TICKS)))
    window = MarketWindow("EURUSD", 5, BarPrice.MID, start_ns, (segment,), 0, _TICKS, {})
    broker = BrokerSpec.model_validate(
        {
            "name": "warm-up",
            "symbols": {"EURUSD": {"digits": 5, "base": "EUR", "quote": "USD", "contract_size": 100_000}},
        }
    )
    simulator = TradeSimulator(make_terms("EURUSD", AccountConfig(), broker, 5), _TICKS, 0)
    for block in BarRenderer(window, {Timeframe.M1: 0}).blocks(_TICKS):
        simulator.advance(block, NO_SIGNALS, 0, 1, Wake.FILL)
        simulator.request(OrderType.MARKET, Side.BUY, volume_steps=1)
        simulator.advance(block, NO_SIGNALS, 1, len(block), Wake.NONE)
    simulator.finish()
