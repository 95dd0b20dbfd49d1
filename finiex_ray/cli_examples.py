"""Examples at the end of every command's ``--help``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import typer

__all__ = ["EXAMPLES", "add_examples", "command_paths"]

EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "check determinism": ("check determinism SET.json --no-ray", "check determinism SET.json --only NAME --json"),
    "check lookahead": (
        "check lookahead SET.json",
        "check lookahead SET.json --allow-import my_strategies --probes 20",
    ),
    "completion": ("completion bash >> ~/.bashrc", "completion fish > ~/.config/fish/completions/finiex-ray.fish"),
    "convert": ("convert OLD.json --out NEW.json", "convert OLD_BROKER.json --out configs/brokers/mine.json"),
    "data check": ("data check --catalog catalogs/mine", "data check --catalog catalogs/mine --symbol EURUSD"),
    "data import": (
        "data import oanda --format lean --symbol EURUSD --digits 5 --catalog catalogs/mine",
        "data import ticks.csv --format csv --symbol EURUSD --digits 5 --tz UTC --catalog catalogs/mine --column bid=Bid",
    ),
    "data list": ("data list --catalog catalogs/mine",),
    "doctor": ("doctor", "doctor --no-ray --json"),
    "init": ("init my_project",),
    "list": ("list workers", "list logics"),
    "logs": ("logs JOB --follow --address http://head:8265",),
    "new": ("new worker spread", "new logic fade"),
    "plan": ("plan SET.json --jobs 16", "plan SET.json --address head:6379 --json"),
    "report": ("report latest --open", "report nightly --scenario window_07", "report latest --all --out pages"),
    "replay": (
        "replay latest window_07 --allow-import my_strategies",
        "replay /mnt/copied/run window_07 --pdb --data catalogs/mine --allow-import my_strategies",
    ),
    "run": (
        "run SET.json",
        "run SET.json --only NAME --set logic.lots=0.2 --json",
        "run SET.json --allow-import my_strategies --executor local --jobs 4",
        "run --resume latest --retry-failed",
    ),
    "runs compare": ("runs compare monday tuesday", "runs compare runs/a /mnt/b --json"),
    "runs delete": ("runs delete 20260926T101112Z-3fa9c1", "runs delete nightly --yes"),
    "runs export": (
        "runs export latest --format csv --out tables",
        "runs export latest --format json --table trades --out trades",
    ),
    "runs list": ("runs list", "runs list --runs /mnt/runs --json"),
    "runs show": ("runs show latest", "runs show nightly --json"),
    "schema": ("schema > scenario_set.schema.json",),
    "status": ("status", "status JOB --address http://head:8265"),
    "stop": ("stop JOB --address http://head:8265",),
    "submit": ("submit SET.json --out /mnt/runs --address http://head:8265",),
    "sweep": (
        "sweep SWEEP.json",
        "sweep SWEEP.json --trials 200 --jobs 4 --report",
        "sweep SWEEP.json --resume latest",
    ),
    "validate": ("validate SET.json", "validate SET.json --allow-import . --only NAME"),
    "verify": ("verify latest", "verify nightly --scenarios 20 --jobs 4", "verify latest --scenarios window_07 --json"),
    "version": ("version",),
    "windows": (
        "windows blocks SET.json --output windows.json --length 12h",
        "windows volatility SET.json --output calm_and_wild.json",
    ),
}


def command_paths(app: typer.Typer, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every command of an application, with its groups before its name."""
    for command in app.registered_commands:
        name = command.name or str(getattr(command.callback, "__name__", "")).replace("_", "-")
        yield f"{before}{name}", command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            yield from command_paths(group.typer_instance, f"{before}{group.name} ")


def add_examples(app: typer.Typer) -> None:
    """Gives each command its examples as the end of its help."""
    for path, command in command_paths(app):
        if path in EXAMPLES:
            command.epilog = "\n\n".join(["Examples:", *(f"finiex-ray {each}" for each in EXAMPLES[path])])
