"""Reference pages made from the code: Python API, command line, layouts of files, workers and logics, files of the repository."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import typer.main
from links import ROOT, anchor_of
from pydantic import BaseModel

import finiex_ray
from finiex_ray import api
from finiex_ray.cli import app
from finiex_ray.cli_examples import EXAMPLES
from finiex_ray.config import costs
from finiex_ray.config.broker import BrokerSpec, SymbolSpec
from finiex_ray.config.models import AccountConfig, DataConfig, ExecutionConfig, LiveStatsConfig, ScenarioConfig
from finiex_ray.core import enums, errors
from finiex_ray.core.plugins import ParamInfo
from finiex_ray.decisions import registry as decisions
from finiex_ray.report import performance
from finiex_ray.sweep import resampling, windows
from finiex_ray.sweep.config import SearchConfig, SweepConfig, WalkForwardConfig
from finiex_ray.workers import registry as workers

__all__ = ["pages"]

_ABOUT_SET: Final = """Scenario set: every field

`global` has the fields of `ScenarioConfig` but for `name`; a scenario has all of them. [Scenario
sets](scenario-sets.md) explains them; `finiex-ray schema` prints them as JSON Schema."""
_ABOUT_CLI: Final = """# Command line

Every command with its arguments and options, as the program itself knows them. [Commands](../commands.md) has
examples that run, and what they mean; [exit codes](../commands.md#exit-codes) are there too."""
_ABOUT_PARAMETERS: Final = """# Parameters of workers and logics

What ships with the package, as `finiex-ray list workers` and `finiex-ray list logics` show it. [Workers and
logics](workers-and-logics.md) says what they do."""
_ABOUT_FILES: Final = """# Files of the repository

Every scenario set, sweep and broker file of `configs/` and every file of `cluster/`, as they are. All of
`configs/` runs in a test."""
_SHARED_COSTS: Final = (costs.LatencyConfig, costs.SlippageConfig)
_SCHEMAS: Final[dict[str, tuple[str, tuple[type[BaseModel], ...]]]] = {
    "reference/schema-set.md": (
        _ABOUT_SET,
        (
            ScenarioConfig,
            DataConfig,
            AccountConfig,
            *_SHARED_COSTS,
            costs.GuardConfig,
            ExecutionConfig,
            LiveStatsConfig,
        ),
    ),
    "reference/schema-broker.md": (
        "Broker file: every field\n\n[Broker files](brokers.md) explains them.",
        (
            BrokerSpec,
            SymbolSpec,
            costs.CommissionSpec,
            costs.SwapSpec,
            *_SHARED_COSTS,
            costs.LeverageTier,
            costs.SessionSpec,
        ),
    ),
    "reference/schema-sweep.md": (
        "Sweep file: every field\n\n[Sweeps](../sweeps.md) explains them.",
        (SweepConfig, SearchConfig, WalkForwardConfig),
    ),
}
_LANGUAGES: Final = {".json": "json", ".yaml": "yaml", ".yml": "yaml", ".sh": "sh"}


def pages() -> dict[str, str]:
    """Each page's path and Markdown."""
    made = {name: _schema(title, models) for name, (title, models) in _SCHEMAS.items()}
    return made | {
        "reference/api.md": _api(),
        "reference/cli.md": _command_line(),
        "reference/parameters.md": _plugins(),
        "reference/files.md": _files(),
    }


def _cell(text: object) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def _table(heads: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    lines = [" | ".join(heads), "|".join(["---"] * len(heads)), *(" | ".join(map(_cell, row)) for row in rows)]
    return "\n".join(f"| {line} |" for line in lines)


# Python API: mkdocstrings reads the docstrings

_API: Final[dict[str, tuple[str, ...]]] = {
    "More of runs": tuple(f"finiex_ray.api.{name}" for name in api.__all__ if name not in finiex_ray.__all__),
    "Trading": tuple(
        f"finiex_ray.trading.{name}"
        for name in ("api.TradingApi", "views.Event", "views.OrderView", "views.PositionView", "views.WakeUp")
    ),
    "What strategies see": (
        *(f"finiex_ray.bars.tick.{name}" for name in ("Tick", "ClosedBars", "FormingBar")),
        *(f"finiex_ray.bars.block.{name}" for name in ("Block", "BarBlock")),
        "finiex_ray.workers.base.WorkerParams",
        "finiex_ray.decisions.base.LogicParams",
        "finiex_ray.decisions.one_position.OnePositionLogic",
    ),
    "Enumerations": tuple(f"finiex_ray.core.enums.{name}" for name in enums.__all__ if name != "LEGAL_MOVES"),
    "Windows": tuple(f"finiex_ray.sweep.windows.{name}" for name in windows.__all__),
    "Resampling": tuple(f"finiex_ray.sweep.resampling.{name}" for name in resampling.__all__),
    "Measures of performance": tuple(f"finiex_ray.report.performance.{name}" for name in performance.__all__),
    "Errors": tuple(f"finiex_ray.core.errors.{name}" for name in errors.__all__ if name != "suggest"),
}


def _api() -> str:
    groups = {
        "finiex_ray": tuple(
            f"{finiex_ray._PLACES[name]}.{name}" for name in finiex_ray.__all__ if name in finiex_ray._PLACES
        )
    }
    parts = [
        "# Python API\n\nWhat `import finiex_ray` offers, and what lies below it that strategies and notebooks use."
    ]
    for title, names in (groups | _API).items():
        parts += [f"## {title}", *(f"::: {name}" for name in names)]
    return "\n\n".join(parts) + "\n"


# The command line


def _command_line() -> str:
    root: Any = typer.main.get_command(app)
    parts = [
        _ABOUT_CLI,
    ]
    parts += [_command(path, command) for path, command in _commands(root)]
    return "\n\n".join(parts) + "\n"


def _commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, each in sorted(group.commands.items()):
        if hasattr(each, "commands"):
            yield from _commands(each, f"{before}{name} ")
        else:
            yield f"{before}{name}", each


def _command(path: str, command: Any) -> str:
    context = typer.Context(command, info_name=f"finiex-ray {path}")
    usage = " ".join([f"finiex-ray {path}", *command.collect_usage_pieces(context)])
    records = [each.get_help_record(context) for each in command.params if "--help" not in each.opts]
    rows = [(f"`{name}`", about) for name, about in filter(None, records)]
    parts = [f"## {path}", " ".join((command.help or "").split()), f"```text\n{usage}\n```"]
    parts += [_table(("", "meaning"), rows)] if rows else []
    parts.append("```sh\n" + "\n".join(f"finiex-ray {each}" for each in EXAMPLES[path]) + "\n```")
    return "\n\n".join(parts)


# Layouts of files


def _schema(title: str, models: tuple[type[BaseModel], ...]) -> str:
    return "\n\n".join([f"# {title}", *map(_model, models)]) + "\n"


def _model(model: type[BaseModel]) -> str:
    schema = model.model_json_schema()
    required, definitions = schema.get("required", []), schema.get("$defs", {})
    rows = [
        (f"`{name}`", _type(field, definitions), _range(field), _default_value(name, field, required), _means(field))
        for name, field in schema["properties"].items()
    ]
    about = " ".join((model.__doc__ or "").split("\n\n")[0].split())
    return f"## {model.__name__}\n\n{about}\n\n{_table(('field', 'type', 'range', 'default', 'meaning'), rows)}"


def _means(field: Mapping[str, Any]) -> str:
    return str(field.get("description", "")).replace("{", "`{", 1).replace("}", "}`", 1)


def _branches(field: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The alternatives of a field; a number that may also be written as text is a number."""
    found: list[Mapping[str, Any]] = field.get("anyOf", [field])
    number = any(each.get("type") == "number" for each in found)
    return [each for each in found if not (number and each.get("type") == "string")]


def _type(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    return " or ".join(_one_type(each, definitions) for each in _branches(field))


def _one_type(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        known = definitions.get(name, {})
        return _one_type(known, definitions) if "enum" in known else _named(name)
    if "enum" in field:
        return ", ".join(f"`{each}`" for each in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if field.get("type") == "array":
        return f"list of {_type(field['items'], definitions)}" if field.get("items") else "list"
    if field.get("type") == "object":
        values = [*field.get("patternProperties", {}).values(), field.get("additionalProperties")]
        inner = next((each for each in values if isinstance(each, dict) and each), None)
        return f"name → {_type(inner, definitions)}" if inner else "object"
    return {"date-time": "time"}.get(field.get("format", ""), field.get("type", "any value"))


def _named(name: str) -> str:
    known = {model.__name__ for _, models in _SCHEMAS.values() for model in models}
    return f"[{name}](#{name.lower()})" if name in known else "`type` and its parameters"


def _range(field: Mapping[str, Any]) -> str:
    parts = []
    for each in _branches(field):
        for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<")):
            if key in each:
                parts.append(f"{sign} 2⁶³" if each[key] >= 2**63 else f"{sign} {each[key]:,.12g}")
        if "minLength" in each and each["minLength"] > 1:
            parts.append(f"{each['minLength']} characters and more")
    return ", ".join(parts)


def _default_value(name: str, field: Mapping[str, Any], required: list[str]) -> str:
    if name in required:
        return "required"
    value = field.get("default")
    if isinstance(value, dict | list) or "default" not in field:
        return "none" if not value else "its own defaults"
    return "null" if value is None else f"`{str(value).lower() if isinstance(value, bool) else value}`"


# Workers and logics


def _plugins() -> str:
    parts = [
        _ABOUT_PARAMETERS,
        "## Workers",
    ]
    parts += [
        _plugin(name, found, workers.describe(found), f"Outputs: {', '.join(f'`{each}`' for each in found.outputs)}.")
        for name, found in workers.worker_types().items()
    ]
    parts.append("## Logics")
    parts += [_plugin(name, found, decisions.describe(found)) for name, found in decisions.logic_types().items()]
    return "\n\n".join(parts) + "\n"


def _plugin(name: str, found: type, params: list[ParamInfo], more: str = "") -> str:
    about = " ".join((found.__doc__ or "").split("\n\n")[0].split())
    rows = [
        (f"`{each.name}`", each.type, f"`{each.default}`" if each.default else "required", each.description)
        for each in params
    ]
    return f"### {name}\n\n{about} {more}\n\n{_table(('parameter', 'type', 'default', 'meaning'), rows)}"


# Files of the repository


def _files() -> str:
    parts = [
        _ABOUT_FILES,
    ]
    for folder in (
        "configs",
        "configs/scenario_sets",
        "configs/sweeps",
        "configs/brokers",
        "cluster",
        "cluster/kuberay",
    ):
        parts.append(f"## {folder} {{#{anchor_of(folder)}}}")
        parts += [
            _file(path.relative_to(ROOT).as_posix(), path.suffix)
            for path in sorted((ROOT / folder).iterdir())
            if path.is_file() and path.suffix != ".md"
        ]
    names = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
    parts.append("## notebooks {#notebooks}\n\nThey lie in the repository: " + ", ".join(f"`{each}`" for each in names))
    return "\n\n".join(parts) + "\n"


def _file(name: str, suffix: str) -> str:
    text = (ROOT / name).read_text(encoding="utf-8").rstrip("\n")
    fence = "`" * max(3, *(len(each) + 1 for each in re.findall(r"`{3,}", text)), 3)
    return f"### {name} {{#{anchor_of(name)}}}\n\n{fence}{_LANGUAGES.get(suffix, 'text')}\n{text}\n{fence}"
