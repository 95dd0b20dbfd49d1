"""The sweep file: what to vary, how to search, what to look for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from finiex_ray.config.base import Model, Name
from finiex_ray.config.messages import join_lines, lines
from finiex_ray.config.parse import read_tree
from finiex_ray.core.errors import ConfigError
from finiex_ray.core.time import Timeframe

__all__ = ["SearchConfig", "SweepConfig", "WalkForwardConfig", "load_sweep", "make_sweep", "sweep_spec"]


class SearchConfig(Model):
    """How trials are found."""

    type: Literal["grid", "random", "optuna"] = "grid"
    sampler: Literal["tpe", "nsga2", "random"] | None = Field(
        None, description="Optuna's sampler; default: tpe, for several objectives nsga2."
    )
    pruner: Literal["none", "median", "halving"] = Field(
        "none", description="Optuna: stop trials after some of their windows. One objective only."
    )
    batch: int = Field(20, ge=1, le=10_000, strict=True, description="Optuna: trials asked for together.")


class WalkForwardConfig(Model):
    """Optimise in a stretch, trade the next one with what was found, move on."""

    in_sample: int = Field(ge=1, strict=True, description="Windows that are optimised over.")
    out_of_sample: int = Field(1, ge=1, strict=True, description="Windows after them that are traded.")
    step: int | None = Field(None, ge=1, strict=True, description="Windows from fold to fold; default: out_of_sample.")
    anchored: bool = Field(False, strict=True, description="True: every fold starts at the first window.")


class SweepConfig(Model):
    """A sweep."""

    name: Name | None = Field(None, description="Default: the file's name.")
    set: str | None = Field(
        None, min_length=1, description="The scenario set, relative to the file; its scenarios are the windows."
    )
    overrides: tuple[str, ...] = Field((), description="path=value over the set, as --set takes them.")
    space: Mapping[str, Any] = Field(min_length=1, description="Parameter path to values.")
    constraints: tuple[Any, ...] = Field((), description="For example 'fast.period < slow.period'.")
    search: SearchConfig = SearchConfig()
    trials: int | None = Field(None, ge=1, strict=True, description="Trials; required unless the search is a grid.")
    seed: int = Field(0, ge=0, lt=2**63, strict=True, description="Seed of the search.")
    objective: Any = Field("sharpe", description="A statistic, a measure or an import path; or a list of them.")
    returns: Timeframe | Literal["auto"] | None = Field(
        "auto", description="Period of the returns that are kept; auto: the longest that gives 64 or more."
    )
    walk_forward: WalkForwardConfig | None = None

    @field_validator("search", mode="before")
    @classmethod
    def _search(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _trial_count(self) -> Self:
        if self.trials is None and self.search.type != "grid":
            raise ValueError(f"a search by {self.search.type} needs 'trials'")
        return self


def load_sweep(path: Path) -> SweepConfig:
    """Reads a sweep file (JSON or YAML).

    Raises:
        ConfigError: If it cannot be read, or something in it is wrong.
    """
    found = make_sweep(read_tree(path), str(path))
    if found.set is None:
        raise ConfigError("is missing; name the scenario set", source=str(path), path="set")
    return found if found.name is not None else found.model_copy(update={"name": path.stem})


def make_sweep(tree: Mapping[str, Any], source: str) -> SweepConfig:
    """Checks the values of a sweep.

    Raises:
        ConfigError: If something is wrong.
    """
    try:
        return SweepConfig.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(join_lines(lines(error, SweepConfig, source=source))) from None


def sweep_spec(config: SweepConfig, windows: Sequence[str], extra: Mapping[str, Any]) -> dict[str, Any]:
    """The sweep as JSON values, for ``run.json``: what must be equal for a sweep to go on."""
    tree = config.model_dump(mode="json", exclude={"set", "overrides", "space", "constraints", "objective"})
    return {**tree, "windows": list(windows), **extra}
