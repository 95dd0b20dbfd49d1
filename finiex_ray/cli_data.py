"""The command line of market data: ``finiex-ray data import|list|check``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finiex_ray.core.errors import ConfigError, DataError
from finiex_ray.core.text import printable

if TYPE_CHECKING:
    from rich.console import Console

    from finiex_ray.data.catalog import Catalog

__all__ = ["data_app", "wide_console"]

_FILE_WIDTH = 140  # characters, where the output is no terminal

data_app = typer.Typer(help="Import, list and check market data.", no_args_is_help=True)

_CatalogOption = Annotated[str, typer.Option("--catalog", metavar="DIR", help="Catalog: a folder or a URI.")]


class _Format(StrEnum):
    COLLECTOR = "collector"
    CSV = "csv"
    DUKASCOPY = "dukascopy"
    HISTDATA = "histdata"
    LEAN = "lean"
    MT5 = "mt5"
    PARQUET = "parquet"
    TRUEFX = "truefx"


class _Crossed(StrEnum):
    REFUSE = "refuse"
    KEEP = "keep"
    DROP = "drop"


class _OnConflict(StrEnum):
    REFUSE = "refuse"
    REPLACE = "replace"


def wide_console(*, stderr: bool = False) -> Console:
    """A console that fills the terminal, and gives tables room where the output goes to a file or a pipe."""
    from rich.console import Console

    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=_FILE_WIDTH)


@data_app.command("import")
def import_data(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="A file, or a folder of them.", show_default=False)],
    fmt: Annotated[_Format, typer.Option("--format", help="Format of the files.", show_default=False)],
    symbol: Annotated[str, typer.Option(help="Name of the symbol in the catalog.", show_default=False)],
    digits: Annotated[int, typer.Option(min=0, max=12, help="Decimals of its prices.", show_default=False)],
    catalog: _CatalogOption,
    tz: Annotated[str | None, typer.Option(help="Zone of the times, e.g. UTC-5.", show_default=False)] = None,
    crossed: Annotated[_Crossed, typer.Option(help="Quotes whose ask is below the bid.")] = _Crossed.REFUSE,
    on_conflict: Annotated[_OnConflict, typer.Option(help="Days that hold other ticks.")] = _OnConflict.REFUSE,
    snap: Annotated[bool, typer.Option("--snap", help="Round prices to the grid of --digits.")] = False,
    sort: Annotated[bool, typer.Option("--sort", help="Put ticks in order of time.")] = False,
    column: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=NAME", help="Column of time, bid, ask or volume; repeatable.")
    ] = None,
    time_format: Annotated[
        str | None, typer.Option(help="strptime pattern, or s, ms, us, ns since the epoch.", show_default=False)
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="Separator of columns (csv).", show_default=False)] = None,
) -> None:
    """Import ticks into a catalog; a wrong file is refused whole, the same content again changes nothing."""
    from finiex_ray.data.catalog import Catalog
    from finiex_ray.data.importing import import_ticks

    report = import_ticks(
        source,
        fmt=fmt.value,
        symbol=symbol,
        digits=digits,
        tz=tz,
        catalog=Catalog(catalog),
        crossed=crossed.value,
        on_conflict=on_conflict.value,
        snap=snap,
        sort=sort,
        columns=_columns(column or []),
        time_format=time_format,
        delimiter=delimiter,
    )
    for warning in report.warnings:
        typer.secho(f"warning: {printable(warning)}", fg=typer.colors.YELLOW, err=True)
    for line in report.lines():
        if line not in report.warnings:
            typer.echo(printable(line))


def _columns(texts: list[str]) -> dict[str, str]:
    columns = {}
    for text in texts:
        field, equals, name = text.partition("=")
        if not (field and equals and name):
            raise ConfigError(f"{text!r} is no mapping; write it as time=NAME, bid=NAME, …", source="--column")
        if field in columns:
            raise ConfigError(f"{field!r} is given twice", source="--column")
        columns[field] = name
    return columns


@data_app.command("list")
def list_data(catalog: _CatalogOption) -> None:
    """Show the symbols of a catalog with their days and ticks."""
    from finiex_ray.report.catalog import catalog_table

    wide_console().print(catalog_table(_existing(catalog)))


@data_app.command("check")
def check_data(
    catalog: _CatalogOption,
    symbol: Annotated[list[str] | None, typer.Option(help="Check this symbol only; may be repeated.")] = None,
) -> None:
    """Report the quality of a catalog, and hold every day against its content hash; exit code 1 if it is not clean."""
    from finiex_ray.data.quality import check

    opened = _existing(catalog)
    clean = True
    for name in symbol or opened.symbols():
        report = check(opened.segments(name, verify=True), opened.digits(name))
        clean = clean and report.clean
        typer.secho(name, bold=True)
        for line in report.lines():
            typer.echo(f"  {line}")
    if not clean:
        raise typer.Exit(1)


def _existing(uri: str) -> Catalog:
    from finiex_ray.data.catalog import Catalog

    catalog = Catalog(uri)
    if not catalog.exists():
        raise DataError(f"no tick catalog at {uri}: make one with 'finiex-ray data import … --catalog {uri}'")
    return catalog
