"""The documentation builds as a site, strictly: no dead link or anchor, no page left out, nothing fetched from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from document_blocks import DOCUMENTS, ROOT

CONFIG = ROOT / "docs" / "site" / "mkdocs.yml"
_FETCHED = re.compile(
    r'<(?:script|img|iframe|source)[^>]*\bsrc="(https?:)?//|<link[^>]*rel="(?:stylesheet|preload|icon)"[^>]*href="https?:'
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--config-file", str(CONFIG)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        [*command, "--site-dir", str(folder)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


def test_every_document_is_a_page(site: Path) -> None:
    sys.path.insert(0, str(CONFIG.parent))
    try:
        from links import PAGES
    finally:
        sys.path.remove(str(CONFIG.parent))
    expected = {PAGES.get(document, document.removeprefix("docs/")) for document in DOCUMENTS}
    made = {path.relative_to(site).with_suffix(".md").as_posix() for path in site.rglob("*.html")}
    assert sorted(expected - made) == []
    listed = set(re.findall(r"[\w/-]+\.md", CONFIG.read_text(encoding="utf-8").split("\nnav:\n")[1]))
    assert {"tutorial.md", "reference/api.md", "gallery.md"} <= listed <= made


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert not _FETCHED.search(page.read_text(encoding="utf-8")), page
    for picture in site.rglob("gallery/*.svg"):
        assert "url(" not in picture.read_text(encoding="utf-8").replace("url(#", "")


def test_the_reference_has_what_the_code_has(site: Path) -> None:
    import finiex_ray
    from finiex_ray.cli_examples import EXAMPLES
    from finiex_ray.config.models import ExecutionConfig

    api = (site / "reference" / "api.html").read_text(encoding="utf-8")
    assert [name for name in finiex_ray.__all__ if name != "__version__" and f".{name}" not in api] == []
    commands = (site / "reference" / "cli.html").read_text(encoding="utf-8")
    assert [path for path in EXAMPLES if f'id="{path.replace(" ", "-")}"' not in commands] == []
    schema = (site / "reference" / "schema-set.html").read_text(encoding="utf-8")
    assert [name for name in ExecutionConfig.model_fields if f"<code>{name}</code>" not in schema] == []


def test_the_gallery_was_made_by_running(site: Path) -> None:
    assert "net&#160;profit" in (site / "gallery" / "run.svg").read_text(encoding="utf-8")
    assert (site / "gallery" / "run" / "index.html").exists()
    assert list((site / "gallery" / "sweep").glob("*.html"))


def test_ci_reads_the_same_configuration_as_make() -> None:
    loaded = yaml.load(CONFIG.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    assert loaded["strict"] == "true"
    assert str(CONFIG.relative_to(ROOT)) in (ROOT / "Makefile").read_text(encoding="utf-8")
