"""Pages of a report, read strictly."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

_VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """A page, read strictly: every element is closed in its turn."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.blocks: list[Any] = []
        self.texts: list[str] = []
        text = path.read_text(encoding="utf-8")
        assert text.startswith("<!doctype html>")
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"{tag} names an attribute twice"
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["script"]:
            if data.strip():
                self.blocks.append(json.loads(data))
        else:
            self.texts.append(data)

    def table(self, name: str) -> dict[str, list[Any]]:
        (found,) = (block for block in self.blocks if block.get("name") == name)
        return {column["key"]: values for column, values in zip(found["columns"], found["values"], strict=True)}

    def figures(self) -> list[dict[str, Any]]:
        return [block for block in self.blocks if "layout" in block]


def check_page(path: Path) -> None:
    """A page holds no code, has the policy, names each element once, and its links lead somewhere."""
    page = Page(path)
    scripts = [attributes for tag, attributes in page.tags if tag == "script"]
    assert all("src" in each or each["type"] == "application/json" for each in scripts)
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "style"]
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in [attributes["href"] for tag, attributes in page.tags if tag == "a"]:
        assert link is not None
        if link.startswith("#"):
            assert link[1:] in ids
        else:
            assert (path.parent / link).is_file(), link
    for tag, attributes in page.tags:
        shared = attributes.get("src") if tag == "script" else attributes.get("href") if tag == "link" else None
        assert shared in (None, "data:,") or (path.parent / shared).is_file(), shared
    (policy,) = (a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert "default-src 'none'; script-src 'self';" in policy


_NAMES = ("up", "down", "buy", "sell", "accent", "muted", "text", "paper", "shade", *(f"line{n}" for n in range(1, 7)))
_COLOURS = {f"${name}": "#123456" for name in _NAMES}


def painted(value: Any) -> Any:
    """A figure with colours in place of their names."""
    if isinstance(value, dict):
        return {key: painted(each) for key, each in value.items()}
    if isinstance(value, list):
        return [painted(each) for each in value]
    return _COLOURS.get(value, value) if isinstance(value, str) else value
