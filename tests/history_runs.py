"""Small runs to look back at: a set on the synthetic market, and a strategy of one's own that can fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from finiex_ray import RunData, run_set

STRATEGY = '''"""A strategy that fails at a tick."""

from pydantic import Field

from finiex_ray import TickLogic
from finiex_ray.decisions.base import LogicParams


class Params(LogicParams):
    fail_at: int = Field(-1, description="Tick at which it fails.")


class Fragile(TickLogic):
    Params = Params

    def on_tick(self, tick, values, trading):
        if tick.index == 10:
            trading.buy(0.1, sl_points=100)
        if tick.index == self.params.fail_at:
            width = tick.ask - tick.bid
            self.check(width)

    def check(self, width):
        raise RuntimeError(f"spread {width:.5f} is odd")
'''


def write_set(folder: Path, **extra: Any) -> Path:
    """A set of four scenarios that complete; ``extra`` goes over its global section."""
    shared: dict[str, Any] = {
        "symbol": "EURUSD",
        "max_ticks": 4_000,
        "workers": {"rsi": {"type": "rsi", "timeframe": "M1"}, "band": {"type": "bollinger", "timeframe": "M1"}},
        "logic": {"type": "aggressive_trend", "rsi_buy_threshold": 40, "rsi_sell_threshold": 60, "sl_points": 60},
    }
    days = ("22", "23", "24", "25")
    scenarios = [{"name": f"day_{day}", "start": f"2025-09-{day}T08:00:00Z"} for day in days]
    path = folder / "set.json"
    tree = {"name": "small", "data": {"catalog": "synthetic", "seed": 7}, "global": {**shared, **extra}}
    path.write_text(json.dumps({**tree, "scenarios": scenarios}), encoding="utf-8")
    return path


def make_run(folder: Path, run_id: str, *overrides: str, **extra: Any) -> RunData:
    return run_set(
        write_set(folder, **extra),
        executor="local",
        out=folder / "runs",
        run_id=run_id,
        overrides=overrides,
        quiet=True,
    )


def write_fragile(folder: Path, module: str = "fragile") -> Path:
    """A set of two scenarios of a strategy of one's own, the second of which fails at tick 700."""
    (folder / f"{module}.py").write_text(STRATEGY, encoding="utf-8")
    shared = {"symbol": "EURUSD", "start": "2025-09-24T08:00:00Z", "max_ticks": 1_500}
    logic = {"type": f"{module}:Fragile"}
    scenarios = [{"name": "fine", "logic": logic}, {"name": "fails", "logic": {**logic, "fail_at": 700}}]
    path = folder / "fragile.json"
    path.write_text(json.dumps({"name": "fragile", "global": shared, "scenarios": scenarios}), encoding="utf-8")
    return path


def plant(path: Path, row: int, column: str, value: Any) -> Any:
    """Changes one cell of a Parquet file, as someone with a tool for such files would; gives what stood there."""
    table = pq.read_table(path)
    place = table.schema.get_field_index(column)
    values = table.column(column).to_pylist()
    before, values[row] = values[row], value
    changed = pa.array(values, table.schema.field(column).type)
    pq.write_table(table.set_column(place, table.schema.field(column), changed), path, write_page_checksum=True)
    return before


def flip_byte(path: Path, share: float = 0.5) -> None:
    """Damages a file as a bad disk does."""
    data = np.fromfile(path, np.uint8)
    data[int(len(data) * share)] ^= 0xFF
    data.tofile(path)
