"""The fenced blocks of the documents, and the folder that they run in.

The word after the language says what a block is: ``file=NAME`` is written into the folder first, ``output=NAME`` shows
what a command printed, ``data=A,B`` needs real data, ``ray`` starts Ray, ``head`` needs a head that runs, ``no-run`` is
not run. Any other ``sh`` or ``python`` block is run by itself, in a fresh folder with ``configs/`` and the files of the
same document.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "ARCHITECTURE.md",
    "SECURITY.md",
    "configs/brokers/README.md",
    "docs/benchmarks.md",
    "docs/cluster.md",
    "docs/faults.md",
    "docs/fills.md",
)
_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
REAL_DATA = {"oanda": "lean/forex/oanda", "fxcm": "lean/forex/fxcm"}


class Block(NamedTuple):
    document: str
    line: int
    language: str
    role: str  # "run", "file", "output", "data", "ray", "head" or "no-run"
    value: str
    body: str

    @property
    def place(self) -> str:
        return f"{self.document}:{self.line}"


def blocks(document: str) -> list[Block]:
    text = (ROOT / document).read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        language, _, rest = match["info"].partition(" ")
        role, _, value = rest.strip().partition("=")
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(document, line, language, role or "run", value, match["body"]))
    return found


ALL = [block for document in DOCUMENTS for block in blocks(document)]


def prepare(folder: Path, document: str) -> Path:
    """A folder with ``configs/`` and the files that a document shows."""
    shutil.copytree(ROOT / "configs", folder / "configs")
    for block in ALL:
        if block.document == document and block.role == "file":
            (folder / block.value).write_text(block.body, encoding="utf-8")
    return folder


def run(folder: Path, *command: str, **environment_values: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in the folder, with this interpreter's ``finiex-ray`` and this checkout's package."""
    environment = {key: value for key, value in os.environ.items() if key not in ("RAY_ADDRESS", "DEBUG_MODE")}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")])
    environment["PYTHONPATH"] = str(ROOT)
    environment |= environment_values
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
