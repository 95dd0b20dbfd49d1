"""The chart of a scenario: price, workers, trades, equity and drawdown over one time axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from finiex_ray.core.time import NS_PER_MS
from finiex_ray.report.html.figures import LEGEND, MARGIN, Figure, figure, literal
from finiex_ray.report.html.market import MarketBars, WorkerLine
from finiex_ray.report.html.tables import plain

__all__ = ["timeline"]

_LINES: Final = ("$line1", "$line2", "$line3", "$line4", "$line5", "$line6")
_PRICE_PX, _PANEL_PX, _GAP_PX, _EDGES_PX = 380, 130, 26, 48
_MOST_ROUND_TRIPS: Final = 3_000  # trades drawn; the table has all
_CLOSED_MS: Final = 12 * 3_600 * 1_000
_MOST_CLOSED: Final = 150
_DECIMALS: Final = 8


def timeline(market: MarketBars | None, trades: pd.DataFrame, equity: pd.DataFrame, currency: str) -> Figure:
    """Price, workers, trades, equity and drawdown over one time axis, so that a zoom of one is a zoom of all.

    Args:
        market: Bars and lines; None where they cannot be drawn: trades stand alone then.
        trades: The scenario's trades.
        equity: Its equity curve.
        currency: Of the account.
    """
    panels: list[tuple[str, list[dict[str, Any]], int]] = []
    period = {} if market is None else _period(market)
    drawn = trades.head(_MOST_ROUND_TRIPS)
    price = [*_price_traces(market, period), *_trade_traces(drawn)]
    if price:
        panels.append(("price", price, _PRICE_PX))
    lines = () if market is None else market.lines
    for worker in dict.fromkeys(line.worker for line in lines if not line.on_price):
        own = [line for line in lines if line.worker == worker and not line.on_price]
        panels.append((literal(worker), _line_traces(market, own, period, named=True), _PANEL_PX))
    if len(equity):
        panels.append((f"equity, {currency}", _equity_traces(equity), _PANEL_PX + 40))
        panels.append(("drawdown, %", [_drawdown_trace(equity)], _PANEL_PX))
    return _stacked(panels, [] if market is None else _closed(market))


def _closed(market: MarketBars) -> list[dict[str, Any]]:
    """Weekends and other long times without a bar, which the time axis leaves out."""
    width = market.timeframe.ns // NS_PER_MS
    ends, starts = market.start_ms[:-1] + width, market.start_ms[1:]
    long = np.flatnonzero(starts - ends >= _CLOSED_MS)
    if len(long) > _MOST_CLOSED:  # the longest ones: each costs time to draw
        long = long[np.sort(np.argsort(ends[long] - starts[long], kind="stable")[:_MOST_CLOSED])]
    return [{"bounds": [int(ends[place]), int(starts[place])]} for place in long]


def _stacked(panels: Sequence[tuple[str, list[dict[str, Any]], int]], breaks: list[dict[str, Any]]) -> Figure:
    inner = sum(height for _, _, height in panels) + _GAP_PX * max(0, len(panels) - 1)
    data: list[dict[str, Any]] = []
    layout: dict[str, Any] = {
        "xaxis": {
            "type": "date",
            "anchor": f"y{len(panels)}" if len(panels) > 1 else "y",
            "rangeslider": {"visible": False},
            "rangebreaks": breaks,
            "hoverformat": "%Y-%m-%d %H:%M:%S",
            "showspikes": True,
            "spikemode": "across",
            "spikethickness": 1,
            "spikecolor": "$muted",
        },
        "hovermode": "x unified" if len(panels) == 1 else "closest",
        "legend": LEGEND,
        "dragmode": "zoom",
    }
    top = float(inner)
    for number, (title, traces, height) in enumerate(panels, 1):
        axis = f"y{number}" if number > 1 else "y"
        layout[f"yaxis{number}" if number > 1 else "yaxis"] = {
            "domain": [max(0.0, (top - height) / inner), top / inner],
            "title": {"text": title, "font": {"size": 11}},
            "tickformat": ",",
        }
        data += [
            {**trace, "xaxis": "x", "yaxis": axis, "showlegend": number == 1 or len(traces) > 1} for trace in traces
        ]
        top -= height + _GAP_PX
    made = figure(data, layout, inner + _EDGES_PX)
    made["layout"]["showlegend"] = True
    made["layout"]["margin"] = {**MARGIN, "t": 36}
    made["layout"]["height"] += 28
    return made


def _period(market: MarketBars) -> dict[str, Any]:
    return {"xperiod": market.timeframe.ns // NS_PER_MS, "xperiodalignment": "middle"}


def _rounded(values: Any) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), _DECIMALS) for value in values]


def _price_traces(market: MarketBars | None, period: Mapping[str, Any]) -> list[dict[str, Any]]:
    if market is None:
        return []
    candles = {
        "type": "candlestick",
        "name": market.timeframe.value,
        "x": market.start_ms.tolist(),
        **period,
        **{name: _rounded(getattr(market, name)) for name in ("open", "high", "low", "close")},
        "increasing": {"line": {"color": "$up", "width": 1}, "fillcolor": "$paper"},
        "decreasing": {"line": {"color": "$down", "width": 1}, "fillcolor": "$down"},
    }
    return [candles, *_line_traces(market, [line for line in market.lines if line.on_price], period)]


def _line_traces(
    market: MarketBars | None, lines: Sequence[WorkerLine], period: Mapping[str, Any], *, named: bool = False
) -> list[dict[str, Any]]:
    if market is None:
        return []
    first = 3 if named else 0
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": literal(f"{line.worker} {line.output}" if line.worker != line.output else line.worker),
            "x": market.start_ms.tolist(),
            **period,
            "y": _rounded(line.values),
            "line": {"width": 1.25, "color": _LINES[(place + first) % len(_LINES)]},
            "hovertemplate": "%{y}",
        }
        for place, line in enumerate(lines)
    ]


def _trade_traces(trades: pd.DataFrame) -> list[dict[str, Any]]:
    if trades.empty:
        return []
    entry, left = plain(trades["entry_time"]), plain(trades["exit_time"])
    bought, sold = plain(trades["entry_price"]), plain(trades["exit_price"])
    net, side = plain(trades["net"]), trades["side"].astype(str).tolist()
    texts = [
        f"trade {number}, {word} {lots:g} lots, {reason}<br>net {amount:+,.2f}"
        for number, word, lots, reason, amount in zip(
            trades["trade_id"], side, trades["lots"], trades["exit_reason"].astype(str), net, strict=True
        )
    ]
    found = []
    for won, name, colour, dash in ((True, "won", "$up", "solid"), (False, "lost", "$down", "dot")):
        chosen = [place for place, amount in enumerate(net) if (amount >= 0) == won]
        if chosen:
            found.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": name,
                    "x": [value for place in chosen for value in (entry[place], left[place], None)],
                    "y": [value for place in chosen for value in (bought[place], sold[place], None)],
                    "line": {"width": 1.5, "color": colour, "dash": dash},
                    "hoverinfo": "skip",
                }
            )
    for word, symbol, colour in (("buy", "triangle-up", "$buy"), ("sell", "triangle-down", "$sell")):
        chosen = [place for place, each in enumerate(side) if each == word]
        if chosen:
            found.append(
                _markers(
                    f"{word} entry",
                    [entry[p] for p in chosen],
                    [bought[p] for p in chosen],
                    [texts[p] for p in chosen],
                    symbol,
                    colour,
                )
            )
    found.append(_markers("exit", left, sold, texts, "x-thin-open", "$text"))
    return found


def _markers(name: str, x: list[Any], y: list[Any], texts: list[str], symbol: str, colour: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": x,
        "y": y,
        "text": texts,
        "hovertemplate": f"%{{text}}<br>{name} %{{y}}<br>%{{x}}<extra></extra>",
        "marker": {"symbol": symbol, "size": 8, "color": colour, "line": {"width": 1.5, "color": colour}},
    }


def _equity_traces(equity: pd.DataFrame) -> list[dict[str, Any]]:
    times = plain(equity["time"])
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "balance",
            "x": times,
            "y": plain(equity["balance"]),
            "line": {"width": 1.25, "color": "$muted", "shape": "hv", "dash": "dot"},
            "hovertemplate": "balance %{y:,.2f}<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "lines",
            "name": "equity",
            "x": times,
            "y": plain(equity["equity"]),
            "line": {"width": 1.5, "color": "$accent"},
            "hovertemplate": "equity %{y:,.2f}<extra></extra>",
        },
    ]


def _drawdown_trace(equity: pd.DataFrame) -> dict[str, Any]:
    """How far the lowest equity since the row before lies below the highest so far, percent of it."""
    peak = equity["equity_high"].cummax()
    fall = ((equity["equity_low"] / peak - 1.0) * 100.0).where(peak > 0).clip(upper=0.0)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "drawdown",
        "x": plain(equity["time"]),
        "y": plain(fall.round(4)),
        "fill": "tozeroy",
        "fillcolor": "$shade",
        "line": {"width": 1, "color": "$down"},
        "hovertemplate": "drawdown %{y:.2f} %<extra></extra>",
    }
