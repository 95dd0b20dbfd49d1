"""The one interface through which everything above reads ticks, whatever they come from."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Protocol

from finiex_ray.config.models import DataConfig
from finiex_ray.core.errors import DataError
from finiex_ray.core.market import TickSegment
from finiex_ray.data.catalog import Catalog
from finiex_ray.data.synthetic import SyntheticMarket

__all__ = ["TickSource", "open_source"]


class TickSource(Protocol):
    """Ticks by symbol and UTC day. Methods that take a symbol raise ``DataError`` for one that is not there."""

    def symbols(self) -> tuple[str, ...]:
        """The symbols that hold ticks, sorted."""
        ...

    def digits(self, symbol: str) -> int:
        """Decimal digits of the price: a point is 10^-digits."""
        ...

    def first_day(self, symbol: str) -> date:
        """The first UTC day that holds ticks."""
        ...

    def last_day(self, symbol: str) -> date:
        """The last UTC day that holds ticks."""
        ...

    def has_day(self, symbol: str, day: date) -> bool:
        """Whether the UTC day holds ticks; cheap, nothing is loaded."""
        ...

    def load(self, symbol: str, day: date) -> TickSegment:
        """The ticks of one UTC day, frozen; an empty segment for a day without ticks.

        Raises:
            DataError: If the stored day is damaged.
        """
        ...

    def rows(self, symbol: str, day: date) -> int | None:
        """Ticks of one UTC day, where that is known without loading them; None where it is not."""
        ...

    def content_key(self, symbol: str, day: date) -> str:
        """A text that is equal for equal content, found without loading the ticks."""
        ...

    def describe(self) -> str:
        """What the source is, for people: one short line."""
        ...


def open_source(config: DataConfig, base: Path) -> TickSource:
    """Opens the synthetic market, or a catalog (a folder or a ``pyarrow.fs`` URI) that exists.

    Args:
        config: What the scenario set says about its data.
        base: Folder that a relative catalog path starts from.

    Raises:
        DataError: If the catalog does not exist or cannot be reached.
    """
    if config.catalog == "synthetic":
        return SyntheticMarket(config.seed)
    is_uri = "://" in config.catalog
    catalog = Catalog(config.catalog if is_uri else base / Path(config.catalog).expanduser())
    if not catalog.exists():
        raise DataError(
            f"no tick catalog at {catalog.uri}: make one with 'finiex-ray data import … --catalog {catalog.uri}', "
            'or use "catalog": "synthetic"'
        )
    return catalog
