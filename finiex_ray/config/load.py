"""The files of the config room: scenario sets and broker files. The only module here that looks for files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from finiex_ray.config.broker import BrokerSpec
from finiex_ray.config.messages import join_lines, lines
from finiex_ray.config.models import ScenarioSet
from finiex_ray.config.overrides import parse_override
from finiex_ray.config.parse import SUFFIXES, read_tree
from finiex_ray.config.resolve import resolve_set
from finiex_ray.core.errors import ConfigError, suggest

__all__ = ["broker_folders", "known_brokers", "load_broker", "load_scenario_set"]

_BROKER_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_PACKAGE: Final = Path(__file__).resolve().parents[1]


def load_scenario_set(path: Path, overrides: Sequence[str] = (), only: Sequence[str] = ()) -> ScenarioSet:
    """Reads a scenario set (JSON or YAML) and resolves every scenario in it.

    `cascade` says how `global` values reach a scenario, `overrides` what ``--set`` can change. A scenario with mistakes
    of its own becomes an `InvalidScenario`, and the others stay; disabled scenarios are left out.

    Args:
        path: The file; its ending says the format (.json, .yaml, .yml).
        overrides: ``path=value`` texts, later ones win.
        only: Names of the scenarios to keep; all where empty.

    Raises:
        ConfigError: If the file cannot be read, something outside of single scenarios is wrong (every problem is
            listed, one a line), an override or a name in ``only`` is unknown, or no scenario is valid.
    """
    parsed = [parse_override(text) for text in overrides]
    return resolve_set(read_tree(Path(path)), str(path), parsed, only)


def load_broker(reference: str, base: Path) -> tuple[BrokerSpec, Path]:
    """Finds, reads and checks a broker file.

    Args:
        reference: A name (``mt5_fx``: letters, digits, ``_`` and ``-``), looked up in `broker_folders`; anything else
            is a path, relative to the set file's folder, then to the current folder.
        base: The set file, or its folder.

    Returns:
        The broker, and the file that it was read from.

    Raises:
        ConfigError: If there is no such broker (with the known names), or its file is wrong.
    """
    path = _find_broker(reference, base)
    try:
        return BrokerSpec.model_validate(read_tree(path)), path
    except ValidationError as error:
        raise ConfigError(join_lines(lines(error, BrokerSpec, source=str(path)))) from None


def broker_folders(base: Path) -> list[Path]:
    """Where broker names are looked up, first hit wins.

    ``configs/brokers/`` of the current folder, ``brokers/`` and ``../brokers/`` beside the set file, then the own ones.
    """
    beside = base if base.is_dir() else base.parent
    own = _PACKAGE / "_configs" / "brokers"
    if not own.is_dir():
        own = _PACKAGE.parent / "configs" / "brokers"
    return [Path.cwd() / "configs" / "brokers", beside / "brokers", beside.parent / "brokers", own]


def known_brokers(base: Path) -> list[str]:
    """Names of all brokers that a set file at ``base`` could refer to, sorted."""
    found = {
        file.stem
        for folder in broker_folders(base)
        if folder.is_dir()
        for file in folder.iterdir()
        if file.suffix.lower() in SUFFIXES and _BROKER_NAME.fullmatch(file.stem)
    }
    return sorted(found)


def _find_broker(reference: str, base: Path) -> Path:
    if _BROKER_NAME.fullmatch(reference):
        for folder in broker_folders(base):
            for suffix in SUFFIXES:
                if (path := folder / (reference + suffix)).is_file():
                    return path
    else:
        beside = base if base.is_dir() else base.parent
        for path in (beside / reference, Path.cwd() / reference):
            if "\x00" not in reference and path.is_file():
                return path
    known = known_brokers(base)
    message = f"there is no broker {reference!r}: neither a known name nor a file.{suggest(reference, known)}"
    raise ConfigError(message, source=str(base), path="account.broker")
