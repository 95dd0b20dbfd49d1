"""`docs/faults.md` names tests that exist, and says what the code says."""

from __future__ import annotations

import re

from document_blocks import ROOT

from finiex_ray.engine import logger
from finiex_ray.execution import ray_executor, ray_faults
from finiex_ray.execution.ray_faults import Fault
from finiex_ray.results import writer

TEXT = (ROOT / "docs/faults.md").read_text(encoding="utf-8")


def test_every_section_names_tests_and_they_exist() -> None:
    written = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"(?m)^ *def (test_\w+)\(", file.read_text(encoding="utf-8"))
    }
    sections = [section.partition("\nTests: ")[2] for section in TEXT.split("\n## ")[1:-1]]
    assert len(sections) == 3
    for section in sections:
        names = re.findall(r"`(\w+)`", section)
        assert len(names) >= 8
        assert set(names) <= written


def test_numbers_are_those_of_the_code() -> None:
    assert f"every {writer._PART_SCENARIOS:,} results or {writer._PART_BYTES // 2**20} MB" in TEXT
    assert f"Up to {writer._MOST_LOG_FILES:,} scenarios each has a log file" in TEXT
    assert ray_faults._PROVEN_TRIES == 2
    assert (ray_faults._TRIES[Fault.CRASH], ray_faults._ALONE_AFTER[Fault.CRASH]) == (5, 2)
    assert (ray_faults._TRIES[Fault.MEMORY], ray_faults._ALONE_AFTER[Fault.MEMORY]) == (3, 1)
    assert f"ended {ray_executor._GRACE_S:g} s after the limit" in TEXT
    assert f"its last {logger._HALF_LINES:,} lines, {logger._HALF_CHARACTERS // 1024} KiB" in TEXT
    assert f"at most {logger._MOST_CHARACTERS // 1024} KiB" in TEXT
