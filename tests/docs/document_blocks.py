"""The fenced blocks of the documents, and the folder that they run in.

The word after the language says what a block is: ``file=NAME`` (a set, or code) and ``sweep=NAME`` are written into the folder
first (as JSON a ``file`` is a set that runs by itself; ``input=NAME`` is another file that a command reads), ``output=NAME``
shows what a command printed, ``data=A,B`` needs real data, ``ray`` starts Ray, ``head`` needs a head that runs, ``no-run`` is
not run. Any other ``sh`` or ``python`` block is run by itself, in a fresh folder with ``configs/`` and the files of the same
document.

The pages of ``FLOWS`` are read from top to bottom instead: all their blocks run in one shell, files are written where they stand,
and an ``output`` block is what the block before it printed (``…`` stands for anything).
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
_PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "SECURITY.md", "configs/brokers/README.md", *_PAGES)
FLOWS = tuple(page for page in _PAGES if page.count("/") > 1 or Path(page).stem in ("tutorial", "troubleshooting"))
_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
REAL_DATA = {"oanda": "lean/forex/oanda", "fxcm": "lean/forex/fxcm"}


class Block(NamedTuple):
    document: str
    line: int
    language: str
    role: str  # "run", "file", "input", "sweep", "output", "data", "ray", "head" or "no-run"
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


def flow_script(document: str, outputs: Path) -> str:
    """A page as one shell script; what its block at line N prints goes to ``outputs/N``."""
    parts = ["set -euo pipefail", "trap 'echo stopped at $place' ERR"]
    for block in (block for block in ALL if block.document == document):
        parts.append(f"place={block.place}")
        if block.role in ("file", "input", "sweep"):
            parts.append(f"cat > {block.value} <<'END_OF_FILE'\n{block.body}END_OF_FILE")
        elif block.role in ("run", "ray", "head") and block.language in ("sh", "python"):
            body = block.body
            if block.language == "python":
                body = f"cat > block.py <<'END_OF_FILE'\n{body}END_OF_FILE\npython block.py\nrm block.py\n"
            parts.append(f"{{\n{body}}} > {outputs}/{block.line} 2>&1")
    return "\n".join(parts)


def is_shown(body: str, printed: str) -> bool:
    """Whether an ``output`` block is what was printed: ``…`` as a line stands for any lines, within one for anything."""
    left, anywhere = [" ".join(line.split()) for line in printed.splitlines() if line.strip()], True
    for line in filter(None, (" ".join(line.split()) for line in body.splitlines())):
        if line == "…":
            anywhere = True
            continue
        wanted = re.compile(".*".join(map(re.escape, line.split("…"))))
        found = next((place for place, each in enumerate(left) if wanted.fullmatch(each)), None)
        if found is None or (found > 0 and not anywhere):
            return False
        left, anywhere = left[found + 1 :], False
    return True


def prepare(folder: Path, document: str) -> Path:
    """A folder with ``configs/`` and the files that a document shows."""
    shutil.copytree(ROOT / "configs", folder / "configs")
    for block in ALL:
        if block.document == document and block.role in ("file", "input", "sweep"):
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
