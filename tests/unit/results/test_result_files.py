from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finiex_ray.core.errors import ConfigError
from finiex_ray.core.text import printable
from finiex_ray.results.files import log_names, safe_stem, write_atomic
from finiex_ray.results.run_dir import create_run_dir, find_run_dir, new_run_id


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("window_07", "window_07"),
        ("EUR/USD day", "EUR_USD_day"),
        ("../../etc/passwd", "etc_passwd"),
        ("..\\..\\x", "x"),
        (".hidden", "hidden"),
        ("C:\\Windows", "C_Windows"),
        ("nul", "_nul"),
        ("COM1.txt", "_COM1.txt"),
        ("-rf", "rf"),
        ("", "scenario"),
        ("\x00\x1b[2J", "2J"),
        ("äöü", "scenario"),
        ("a" * 300, "a" * 100),
    ],
)
def test_names_never_become_paths(name: str, stem: str) -> None:
    assert safe_stem(name) == stem


@given(st.lists(st.text(max_size=130), max_size=20))
def test_log_names_are_safe_and_differ_without_case(names: list[str]) -> None:
    found = log_names(names)
    assert len({name.lower() for name in found}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*\.log", name) and len(name) < 255 for name in found)


def test_a_taken_log_name_gets_the_place_in_the_set() -> None:
    assert log_names(["a", "A", "a/", "a-1", "a"]) == ["a.log", "A-1.log", "a-2.log", "a-1-3.log", "a-4.log"]


def test_printable_escapes_what_steers_a_terminal() -> None:
    assert printable("\x1b[2J\r\n\u202eabc") == "\\x1b[2J\\r\\n\\u202eabc"
    assert printable("two\nlines\x07", keep="\n") == "two\nlines\\x07"
    assert printable("\ud800") == "\\ud800"
    assert printable("größe → 1 000") == "größe → 1 000"


def test_run_ids_sort_by_time() -> None:
    run_id = new_run_id(datetime(2026, 9, 26, 10, 11, 12, tzinfo=UTC))
    assert re.fullmatch(r"20260926T101112Z-[0-9a-f]{6}", run_id)


def test_every_run_gets_a_folder_of_its_own(tmp_path) -> None:
    made = [create_run_dir(tmp_path / "runs") for _ in range(5)]
    assert len({run.run_id for run in made}) == 5
    assert all(run.logs.is_dir() for run in made)


def test_a_root_that_is_a_file_is_refused_with_the_fix(tmp_path) -> None:
    (tmp_path / "runs").write_text("x")
    with pytest.raises(ConfigError, match="--out"):
        create_run_dir(tmp_path / "runs")


def test_runs_are_found_by_path_id_and_latest(tmp_path) -> None:
    run = create_run_dir(tmp_path)
    run.info.write_text("{}")
    run.mark_latest()
    assert find_run_dir(run.path) == find_run_dir(run.run_id, tmp_path) == find_run_dir("latest", tmp_path) == run
    with pytest.raises(ConfigError, match=f"Did you mean '{run.run_id}'"):
        find_run_dir(run.run_id[:-1], tmp_path)
    with pytest.raises(ConfigError, match="no latest run"):
        find_run_dir("latest", tmp_path / "elsewhere")


def test_an_atomic_write_replaces_and_leaves_nothing_behind(tmp_path) -> None:
    path = tmp_path / "file"
    write_atomic(path, "one")
    write_atomic(path, "two\n")
    assert path.read_bytes() == b"two\n"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(UnicodeEncodeError):
        write_atomic(path, "\ud800")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
