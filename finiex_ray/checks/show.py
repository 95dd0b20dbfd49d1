"""A check's report as a short rich table."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from finiex_ray.checks.verdict import CheckReport
from finiex_ray.core.text import printable

__all__ = ["print_report"]

_STYLES = {"clean": "green", "different": "bold red", "not checked": "yellow"}


def print_report(report: CheckReport, console: Console) -> None:
    """Prints a row for each scenario, then every difference and every failure in a line of its own."""
    table = Table(title=f"check {report.check}", title_justify="left")
    for heading, justify in (("scenario", "left"), ("strategy", "left"), ("ticks", "right"), ("runs", "right")):
        table.add_column(heading, justify="right" if justify == "right" else "left")
    table.add_column("verdict")
    for each in report.scenarios:
        verdict = Text(each.verdict, _STYLES[each.verdict])
        table.add_row(
            Text(printable(each.name)), Text(printable(each.strategy)), f"{each.ticks:,}", f"{each.runs:,}", verdict
        )
    console.print(table)
    for difference in report.differences:
        console.print(Text(f"different: {printable(difference.sentence())}", "red"), soft_wrap=True)
    for each in report.scenarios:
        if each.failure:
            console.print(
                Text(f"not checked: {printable(each.name)}: {printable(each.failure)}", "yellow"), soft_wrap=True
            )
