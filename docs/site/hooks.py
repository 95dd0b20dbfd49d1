"""What the build does beside reading ``docs/``: pages from the repository's other documents, from the code and from runs."""

from __future__ import annotations

from typing import Any

import gallery
import reference
from links import PAGES, ROOT, page_markdown
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are no file of ``docs/``."""
    made: dict[str, str | bytes] = {page: (ROOT / source).read_text("utf-8") for source, page in PAGES.items()}
    made |= reference.pages()
    made |= gallery.files()
    for name, content in made.items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Mends links between documents, and the roles of code blocks."""
    return page_markdown(markdown, page.file.src_uri)
