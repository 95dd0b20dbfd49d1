"""Every block of code in the documents does what it says."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from document_blocks import ALL, DOCUMENTS, FLOWS, REAL_DATA, ROOT, Block, flow_script, is_shown, prepare, run
from heads import Head, ray_head

from finiex_ray import run_set

RUNNING = ("run", "ray", "data", "head")
RUN = [
    block
    for block in ALL
    if block.language in ("sh", "python")
    and block.role in RUNNING
    and (block.document not in FLOWS or block.role == "data")
]
SETS = [block for block in ALL if block.language == "json" and block.role == "file"]
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.fixture(scope="module")
def head() -> Iterator[Head]:
    with ray_head() as started:
        yield started


def _params(chosen: list[Block]) -> list[object]:
    marks = {"ray": [pytest.mark.ray], "head": [pytest.mark.ray]}
    return [pytest.param(block, id=block.place, marks=marks.get(block.role, [])) for block in chosen]


def test_every_block_is_of_a_known_kind() -> None:
    kinds = {
        "sh": {"run", "ray", "data", "head", "no-run"},
        "python": {"run", "ray", "file"},
        "json": {"file", "input", "sweep"},
        "text": {"file", "output"},
    }
    unknown = [
        f"{block.place}: {block.language} {block.role}" for block in ALL if block.role not in kinds[block.language]
    ]
    assert unknown == []
    assert len(RUN) >= 6
    assert len(SETS) >= 2


def test_only_what_changes_a_machine_is_not_run() -> None:
    infrastructure = {"docker", "kubectl", "ray", "export", "python3", "source"}
    for block in ALL:
        if block.role == "no-run":
            commands = [line.split()[0] for line in block.body.splitlines() if line and not line.startswith("#")]
            assert set(commands) <= {"make", "pip", "git", "cd", *infrastructure}, block.place


@pytest.mark.parametrize("block", _params(RUN))
def test_block_runs(block: Block, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder = prepare(tmp_path, block.document)
    if block.role == "data":
        source: Path = request.getfixturevalue("shared_data")
        for name in block.value.split(","):
            shutil.copytree(source / REAL_DATA[name], folder / name)
    if block.language == "python":
        (folder / "block.py").write_text(block.body, encoding="utf-8")
        done = run(folder, sys.executable, "block.py")
    else:
        values = {}
        if block.role == "head":
            head: Head = request.getfixturevalue("head")
            values = {**head.env, "RAY_API_SERVER_ADDRESS": head.http}
        done = run(folder, "bash", "-euo", "pipefail", "-c", block.body, **values)
    assert done.returncode == 0, f"{block.place}\n{done.stdout}\n{done.stderr}"


def _flows() -> list[object]:
    on_ray = {block.document for block in ALL if block.role in ("ray", "head")}
    runs = {block.document for block in ALL if block.language in ("sh", "python") and block.role in RUNNING}
    marks = {document: [pytest.mark.ray] for document in on_ray}
    return [pytest.param(each, id=each, marks=marks.get(each, [])) for each in FLOWS if each in runs]


@pytest.mark.parametrize("document", _flows())
def test_page_can_be_followed(document: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """From top to bottom, in one shell and one folder; what is shown as output is what was printed."""
    page = [block for block in ALL if block.document == document]
    outputs, folder = tmp_path / "outputs", tmp_path / "reader"
    outputs.mkdir()
    folder.mkdir()
    if document != "docs/tutorial.md":  # its reader begins with an empty folder
        shutil.copytree(ROOT / "configs", folder / "configs")
    values = {}
    if any(block.role == "head" for block in page):
        head: Head = request.getfixturevalue("head")
        values = {**head.env, "RAY_API_SERVER_ADDRESS": head.http}
    values |= {"FINIEX_RAY_REPORT": "1" if document == "docs/tutorial.md" else "0"}
    done = run(folder, "bash", "-c", flow_script(document, outputs), **values)
    printed = {path.name: path.read_text(encoding="utf-8") for path in sorted(outputs.iterdir())}
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{printed}"
    before = ""
    for block in page:
        if str(block.line) in printed:
            before = printed[str(block.line)]
        elif block.role == "output":
            assert is_shown(block.body, before), f"{block.place}\n{before}"


@pytest.mark.parametrize("block", _params(SETS))
def test_set_completes(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = prepare(tmp_path, block.document)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    result = run_set(block.value, executor="local", quiet=True, allow_imports=["."])
    assert list(result.scenarios["error_message"].dropna()) == []
    assert result.scenarios["success"].all()


def test_the_output_shown_is_what_the_quickstart_gives(tmp_path: Path) -> None:
    (shown,) = (block.body for block in ALL if block.role == "output" and block.value == "quickstart")
    result = run_set(ROOT / "configs/scenario_sets/quickstart.json", executor="local", out=tmp_path, quiet=True)
    for row in result.scenarios.to_dict("records"):
        (line,) = (each for each in shown.splitlines() if each.split()[:1] == [row["name"]])
        cells = re.split(r"\s{2,}", line.strip())
        expected = [row["name"], row["symbol"], "ok", f"{row['ticks']:,}"]
        assert cells[:4] == expected
        assert cells[5] == str(row["trades"])
        assert cells[7] == f"{row['net_profit']:.2f} USD"
    assert f"{result.info['ticks']:,}" in shown


def test_the_estimate_shown_is_what_the_quickstart_gives(tmp_path: Path) -> None:
    (shown,) = (block.body for block in ALL if block.role == "output" and block.value == "plan")
    done = run(tmp_path, "finiex-ray", "plan", str(ROOT / "configs/scenario_sets/quickstart.json"), "--jobs", "2")
    took = re.compile(r"\d+(\.\d+)? (s|ms|µs|tasks)\b")  # these follow the engine's speed
    assert took.sub("TIME", done.stdout) == took.sub("TIME", shown)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for link in _LINK.findall(text):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (ROOT / document).parent / name if name else ROOT / document
        assert target.exists(), f"{document}: {link}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, f"{document}: {link}"
