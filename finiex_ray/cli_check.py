"""The command line of checks: ``finiex-ray check lookahead|determinism``.

Exit codes: 0 all clean, 1 a difference was found, 2 bad input or a scenario that cannot be checked.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from finiex_ray.cli_data import wide_console
from finiex_ray.cli_options import AllowImport, Only, Overrides, SetPath

if TYPE_CHECKING:
    from finiex_ray.checks.verdict import CheckReport

__all__ = ["check_app"]

check_app = typer.Typer(
    help="Prove that strategies see no future, and that every way of running gives the same.", no_args_is_help=True
)

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON line on stdout at the end.")]


@check_app.command()
def lookahead(
    scenario_set: SetPath,
    probes: Annotated[int, typer.Option(min=1, help="Probe ticks for each scenario and block size.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the probes and of the scrambled futures.")] = 0,
    only: Only = None,
    overrides: Overrides = None,
    allow_import: AllowImport = None,
    as_json: _Json = False,
) -> None:
    """Run each scenario again with other futures, and compare all that was said and done before them.

    After random ticks everything is scrambled (times, prices, spreads) or cut off; worker outputs, actions and orders up
    to there must be equal, bit for bit. Exit code 0: no worker and no logic looks ahead; 1: one does, and the first
    difference is named; 2: bad input.
    """
    from finiex_ray.api import check_set_lookahead

    _tell(
        check_set_lookahead(
            scenario_set,
            probes=probes,
            seed=seed,
            only=only or (),
            overrides=overrides or (),
            allow_imports=allow_import or (),
        ),
        as_json,
    )


@check_app.command()
def determinism(
    scenario_set: SetPath,
    ray: Annotated[bool, typer.Option("--ray/--no-ray", help="Run on Ray too.")] = True,
    address: Annotated[str | None, typer.Option(help="An existing Ray cluster.", show_default=False)] = None,
    only: Only = None,
    overrides: Overrides = None,
    allow_import: AllowImport = None,
    as_json: _Json = False,
) -> None:
    """Run each scenario in every way there is, and compare every record.

    In this process, again, in two threads, with another block size, in fresh processes with other values of
    PYTHONHASHSEED, and on Ray. Exit code 0: all the same; 1: not, and the first differing record is named; 2: bad input.
    """
    from finiex_ray.api import check_set_determinism

    _tell(
        check_set_determinism(
            scenario_set,
            ray=ray,
            address=address,
            only=only or (),
            overrides=overrides or (),
            allow_imports=allow_import or (),
        ),
        as_json,
    )


def _tell(report: CheckReport, as_json: bool) -> None:
    from finiex_ray.checks.show import print_report

    print_report(report, wide_console(stderr=as_json))
    if as_json:
        typer.echo(json.dumps(report.as_json()))
    if report.exit_code:
        raise typer.Exit(report.exit_code)
