"""`file_problems`: whether the files of a run are whole, and agree with each other; nothing is run."""

from __future__ import annotations

from collections.abc import Iterator

from finiex_ray.core.errors import DataError
from finiex_ray.execution.hashing import outcome_of, set_hash
from finiex_ray.results.journal import read_segment, segment_files
from finiex_ray.results.merge import FolderPart
from finiex_ray.results.parts import TABLES, part_folders
from finiex_ray.results.reader import RunData

__all__ = ["file_problems"]


def file_problems(run: RunData) -> list[str]:
    """Reads every page of every table, part and journal segment against its checksum, and adds up what ``run.json`` says.

    Args:
        run: The run.

    Returns:
        A sentence for each problem, with the file; none where everything is whole.
    """
    return list(_problems(run))


def _problems(run: RunData) -> Iterator[str]:
    run_dir = run.run_dir
    try:
        finished = run.info.get("status") == "finished"
        packed = run_dir.table("logs").exists() if finished else True
    except DataError as error:
        yield str(error)
        return
    broken = False
    for folder in [run_dir.path] if finished else part_folders(run_dir.parts).values():
        part = FolderPart(folder)
        for name in TABLES:
            if name == "logs" and not (packed and part.path(name).exists()):
                continue
            try:
                for number, _ in enumerate(part.indexes(name)):
                    part.group(name, number)
            except DataError as error:
                broken = True
                yield str(error)
    for path in segment_files(run_dir.journal).values():
        damaged = read_segment(path).damaged
        if damaged:
            yield f"{path}: {damaged:,} bytes belong to no whole frame (torn off or damaged); its other results are whole"
    if finished and not broken:
        yield from _sums(run)


def _sums(run: RunData) -> Iterator[str]:
    """What the head of a finished run says of its scenario table."""
    rows, info, place = run.scenarios, run.info, run.run_dir.info
    success = rows["success"].astype(bool)
    found = {
        "scenarios": len(rows),
        "completed": int(success.sum()),
        "failed": int((~success).sum()),
        "ticks": int(rows["ticks"].sum()),
    }
    for name, number in found.items():
        if info.get(name) != number:
            yield f"{place}: {name} is {info.get(name)}, the scenario table has {number}"
    names = [each.name for each in run.config.scenarios]
    if len(rows) != len(names):
        return
    columns = (rows["index"], success, rows["result_hash"], rows["error_type"])
    outcomes = [
        outcome_of(
            names[index],
            bool(good),
            digest if isinstance(digest, str) else None,
            kind if isinstance(kind, str) else None,
        )
        for index, good, digest, kind in zip(*columns, strict=True)
    ]
    computed = set_hash(outcomes)
    if info.get("result_hash") != computed:
        yield f"{place}: result_hash is {info.get('result_hash')}, the rows of the scenario table give {computed}"
    logs = (name for name in rows["log"] if isinstance(name, str))
    missing = [name for name in logs if not (run.run_dir.logs / name).is_file()]
    if missing:
        yield f"{run.run_dir.logs}: {len(missing)} logs are missing, for example {missing[0]}"
