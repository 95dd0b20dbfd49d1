"""Arrow arrays straight from the memory of numpy arrays and texts, and the way back.

``pyarrow.array``, ``to_numpy``, ``cast`` and ``dictionary_encode`` do the same, but the first call imports pandas or
``pyarrow.compute``, which take a quarter and a twentieth of a short run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa

__all__ = ["coded", "filled_column", "numbers", "recoded", "texts", "to_numbers"]


def numbers(values: Any, missing: Any = None, kind: Any = None) -> Any:
    """An array of numbers.

    Args:
        values: Shape (n,), a numpy array of integers or floats.
        missing: Shape (n,), bool: true where the value is null; None: nowhere.
        kind: Arrow type of the same width; default: that of ``values``.
    """
    values = np.ascontiguousarray(values)
    kind = pa.from_numpy_dtype(values.dtype) if kind is None else kind
    return pa.Array.from_buffers(kind, len(values), [_validity(missing), pa.py_buffer(values)])


def to_numbers(column: Any) -> Any:
    """The numbers of an array or a chunked array as a read-only numpy array, of the same memory where that is one piece.

    Raises:
        ValueError: If there are nulls.
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if array.null_count:
        raise ValueError(f"{array.null_count} values are null")
    dtype = np.dtype(f"{'f' if pa.types.is_floating(array.type) else 'i'}{array.type.bit_width // 8}")
    memory = array.buffers()[1]
    return np.frombuffer(memory, dtype, len(array), array.offset * dtype.itemsize) if len(array) else np.empty(0, dtype)


def texts(values: Sequence[str | None], kind: Any = None) -> Any:
    """An array of texts, where None is null.

    Args:
        values: The texts.
        kind: ``string`` (default, up to 2 GiB in all) or ``large_string``.
    """
    kind = pa.string() if kind is None else kind
    encoded = [b"" if value is None else value.encode() for value in values]
    width = np.int64 if pa.types.is_large_string(kind) else np.int32
    ends = np.fromiter(accumulate(map(len, encoded), initial=0), np.int64, len(encoded) + 1).astype(width)
    missing = np.fromiter((value is None for value in values), np.bool_, len(encoded))
    buffers = [_validity(missing), pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(kind, len(encoded), buffers)


def coded(values: Iterable[str | None]) -> Any:
    """A dictionary array of words, in the order in which they first come up; None is null."""
    words: dict[str, int] = {}
    codes = np.array([-1 if value is None else words.setdefault(value, len(words)) for value in values], np.int32)
    return pa.DictionaryArray.from_arrays(numbers(codes, codes < 0), texts(list(words)))


def recoded(column: Any) -> Any:
    """A dictionary array of the words of another one, which may be in chunks, as `coded` gives it; null stays null."""
    array = column.unify_dictionaries().combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    words, codes = array.dictionary.to_pylist(), _codes(array.indices)
    rows = np.arange(len(codes))
    first = np.full(len(words) + 1, len(codes))  # row in which a word first comes up; the last place is for null
    first[codes[::-1]] = rows[::-1]
    order = [int(code) for code in first[:-1].argsort(kind="stable") if first[code] < len(codes)]
    renewed = np.full(len(words) + 1, -1, np.int32)
    renewed[order] = np.arange(len(order))
    codes = renewed[codes]
    return pa.DictionaryArray.from_arrays(numbers(codes, codes < 0), texts([words[code] for code in order]))


def _codes(indices: Any) -> Any:
    """Codes of a dictionary array, -1 where the value is null."""
    if not len(indices):
        return np.empty(0, np.int64)
    bits, memory = indices.buffers()
    places = slice(indices.offset, indices.offset + len(indices))
    codes = np.frombuffer(memory, f"i{indices.type.bit_width // 8}")[places]
    if not indices.null_count:
        return codes
    return np.where(np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")[places], codes, -1)


def filled_column(values: Sequence[Any], kind: Any) -> Any:
    """An array of the values of a row each, where None is null.

    Args:
        values: Numbers, bools, texts, or ns for a timestamp.
        kind: Arrow type: int64, float64, bool, timestamp, text, or a dictionary of texts.
    """
    if pa.types.is_dictionary(kind):
        return coded(values)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return texts(values, kind)
    missing = np.fromiter((value is None for value in values), np.bool_, len(values))
    filled = [0 if value is None else value for value in values]
    if pa.types.is_boolean(kind):
        buffers = [_validity(missing), pa.py_buffer(_bits(np.array(filled, np.bool_)))]
        return pa.Array.from_buffers(kind, len(filled), buffers)
    return numbers(np.array(filled, np.float64 if pa.types.is_floating(kind) else np.int64), missing, kind)


def _bits(flags: Any) -> Any:
    return np.packbits(flags, bitorder="little")


def _validity(missing: Any) -> Any:
    return None if missing is None or not missing.any() else pa.py_buffer(_bits(~missing))
