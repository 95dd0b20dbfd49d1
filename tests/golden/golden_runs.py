"""The golden runs: for each its configuration, and what it must be seen to do (`shown.py` has the words)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

__all__ = ["RUNS", "GoldenRun"]


class GoldenRun(NamedTuple):
    """One run on the synthetic market."""

    shows: frozenset[str]
    config: dict[str, Any]
    broker: Mapping[str, Any] = MappingProxyType({})  # over the broker file
    symbol: Mapping[str, Any] = MappingProxyType({})  # over the symbol's section of it
    conversion: str = ""  # symbol whose quotes convert profits


def _run(shows: str, *, broker: Any = None, terms: Any = None, conversion: str = "", **config: Any) -> GoldenRun:
    words = frozenset(word.strip() for word in shows.split(","))
    return GoldenRun(words, config, broker or {}, terms or {}, conversion)


def _script(*orders: tuple[int, str, dict[str, Any]], type: str = "scripted") -> dict[str, Any]:  # noqa: A002
    return {"type": type, "orders": [{"tick": tick, "action": action, **more} for tick, action, more in orders]}


_BANDS = {"rsi": {"type": "rsi", "timeframe": "M1"}, "band": {"type": "bollinger", "timeframe": "M5"}}
_EAGER = {"rsi_buy_threshold": 40, "rsi_sell_threshold": 60}
_WEEKEND = datetime(2025, 9, 20, 23, 50, tzinfo=UTC)

# fmt: off
RUNS: dict[str, GoldenRun] = {
    # Strategies of workers and a logic

    "eurusd_trend": _run(
        "market filled, exit take_profit, exit scenario_end, account hedging, swap points, slippage none, latency fixed",
        workers=_BANDS,
        logic={"type": "aggressive_trend", "sl_points": 60, "tp_points": 90, **_EAGER},
    ),
    "usdjpy_own_quotes": _run(
        "latency uniform, delays vary, exit stop_loss, exit close_order, buy and sell",
        symbol="USDJPY",
        workers=_BANDS,
        logic={"type": "aggressive_trend", "sl_points": 80, "on_opposite": "reverse", **_EAGER},
        account={"broker": "mt5_fx", "latency": {"kind": "uniform", "ms": 20, "max_ms": 900}},
    ),
    "eurgbp_stated_rate_ecn": _run(
        "commission per_lot, slippage fixed, slipped 1, latency fixed",
        symbol="EURGBP",
        workers={"macd": {"type": "macd", "timeframe": "M1"}},
        logic={"type": "macd_cross", "sl_points": 40, "lots": "0.3"},
        account={"broker": "ecn_fx", "conversion_rates": {"GBP": "1.2731"}, "slippage": {"kind": "fixed", "points": 1}},
    ),
    "btcusd_percent_commission": _run(  # a weekend, over midnight
        "commission percent, rate 0.05, slippage by_spread, slipped many",
        symbol="BTCUSD",
        start=_WEEKEND,
        max_ticks=5_000,
        workers={
            "rsi": {"type": "rsi", "timeframe": "M1"},
            "band": {"type": "envelope", "timeframe": "M5", "deviation": 0.1},
        },
        logic={"type": "simple_consensus", "lots": "0.05", "band_extremes": 0.3, **_EAGER},
        account={"broker": "ecn_fx", "balance": 50_000},
    ),
    "jpy_account": _run(
        "commission per_lot, exit take_profit, currency JPY",
        symbol="USDJPY",
        workers=_BANDS,
        logic={"type": "aggressive_trend", "tp_points": 50, **_EAGER},
        account={"broker": "ecn_fx", "currency": "JPY", "balance": 1_500_000, "commission_per_lot": 350},
    ),
    "over_a_weekend": _run(
        "over a weekend, exit close_order",
        symbol="GBPUSD",
        start=datetime(2025, 9, 19, 19, tzinfo=UTC),
        end=datetime(2025, 9, 21, 22, tzinfo=UTC),
        max_ticks=None,
        workers={
            "rsi": {"type": "rsi", "timeframe": "M5", "live": False},
            "band": {"type": "bollinger", "timeframe": "M15"},
        },
        logic={"type": "aggressive_trend", "rsi_buy_threshold": 45, "rsi_sell_threshold": 55},
    ),
    "trailing_policy": _run(
        "trailing stop moved, exit stop_loss, buy and sell",
        workers=_BANDS,
        logic={"type": "aggressive_trend", "sl_points": 60, "trail_points": 25, "on_opposite": "reverse", **_EAGER},
    ),

    # Every kind of request

    "scripted_hedge_to_no_margin": _run(
        "exit stop_loss, exit take_profit, exit close_order, reason not_enough_margin,"
        "reason volume_above_max, reason volume_off_step, reason scenario_end",
        max_ticks=400,
        logic=_script(
            (3, "buy", {"lots": "0.5", "sl_points": 12}),
            (3, "sell", {"lots": "0.5", "tp_points": 9}),
            (20, "buy", {"lots": "90"}),
            (21, "buy", {"lots": "0.005"}),
            (22, "buy", {"lots": "101"}),
            (23, "sell", {"lots": "0.01", "sl_points": 3_000}),
            (24, "sell", {"lots": "0.105"}),
            (300, "close_all", {}),
            (310, "sell", {"lots": "1"}),
            (399, "buy", {"lots": "1"}),
        ),
    ),
    "limit_stop_and_stop_limit": _run(
        "limit filled, stop filled, stop_limit filled, limit expired, stop_limit expired, limit at its price,"
        "limit at the quote, reason good_till_date, exit scenario_end, latency fixed, magic, comment",
        account={"broker": "ecn_fx"},
        logic=_script(
            (5, "buy", {"limit_points": 15, "tp_points": 40, "sl_points": 60, "magic": 11, "comment": "dip"}),
            (5, "sell", {"limit_points": 25, "tp_points": 40, "sl_points": 60, "magic": 12}),
            (5, "buy", {"stop_points": 20, "tp_points": 30, "sl_points": 50, "magic": 13}),
            (5, "sell", {"stop_points": 20, "tp_points": 30, "sl_points": 50, "magic": 14}),
            (6, "buy", {"stop_points": 10, "limit_points": -4, "magic": 15}),
            (6, "sell", {"stop_points": 10, "limit_points": -40, "magic": 16}),
            (7, "buy", {"limit_points": -50, "comment": "at once"}),
            (10, "buy", {"limit_points": 900, "good_till": "2025-09-23T12:02:00Z"}),
            (11, "sell", {"stop_points": 900, "limit_points": -910, "good_till": "2025-09-23T12:03:00Z"}),
            (1_000, "sell", {"limit_points": 2_000}),
        ),
    ),
    "oco_modify_and_cancel": _run(
        "modify_order done, modify_order rejected, modify_position done, cancel done, cancel rejected, stop cancelled,"
        "limit cancelled, reason oco, reason by_request, reason order_gone, limit filled",
        account={"broker": "ecn_fx"},
        logic=_script(
            (5, "buy", {"stop_points": 25, "sl_points": 40}),
            (5, "sell", {"stop_points": 25, "sl_points": 40, "oco": True}),
            (8, "buy", {"lots": "0.3", "limit_points": 500}),
            (40, "modify_order", {"order": 3, "limit": 1.0657, "sl": 1.05}),
            (60, "sell", {"limit_points": 400}),
            (80, "modify_order", {"order": 5, "limit": 1.09}),
            (90, "cancel", {"order": 5}),
            (200, "cancel", {"order": 5}),
            (210, "modify_order", {"order": 5, "limit": 1.08}),
            (300, "buy", {"lots": "0.2", "tp_points": 300}),
            (320, "modify_position", {"sl": 1.02, "tp": 1.12}),
            (400, "buy", {"stop_points": 700}),
            (401, "sell", {"limit_points": 700}),
            (500, "cancel_all", {}),
            (2_900, "close_all", {}),
        ),
    ),
    "partial_close_and_reverse": _run(
        "reason volume_off_step, closed in part, close filled, reason volume_below_min, reason position_gone, buy and sell",
        terms={"volume_min": "0.15"},
        logic=_script(
            (5, "buy", {"lots": "0.9"}),
            (6, "buy", {"lots": "0.05"}),
            (50, "close", {"lots": "0.4"}),
            (90, "close", {"lots": "0.2"}),
            (100, "reverse", {}),
            (200, "close", {"lots": "0.295"}),
            (210, "close", {"lots": "0.1"}),
            (210, "close", {"lots": "5"}),
            (210, "close", {}),
            (300, "sell", {"lots": "0.2"}),
            (300, "sell", {"lots": "0.3"}),
            (600, "close_all", {}),
        ),
    ),
    "part_fills_and_allowed_slippage": _run(
        "filled in part, reason slippage, reason not_enough_margin, slippage fixed, slipped 3",
        account={"broker": "ecn_fx", "slippage": {"kind": "fixed", "points": 3}, "balance": 2_000},
        logic=_script(
            (5, "buy", {"lots": "0.1", "max_slippage_points": 2}),
            (30, "sell", {"lots": "0.1", "max_slippage_points": 60}),
            (60, "buy", {"lots": "20", "immediate_or_cancel": True}),
            (90, "buy", {"lots": "20"}),
            (150, "close", {"max_slippage_points": 0}),
            (200, "close_all", {}),
        ),
    ),
    "trailing_and_gone": _run(
        "trailing stop moved, modify_position done, modify_position rejected, reason position_gone",
        account={"broker": "ecn_fx"},
        logic=_script(
            (5, "buy", {"trail_points": 20}),
            (5, "sell", {"trail_points": 20, "sl_points": 15}),
            (5, "sell", {"lots": "0.2"}),
            (60, "modify_position", {"position": 3, "trail_points": 30}),
            (400, "buy", {"tp_points": 500}),
            (420, "close", {}),
            (420, "modify_position", {"sl": 1.01}),
        ),
    ),

    # Every kind of account and cost

    "netting_account": _run(
        "account netting, exit netted, exit close_order, exit stop_loss, closed in part, latency uniform, delays vary,"
        "slippage uniform, slipped many, commission per_lot, margin of two tiers, limit filled, buy and sell,"
        "fill swap, swap money",
        start=datetime(2025, 9, 24, 20, 40, tzinfo=UTC),
        account={"broker": "netting_fx", "balance": 60_000},
        logic=_script(
            (5, "buy", {"lots": "4"}),
            (40, "buy", {"lots": "3", "sl_points": 200}),
            (80, "sell", {"lots": "5"}),
            (120, "sell", {"lots": "6", "tp_points": 500}),
            (200, "buy", {"lots": "1", "limit_points": 5}),
            (600, "close", {"lots": "0.5"}),
            (700, "reverse", {}),
            (1_200, "modify_position", {"trail_points": 12}),
            (2_500, "sell", {"lots": "1"}),
        ),
    ),
    "crypto_spot": _run(
        "account spot, commission percent, rate 0.4, rate 0.25, latency lognormal, delays vary, reason no_asset,"
        "reason not_enough_margin, exit netted, limit at its price, slippage by_spread",
        symbol="BTCUSD",
        start=_WEEKEND,
        account={"broker": "crypto_spot", "balance": 50_000},
        logic=_script(
            (5, "sell", {"lots": "0.1"}),
            (10, "buy", {"lots": "0.3"}),
            (20, "buy", {"lots": "0.2", "limit_points": 3_000}),
            (40, "buy", {"lots": "5"}),
            (60, "buy", {"lots": "5", "immediate_or_cancel": True}),
            (700, "sell", {"lots": "0.1234"}),
            (1_500, "sell", {"lots": "0.1", "limit_points": 2_000}),
            (2_800, "close_all", {}),
        ),
    ),
    "swap_over_the_triple_day": _run(
        "fill swap, swap points, triple swap, buy and sell, trades over days",
        symbol="USDJPY",
        start=datetime(2025, 9, 23, 12, tzinfo=UTC),
        end=datetime(2025, 9, 25, 23, tzinfo=UTC),
        max_ticks=None,
        logic=_script((5, "buy", {"lots": "0.4"}), (5, "sell", {"lots": "0.5"}), (150_000, "close", {"lots": "0.1"})),
    ),
    "swap_of_a_weekend": _run(
        "fill swap, swap percent, over a weekend, exit scenario_end, trades over days",
        symbol="BTCUSD",
        start=datetime(2025, 9, 19, 18, tzinfo=UTC),
        end=datetime(2025, 9, 22, 22, tzinfo=UTC),
        max_ticks=None,
        logic=_script((5, "buy", {"lots": "0.4"}), (6, "sell", {"lots": "0.7"})),
    ),
    "refusals_and_the_guard": _run(
        "reason broker, reason cool_down, latency lognormal, delays vary, slippage uniform, slipped many, market filled",
        account={
            "broker": "ecn_fx",
            "latency": {"kind": "lognormal", "ms": 60, "sigma": 0.9, "max_ms": 900},
            "latency_close": {"kind": "fixed", "ms": 15},
            "slippage": {"kind": "uniform", "points": 4},
            "rejection_share": 0.4,
            "guard": {"rejections": 2, "cool_down_s": 30},
        },
        logic=_script(*((tick, "buy" if tick % 40 else "close_all", {}) for tick in range(20, 2_000, 20))),
    ),
    "levels_and_sessions": _run(
        "reason invalid_price, reason frozen, reason market_closed, cancel rejected, limit filled",
        terms={
            "stops_level_points": 20,
            "freeze_level_points": 15,
            "sessions": [{"day": "tuesday", "start": "08:00", "end": "12:20"}],
        },
        logic=_script(
            (5, "buy", {"limit_points": 10}),
            (6, "buy", {"limit_points": 30, "sl_points": 10}),
            (7, "sell", {"stop_points": 40, "sl": 1.07}),
            (8, "sell", {"sl": 1.0659}),
            *((tick, "cancel", {"order": 2}) for tick in range(26, 60, 3)),
            (2_900, "buy", {}),
        ),
    ),
    "eurgbp_converted_by_pair": _run(
        "converted by gbpusd, exit close_order, commission per_lot",
        symbol="EURGBP",
        conversion="GBPUSD",
        workers={"macd": {"type": "macd", "timeframe": "M1"}},
        logic={"type": "macd_cross", "sl_points": 40, "lots": "0.3"},
        account={"broker": "ecn_fx"},
    ),
    "margin_call_and_stop_out": _run(
        "margin call, exit stop_out, exit close_order, account hedging",
        account={"broker": "mt5_fx", "balance": 2_060},
        broker={"margin_call_percent": "100.5", "stop_out_percent": 100},
        logic=_script(
            (5, "buy", {"lots": "1"}),
            (6, "buy", {"lots": "0.7"}),
            (7, "buy", {"lots": "0.2"}),
            (600, "buy", {"lots": "0.1"}),
            type="golden_logics:MarginWatch",
        ),
    ),
}
# fmt: on
