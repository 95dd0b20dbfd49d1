"""Delimited text of source files: read as text first, so that a bad cell is refused with its row and its content."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from finiex_ray.core.errors import ConfigError, suggest
from finiex_ray.core.market import FloatArray, IntArray
from finiex_ray.data.importers.base import first_true, refuse
from finiex_ray.data.importers.times import UNIT_NS, to_utc

__all__ = ["epoch_ns", "header_of", "numbers", "pick_columns", "read_bytes", "read_columns", "series"]

_ROW = re.compile(r"Row #(\d+): (.*)", re.DOTALL)


def read_bytes(path: Path, member: str = ".csv") -> bytes:
    """The text of a file as UTF-8; of a zip, the one member whose name ends in ``member``."""
    try:
        data = path.read_bytes()
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as archive:
                names = [name for name in archive.namelist() if name.lower().endswith(member)]
                if len(names) != 1:
                    refuse(path, f"the zip holds {len(names)} files that end in {member}, expected one")
                data = archive.read(names[0])
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        refuse(path, f"damaged zip: {error}")
    except OSError as error:
        refuse(path, f"cannot be read: {error}")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            data = data.decode("utf-16").encode()
        except UnicodeDecodeError as error:
            refuse(path, f"no UTF-16 text: {error}")
    return data.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n")


def header_of(data: bytes, delimiter: str) -> list[str]:
    """The cells of the first line, without quotes and spaces."""
    line = data.split(b"\n", 1)[0].decode("utf-8", "replace")
    return [cell.strip().strip('"') for cell in line.split(delimiter)]


def read_columns(path: Path, data: bytes, delimiter: str, names: Sequence[str], *, header: bool) -> dict[str, Any]:
    """Reads delimited text into one pyarrow text array a column, without spaces around the cells.

    Args:
        path: The source file, for messages.
        data: Its text.
        delimiter: Separator of columns.
        names: The columns, all of them, in order.
        header: Whether the first line is a header, to be passed over.

    Raises:
        ImportRefusedError: If it is no text, holds no row, or a row has too few or too many cells.
    """
    if not data or (header and b"\n" not in data):
        refuse(path, "holds no ticks")
    keys = [f"c{place}" for place in range(len(names))]  # a header may name two columns alike
    try:
        table = pacsv.read_csv(
            pa.BufferReader(data),
            read_options=pacsv.ReadOptions(column_names=keys, skip_rows=int(header), use_threads=False),
            parse_options=pacsv.ParseOptions(delimiter=delimiter, ignore_empty_lines=False),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(keys, pa.string()),
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        found = _ROW.search(str(error))
        refuse(path, found[2] if found else str(error), int(found[1]) if found else None)
    columns = (pc.utf8_trim_whitespace(table.column(key).combine_chunks()) for key in keys)
    return dict(zip(names, columns, strict=True))


def series(texts: Any) -> pd.Series[str]:
    """A pyarrow text array as a pandas Series."""
    return pd.Series(texts.to_pandas(), dtype="str")


def numbers(path: Path, name: str, texts: Any, first_row: int) -> FloatArray:
    """Parses a column of finite decimal numbers.

    Raises:
        ImportRefusedError: For the first cell that is no number.
    """
    try:
        values = pc.cast(texts, pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        values = pd.to_numeric(series(texts), errors="coerce").to_numpy(dtype=np.float64)
    bad = first_true(~np.isfinite(values))
    if bad is not None:
        cell = texts[bad].as_py()
        refuse(path, f"{name} is empty" if not cell else f"{name} {cell!r} is no number", first_row + bad)
    return np.asarray(values, dtype=np.float64)


def epoch_ns(path: Path, texts: Any, unit: str, first_row: int) -> IntArray:
    """Parses numbers since the epoch, exactly, also those with decimals.

    Raises:
        ImportRefusedError: For the first cell that is no number, or lies outside 1971 to 2200.
    """
    try:
        whole = pc.cast(texts, pa.int64()).to_numpy(zero_copy_only=False).astype(np.int64)
        limit = 2**62 // UNIT_NS[unit]
        return to_utc(path, np.clip(whole, -limit, limit) * UNIT_NS[unit], first_row)
    except pa.ArrowInvalid:
        numbers(path, "time", texts, first_row)  # refuses with the row whatever is no number at all
    try:
        exact = pc.multiply(pc.cast(texts, pa.decimal128(27, 9)), pa.scalar(UNIT_NS[unit], pa.decimal128(10, 0)))
        return to_utc(path, pc.cast(exact, pa.int64()).to_numpy(zero_copy_only=False).astype(np.int64), first_row)
    except pa.ArrowInvalid as error:
        refuse(path, f"times are no whole numbers of ns: {error}")


def pick_columns(path: Path, columns: dict[str, str], known: Sequence[str]) -> dict[str, str]:
    """Finds the columns of time, bid, ask and volume: as mapped, else by their own names without regard to case.

    Args:
        path: The source file, for messages.
        columns: The user's mapping, which must name columns that exist.
        known: The columns of the file.

    Raises:
        ConfigError: For a mapping of something else, or to a column that the file does not have.
        ImportRefusedError: If no column of time, bid or ask is found.
    """
    roles = ("time", "bid", "ask", "volume")
    for role, column in columns.items():
        if role not in roles:
            raise ConfigError(f"unknown column {role!r}.{suggest(role, roles)}", source="--column")
        if column not in known:
            raise ConfigError(f"{path} has no column {column!r}.{suggest(column, known)}", source="--column")
    by_name = {name.lower(): name for name in reversed(list(known))}
    picked = {}
    for role in roles:
        aliases = ("time", "timestamp", "datetime", "date") if role == "time" else (role,)
        found = columns.get(role) or next((by_name[alias] for alias in aliases if alias in by_name), None)
        if found is None and role != "volume":
            refuse(path, f"no column for {role} among {', '.join(known)}; name it with --column {role}=NAME")
        if found is not None:
            picked[role] = found
    return picked
