"""Random streams: one seed, many named streams, the same numbers on every machine and in every order of work."""

from __future__ import annotations

import hashlib

import numpy as np

__all__ = ["generator", "stream_seed"]


def stream_seed(seed: int, *names: str | int) -> int:
    """A 63-bit seed for the stream called ``names`` below ``seed`` (BLAKE2b of both, so streams are independent)."""
    text = "\x1f".join([str(int(seed)), *(str(name) for name in names)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A numpy generator (PCG64) for the stream called ``names`` below ``seed``."""
    return np.random.Generator(np.random.PCG64(stream_seed(seed, *names)))
