"""What a scenario set refers to and does not hold itself: its ticks, and the files of its brokers."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.load import load_broker
from finiex_ray.config.models import DataConfig
from finiex_ray.data.source import TickSource, open_source
from finiex_ray.execution.plan import Brokers

__all__ = ["brokers_beside", "open_data"]


def open_data(data: DataConfig, path: Path) -> TickSource:
    """Opens the data of a set; a relative catalog is looked for beside the set file, then in the current folder.

    Raises:
        DataError: If it is in neither place.
    """
    beside = path if path.is_dir() else path.parent
    return open_source(data, beside if (beside / data.catalog).is_dir() else Path.cwd())


def brokers_beside(path: Path) -> Brokers:
    """Finds brokers by name, beside a set file (or in a folder) and where all are; each is read once."""

    @cache
    def find(reference: str) -> BrokerSpec:
        return load_broker(reference, path)[0]

    return find
