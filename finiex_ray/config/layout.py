"""The layout of the file itself: its top keys, and the `global` section, in which every value may be left out."""

from __future__ import annotations

from typing import Any, Final

from pydantic import ConfigDict, Field, create_model

from finiex_ray.config.base import Model
from finiex_ray.config.models import ScenarioConfig

__all__ = ["TOP_KEYS", "GlobalSection"]

TOP_KEYS: Final = ("name", "data", "global", "scenarios")


class _Partial(Model):
    """What scenarios share; each scenario's own values go over it."""

    model_config = ConfigDict(validate_default=False)


def _optional_fields() -> dict[str, Any]:
    return {
        name: (field.rebuild_annotation(), Field(None, description=field.description))
        for name, field in ScenarioConfig.model_fields.items()
        if name != "name"
    }


GlobalSection: Final[type[Model]] = create_model(
    "GlobalSection", __base__=_Partial, __doc__=_Partial.__doc__, **_optional_fields()
)
