"""`create_project` and `create_module`: files from templates; nothing that is there is ever written over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from finiex_ray.core.errors import ConfigError
from finiex_ray.project.names import class_name, module_name, package_name

__all__ = ["ModuleKind", "create_module", "create_project", "project_package"]

_MARKER: Final = "finiex-project.json"  # says that a folder is a project, and which package its strategies are in


class ModuleKind(StrEnum):
    """What a new module holds."""

    WORKER = "worker"
    LOGIC = "logic"


def create_project(folder: Path) -> list[Path]:
    """Makes a project: a scenario set, a worker, a logic and a test that run as they are.

    Args:
        folder: Its folder; made where it is missing, refused where it holds something.

    Returns:
        The files.

    Raises:
        ConfigError: If the folder is not empty, cannot be written to, or no package can be named after it.
    """
    package = package_name(folder.absolute().name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError("is there already and not empty; choose another folder", source=str(folder))
    values = {"name": folder.absolute().name, "package": package}
    texts = {
        ".gitignore": _filled("gitignore.txt", values),
        "README.md": _filled("readme.md.txt", values),
        _MARKER: json.dumps({"package": package}) + "\n",
        "configs/first.json": _filled("first.json.txt", values),
        "conftest.py": _filled("conftest.py.txt", values),
        f"{package}/__init__.py": _filled("package.py.txt", values),
        f"{package}/breakout.py": _module(ModuleKind.LOGIC, "breakout"),
        f"{package}/channel.py": _module(ModuleKind.WORKER, "channel"),
        "tests/test_strategy.py": _filled("test_strategy.py.txt", values),
    }
    return [_write(folder / name, text) for name, text in texts.items()]


def create_module(kind: ModuleKind, name: str, folder: Path) -> tuple[Path, str]:
    """Adds a worker or a logic to a project.

    Args:
        kind: What it is.
        name: Name of the module.
        folder: Folder of the project.

    Returns:
        The file, and what a scenario set says as ``type``.

    Raises:
        ConfigError: If the folder is no project, the name is none, or there is such a module.
    """
    package = project_package(folder)
    module = module_name(name)
    path = folder / package / f"{module}.py"
    if path.exists() or path.with_suffix("").exists():
        raise ConfigError("is there already; choose another name", source=str(path))
    return _write(path, _module(kind, module)), f"{package}.{module}:{class_name(module)}"


def project_package(folder: Path) -> str:
    """Name of the package that a project's strategies are in.

    Raises:
        ConfigError: If the folder is no project.
    """
    marker = folder / _MARKER
    try:
        package = str(json.loads(marker.read_text(encoding="utf-8"))["package"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"is no project of finiex_ray (it has no sound {_MARKER}); make one with: finiex-ray init DIR"
        raise ConfigError(message, source=str(folder.absolute())) from error
    if not package.isidentifier() or not (folder / package).is_dir():
        raise ConfigError(f"names the package {package!r}, which is not here", source=str(marker))
    return package


def _module(kind: ModuleKind, module: str) -> str:
    return _filled(f"{kind.value}.py.txt", {"class_name": class_name(module)})


def _filled(template: str, values: Mapping[str, str]) -> str:
    text = (files(__package__) / "templates" / template).read_text(encoding="utf-8")
    return Template(text).substitute(values)


def _write(path: Path, text: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        raise ConfigError(f"cannot be written ({error.strerror})", source=str(path)) from error
    return path
