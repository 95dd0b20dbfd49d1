"""The catalog: what is written is read back, what is damaged is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from finiex_ray.config.models import DataConfig
from finiex_ray.core.errors import DataError
from finiex_ray.core.market import TickSegment, content_hash
from finiex_ray.core.time import NS_PER_MS, day_start_ns
from finiex_ray.data.catalog import Catalog
from finiex_ray.data.catalog_format import SourcePart
from finiex_ray.data.source import open_source

DAY = date(2024, 1, 2)


def ticks(count: int = 2_000, first_ms: int = 0) -> TickSegment:
    steps = np.arange(count, dtype=np.int64)
    bid = 110_000 + steps % 17
    return TickSegment(day_start_ns(DAY) + (first_ms + steps) * NS_PER_MS, bid, bid + 10, steps / 4)


def part(segment: TickSegment, name: str = "a.csv") -> tuple[SourcePart, TickSegment]:
    first, last = int(segment.time_ns[0]), int(segment.time_ns[-1])
    rows = len(segment.time_ns)
    return SourcePart(name, "0" * 64, "csv", "UTC", "refuse", rows, first, last, content_hash(segment)), segment


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    filled = Catalog(tmp_path / "cat")
    filled.write_day("EURUSD", DAY, 5, [part(ticks())])
    return filled


def test_what_is_written_is_read_back_frozen(catalog: Catalog, tmp_path: Path) -> None:
    fresh = Catalog(tmp_path / "cat")
    loaded = fresh.load("EURUSD", DAY)
    assert content_hash(loaded) == content_hash(ticks()) == fresh.content_key("EURUSD", DAY)
    assert not any(column.flags.writeable for column in loaded)
    assert (fresh.symbols(), fresh.digits("EURUSD"), fresh.days("EURUSD")) == (("EURUSD",), 5, (DAY,))
    assert (fresh.first_day("EURUSD"), fresh.last_day("EURUSD")) == (DAY, DAY)
    info = fresh.info("EURUSD", DAY)
    assert (info.rows, info.digits, info.sources[0].name, info.sources[0].tz) == (2_000, 5, "a.csv", "UTC")


def test_a_day_without_ticks_is_empty(catalog: Catalog) -> None:
    other = date(2024, 1, 3)
    assert not catalog.has_day("EURUSD", other)
    assert len(catalog.load("EURUSD", other).time_ns) == 0
    assert catalog.content_key("EURUSD", other) != catalog.content_key("EURUSD", DAY)
    with pytest.raises(DataError, match="no ticks on 2024-01-03"):
        catalog.info("EURUSD", other)


def test_an_unknown_symbol_is_told_with_the_nearest(catalog: Catalog) -> None:
    with pytest.raises(DataError, match="Did you mean 'EURUSD'"):
        catalog.load("EURUSDX", DAY)


def test_parts_are_kept_apart(catalog: Catalog) -> None:
    later = part(ticks(10, first_ms=50_000), "b.csv")
    catalog.write_day("EURUSD", DAY, 5, [later, part(ticks())])
    parts = catalog.parts("EURUSD", DAY)
    assert [(source.name, len(segment.time_ns)) for source, segment in parts] == [("a.csv", 2_000), ("b.csv", 10)]
    assert content_hash(parts[1][1]) == content_hash(later[1])


def test_the_file_is_plain_parquet_with_checksums_and_no_leftovers(catalog: Catalog, tmp_path: Path) -> None:
    files = [path for path in (tmp_path / "cat").rglob("*") if path.is_file()]
    assert files == [tmp_path / "cat" / "ticks" / "EURUSD" / "2024-01-02.parquet"]
    assert pq.read_table(files[0]).column_names == ["time_ns", "bid_points", "ask_points", "volume"]


def test_equal_content_gives_equal_bytes(catalog: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "cat" / "ticks" / "EURUSD" / "2024-01-02.parquet"
    before = path.read_bytes()
    catalog.write_day("EURUSD", DAY, 5, [part(ticks())])
    assert path.read_bytes() == before


def test_a_flipped_bit_in_any_page_is_found_and_the_file_named(catalog: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "cat" / "ticks" / "EURUSD" / "2024-01-02.parquet"
    whole = path.read_bytes()
    column = pq.ParquetFile(path).metadata.row_group(0).column
    for place in range(4):
        chunk = column(place)
        at = chunk.data_page_offset + chunk.total_compressed_size - 3
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        with pytest.raises(DataError, match=r"2024-01-02\.parquet: damaged"):
            Catalog(tmp_path / "cat").load("EURUSD", DAY)


@pytest.mark.parametrize("data", [b"", b"PAR1", b"no parquet at all"])
def test_a_truncated_file_is_found(catalog: Catalog, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "cat" / "ticks" / "EURUSD" / "2024-01-02.parquet"
    path.write_bytes(data)
    for use in ("load", "info"):
        with pytest.raises(DataError, match=r"2024-01-02\.parquet: damaged"):
            getattr(Catalog(tmp_path / "cat"), use)("EURUSD", DAY)


def test_verify_finds_ticks_that_are_not_those_of_the_metadata(catalog: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "cat" / "ticks" / "EURUSD" / "2024-01-02.parquet"
    table = pq.read_table(path)
    moved = table.set_column(1, "bid_points", [table["bid_points"].combine_chunks().to_numpy() + 1])
    pq.write_table(moved.replace_schema_metadata(table.schema.metadata), path)
    fresh = Catalog(tmp_path / "cat")
    assert len(fresh.load("EURUSD", DAY).time_ns) == 2_000
    with pytest.raises(DataError, match="do not match its content hash"):
        fresh.verify("EURUSD", DAY)


def test_a_file_of_someone_else_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "cat" / "ticks" / "EURUSD" / "2024-01-02.parquet"
    pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)
    with pytest.raises(DataError, match="no catalog file"):
        Catalog(tmp_path / "cat").load("EURUSD", DAY)


def test_a_uri_and_a_path_reach_the_same_catalog(catalog: Catalog, tmp_path: Path) -> None:
    by_uri = Catalog((tmp_path / "cat").as_uri())
    assert by_uri.content_key("EURUSD", DAY) == catalog.content_key("EURUSD", DAY)
    assert by_uri.exists()
    with pytest.raises(DataError, match="no file system for it"):
        Catalog("nosuch://place/cat")


def test_open_source_takes_paths_from_the_base_folder(catalog: Catalog, tmp_path: Path) -> None:
    opened = open_source(DataConfig(catalog="cat"), tmp_path)
    assert opened.symbols() == ("EURUSD",)
    with pytest.raises(DataError, match="no tick catalog at"):
        open_source(DataConfig(catalog="none"), tmp_path)
    assert open_source(DataConfig(seed=7), tmp_path).describe() == "synthetic market (seed 7)"


def test_removing_a_day(catalog: Catalog) -> None:
    catalog.remove_day("EURUSD", DAY)
    assert catalog.symbols() == ()
    with pytest.raises(DataError, match="no symbol"):
        catalog.days("EURUSD")


def test_source_parts_compare_by_value() -> None:
    one = part(ticks())[0]
    assert one == replace(one)
    assert one != replace(one, tz="UTC+1")
