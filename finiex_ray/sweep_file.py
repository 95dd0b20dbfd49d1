"""Sweep files and window sets: what the command line calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from finiex_ray.config.load import load_scenario_set
from finiex_ray.config.parse import read_tree
from finiex_ray.core.errors import ConfigError
from finiex_ray.execution.coordinator import ExecutorName
from finiex_ray.experiment import Experiment
from finiex_ray.results.files import write_atomic
from finiex_ray.results.run_dir import DEFAULT_ROOT, find_run_dir
from finiex_ray.sweep import windows as generators
from finiex_ray.sweep.config import load_sweep
from finiex_ray.sweep.results import SweepData, WalkForwardData
from finiex_ray.sweep.study import run_study
from finiex_ray.sweep.windows import Window

__all__ = ["make_window_set", "run_sweep_file"]


def run_sweep_file(
    path: str | Path,
    *,
    executor: ExecutorName = "auto",
    jobs: int | None = None,
    address: str | None = None,
    overrides: Sequence[str] = (),
    allow_imports: Sequence[str] = (),
    trials: int | None = None,
    out: str | Path = DEFAULT_ROOT,
    resume: str | Path | None = None,
    quiet: bool = False,
) -> SweepData:
    """Runs a sweep file.

    Args:
        path: The file, JSON or YAML.
        executor: ``local``, ``ray`` or ``auto``.
        jobs: Threads or CPUs.
        address: A Ray cluster.
        overrides: ``path=value`` texts over the scenario set, after those of the file.
        allow_imports: Modules and packages that set and sweep may name strategies and objectives of.
        trials: How many, over the file's.
        out: Folder of the run folders.
        resume: An interrupted sweep to go on with.
        quiet: No progress line.

    Returns:
        The sweep, or the walk-forward where the file asks for one.

    Raises:
        FiniexError: If something cannot be used.
    """
    path = Path(path)
    config = load_sweep(path)
    if trials is not None:
        config = config.model_copy(update={"trials": trials})
    set_path = _beside(path, config.set or "")
    scenario_set = load_scenario_set(set_path, [*config.overrides, *overrides])
    scenario_set = scenario_set.model_copy(update={"name": config.name})
    study = Experiment(scenario_set, base=set_path, allow_imports=allow_imports).study(config)
    going_on = None if resume is None else find_run_dir(resume, Path(out))
    run_dir = run_study(
        study, executor=executor, jobs=jobs, address=address, out=Path(out), resume=going_on, quiet=quiet
    )
    return (SweepData if config.walk_forward is None else WalkForwardData)(run_dir)


def _beside(path: Path, reference: str) -> Path:
    """A file beside another one, or in the current folder."""
    beside = path.parent / reference
    if beside.is_file() or not Path(reference).is_file():
        return beside
    return Path(reference)


_GENERATORS: Final[dict[str, tuple[Callable[..., list[Window]], tuple[str, ...]]]] = {
    "blocks": (generators.fixed_blocks, ("length", "min_ticks")),
    "continuous": (
        lambda *given, min_gap, **rest: generators.continuous(*given, max_gap=min_gap, **rest),
        ("min_gap",),
    ),
    "gaps": (generators.around_gaps, ("before", "after", "min_gap")),
    "random": (
        lambda source, symbol, count, length, **rest: generators.random_windows(source, symbol, count, length, **rest),
        ("count", "length", "seed", "min_ticks"),
    ),
    "sessions": (generators.sessions, ("names", "min_ticks")),
    "volatility": (generators.by_volatility, ("length", "min_ticks")),
}


def make_window_set(
    kind: str,
    scenario_set: Path,
    output: Path,
    *,
    symbol: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    **options: Any,
) -> int:
    """Writes an ordinary set file whose scenarios are windows of the data.

    Args:
        kind: ``blocks``, ``continuous``, ``gaps``, ``random``, ``sessions`` or ``volatility``.
        scenario_set: A set file; its ``data`` and ``global`` are taken over, its scenarios are not.
        output: The new file.
        symbol: The symbol; default: that of the set's first scenario.
        start: First moment (UTC where it has no zone); default: all data.
        end: Last moment, exclusive.
        **options: Those of the generator (see `finiex_ray.sweep.windows`); others are ignored.

    Returns:
        How many windows there are.

    Raises:
        FiniexError: If the set or the data cannot be used, or there is no window.
    """
    if output.suffix.lower() != ".json":
        raise ConfigError("the new set file must end in .json", source=str(output))
    experiment = Experiment.from_file(scenario_set)
    tree = read_tree(scenario_set)
    make, names = _GENERATORS[kind]
    chosen = {name: options[name] for name in names if options.get(name) is not None}
    span = {"start": _utc(start), "end": _utc(end)}
    found = make(experiment.source, symbol or experiment.windows[0].symbol, **chosen, **span)
    if not found:
        raise ConfigError(f"the data holds no window of the kind '{kind}'", source=str(scenario_set))
    tree |= {"name": output.stem, "scenarios": [window.entry() for window in found]}
    write_atomic(output, json.dumps(tree, indent=2, ensure_ascii=False, default=_plain) + "\n")
    return len(found)


def _utc(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value)
