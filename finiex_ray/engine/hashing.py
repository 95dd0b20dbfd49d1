"""`result_hash`: one number that is equal exactly when two runs of a scenario did the same."""

from __future__ import annotations

import hashlib
from functools import cache
from struct import pack
from typing import Final

import numpy as np

from finiex_ray.core.records import LEDGER_COLUMNS as L
from finiex_ray.core.records import Records, words_of

__all__ = ["result_hash"]

_RESULTS: Final = (L.equity, L.max_drawdown, L.max_drawdown_share, L.max_runup)


@cache
def _layout(dtype: np.dtype[np.void]) -> bytes:
    """Names and types of a record's fields."""
    return f"{dtype.descr};".encode()


def result_hash(orders: Records, fills: Records, trades: Records, account: np.void) -> str:
    """SHA-256 over the order, fill and trade records and the final account, in layout order and little-endian bytes."""
    digest = hashlib.sha256()
    for name, records in (("orders", orders), ("fills", fills), ("trades", trades)):
        digest.update(f"{name}:{len(records)}:".encode())
        digest.update(_layout(records.dtype))
        digest.update(words_of(records).data)
    held = account.item()
    digest.update(pack("<q4d", held[L.balance_minor], *(held[column] for column in _RESULTS)))
    return digest.hexdigest()
