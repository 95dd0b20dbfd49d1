"""Suggestions, colours, completion: what people meet first."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finiex_ray.cli import app
from finiex_ray.cli_examples import command_paths
from finiex_ray.cli_start import named_alone

ROOT = Path(__file__).resolve().parents[3]


def on_a_terminal(folder: Path, *arguments: str, **variables: str) -> str:
    """Runs the command with a terminal as its output, and gives what it wrote there."""
    leader, follower = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    environment |= {"PYTHONPATH": str(ROOT), "TERM": "xterm", **variables}
    command = [sys.executable, "-m", "finiex_ray", *arguments]
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=follower, stdout=follower, stderr=follower)
    os.close(follower)
    text = b""
    while True:
        try:
            piece = os.read(leader, 4096)
        except OSError:  # the terminal is gone with its last user
            break
        if not piece:
            break
        text += piece
    process.wait()
    os.close(leader)
    return text.decode()


def test_errors_are_red_on_a_terminal_unless_no_colour_is_wanted(tmp_path) -> None:
    (tmp_path / "my_set.json").touch()
    red = on_a_terminal(tmp_path, "run", "my_sets.json")
    assert red.startswith("\x1b[31merror: my_sets.json: no such file. Did you mean 'my_set.json'?")
    plain = on_a_terminal(tmp_path, "run", "my_sets.json", NO_COLOR="1")
    assert plain.startswith("error: my_sets.json: no such file.")
    assert "\x1b[" not in plain


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["rnu"], "Did you mean 'run'?"),
        (["runs", "lst"], "Did you mean 'list'?"),
        (["run", "--onyl", "x"], "--only"),
        (["runs", "show", "--jsn"], "--json"),
    ],
)
def test_the_nearest_command_or_option_is_named(arguments, hint) -> None:
    found = CliRunner().invoke(app, arguments)
    assert found.exit_code == 2
    assert hint in found.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell) -> None:
    script = CliRunner().invoke(app, ["completion", shell])
    assert script.exit_code == 0
    assert "_FINIEX_RAY_COMPLETE" in script.stdout
    assert CliRunner().invoke(app, ["completion", "tcsh"]).exit_code == 2


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("finiex-ray ver", ["verify", "version"]),
        ("finiex-ray runs show ni", ["nightly"]),
        ("finiex-ray doctor --no", ["--no-ray"]),
    ],
)
def test_tab_completes_commands_options_and_runs(tmp_path, words, expected) -> None:
    run = tmp_path / "runs" / "nightly"
    run.mkdir(parents=True)
    (run / "run.json").touch()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "_FINIEX_RAY_COMPLETE": "complete_bash"}
    environment |= {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    done = subprocess.run(
        [sys.executable, "-m", "finiex_ray"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == expected, done.stderr


def test_a_named_command_is_the_same_when_it_is_got_ready_alone() -> None:
    for path, _ in command_paths(app):
        alone = named_alone(app, [*path.split(), "--help"])
        assert len(list(command_paths(alone))) < len(list(command_paths(app)))
        answers = [CliRunner().invoke(each, [*path.split(), "--help"], prog_name="finiex-ray") for each in (app, alone)]
        assert answers[0].exit_code == answers[1].exit_code == 0
        assert answers[0].output == answers[1].output


def test_what_names_no_command_is_told_of_all() -> None:
    for arguments in ([], ["--help"], ["rnu"]):
        assert named_alone(app, arguments) is app
