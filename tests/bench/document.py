"""``python -m bench.document`` fills the tables of ``docs/benchmarks.md`` from what was measured, ``build/bench*.json``."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from bench.support import BUILD, HEADS, ROOT, Row, cells

DOCUMENT = ROOT / "docs" / "benchmarks.md"
TABLES = {"bench": BUILD / "bench.json", "growth": BUILD / "bench-growth.json"}


def filled(text: str, name: str, rows: Sequence[Row]) -> str:
    """The document with the table ``name``, between its two marks, replaced.

    Raises:
        ValueError: If the document lacks the marks.
    """
    lines = ["| " + " | ".join(HEADS) + " |", "|" + "---|" * len(HEADS)]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in rows]
    marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not marks.search(text):
        raise ValueError(f"no '<!-- {name} -->' and '<!-- /{name} -->' in the document")
    body = "\n".join([_machine(), "", *lines, ""])
    return marks.sub(lambda found: f"{found[1]}{body}{found[2]}", text)


def _machine() -> str:
    """What it was measured with; no name of any machine."""
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="ascii"))
    packages = ", ".join(f"{name} {version(name)}" for name in ("numba", "numpy", "ray", "finiex-ray"))
    cores = len(re.findall(r"^processor", Path("/proc/cpuinfo").read_text(encoding="ascii"), re.MULTILINE))
    return (
        f"{cores} cores of {processor[1] if processor else 'unknown'}, Python {platform.python_version()}, {packages}."
    )


def main() -> int:
    """Fills what has been measured."""
    text = DOCUMENT.read_text(encoding="utf-8")
    for name, file in TABLES.items():
        if file.exists():
            text = filled(text, name, [Row(**row) for row in json.loads(file.read_text(encoding="utf-8"))])
            print(f"{name}: from {file}")
        else:
            print(f"{name}: not measured ({file} is missing)")
    DOCUMENT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
