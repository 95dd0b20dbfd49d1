"""`PluginAccess`: which strategy code a run may load. What a file names is never imported on the file's word alone."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final

__all__ = ["NO_ACCESS", "PluginAccess", "class_name"]

_OWN: Final = "finiex_ray"


@dataclass(frozen=True)
class PluginAccess:
    """Packages that the user allowed, and classes that were handed over in code.

    Built-in names, installed entry points and import paths into ``finiex_ray`` itself always work.

    Attributes:
        packages: Modules and packages (with all that is below them) from which import paths may come.
        classes: Name and class, for classes that no import path leads to, such as those of a notebook.
    """

    packages: tuple[str, ...] = ()
    classes: tuple[tuple[str, type], ...] = ()

    def allows(self, module: str) -> bool:
        """Whether an import path may lead into a module."""
        return any(module == package or module.startswith(f"{package}.") for package in (_OWN, *self.packages))

    def handed_over(self, name: str) -> type | None:
        """The class that was handed over under a name."""
        return next((found for known, found in self.classes if known == name), None)

    def with_classes(self, *classes: type) -> PluginAccess:
        """The same, and these classes: a scenario names them as `class_name` does.

        A class that its module really has is imported where it is needed; one that lives in ``__main__`` or inside of a
        function travels as it is.
        """
        packages, kept = list(self.packages), list(self.classes)
        for each in classes:
            if _importable(each):
                packages.append(each.__module__)
            else:
                kept.append((class_name(each), each))
        return PluginAccess(tuple(dict.fromkeys(packages)), tuple(dict.fromkeys(kept)))


def class_name(plugin: type) -> str:
    """What stands for a class as ``type`` in a configuration: ``module:Class``."""
    return f"{plugin.__module__}:{plugin.__qualname__}"


def _importable(plugin: type) -> bool:
    """Whether another process finds the same class by its name."""
    place: object = sys.modules.get(plugin.__module__)
    for part in plugin.__qualname__.split("."):
        place = getattr(place, part, None)
    return plugin.__module__ != "__main__" and place is plugin


NO_ACCESS: Final = PluginAccess()
