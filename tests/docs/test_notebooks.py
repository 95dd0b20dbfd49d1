"""Each notebook runs from start to end, and is kept without outputs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nbformat
import pytest
from document_blocks import ROOT
from nbclient import NotebookClient

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ON_RAY = {"own_strategy", "cluster_results"}


def test_all_notebooks_are_there() -> None:
    assert {path.stem for path in NOTEBOOKS} == {
        "cluster_results",
        "own_strategy",
        "quickstart",
        "sweep",
        "walk_forward",
    }


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_stripped(path: Path) -> None:
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


def test_from_import_to_heat_map_in_ten_lines() -> None:
    book = nbformat.read(ROOT / "notebooks" / "sweep.ipynb", as_version=4)
    lines = [
        line for cell in book.cells if cell.cell_type == "code" for line in cell.source.splitlines() if line.strip()
    ]
    assert lines[0] == "import finiex_ray as fr"
    assert next(number for number, line in enumerate(lines, start=1) if ".heatmap(" in line) <= 10


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=path.stem, marks=[pytest.mark.ray] if path.stem in ON_RAY else []) for path in NOTEBOOKS],
)
def test_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in ("RAY_ADDRESS", "DEBUG_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    book = nbformat.read(path, as_version=4)
    NotebookClient(book, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    streams = [output for cell in book.cells for output in cell.get("outputs", ()) if output.output_type == "stream"]
    errors = "".join(output.text for output in streams if output.name == "stderr")
    assert errors == "", "a notebook shows one renewed line, and no flood on stderr"
    assert (folder / "runs" / "latest").is_file()
