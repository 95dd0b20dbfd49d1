"""From the bytes of a JSON or YAML file to plain values: dict, list, str, int, Decimal, bool, None.

Both formats give the same values and refuse the same things: duplicate keys, NaN and infinity, numbers out of range,
more than 64 levels. Decimals stay exact.
"""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any, Final

from finiex_ray.config.messages import shorten
from finiex_ray.config.parse_yaml import parse_yaml
from finiex_ray.config.values import TOO_DEEP, Flaw, in_range, number, refuse, too_deep
from finiex_ray.core.errors import ConfigError

__all__ = ["MAX_BYTES", "SUFFIXES", "parse_value", "read_tree"]

MAX_BYTES: Final = 256 * 2**20
SUFFIXES: Final = (".json", ".yaml", ".yml")


def read_tree(path: Path) -> dict[str, Any]:
    """Reads a JSON or YAML file (by its ending) whose top is an object.

    Raises:
        ConfigError: If it cannot be read, is too large (256 MiB), is no UTF-8, has a syntax error, or holds a value
            that is refused; every refused value is listed.
    """
    source = str(path)
    text = _read_text(path)
    try:
        tree = _parse_json(text, source) if path.suffix.lower() == ".json" else parse_yaml(text, source)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ConfigError(f"is not valid JSON: {error.msg} at {place}", source=source) from None
    if not isinstance(tree, dict):
        kind = {list: "a list", str: "text", type(None): "empty"}.get(type(tree), "a single value")
        raise ConfigError(f"must be an object of keys and values at the top, but it is {kind}", source=source)
    return tree


def parse_value(text: str) -> Any:
    """The value of an override: JSON if it can be read as such, else the text itself.

    Raises:
        ConfigError: If it is JSON that no file may hold either (duplicate keys, NaN, numbers out of range).
    """
    try:
        return _parse_json(text, "")
    except json.JSONDecodeError:
        return text


def _read_text(path: Path) -> str:
    source = str(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"the file name must end in {', '.join(SUFFIXES)} (got {path.name!r})", source=source)
    try:
        if path.is_dir():
            raise ConfigError("is a folder, not a file", source=source)
        if (size := path.stat().st_size) > MAX_BYTES:
            raise ConfigError(f"has {size:,} bytes, more than {MAX_BYTES:,}; split the set", source=source)
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"no such file{_nearest(path)}", source=source) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot be read: {getattr(error, 'strerror', None) or error}", source=source) from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"is not UTF-8 text: byte {error.start} is 0x{raw[error.start]:02x}", source=source) from None
    if not text.strip():
        raise ConfigError("is empty", source=source)
    return text


def _nearest(path: Path) -> str:
    """What a mistyped name may have meant, among the files beside it."""
    try:
        names = [each.name for each in path.parent.iterdir() if each.suffix.lower() in SUFFIXES]
    except OSError:
        return ""
    near = difflib.get_close_matches(path.name, sorted(names), n=1, cutoff=0.6)
    return f". Did you mean '{path.parent / near[0]}'?" if near else ""


def _parse_json(text: str, source: str) -> Any:
    flawed = False

    def flaw(reason: str, key: str | None = None, rest: Any = None) -> Flaw:
        nonlocal flawed
        flawed = True
        return Flaw(reason, key, rest)

    def pairs_to_dict(pairs: list[tuple[str, Any]]) -> Any:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        return flaw("this key stands twice in one object; keep one", twice, found)

    def to_number(written: str) -> Any:
        return number(written) if in_range(written) else flaw(f"number out of range (got {shorten(written)})")

    try:
        tree = json.loads(
            text,
            object_pairs_hook=pairs_to_dict,
            parse_float=to_number,
            parse_int=to_number,
            parse_constant=lambda name: flaw(f"must be a finite number (got {name})"),
        )
        if flawed:
            raise refuse(tree, source)
    except RecursionError:
        raise ConfigError(TOO_DEEP, source=source) from None
    if too_deep(tree):
        raise ConfigError(TOO_DEEP, source=source)
    return tree
