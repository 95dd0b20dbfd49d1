"""`read_columns`: some columns of a table of a run, without the rest of the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from finiex_ray.core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_columns"]


def read_columns(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Reads columns of a Parquet file.

    Raises:
        DataError: If the file is missing or damaged.
    """
    try:
        frame: pd.DataFrame = pq.read_table(path, columns=list(columns), page_checksum_verification=True).to_pandas()
    except FileNotFoundError as error:
        raise DataError(f"{path}: missing; was the run folder copied whole?") from error
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: damaged or unreadable ({error})") from error
    return frame
