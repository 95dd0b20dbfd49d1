"""docs/commands.md has an example of every command that runs, and shows what commands print; every ``--help`` has examples."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from document_blocks import ALL, ROOT, prepare, run
from history_runs import plant
from typer.testing import CliRunner

from finiex_ray import open_run
from finiex_ray.cli import app
from finiex_ray.cli_examples import EXAMPLES

DOCUMENT = "docs/commands.md"


def commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every command of the parser, with its groups before its name."""
    for name, each in group.commands.items():
        if hasattr(each, "commands"):
            yield from commands(each, f"{before}{name} ")
        else:
            yield f"{before}{name}", each


COMMANDS = dict(commands(typer.main.get_command(app)))


def typed(body: str) -> Iterator[list[str]]:
    """The commands of finiex-ray in a block, as words."""
    for line in body.splitlines():
        if line.startswith("finiex-ray "):
            yield shlex.split(line, comments=True)[1:]


def path_of(words: list[str]) -> str:
    return next(path for path in (" ".join(words[:2]), words[0]) if path in COMMANDS)


def test_every_command_has_an_example_that_runs() -> None:
    blocks = [block for block in ALL if block.document == DOCUMENT and block.language == "sh"]
    assert {block.role for block in blocks} <= {"run", "ray", "head"}
    shown = {path_of(words) for block in blocks for words in typed(block.body)}
    assert sorted(set(COMMANDS) - shown) == []
    assert {"run", "runs compare", "replay", "convert", "submit"} <= shown


def test_every_help_text_has_examples_whose_options_there_are() -> None:
    assert sorted(EXAMPLES) == sorted(COMMANDS)
    for path, examples in EXAMPLES.items():
        parameters = COMMANDS[path].params
        options = {option for each in parameters for option in (*each.opts, *each.secondary_opts)}
        for example in examples:
            assert example.startswith(path)
            named = {word for word in shlex.split(example) if word.startswith("--")}
            assert named <= options, (example, named - options)


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_help_of(path: str) -> None:
    shown = CliRunner().invoke(app, [*path.split(), "--help"], env={"COLUMNS": "300"})
    assert shown.exit_code == 0
    assert "Examples:" in shown.output
    assert f"finiex-ray {EXAMPLES[path][0]}" in shown.output


def exit_codes(text: str) -> set[int]:
    table = text.split("\n## Exit codes\n")[1].split("\n## ")[0]
    return {int(code) for row in re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE) for code in row.split(", ")}


def test_exit_codes_are_those_of_the_command_line() -> None:
    from finiex_ray import cli

    codes = {0, cli._FAILED, cli._BAD_INPUT, cli._STOPPED, cli._INTERRUPTED, cli._TERMINATED}
    assert exit_codes((ROOT / DOCUMENT).read_text(encoding="utf-8")) == codes == {0, 1, 2, 3, 130, 143}


def shown(name: str) -> list[str]:
    (body,) = (block.body for block in ALL if block.document == DOCUMENT and block.value == name)
    return [line for line in body.splitlines() if line.strip() != "…"]


def test_the_verification_shown_is_what_it_prints(tmp_path: Path) -> None:
    folder = prepare(tmp_path, DOCUMENT)
    quickstart = "configs/scenario_sets/quickstart.json"
    assert run(folder, "finiex-ray", "run", quickstart, "--run-id", "nightly", "--quiet").returncode == 0
    trades = open_run("nightly", folder / "runs").trades
    row = int((trades["scenario"] == "day_26").to_numpy().argmax()) + 2
    plant(folder / "runs/nightly/trades.parquet", row, "net", 999.0)
    done = run(folder, "finiex-ray", "verify", "nightly")
    assert (done.returncode, done.stdout.splitlines()) == (1, shown("verify"))


def test_the_session_in_the_debugger_is_what_it_shows(tmp_path: Path) -> None:
    folder = prepare(tmp_path, DOCUMENT)
    options = ["--allow-import", "fragile"]
    run(folder, "finiex-ray", "run", "my_set.json", "--run-id", "nightly", "--quiet", *options)
    (command,) = typed("\n".join(shown("replay")).replace("$ ", ""))
    done = run(folder, "bash", "-c", f"printf 'p tick.index\\nq\\n' | finiex-ray {shlex.join(command)}")
    assert done.returncode == 0, done.stderr
    for line in shown("replay")[1:]:
        assert line.removeprefix("> ").removeprefix("(Pdb) p tick.index").strip() in done.stdout.replace(
            "()->", "()\n->"
        ), line
