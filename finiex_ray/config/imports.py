"""From ``--allow-import`` to the packages that a run may load strategies from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from finiex_ray.core.access import PluginAccess
from finiex_ray.core.errors import ConfigError

__all__ = ["HERE", "allowed_imports"]

HERE: Final = "."


def allowed_imports(names: Iterable[str], folder: Path) -> PluginAccess:
    """What the user allows.

    Args:
        names: Modules and packages (``my_strategies``, ``my_package.live``); ``.`` stands for all that lie in ``folder``.
        folder: The current folder, which is on the import path.

    Raises:
        ConfigError: If a name is no module name.
    """
    packages: list[str] = []
    for name in names:
        if name == HERE:
            packages.extend(_modules(folder))
        elif all(part.isidentifier() for part in name.split(".")):
            packages.append(name)
        else:
            message = (
                f"{name!r} is no module; write the name that is imported, such as my_strategies, or . for this folder"
            )
            raise ConfigError(message, source="--allow-import")
    return PluginAccess(tuple(dict.fromkeys(packages)))


def _modules(folder: Path) -> Iterator[str]:
    """Names of the modules and packages of a folder, sorted."""
    for path in sorted(folder.iterdir()):
        is_module = path.suffix == ".py" and path.is_file()
        if path.stem.isidentifier() and (is_module or (not path.suffix and any(path.glob("*.py")))):
            yield path.stem
