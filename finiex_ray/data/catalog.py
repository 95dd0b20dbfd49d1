"""The catalog: a folder (or any ``pyarrow.fs`` place) with one checksummed Parquet file per symbol and UTC day."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from finiex_ray.core.errors import DataError
from finiex_ray.core.market import TickSegment, content_hash
from finiex_ray.data.catalog_format import DayInfo, SourcePart, day_info, decode_info, decode_ticks, encode
from finiex_ray.data.segments import check_symbol_name, concat_segments, empty_segment, take, unknown_symbol

__all__ = ["Catalog"]

_DAY_FILE = re.compile(r"\d{4}-\d{2}-\d{2}\.parquet")


class Catalog:
    """Ticks in ``<root>/ticks/<SYMBOL>/<YYYY-MM-DD>.parquet``. It is a ``TickSource``; ``write_day`` fills it.

    Args:
        uri: A local path, or a URI of any file system that pyarrow knows (``file://``, ``s3://``, ``gs://``, …).

    Raises:
        DataError: If the URI is of no known file system.
    """

    def __init__(self, uri: str | Path) -> None:
        self.uri = str(uri)
        self._fs, self._root = _open_place(self.uri)
        self._days: dict[str, tuple[date, ...]] = {}
        self._infos: dict[tuple[str, date], DayInfo] = {}

    def exists(self) -> bool:
        """Whether there is a catalog at the place, be it an empty one."""
        with self._place_errors(self.uri):
            return bool(self._fs.get_file_info(f"{self._root}/ticks").type == pafs.FileType.Directory)

    def symbols(self) -> tuple[str, ...]:
        """The symbols that hold ticks, sorted."""
        with self._place_errors(self.uri):
            found = self._fs.get_file_info(pafs.FileSelector(f"{self._root}/ticks", allow_not_found=True))
        names = sorted(info.base_name for info in found if info.type == pafs.FileType.Directory)
        return tuple(name for name in names if self._list_days(name))

    def digits(self, symbol: str) -> int:
        """Decimal digits of the symbol's prices."""
        return self.info(symbol, self.first_day(symbol)).digits

    def days(self, symbol: str) -> tuple[date, ...]:
        """The UTC days that hold ticks, sorted.

        Raises:
            DataError: If the catalog does not have the symbol.
        """
        days = self._list_days(symbol)
        if not days:
            raise unknown_symbol(symbol, self.symbols(), self.describe())
        return days

    def first_day(self, symbol: str) -> date:
        """The first UTC day that holds ticks."""
        return self.days(symbol)[0]

    def last_day(self, symbol: str) -> date:
        """The last UTC day that holds ticks."""
        return self.days(symbol)[-1]

    def has_day(self, symbol: str, day: date) -> bool:
        """Whether the UTC day holds ticks."""
        return day in self.days(symbol)

    def load(self, symbol: str, day: date) -> TickSegment:
        """The ticks of one UTC day, frozen; an empty segment for a day without ticks.

        Raises:
            DataError: If the file is damaged (its name is in the message).
        """
        if not self.has_day(symbol, day):
            return empty_segment()
        path = self._path(symbol, day)
        with self._open(path) as parquet:
            decode_info(parquet, path)
            return decode_ticks(parquet, path)

    def verify(self, symbol: str, day: date) -> TickSegment:
        """Loads a day and holds its ticks against the content hash of its metadata as well.

        Raises:
            DataError: If the file is damaged.
        """
        ticks = self.load(symbol, day)
        if len(ticks.time_ns) and content_hash(ticks) != self.info(symbol, day).content_hash:
            raise DataError(
                f"{self._path(symbol, day)}: damaged: its ticks do not match its content hash; import the day again"
            )
        return ticks

    def segments(self, symbol: str, *, verify: bool = False) -> Iterator[tuple[date, TickSegment]]:
        """Every day of a symbol with its ticks, in order, one at a time."""
        for day in self.days(symbol):
            yield day, self.verify(symbol, day) if verify else self.load(symbol, day)

    def rows(self, symbol: str, day: date) -> int | None:
        """Ticks of one UTC day, from the file's metadata."""
        return self.info(symbol, day).rows if self.has_day(symbol, day) else 0

    def content_key(self, symbol: str, day: date) -> str:
        """Content hash of a day, from the file's metadata."""
        if not self.has_day(symbol, day):
            return content_hash(empty_segment())
        return self.info(symbol, day).content_hash

    def info(self, symbol: str, day: date) -> DayInfo:
        """What the file of a day says about it, without reading its ticks.

        Raises:
            DataError: If the catalog does not hold the day, or its file is damaged.
        """
        key = (symbol, day)
        if key not in self._infos:
            if not self.has_day(symbol, day):
                raise DataError(f"{self.describe()}: {symbol} has no ticks on {day.isoformat()}")
            path = self._path(symbol, day)
            with self._open(path) as parquet:
                self._infos[key] = decode_info(parquet, path)
        return self._infos[key]

    def describe(self) -> str:
        """What the source is."""
        return f"catalog {self.uri}"

    def stored_days(self, symbol: str) -> tuple[date, ...]:
        """Like ``days``, but empty for a symbol that the catalog does not have."""
        return self._list_days(check_symbol_name(symbol))

    def parts(self, symbol: str, day: date) -> list[tuple[SourcePart, TickSegment]]:
        """The ticks of a day by the source file that they came from, in time order."""
        ticks, first, cut = self.load(symbol, day), 0, []
        for part in self.info(symbol, day).sources:
            cut.append((part, take(ticks, slice(first, first + part.rows))))
            first += part.rows
        return cut

    def write_day(
        self, symbol: str, day: date, digits: int, parts: Sequence[tuple[SourcePart, TickSegment]]
    ) -> DayInfo:
        """Writes (or replaces) the file of a day, whole or not at all.

        Args:
            symbol: A valid symbol name.
            day: The UTC day that holds every tick of ``parts``.
            digits: Decimal digits of the prices.
            parts: Ticks by source file; they must not overlap in time. They are stored in time order.
        """
        check_symbol_name(symbol)
        ordered = sorted(parts, key=lambda item: (item[0].first_ns, item[0].last_ns, item[0].content_hash))
        ticks = concat_segments([segment for _, segment in ordered])
        info = day_info(symbol, day, digits, ticks, [part for part, _ in ordered])
        path = self._path(symbol, day)
        temporary = f"{path}.{uuid.uuid4().hex}.tmp"
        with self._place_errors(path):
            self._fs.create_dir(f"{self._root}/ticks/{symbol}", recursive=True)
            try:
                with self._fs.open_output_stream(temporary) as stream:
                    stream.write(encode(info, ticks))
                self._fs.move(temporary, path)
            except BaseException:
                if self._fs.get_file_info(temporary).type == pafs.FileType.File:
                    self._fs.delete_file(temporary)
                raise
        self._forget(symbol, day)
        return info

    def remove_day(self, symbol: str, day: date) -> None:
        """Deletes the file of a day that the catalog holds."""
        with self._place_errors(self._path(symbol, day)):
            self._fs.delete_file(self._path(symbol, day))
        self._forget(symbol, day)

    def _forget(self, symbol: str, day: date) -> None:
        self._days.pop(symbol, None)
        self._infos.pop((symbol, day), None)

    def _path(self, symbol: str, day: date) -> str:
        return f"{self._root}/ticks/{check_symbol_name(symbol)}/{day.isoformat()}.parquet"

    def _list_days(self, symbol: str) -> tuple[date, ...]:
        if symbol not in self._days:
            folder = f"{self._root}/ticks/{check_symbol_name(symbol)}"
            with self._place_errors(folder):
                found = self._fs.get_file_info(pafs.FileSelector(folder, allow_not_found=True))
            names = [info.base_name for info in found if _DAY_FILE.fullmatch(info.base_name)]
            self._days[symbol] = tuple(sorted(date.fromisoformat(name.removesuffix(".parquet")) for name in names))
        return self._days[symbol]

    @contextmanager
    def _open(self, path: str) -> Iterator[Any]:
        try:
            with (
                self._fs.open_input_file(path) as stream,
                pq.ParquetFile(stream, page_checksum_verification=True) as parquet,
            ):
                yield parquet
        except FileNotFoundError as error:
            raise DataError(f"{path}: gone while the catalog was in use") from error
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{path}: damaged or unreadable ({error}); import the day again") from error

    @contextmanager
    def _place_errors(self, path: str) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{path}: the catalog cannot be used here ({error})") from error


def _open_place(uri: str) -> tuple[Any, str]:
    try:
        if "://" in uri:
            filesystem, root = pafs.FileSystem.from_uri(uri)
        else:
            filesystem, root = pafs.LocalFileSystem(), Path(uri).expanduser().absolute().as_posix()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(f"catalog {uri}: no file system for it ({error})") from error
    return filesystem, root.rstrip("/")
