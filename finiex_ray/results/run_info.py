"""``run.json``: one key a line, the resolved configuration last, so that the head can be renewed alone."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any, Final

from finiex_ray.core.errors import DataError
from finiex_ray.core.version import __version__
from finiex_ray.results.files import appearing, sync_folder

__all__ = ["FORMAT_VERSION", "read_config_text", "read_head", "renew_head", "versions", "write_info"]

FORMAT_VERSION: Final = 2
_LINES: Final = 1_000  # written at once
_BLOCK: Final = 2**20  # bytes copied at once
_CONFIG: Final = '"config": '  # at the start of a line: no other line of the head begins so
_PACKAGES: Final = ("numba", "numpy", "pandas", "pyarrow", "pydantic", "ray")


def versions() -> dict[str, str | None]:
    """Versions of what a result may depend on; None for what is not installed."""
    found: dict[str, str | None] = {"finiex_ray": __version__}
    found |= {name: _version(name) for name in _PACKAGES}
    return found | {"python": platform.python_version(), "platform": platform.platform()}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def write_info(path: Path, head: Mapping[str, Any], config: Iterable[str]) -> None:
    """Writes the file.

    Args:
        path: The file.
        head: Everything but the configuration; JSON values.
        config: The lines of the resolved scenario set, as `finiex_ray.config.resolved.json_lines` gives them.
    """
    with appearing(path) as stream:
        stream.write((_head_text(head) + _CONFIG).encode())
        for group in _batched(config):
            stream.write(group.encode())
        stream.write(b"}\n")
    sync_folder(path.parent)


def renew_head(path: Path, head: Mapping[str, Any]) -> None:
    """Replaces everything but the configuration, which is copied as it stands."""
    with path.open("rb") as old, appearing(path) as new:
        new.write(_head_text(head).encode())
        for line in old:
            if line.startswith(_CONFIG.encode()):
                new.write(line)
                break
        while block := old.read(_BLOCK):
            new.write(block)
    sync_folder(path.parent)


def _batched(lines: Iterable[str]) -> Iterator[str]:
    lines = iter(lines)
    while group := list(islice(lines, _LINES)):
        yield "".join(group)


def read_head(path: Path) -> dict[str, Any]:
    """Reads everything but the configuration.

    Raises:
        DataError: If the file is damaged.
    """
    lines = []
    try:
        with path.open(encoding="utf-8", newline="\n") as stream:
            for line in stream:
                if line.startswith(_CONFIG):
                    break
                lines.append(line)
        head: dict[str, Any] = json.loads("".join(lines).rstrip().rstrip(",") + "}")
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: damaged or unreadable ({error})") from error
    return head


def read_config_text(path: Path) -> str:
    """The resolved scenario set, for `finiex_ray.config.resolved.from_json`.

    Raises:
        DataError: If the file holds none.
    """
    _, found, rest = path.read_text(encoding="utf-8").partition("\n" + _CONFIG)
    if not found:
        raise DataError(f"{path}: damaged: it holds no configuration")
    return rest.rstrip().removesuffix("}")


def _head_text(head: Mapping[str, Any]) -> str:
    lines = (f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)},\n" for key, value in head.items())
    return "{\n" + "".join(lines)
