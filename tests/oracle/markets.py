"""Hypothesis strategies: markets, tariffs and streams of requests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from builders import T0, make_account, make_broker, segment_of
from hypothesis import strategies as st

from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.models import AccountConfig
from finiex_ray.core.market import TickSegment
from finiex_ray.core.time import NS_PER_MS
from oracle.ports import Ask

__all__ = [
    "COUNT",
    "GAPS_MS",
    "START",
    "Market",
    "closings",
    "make_market",
    "openings",
    "order_changes",
    "other_requests",
    "position_changes",
    "scripts",
    "settings_of_account",
    "ticks_strategy",
]

COUNT = 70  # ticks at most
START = {"EURUSD": 110_000, "USDJPY": 150_000, "EURGBP": 86_000, "BTCUSD": 6_000_000}
GAPS_MS = (0, 0, 1, 50, 100, 1_000, 60_000, 11 * 3_600_000, 49 * 3_600_000)  # equal times to a weekend
Market = list[tuple[int, int, int]]

_moves = st.one_of(st.integers(-6, 6), st.integers(-6, 6), st.sampled_from([-400, -90, -30, 30, 90, 400]))
_gaps = st.one_of(st.sampled_from(GAPS_MS[:6]), st.sampled_from(GAPS_MS))
ticks_strategy = st.lists(st.tuples(_gaps, _moves, st.integers(0, 9)), min_size=1, max_size=COUNT)


def make_market(symbol: str, spec: Market, *, shift_ns: int = 0, scale: int = 1) -> TickSegment:
    """Ticks from (gap in ms, move of the bid, spread)."""
    time_ns, bid, lines = T0 + shift_ns, START[symbol], []
    for gap_ms, move, spread in spec:
        time_ns, bid = time_ns + gap_ms * NS_PER_MS, bid + move
        lines.append((time_ns, bid * scale, (bid + spread) * scale))
    return segment_of(lines)


_near = st.one_of(st.integers(-12, 12), st.integers(-60, 60))
_distance = st.one_of(st.just(0), st.integers(1, 20), st.integers(1, 300))
_till = st.one_of(st.none(), st.sampled_from([-100, 0, 1, 100, 1_000, 70_000, 10**8]).map(lambda ms: ms * NS_PER_MS))
_steps = st.one_of(st.sampled_from([1, 10, 33, 100, 100]), st.integers(-1, 12_000), st.just(Decimal("1.5"))).map(
    Decimal
)
_side = st.sampled_from(["buy", "sell"])


@st.composite
def _opening(draw: Any) -> Ask:
    fields: dict[str, Any] = {}
    kind = draw(st.sampled_from(["market", "market", "limit", "stop", "stop-limit"]))
    if kind in {"limit", "stop-limit"}:
        fields["limit"] = draw(_near)
    if kind in {"stop", "stop-limit"}:
        fields["stop"] = draw(_near)
    if kind != "market":
        fields["good_till"] = draw(_till)
    else:
        fields["max_slippage_points"] = draw(st.sampled_from([None, None, None, 0, 3, 50]))
        fields["immediate_or_cancel"] = draw(st.booleans())
    for name in ("sl", "tp"):
        how = draw(st.sampled_from(["none", "price", "distance"]))
        if how == "price":
            fields[name] = draw(_near)
        elif how == "distance":
            fields[f"{name}_points"] = draw(_distance)
    fields["trail_points"] = draw(st.sampled_from([0, 0, 1, 5, 40]))
    fields["magic"] = draw(st.sampled_from([0, 7]))
    return Ask(draw(_side), draw(_steps), fields=fields)


openings = _opening()
closings = st.builds(
    Ask,
    kind=st.just("close"),
    which=st.integers(0, 3),
    fields=st.fixed_dictionaries(
        {},
        optional={
            "steps": st.sampled_from([1, 2, 5, 20, 99, 500, -1, "2.5"]).map(Decimal),
            "max_slippage_points": st.sampled_from([0, 4]),
        },
    ),
)
order_changes = st.builds(
    Ask,
    kind=st.just("change_order"),
    which=st.integers(0, 5),
    fields=st.fixed_dictionaries(
        {},
        optional={"limit": _near, "stop": _near, "sl": st.none() | _near, "tp": st.none() | _near, "good_till": _till},
    ),
)
position_changes = st.builds(
    Ask,
    kind=st.just("change_position"),
    which=st.integers(0, 3),
    fields=st.fixed_dictionaries(
        {}, optional={"sl": st.none() | _near, "tp": st.none() | _near, "trail_points": st.sampled_from([0, 1, 9, 50])}
    ),
)
other_requests = st.builds(
    Ask, kind=st.sampled_from(["cancel", "cancel", "cancel_all", "close_all", "reverse"]), which=st.integers(0, 5)
)
_pairs = st.tuples(openings, openings | closings).map(lambda two: [*two, Ask("pair")])
_one = st.one_of(openings, openings, openings, closings, order_changes, position_changes, other_requests)
scripts = st.dictionaries(
    st.integers(0, COUNT - 1), st.one_of(st.lists(_one, min_size=1, max_size=3), _pairs), max_size=25
)


def _maybe(strategy: Any, *, off: Any = None, odds: int = 2) -> Any:
    """``off`` most of the time."""
    return st.integers(0, odds).flatmap(lambda number: strategy if number == 0 else st.just(off))


_latency = st.one_of(
    st.builds(lambda ms: {"kind": "fixed", "ms": ms}, st.sampled_from([0, 0, 50, 100, 2_000])),
    st.builds(lambda a, b: {"kind": "uniform", "ms": a, "max_ms": a + b}, st.integers(0, 60), st.integers(0, 3_000)),
    st.builds(
        lambda ms, sigma, most: {"kind": "lognormal", "ms": ms, "sigma": sigma, "max_ms": most},
        st.sampled_from([20, 100]), st.sampled_from([0.3, 1.5]), st.sampled_from([None, 150]),
    ),
)  # fmt: skip
_commission = st.sampled_from(
    [
        {"kind": "none"},
        {"kind": "per_lot", "value": "3.5"},
        {"kind": "per_lot", "value": "0.333", "maker": "0.1"},
        {"kind": "percent", "value": "0.05", "maker": "0"},
        {"kind": "percent", "value": "0.0037"},
    ]
)
_slippage = st.sampled_from(
    [
        {"kind": "none"},
        {"kind": "none"},
        {"kind": "fixed", "points": 1},
        {"kind": "fixed", "points": 7},
        {"kind": "uniform", "points": 5},
        {"kind": "by_spread", "share": "0.5"},
    ]
)
_swap = st.sampled_from(
    [
        {"kind": "points", "long": "-7.5", "short": "2.25"},
        {"kind": "percent", "long": "-3.65", "short": "1.1", "triple_day": "friday"},
        {"kind": "money", "long": "-4.05", "short": "-0.5"},
        {"kind": "money", "long": "1", "short": "-12", "triple_day": None, "weekends": True},
    ]
)
_TIERS = [{"up_to_lots": "0.5", "leverage": 500}, {"up_to_lots": 2, "leverage": 100}, {"leverage": "33.3"}]
_SESSIONS = [
    {"day": "monday", "start": "09:00", "end": "10:05"},
    {"day": "monday", "start": "20:00"},
    {"day": "wednesday"},
]


@st.composite
def settings_of_account(draw: Any) -> tuple[str, AccountConfig, BrokerSpec]:
    symbol, account = draw(
        st.sampled_from(
            [
                ("EURUSD", {"currency": "USD"}),
                ("EURUSD", {"currency": "USD"}),
                ("EURUSD", {"currency": "EUR"}),
                ("USDJPY", {"currency": "USD"}),
                ("USDJPY", {"currency": "JPY", "balance": 1_000_000}),
                ("USDJPY", {"currency": "USD", "conversion_rates": {"JPY": "0.0067"}}),
                ("EURGBP", {"currency": "USD", "conversion_rates": {"GBP": "1.27"}}),
                ("BTCUSD", {"currency": "USD", "balance": 100_000}),
                ("BTCUSD", {"currency": "BTC", "balance": 2}),
                ("EURUSD", {"currency": "JPY", "balance": 1_000_000}),  # converted by USDJPY: times its price
                ("BTCUSD", {"currency": "EUR", "balance": 100_000}),  # by EURUSD: divided by it
            ]
        )
    )
    account = {"balance": draw(st.sampled_from([10_000, 500, 100, Decimal("220.02"), 10**7])), **account}
    account["guard"] = draw(
        _maybe(st.sampled_from([{"rejections": 1, "cool_down_s": 1}, {"rejections": 2, "cool_down_s": 60}]))
    )
    each = {
        "swap": draw(_maybe(_swap, off={"kind": "none"}, odds=1)),
        "leverage_tiers": draw(_maybe(st.just(_TIERS), off=[])),
        "stops_level_points": draw(_maybe(st.sampled_from([1, 5, 20]), off=0)),
        "freeze_level_points": draw(_maybe(st.sampled_from([1, 6]), off=0)),
        "sessions": draw(_maybe(st.just(_SESSIONS), off=[], odds=4)),
        "volume_min": draw(_maybe(st.just("0.05"), off="0.01", odds=3)),
    }
    modes = ["hedging", "hedging", "netting", "spot"]
    if symbol.startswith(account.get("currency", "USD")):  # R11: a spot account cannot buy its own currency
        modes.remove("spot")
    broker = make_broker(
        each_symbol=each,
        account_mode=draw(st.sampled_from(modes)),
        leverage=draw(st.sampled_from([1, 30, 100, 500, Decimal("33.3")])),
        commission=draw(_commission),
        slippage=draw(_slippage),
        latency=draw(_latency),
        latency_close=draw(_maybe(_latency)),
        rejection_share=draw(_maybe(st.just(0.2), off=0.0)),
        margin_call_percent=draw(_maybe(st.sampled_from([100, 150, 500]), odds=1)),
        stop_out_percent=draw(_maybe(st.sampled_from([20, 50, 100, 120]), odds=1)),
    )
    return symbol, make_account(**account), broker
