"""`result_hash`: one number that is equal exactly when two runs of a scenario did the same."""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np

from finiex_ray.core.records import Records

__all__ = ["result_hash"]


@cache
def _layout(dtype: np.dtype[np.void]) -> str:
    """Names and types of a record's fields."""
    return str(dtype.descr)


def result_hash(orders: Records, fills: Records, trades: Records, account: np.void) -> str:
    """SHA-256 over the order, fill and trade records and the final account, in layout order and little-endian bytes."""
    digest = hashlib.sha256()
    for name, records in (("orders", orders), ("fills", fills), ("trades", trades)):
        digest.update(f"{name}:{len(records)}:{_layout(records.dtype)};".encode())
        digest.update(np.ascontiguousarray(records).view(np.uint8).data)
    for field in ("balance_minor", "equity", "max_drawdown", "max_drawdown_share", "max_runup"):
        digest.update(np.asarray(account[field]).tobytes())
    return digest.hexdigest()
