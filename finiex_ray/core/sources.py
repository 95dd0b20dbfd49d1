"""`source_digest`: a hash of the source of some modules and of everything of one's own that they import."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec, resolve_name
from pathlib import Path
from typing import Final

__all__ = ["source_digest"]

_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
_OURS: Final = __name__.partition(".")[0]


def source_digest(modules: Sequence[str]) -> str | None:
    """Hash of the source of modules and, as far as they import them, of modules that are no installed packages.

    Of an installed package the version counts; the standard library and this package do not. Imports are found in the
    source, also those inside functions; a module that is imported by a name made at run time is not.

    Args:
        modules: Names of modules that can be imported.

    Returns:
        The hash, or None if the source of one of ``modules`` is out of reach.
    """
    digest = hashlib.sha256()
    own = {name.partition(".")[0] for name in modules}
    waiting = sorted({each for name in modules for each in _with_parents(name)})
    seen = set(waiting)
    contents: dict[str, bytes] = {}
    while waiting:
        name = waiting.pop()
        spec = _spec(name)
        path = None if spec is None or not spec.has_location or spec.origin is None else Path(spec.origin)
        if path is None or path.suffix != ".py":
            if name in modules:
                return None
            continue
        if name.partition(".")[0] not in own and _INSTALLED.intersection(path.parts):
            contents[name.partition(".")[0]] = _version(name.partition(".")[0]).encode()
            continue
        contents[name] = path.read_bytes()
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for found in _imports(contents[name], package):
            if found not in seen and found.partition(".")[0] not in (_OURS, *sys.stdlib_module_names):
                seen.add(found)
                waiting.append(found)
    for name, content in sorted(contents.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _spec(name: str) -> ModuleSpec | None:
    try:
        return find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return str(getattr(sys.modules.get(package), "__version__", ""))


def _with_parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[: count + 1]) for count in range(len(parts))]


def _imports(source: bytes, package: str) -> Iterator[str]:
    """Names of all modules that a source may import."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_parents(alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                try:
                    base = resolve_name("." * node.level + base, package)
                except ImportError:
                    continue
            yield from _with_parents(base)
            for alias in node.names:  # a name that is imported from a package may be a module of it
                yield f"{base}.{alias.name}"
