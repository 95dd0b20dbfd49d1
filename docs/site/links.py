"""Documents of the repository as pages: which file is which page, and links that lead there."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Final

__all__ = ["PAGES", "ROOT", "page_markdown", "source_of"]

ROOT: Final = Path(__file__).resolve().parents[2]

# Files outside docs/ that are pages of their own, and folders that are shown on a page of their files.
PAGES: Final = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "LICENSE": "license.md",
    "configs/brokers/README.md": "reference/brokers.md",
}
SHOWN: Final = {"configs": "reference/files.md", "cluster": "reference/files.md", "notebooks": "reference/files.md"}

_TABLE = re.compile(
    r"^<!-- table: (\w+) -->$", re.MULTILINE
)  # stands for what ``make bench-docs`` wrote into docs/benchmarks.md
_LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)\s#]*)(#[^)\s]*)?\)")
_FENCE = re.compile(r"^```(\w+) +([\w-]+)(?:=(\S+))?$", re.MULTILINE)
_CONTENTS = re.compile(r"^\*\*Contents\*\*:.*?(?:\n\n|\Z)", re.MULTILINE | re.DOTALL)  # the site has its own


def source_of(page: str) -> str:
    """The file of the repository that a page is made from."""
    return next((source for source, shown in PAGES.items() if shown == page), f"docs/{page}")


def page_of(source: str) -> tuple[str, str] | None:
    """The page (and the anchor in it) that shows a file or folder of the repository; None if none does."""
    if source in PAGES:
        return PAGES[source], ""
    if source.startswith("docs/"):
        return source.removeprefix("docs/"), ""
    if source.split("/")[0] in SHOWN:
        return SHOWN[source.split("/")[0]], f"#{anchor_of(source)}"
    return None


def anchor_of(source: str) -> str:
    """The anchor of a file or a folder on the page of files."""
    return re.sub(r"[^a-z0-9]+", "-", source.lower()).strip("-")


def measured(name: str) -> str:
    """A table of docs/benchmarks.md."""
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    return text.split(f"<!-- {name} -->\n")[1].split(f"<!-- /{name} -->")[0]


def page_markdown(text: str, page: str) -> str:
    """A document as the site takes it: links between pages instead of files, roles of code blocks as titles."""
    source, here = source_of(page), posixpath.dirname(page)
    text = _TABLE.sub(lambda found: measured(found[1]), text)

    def led(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link[1]))
        found = page_of(target)
        if found is None:
            return link[0]  # the strict build says that it leads nowhere
        return f"]({posixpath.relpath(found[0], here or '.')}{link[2] or found[1]})"

    def fenced(fence: re.Match[str]) -> str:
        language, role, value = fence.groups()
        return f'```{language} title="{value}"' if role in ("file", "input", "sweep") else f"```{language}"

    return _LINK.sub(led, _FENCE.sub(fenced, _CONTENTS.sub("", text)))
