"""The horizon: how far an account can be left alone, because no tick before it makes anything happen there."""

from __future__ import annotations

from typing import Any

from finiex_ray.core.records import LEDGER_COLUMNS as L
from finiex_ray.kernels.booking import sums_nb, unrealised_nb
from finiex_ray.kernels.jit import kernel
from finiex_ray.kernels.quiet import band_nb, equity_band_nb, value_nb
from finiex_ray.kernels.runs import first_at_nb

__all__ = ["quiet_until_nb"]


@kernel
def quiet_until_nb(
    ints: Any,
    reals: Any,
    time_ns: Any,
    bid: Any,
    ask: Any,
    extremes: Any,
    rates: Any,
    first: int,
    last: int,
    shift: int,
) -> int:
    """Finds the first tick that does more to the account than mark it; changes nothing.

    It is the first at which a request arrives, a timer is due, or quotes or equity leave the band of `pass_quiet_nb`, whose
    edges follow the quotes where stops trail. The arguments are those of `advance_nb`.

    Returns:
        Its segment offset, or ``last``.
    """
    due_ns = ints[L.next_timer_ns]
    if ints[L.pending] > 0:
        due_ns = min(due_ns, ints[L.next_arrival_ns])
    if time_ns[last - 1] >= due_ns:
        last = first_at_nb(time_ns, extremes, due_ns, first, last)
    flat = ints[L.positions] == 0
    if flat and ints[L.resting] == 0:
        return last
    bid_low, bid_high, ask_low, ask_high, long_trail, short_trail = band_nb(ints)
    floor, ceiling = equity_band_nb(ints, reals)
    long_steps, long_entry, short_steps, short_entry = sums_nb(ints)
    own_quote, value, balance = ints[L.own_quote] != 0, reals[L.value], ints[L.balance_minor]
    converted = ints[L.rate_mode] != 0 and not flat
    for i in range(first, last):
        b, a = bid[i], ask[i]
        if b <= bid_low or b >= bid_high or a <= ask_low or a >= ask_high:
            return i
        if converted:
            points = long_steps * b - long_entry + short_entry - short_steps * a
            equity = balance + unrealised_nb(ints, points, value, rates[i - shift, 0], rates[i - shift, 1])
        else:
            equity = balance + value_nb(b, a, long_steps, long_entry, short_steps, short_entry, own_quote, value)
        if equity <= floor or equity > ceiling:
            return i
        bid_low, ask_high = max(bid_low, b - long_trail), min(ask_high, a + short_trail)
    return last
