"""Messages that docs/troubleshooting.md quotes without printing them are those of the code."""

from __future__ import annotations

import re

from document_blocks import ROOT


def test_quoted_messages_are_in_the_code() -> None:
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^What faults print.*?(?=^## )", text, re.MULTILINE | re.DOTALL)
    quoted = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    assert len(quoted) >= 8
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "finiex_ray").rglob("*.py"))
    joined = re.sub(r'"\s*\n\s*f?"', "", sources)  # a message goes over several lines
    words = [part for message in quoted for part in message.split(" … ")]
    assert [part for part in words if part not in joined] == []
