"""JSON Schema (2020-12) of a scenario set file: for editors, and for ``finiex-ray schema``."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from finiex_ray.config.layout import GlobalSection
from finiex_ray.config.models import DataConfig, ScenarioConfig, TypedConfig

__all__ = ["scenario_set_schema"]


def scenario_set_schema() -> dict[str, Any]:
    """The schema of the file: ``name``, ``data``, ``global`` and ``scenarios`` with whatever each one overrides.

    It is as strict as a file can be judged alone: a value that may come from `global` is not required of a scenario.
    Parameters of workers and logics are open, as their own models check them.
    """
    _, schema = models_json_schema(
        [(GlobalSection, "validation"), (DataConfig, "validation"), (TypedConfig, "validation")],
        ref_template="#/$defs/{model}",
    )
    definitions: dict[str, Any] = schema["$defs"]
    shared = definitions["GlobalSection"]
    for part in shared["properties"].values():
        part.pop("default", None)
    definitions["TypedConfig"].pop("required", None)  # the type may come from the other section
    key_rules = ("additionalProperties", "patternProperties", "propertyNames")
    workers = {key: value for key, value in shared["properties"]["workers"].items() if key not in key_rules}
    own = {
        "name": _name_schema(),
        **shared["properties"],
        "workers": {
            **workers,
            "description": "Over those of 'global', by worker and parameter; null drops a worker.",
            "additionalProperties": {"anyOf": [{"$ref": "#/$defs/TypedConfig"}, {"type": "null"}]},
        },
    }
    definitions["ScenarioSection"] = {
        "type": "object",
        "title": "ScenarioSection",
        "description": "One scenario: its name, and what differs from 'global'.",
        "properties": own,
        "required": ["name"],
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "finiex_ray scenario set",
        "type": "object",
        "properties": {
            "name": {**_name_schema(), "description": "Name of the set; default: the file's name."},
            "data": {
                "description": "Where ticks come from; a text is the catalog.",
                "anyOf": [{"type": "string", "minLength": 1}, {"$ref": "#/$defs/DataConfig"}],
            },
            "global": {"$ref": "#/$defs/GlobalSection"},
            "scenarios": {
                "type": "array",
                "minItems": 1,
                "description": "What runs, in this order.",
                "items": {"$ref": "#/$defs/ScenarioSection"},
            },
        },
        "required": ["scenarios"],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _name_schema() -> dict[str, Any]:
    name: dict[str, Any] = ScenarioConfig.model_json_schema()["properties"]["name"]
    return name
