"""`docs/fills.md` lists every rule with its tests, and these tests exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent.parent
DOCUMENT = TESTS.parent / "docs" / "fills.md"


def _listed() -> dict[int, list[str]]:
    """Names of the tests under each rule."""
    found: dict[int, list[str]] = {}
    for section in re.split(r"(?m)^## (?=R\d)", DOCUMENT.read_text(encoding="utf-8"))[1:]:
        text, _, tests = section.partition("\nTests: ")
        assert len(text.split("\n", 1)[1].strip()) > 40, f"R{section[:20]!r} says nothing"
        heading = re.match(r"R(\d+) \w", section)
        assert heading is not None
        found[int(heading[1])] = re.findall(r"`(\w+)`", tests)
    return found


def _written() -> Iterator[tuple[str, str]]:
    """Every test function, and its file."""
    for file in TESTS.rglob("test_*.py"):
        for name in re.findall(r"(?m)^ *def (test_\w+)\(", file.read_text(encoding="utf-8")):
            yield name, file.name


def test_every_rule_is_listed_once_and_in_order() -> None:
    assert list(_listed()) == list(range(1, 17))


def test_every_rule_has_tests_and_they_exist() -> None:
    written = {name for name, _ in _written()}
    for number, names in _listed().items():
        assert names, f"R{number} has no test"
        assert len(set(names)) == len(names)
        assert set(names) <= written, f"R{number}: {set(names) - written} do not exist"


def test_every_test_that_names_a_rule_is_listed_there() -> None:
    listed = _listed()
    named = 0
    for name, file in _written():
        rules = re.match(r"test_((?:r\d+_)+)", name)
        for rule in rules[1].split("_")[:-1] if rules else ():
            assert name in listed[int(rule[1:])], f"{name} ({file}) is not listed under {rule.upper()}"
            named += 1
    assert named > 100
