"""What must change in a known way when the market, the tariff or the requests do: two runs of the compiled account, compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
from builders import BLOCK_SIZES, T0, make_account, make_broker, rows, segment_of
from hypothesis import given
from hypothesis import strategies as st
from oracle.compare import finish, run_fast
from oracle.markets import START, Market, make_market, scripts, ticks_strategy
from oracle.ports import Ask

from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.models import AccountConfig
from finiex_ray.core.enums import Action, Wake
from finiex_ray.core.market import TickSegment
from finiex_ray.core.records import FAR_FUTURE_NS, NO_PRICE, NO_TICK
from finiex_ray.core.time import NS_PER_DAY, NS_PER_MS
from finiex_ray.trading.simulator import TradeSimulator
from finiex_ray.trading.terms import make_terms

Script = dict[int, list[Ask]]
Rows = dict[str, list[dict[str, int]]]
PRICE_FIELDS = (
    "price_points", "stop_points", "sl_points", "tp_points", "request_price_points", "fill_price_points",
    "entry_price_points", "exit_price_points",
)  # fmt: skip
DISTANCE_FIELDS = (
    "sl_offset_points",
    "tp_offset_points",
    "trail_points",
    "max_slippage_points",
    "mae_points",
    "mfe_points",
)
TIME_FIELDS = ("time_ns", "request_ns", "arrival_ns", "done_ns", "entry_ns", "exit_ns", "expire_ns")
VOLUME_FIELDS = ("volume_steps", "filled_steps")
MONEY_FIELDS = ("gross_minor", "commission_minor", "swap_minor", "net_minor", "balance_minor")
modes = st.sampled_from(["hedging", "netting"])
blocks = st.sampled_from(BLOCK_SIZES)
short_gaps = ticks_strategy.map(
    lambda spec: [(gap if gap < 10**8 else 3_600_000, move, spread) for gap, move, spread in spec]
)


def _play(
    ticks: TickSegment, script: Script, account: AccountConfig, broker: BrokerSpec, *, digits: int = 5, block: int = 7
) -> Rows:
    """One run on EURUSD; every record, as dictionaries."""
    count = len(ticks.time_ns)
    span = (int(ticks.time_ns[0]), int(ticks.time_ns[-1]))
    simulator = TradeSimulator(make_terms("EURUSD", account, broker, digits), count, 1, None, span)
    actions = np.zeros(count, np.int8)
    actions[[tick for tick in script if tick < count]] = Action.BUY
    run_fast(simulator, ticks, actions, script, block, Wake.ACTION)
    finish(simulator)
    found = {name: rows(getattr(simulator, name)()) for name in ("orders", "fills", "trades", "events")}
    ledger = simulator.account
    names = ("equity", "max_drawdown", "max_runup")
    return {**found, "ledger": [{name: float(ledger[name]) for name in names}]}  # type: ignore[dict-item]


def _each(found: Rows, change: Any) -> Rows:
    """Every field of every record through ``change(name, value, row)``."""
    return {
        part: [{name: change(name, value, row) for name, value in row.items()} for row in records]
        for part, records in found.items()
    }


def _asks(script: Script, change: Any) -> Script:
    return {tick: [change(tick, ask) for ask in asks] for tick, asks in script.items()}


def _broker(mode: str, **values: Any) -> BrokerSpec:
    """Costs whose amounts are whole cents for every step, so that nothing is rounded."""
    each = {
        "swap": {"kind": "money", "long": "-4", "short": "-3"},
        "stops_level_points": 3,
        "freeze_level_points": 2,
        "leverage": 500,
        **values.pop("each_symbol", {}),
    }
    defaults = {
        "account_mode": mode,
        "commission": {"kind": "per_lot", "value": "3", "maker": "1"},
        "slippage": {"kind": "fixed", "points": 2},
        "latency": {"kind": "uniform", "ms": 0, "max_ms": 300},
        "rejection_share": 0.1,
    }
    return make_broker(each_symbol=each, **{**defaults, **values})


@given(spec=ticks_strategy, script=scripts, mode=modes, block=blocks)
def test_a_mirrored_market_with_mirrored_sides_gives_the_same_money(
    spec: Market, script: Script, mode: str, block: int
) -> None:
    """R2 to R12: prices p become C - p, buys become sells; volumes, times and amounts stay."""
    middle = 2 * START["EURUSD"]
    ticks = make_market("EURUSD", spec)
    spread = (ticks.ask_points - ticks.bid_points).tolist()
    bids, asks = (middle - ticks.ask_points).tolist(), (middle - ticks.bid_points).tolist()
    mirrored = segment_of(list(zip(ticks.time_ns.tolist(), bids, asks, strict=True)))

    def mirror(tick: int, ask: Ask) -> Ask:
        if tick >= len(spread):
            return ask
        fields = {
            name: spread[tick] - value if name in ("limit", "stop", "sl", "tp") and value is not None else value
            for name, value in ask.fields.items()
        }
        return replace(ask, kind={"buy": "sell", "sell": "buy"}.get(ask.kind, ask.kind), fields=fields)

    def unmirror(name: str, value: int, row: Mapping[str, int]) -> int:
        if name == "side":
            return -value
        if name == "request_price_points" and row["side"] == 0:
            return 0  # of instructions: the bid, which is no price of theirs
        return middle - value if name in PRICE_FIELDS and value != NO_PRICE else value

    # Margin depends on the price level: enough of it for everything.
    account = make_account(balance=10**9)
    swapped = {"swap": {"kind": "money", "long": "-3", "short": "-4"}}
    first = _play(ticks, script, account, _broker(mode), block=block)
    second = _play(mirrored, _asks(script, mirror), account, _broker(mode, each_symbol=swapped), block=block)
    for order in first["orders"]:
        order["request_price_points"] *= abs(order["side"])
    assert _each(second, unmirror) == first


@given(spec=ticks_strategy, script=scripts, mode=modes, block=blocks, factor=st.sampled_from([2, 3, 10]))
def test_volume_times_c_is_money_times_c(spec: Market, script: Script, mode: str, block: int, factor: int) -> None:
    """R2, R8, R9, R11: with volumes, their bounds and the balance times c, every amount is times c."""
    plain = _asks(script, lambda _, ask: _whole(ask))

    def larger(_: int, ask: Ask) -> Ask:
        ask = _whole(ask)
        fields = dict(ask.fields)
        if "steps" in fields:
            fields["steps"] = fields["steps"] * factor
        return replace(ask, steps=ask.steps * factor, fields=fields)

    def smaller(name: str, value: int, _: Mapping[str, int]) -> Any:
        if name in VOLUME_FIELDS or name in MONEY_FIELDS:
            assert value % factor == 0
            return value // factor
        return round(value / factor, 4) if name in ("equity", "max_drawdown", "max_runup") else value

    ticks, levels = make_market("EURUSD", spec), {"margin_call_percent": 150, "stop_out_percent": 80}
    first = _play(ticks, plain, make_account(balance=3_000), _broker(mode, **levels), block=block)
    bounds = {"volume_min": Decimal("0.01") * factor, "volume_max": Decimal(100) * factor}
    second = _play(
        ticks,
        _asks(script, larger),
        make_account(balance=3_000 * factor),
        _broker(mode, each_symbol=bounds, **levels),
        block=block,
    )
    assert _each(second, smaller) == _each(
        first, lambda name, value, _: round(value, 4) if isinstance(value, float) else value
    )


def _whole(ask: Ask) -> Ask:
    """Without what a larger volume does not scale: a largest fill by margin, volumes off the step."""
    fields = {name: value for name, value in ask.fields.items() if name != "immediate_or_cancel"}
    if "steps" in fields:
        fields["steps"] = Decimal(int(fields["steps"]))
    return replace(ask, steps=Decimal(int(ask.steps)), fields=fields)


@given(spec=ticks_strategy, script=scripts, mode=modes, block=blocks, more=st.sampled_from([1, 7, 250]))
def test_more_commission_is_exactly_less_balance(
    spec: Market, script: Script, mode: str, block: int, more: int
) -> None:
    """R9: so many cents more a step and side, with margin for all of it."""
    ticks, account = make_market("EURUSD", spec), make_account(balance=10**9)
    first = _play(ticks, script, account, _broker(mode, commission={"kind": "per_lot", "value": 2}), block=block)
    dearer = {"kind": "per_lot", "value": 2 + more}
    second = _play(ticks, script, account, _broker(mode, commission=dearer), block=block)
    paid = 0
    for cheap, dear in zip(first["fills"], second["fills"], strict=True):
        steps = dear["volume_steps"] if dear["swap_minor"] == 0 else 0
        assert cheap["commission_minor"] - dear["commission_minor"] == steps * more
        paid += steps * more
        assert cheap["balance_minor"] - dear["balance_minor"] == paid
    amounts = {"commission_minor", "balance_minor", "net_minor"}
    for part in ("orders", "fills", "trades", "events"):
        a, b = (
            [{k: v for k, v in row.items() if k not in amounts} for row in found[part]] for found in (first, second)
        )
        assert a == b


@given(spec=short_gaps, script=scripts, mode=modes, block=blocks, weeks=st.sampled_from([-3, -1, 1]))
def test_a_shift_by_whole_weeks_shifts_every_time_and_nothing_else(
    spec: Market, script: Script, mode: str, block: int, weeks: int
) -> None:
    """R1, R3, R5, R9, R15: rollovers and sessions repeat every week (daylight saving does not change in between)."""
    shift = weeks * 7 * NS_PER_DAY
    sessions = [{"day": day, "start": "01:00", "end": "23:00"} for day in ("monday", "tuesday", "wednesday", "friday")]
    broker, account = _broker(mode, each_symbol={"sessions": sessions}), make_account(balance=50_000)
    first = _play(make_market("EURUSD", spec), script, account, broker, block=block)
    second = _play(make_market("EURUSD", spec, shift_ns=shift), script, account, broker, block=block)

    def back(name: str, value: int, row: Mapping[str, int]) -> int:
        unset = value == FAR_FUTURE_NS or (name == "done_ns" and row["done_tick"] == NO_TICK)
        return value - shift if name in TIME_FIELDS and not unset else value

    assert _each(second, back) == first


@given(spec=ticks_strategy, script=scripts, mode=modes, block=blocks)
def test_a_price_grid_ten_times_finer_changes_no_money(spec: Market, script: Script, mode: str, block: int) -> None:
    """R2, R5, R6: one digit more, every price and distance times ten."""
    names = {"limit", "stop", "sl", "tp", "sl_points", "tp_points", "trail_points", "max_slippage_points"}

    def finer(_: int, ask: Ask) -> Ask:
        return replace(ask, fields={n: v * 10 if n in names and v is not None else v for n, v in ask.fields.items()})

    def coarser(name: str, value: Any, _: Mapping[str, int]) -> Any:
        if (name in PRICE_FIELDS or name in DISTANCE_FIELDS) and value != NO_PRICE:
            assert value % 10 == 0
            return value // 10
        return round(value, 4) if isinstance(value, float) else value

    account = make_account(balance=50_000)
    percent = {"commission": {"kind": "percent", "value": "0.0037"}, "stop_out_percent": 70}
    first = _play(make_market("EURUSD", spec), script, account, _broker(mode, **percent), block=block)
    fine = {"digits": 6, "stops_level_points": 30, "freeze_level_points": 20}
    broker = _broker(mode, each_symbol=fine, slippage={"kind": "fixed", "points": 20}, **percent)
    second = _play(make_market("EURUSD", spec, scale=10), _asks(script, finer), account, broker, digits=6, block=block)
    assert _each(second, coarser) == _each(
        first, lambda name, value, _: round(value, 4) if isinstance(value, float) else value
    )


@given(
    spec=ticks_strategy,
    script=scripts,
    mode=st.sampled_from(["hedging", "netting", "spot"]),
    block=blocks,
    cut=st.integers(0, 60),
    poison=st.integers(-5_000, 5_000),
)
def test_the_past_does_not_depend_on_the_future(
    spec: Market, script: Script, mode: str, block: int, cut: int, poison: int
) -> None:
    """R3, R7: ticks after the cut are replaced by others; what happened up to it stays as it was."""
    ticks = make_market("EURUSD", spec)
    cut = min(cut, len(spec) - 1)
    lines = [
        (T0 + 10**15 + i * 37 * NS_PER_MS, START["EURUSD"] + poison * (-1) ** i, START["EURUSD"] + abs(poison) * 2)
        for i in range(30)
    ]
    before: Sequence[tuple[int, int, int]] = list(
        zip(*(column[: cut + 1].tolist() for column in ticks[:3]), strict=True)
    )
    poisoned = segment_of([*before, *lines])
    account, broker = make_account(balance=3_000), _broker(mode, margin_call_percent=150, stop_out_percent=80)
    first, second = (_play(each, script, account, broker, block=block) for each in (ticks, poisoned))

    def past(found: Rows) -> Rows:
        """What was known at the end of the tick of the cut; the end of the scenario itself is no part of it."""
        orders = [
            {
                n: v
                for n, v in row.items()
                if n in ("order_id", "type", "side", "volume_steps", "request_tick", "arrival_ns")
            }
            for row in found["orders"]
            if row["request_tick"] <= cut
        ]
        fills = [row for row in found["fills"] if row["tick"] < cut]
        events = [row for row in found["events"] if row["tick"] < cut]
        return {"orders": orders, "fills": fills, "events": events}

    assert past(second) == past(first)
