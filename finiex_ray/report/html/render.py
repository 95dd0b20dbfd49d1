"""Templates, the data blocks that pages carry, and the files that pages share."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from finiex_ray.core.errors import ConfigError
from finiex_ray.display import numbers

__all__ = ["ASSETS", "SWEEP_ASSETS", "asset_bytes", "data_block", "render"]

ASSETS: Final = ("report.css", "report.js", "plotly.min.js")
"""Files that the pages of a report share."""
SWEEP_ASSETS: Final = (*ASSETS, "explore.js")
"""And those of a sweep's."""
_OWN: Final = Path(__file__).parent / "assets"
# What could end a script element or open a comment in it, or end a line in JavaScript.
_ESCAPES: Final = {ord(each): f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("finiex_ray.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = ("count", "data_size", "duration", "money", "percent", "rate", "ratio")
    made.filters.update({name: _with_minus(getattr(numbers, name)) for name in names})
    made.filters["data_block"] = data_block
    return made


def _with_minus(write: Callable[..., str]) -> Callable[..., str]:
    """Numbers with a minus sign, as wide as a plus, where a terminal has a hyphen."""
    return lambda *values: write(*values).replace("-", "−")


def render(template: str, values: Mapping[str, Any]) -> str:
    """A page; every value is escaped."""
    return _environment().get_template(template).render(values)


def data_block(value: Any) -> Markup:
    """JSON for a ``<script type="application/json">`` element: no text in it can end the element; what is not finite is null."""
    text = json.dumps(_finite(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Markup(text.translate(_ESCAPES))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return value


def asset_bytes(name: str) -> bytes:
    """A file that all pages share.

    Raises:
        ConfigError: If Plotly is not installed as it should be.
    """
    if name != "plotly.min.js":
        return (_OWN / name).read_bytes()
    spec = find_spec("plotly")  # the package itself is not imported: only its script is needed
    places = spec.submodule_search_locations if spec else None
    path = Path(places[0]) / "package_data" / name if places else None
    if path is None or not path.is_file():
        raise ConfigError("the script plotly.min.js is missing; install it with: pip install 'plotly>=6'")
    return path.read_bytes()
