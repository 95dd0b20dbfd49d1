"""The gallery: what commands print, as pictures, and the reports that they write; all made by running them."""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from functools import cache
from typing import Final, NamedTuple

from links import ROOT
from rich.console import Console
from rich.text import Text

__all__ = ["files"]

_FOLDER: Final = ROOT / "build" / "gallery"
_WIDTH: Final = 140  # characters
_FONT: Final = re.compile(r"@font-face \{.*?\}", re.DOTALL)  # rich names one of the internet's
_SET: Final = "configs/scenario_sets/quickstart.json"


class Picture(NamedTuple):
    """One command, and what the page says about it."""

    name: str
    title: str
    command: str
    exit_code: int = 0
    reports: bool = False


_PICTURES: Final = (
    Picture("run", "A run", f"run {_SET}", reports=True),
    Picture("sweep", "A sweep", "sweep configs/sweeps/rsi_grid.json --report", reports=True),
    Picture("mistake", "A mistake in a set", f"validate {_SET} --set logic.lot=0.2", exit_code=2),
)


_ABOUT: Final = """# Gallery

Everything here was made by the build of this site, from the files of the repository: the pictures show what the commands
printed, the pages are those that they wrote."""


@cache
def files() -> dict[str, str | bytes]:
    """The page of the gallery, its pictures and the report pages, by their path in the site."""
    shutil.rmtree(_FOLDER, ignore_errors=True)
    _FOLDER.mkdir(parents=True)
    shutil.copytree(ROOT / "configs", _FOLDER / "configs")
    made: dict[str, str | bytes] = {}
    parts = [_ABOUT]
    for picture in _PICTURES:
        made[f"gallery/{picture.name}.svg"] = _drawn(picture.command, _printed(picture))
        parts.append(f"## {picture.title}\n\n![{picture.command}](gallery/{picture.name}.svg)")
        if picture.reports:
            run = _FOLDER / "runs" / (_FOLDER / "runs" / "latest").read_text(encoding="utf-8").strip()
            page = next(page for page in (run / "report" / "index.html", run / "report.html") if page.exists())
            folder = f"gallery/{picture.name}"
            made |= {
                f"{folder}/{path.relative_to(page.parent).as_posix()}": path.read_bytes()
                for path in (page.parent.rglob("*") if page.name == "index.html" else [page])
                if path.is_file()
            }
            shown = f"{folder}/{page.name}"
            parts.append(
                f'Its report ([on a page of its own]({shown}){{target="_blank"}}):\n\n'
                f'<iframe src="{shown}" title="{picture.title}: the report" loading="lazy" '
                'style="width: 100%; height: 40rem; border: 1px solid var(--md-default-fg-color--lighter)"></iframe>'
            )
    return made | {"gallery.md": "\n\n".join(parts) + "\n"}


def _printed(picture: Picture) -> str:
    """What a command printed, with its colours."""
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "RAY_ADDRESS")}
    environment |= {"FINIEX_RAY_REPORT": "1", "FORCE_COLOR": "1", "COLUMNS": str(_WIDTH), "TERM": "xterm-256color"}
    words = [sys.executable, "-m", "finiex_ray", *shlex.split(picture.command)]
    if picture.command.startswith(("run ", "sweep ")):
        words += ["--executor", "local"]
    done = subprocess.run(words, cwd=_FOLDER, env=environment, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != picture.exit_code:
        raise RuntimeError(f"finiex-ray {picture.command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    shown = done.stderr + done.stdout if done.returncode else done.stdout  # else stderr has the progress
    return shown.replace(f"{_FOLDER}{os.sep}", "")


def _drawn(command: str, printed: str) -> str:
    """A terminal as SVG, with fonts of the reader's own machine."""
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ finiex-ray {command}", style="bold"))
    console.print(Text.from_ansi(printed.rstrip("\n")))
    return _FONT.sub("", console.export_svg(title="finiex-ray"))
