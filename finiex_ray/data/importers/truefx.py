"""TrueFX: ``EUR/USD,20130101 00:00:00.123,bid,ask`` without header, or ``timestamp,bid,ask`` with one; in UTC."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc

from finiex_ray.data.importers.base import Importer, ImportOptions, RawTicks, first_true, refuse
from finiex_ray.data.importers.csv import read_mapped
from finiex_ray.data.importers.text import header_of, pick_columns, read_bytes, read_columns

__all__ = ["TrueFxImporter"]


class TrueFxImporter(Importer):
    """Monthly tick files of TrueFX, as csv or zip."""

    name = "truefx"
    suffixes = (".csv", ".zip")

    def read(self, path: Path, options: ImportOptions) -> RawTicks:
        """Reads one file of either layout."""
        data = read_bytes(path)
        if not data.strip():
            refuse(path, "is empty")
        options = replace(options, tz=options.tz or "UTC")
        first = header_of(data, ",")
        if "/" not in first[0]:
            picked = pick_columns(path, dict(options.columns), first)
            columns = read_columns(path, data, ",", first, header=True)
            return read_mapped(path, options, {role: columns[name] for role, name in picked.items()}, first_row=2)
        columns = read_columns(path, data, ",", ("pair", "time", "bid", "ask"), header=False)
        pair = columns.pop("pair")
        other = first_true(pc.not_equal(pair, first[0]).to_numpy(zero_copy_only=False))
        if other is not None:
            refuse(path, f"pair {pair[other].as_py()!r} in a file of {first[0]}", other + 1)
        return read_mapped(path, replace(options, time_format="%Y%m%d %H:%M:%S.%f"), columns, first_row=1)

    def stamped_symbol(self, path: Path) -> str | None:
        """The pair of the first row, in the layout without header."""
        if path.suffix.lower() == ".zip":
            return None
        try:
            with path.open("rb") as file:
                first = header_of(file.read(200), ",")[0]
        except OSError:
            return None  # ``read`` refuses it, with the reason
        return first.replace("/", "").upper() if "/" in first else None
